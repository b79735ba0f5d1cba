/* The struct of csv_records, for the files of this room and for csv/batches: see records.h. */
#ifndef GENERATORS_CSV_ROWS_STATE_H
#define GENERATORS_CSV_ROWS_STATE_H

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
    PyObject *header;  /* owned: a tuple; NULL if it was not read yet or there is none */
    Py_ssize_t width;  /* fields that a record must have; -1 for any number */
    bool reads_header; /* the header must still be read */
    bool settled;      /* the plan is settled */
    bool lazy;         /* rows are CSVRows: the parser has a block */
    bool keyed;        /* rows have names: the number of fields is checked */
    bool numbers;      /* names that repeat, or are empty, are numbered */
    bool guesses;      /* the delimiter was not given, so a header may ask for one */
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

#endif
