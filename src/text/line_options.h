/* The arguments of lines, jsonl_rows and their async faces. */
#ifndef GENERATORS_TEXT_LINE_OPTIONS_H
#define GENERATORS_TEXT_LINE_OPTIONS_H

#include "source/checkpoint.h"
#include "source/options.h"
#include "text/line_rows.h"

/* What a front end needs to open its source. */
typedef struct {
    PyObject *source; /* borrowed */
    PyObject *start;  /* borrowed, or NULL */
    checkpoint_changed changed;
    data_source_items items;
    options_opening opening;
    bool is_async;       /* async front end: `close_with_task` in place of `start` */
    int close_with_task; /* as given */
} line_options;

/* Parse the arguments of the type `name` and set up the rows, which must be zero but for their
   state.  0 or -1; the rows may be cleared in either case. */
typedef int (*line_options_reader)(line_options *self, const char *name, PyObject *args,
                                   PyObject *kwargs, line_rows *rows);

int line_options_read_lines(line_options *self, const char *name, PyObject *args,
                            PyObject *kwargs, line_rows *rows);
int line_options_read_jsonl(line_options *self, const char *name, PyObject *args,
                            PyObject *kwargs, line_rows *rows);

#endif
