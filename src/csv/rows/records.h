/* csv_records: pieces in, rows out.
 *
 * What csv_rows and acsv_rows are two faces of: everything between the parser and the
 * row, the header, the names, the shape, bad records, counters and the place of a
 * checkpoint.  It never calls for more data: csv_records_next() says CSV_MORE, its
 * face pulls, waiting as it likes, and calls again.
 *
 *   records.c    the machine
 *   options.c    the arguments of a face -> the machine and its source
 */
#ifndef GENERATORS_CSV_ROWS_RECORDS_H
#define GENERATORS_CSV_ROWS_RECORDS_H

#include "csv/parse/checkpoint.h"
#include "csv/parse/fault.h"
#include "csv/row/plan.h"
#include "source/source.h"
#include "csv/parse/parser.h"

typedef PyObject *(*csv_record_maker)(const csv_parser *parser, generators_state *state,
                                      const fields_record *record, Py_ssize_t *bad);

typedef enum {
    CSV_DONE,         /* what was asked for is there */
    CSV_MORE,         /* the parser must be fed, or finished, first */
    CSV_OVER,         /* no more records */
    CSV_RAISED_ERROR, /* an exception is set */
} csv_step;

/* What is under way with a record that can't be read, while more must be fed. */
typedef enum {
    CSV_NO_FAULT,
    CSV_FAULT_IN_STRUCTURE, /* the parser must get over it */
    CSV_FAULT_IN_RECORD,    /* a record that was taken: its line end may be cut off */
} csv_fault;

typedef struct {
    csv_parser parser;
    csv_plan *plan;               /* owned, or NULL */
    csv_record_maker plain_maker; /* where there is no need of the plan, else NULL */
    PyObject *names;              /* owned: what the user gave as `names`, or NULL */
    PyObject *on_error;           /* owned: NULL to raise, None to skip, or whom to tell */
    PyObject *header;  /* owned: a tuple, or NULL while not read and where there is none */
    Py_ssize_t width;  /* fields that a record must have; -1 for any number */
    bool reads_header; /* it is not read yet */
    bool settled;      /* the plan is */
    bool lazy;         /* rows are CSVRows: the parser has a block */
    bool keyed;  /* rows are read by name: records are not blank and have `width` fields */
    bool begun;  /* `first` is set */
    bool marked; /* `mark` stands; otherwise it is where the parser is */
    csv_mark mark;
    csv_mark first;       /* before the first row */
    uint32_t first_width; /* of the first record, where a plan goes by it; 0 if not known */
    uint64_t row_count;
    uint64_t error_count;
    csv_fault fault;
    PyObject *error; /* owned: the CSVError of the fault, or NULL */
    csv_raw raw;     /* the text of the record at fault, so far */
} csv_records;

/* What a face opens its source with. */
typedef struct {
    PyObject *source; /* borrowed */
    PyObject *start;  /* borrowed, or NULL */
    csv_items items;
    bool is_async;       /* set by an async face: it has `close_with_task`, and no `start` */
    int close_with_task; /* what it was given */
} csv_options;

/* What PyArg_ParseTupleAndKeywords() is told of them; ":" and the type's name come behind. */
#define CSV_OPTIONS "O|$OOOOOOOOOOOOOOOOUssOOOO"

/* Read the arguments and set up the records, which are all zero; they may be let go of all
   the same if that fails.  0 or -1. */
int csv_records_open(csv_records *self, generators_state *state, PyObject *args,
                     PyObject *kwargs, const char *format, csv_options *options);

/* Go on from the checkpoint `start`, once the source is open.  0 or -1. */
int csv_records_go_on(csv_records *self, generators_state *state, PyObject *start,
                      csv_source *source, csv_origin *origin);

/* The next row. */
csv_step csv_records_next(csv_records *self, generators_state *state, PyObject **row);

/* Read the header, if there is one and it was not read yet. */
csv_step csv_records_read_header(csv_records *self, generators_state *state);

/* Let go of all but the header, the counters and the mark; and of those too. */
void csv_records_release(csv_records *self);
void csv_records_clear(csv_records *self);
int csv_records_traverse(csv_records *self, visitproc visit, void *arg);

/* Where another reader goes on; `primed`: the row made last was not handed out, and is
   the first. */
csv_mark csv_records_mark(const csv_records *self, bool primed);

/* The same as a new dict, for checkpoint(). */
static inline PyObject *
csv_records_checkpoint(const csv_records *self, generators_state *state,
                       const csv_origin *origin, const csv_mark *mark)
{
    return csv_checkpoint_new(state, origin, &self->parser, mark, self->header,
                              csv_plan_width(self->plan, self->first_width));
}

/* csv_names_new() of the header, for rows that are read by name.  0 or -1. */
int csv_records_key(csv_records *self, generators_state *state);

#endif
