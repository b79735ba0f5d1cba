/* csv_records: pieces in, rows out.
 *
 * The machine behind the two front ends csv_rows and acsv_rows.  It does everything between
 * the parser and the row: the header, the names, the shape, bad records, the counters and the
 * position of a checkpoint.  It never asks for data.  When it needs more, csv_records_next()
 * returns CSV_MORE.  The front end then feeds the parser, waiting as it likes, and calls
 * again.
 */
#ifndef GENERATORS_CSV_ROWS_RECORDS_H
#define GENERATORS_CSV_ROWS_RECORDS_H

#include "csv/parse/checkpoint.h"
#include "csv/parse/fault.h"
#include "csv/row/plan.h"

typedef PyObject *(*csv_record_maker)(const csv_parser *parser, generators_state *state,
                                      const fields_record *record, Py_ssize_t *bad);

typedef enum {
    CSV_DONE,         /* the result is there */
    CSV_MORE,         /* the parser must be fed, or finished, first */
    CSV_OVER,         /* there are no more records */
    CSV_RAISED_ERROR, /* an exception is set */
} csv_step;

/* A record that can't be read.  Its text is being collected, while more must be fed. */
typedef enum {
    CSV_NO_FAULT,
    CSV_FAULT_IN_STRUCTURE, /* the parser must recover */
    CSV_FAULT_IN_RECORD,    /* the record was taken, and its line end may be cut off */
    CSV_FAULT_AHEAD,        /* in structure, behind records that are held back: footer.c */
} csv_fault;

/* What becomes of a record without fields. */
typedef enum { CSV_BLANK_KEEP, CSV_BLANK_SKIP, CSV_BLANK_ERROR } csv_blank;

/* A fault behind records that are held back: see footer.c. */
typedef struct csv_kept_fault csv_kept_fault;

typedef struct {
    csv_parser parser;
    csv_plan *plan;               /* owned, or NULL */
    csv_record_maker plain_maker; /* makes the rows if no plan is needed, or else NULL */
    PyObject *names;              /* owned: `names` as given, or NULL */
    PyObject *on_error;           /* owned: a callable; None to skip; NULL to raise */
    PyObject *header;     /* owned: a tuple; NULL if it was not read yet or there is none */
    Py_ssize_t width;     /* fields that a record must have; -1 for any number */
    bool reads_header;    /* the header must still be read */
    bool settled;         /* the plan is settled */
    bool lazy;            /* rows are CSVRows: the parser has a block */
    bool keyed;           /* rows have names: the number of fields is checked */
    bool numbers;         /* names that repeat, or are empty, are numbered */
    bool guesses;         /* the delimiter was not given, so a header may ask for one */
    csv_blank blank;
    size_t footer;        /* records at the end that are none */
    csv_kept_fault *kept; /* owned: faults behind records that are held back; or NULL */
    size_t ahead_place;   /* CSV_FAULT_AHEAD: the records before it */
    uint64_t ahead_lines; /* and the lines that it takes */
    bool begun;           /* `first` is set */
    bool marked;          /* `mark` is set; otherwise the mark is the parser's position */
    csv_mark mark;        /* where another reader resumes */
    csv_mark first;       /* where another reader resumes before the first row */
    uint32_t first_width; /* of the first record, if a plan depends on it; 0 if unknown */
    uint64_t row_count;
    uint64_t error_count;
    csv_fault fault;
    PyObject *error; /* owned: the CSVError of the fault, or NULL */
    csv_raw raw;     /* the text of the record at fault, so far */
} csv_records;

/* Make the next row. */
csv_step csv_records_next(csv_records *self, generators_state *state, PyObject **row);

/* Pass the next record, or one that can't be read, without making a row. */
csv_step csv_records_pass(csv_records *self, generators_state *state);

/* ---- for a front end that makes something else of the records ---- */

/* Do what comes before the next record: read the header, or get over a fault.  CSV_DONE when
   records can be taken. */
csv_step csv_records_prepare(csv_records *self, generators_state *state);

/* The parser has failed: raise its fault, and get over it as `on_error` says.  CSV_DONE when
   records can be taken again. */
csv_step csv_records_take_fault(csv_records *self, generators_state *state);

/* A CSVError of a record that was taken is set: get over it as `on_error` says.  `line_count`
   is the count after the record.  CSV_DONE when the reader has recovered. */
csv_step csv_records_fail_record(csv_records *self, generators_state *state,
                                 const fields_record *record, uint64_t line_count);

/* Settle the plan for these names, if there is a plan.  0 or -1. */
int csv_records_settle(csv_records *self, generators_state *state, PyObject *names);

/* A request that the names do not allow is a ValueError.  Make it a CSVError of the record
   that was taken last.  Any other exception stays. */
void csv_records_blame_names(csv_records *self, generators_state *state);

/* For header.c and footer.c: take the next record; *fault: the exception set is the CSVError of
   this record.  Set the mark before the next record.  Raise CSVError for one that is blank. */
csv_step csv_records_take(csv_records *self, generators_state *state,
                          const fields_record **record, bool *fault);
void csv_records_mark_next(const csv_records *self, csv_mark *mark);
void csv_records_raise_blank(csv_records *self, generators_state *state,
                             const fields_record *record);

/* The text of the record at fault, whose CSVError is `error`: a new reference, or
   NULL.  And call `on_error`: 0 or -1. */
PyObject *csv_records_raw_text(csv_records *self, PyObject *error);
int csv_records_report(csv_records *self, PyObject *error, PyObject *text);

/* ---- */

/* Read the header, if there is one and it was not read yet. */
csv_step csv_records_read_header(csv_records *self, generators_state *state);

/* Make the csv_names of the header, for rows that are read by name.  0 or -1. */
int csv_records_key(csv_records *self, generators_state *state);

/* Release all but the header, the counters and the mark; and release all. */
void csv_records_release(csv_records *self);
void csv_records_clear(csv_records *self);
int csv_records_traverse(csv_records *self, visitproc visit, void *arg);

/* Where another reader resumes.  `primed`: the last row was made but not delivered yet, so the
   other reader starts with it. */
csv_mark csv_records_mark(const csv_records *self, bool primed);

/* The number of fields of the first record, if a plan depends on it, for a checkpoint. */
static inline uint32_t
csv_records_width(const csv_records *self)
{
    return csv_plan_width(self->plan, self->first_width);
}

#endif
