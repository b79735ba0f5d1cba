/* The arguments of csv_rows and acsv_rows. */
#ifndef GENERATORS_CSV_ROWS_OPTIONS_H
#define GENERATORS_CSV_ROWS_OPTIONS_H

#include "csv/rows/records.h"
#include "source/options.h"

/* What a front end needs to open its source. */
typedef struct {
    PyObject *source; /* borrowed */
    PyObject *start;  /* borrowed, or NULL */
    checkpoint_changed changed;
    data_source_items items;
    options_opening opening;
    bool is_async;       /* async front end: `close_with_task` in place of `start` */
    int close_with_task; /* as given */
} csv_options;

/* The formats for PyArg_ParseTupleAndKeywords(), without ":" and the name of the type. */
#define CSV_ASYNC_OPTIONS "O|$OOOOOOOOOOOOOOOOOOOOOOUssOOpOOOO"
#define CSV_OPTIONS CSV_ASYNC_OPTIONS "O"

/* Parse the arguments and set up the records, which must be all zero.  0 or -1; the records
   may be cleared in either case. */
int csv_options_read(csv_options *self, generators_state *state, PyObject *args,
                     PyObject *kwargs, const char *format, csv_records *records);

/* For a front end with other arguments: open the parser, with `encoding` or NULL.  0 or -1. */
int csv_options_open_parser(csv_records *records, generators_state *state,
                            const csv_dialect *dialect, PyObject *encoding,
                            const char *errors);

/* After the parser was opened: read `last`, which is `close_with_task` of an async front end
   and `start` of others, and `changed`.  0 or -1. */
int csv_options_read_last(csv_options *self, csv_records *records, PyObject *last,
                          PyObject *changed);

/* Find out what identifies a source that was just opened, for checkpoints.  0 or -1. */
int csv_options_find_origin(csv_records *records, generators_state *state,
                            const data_source *source, file_origin *origin);

/* Let the records continue at `start`, after the source was opened.  0 or -1. */
int csv_options_resume(const csv_options *self, generators_state *state, csv_records *records,
                       data_source *source, file_origin *origin);

#endif
