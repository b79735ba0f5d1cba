/* Rows in, chunks of CSV text out: see lines.c.
 */
#ifndef GENERATORS_CSV_WRITE_LINES_H
#define GENERATORS_CSV_WRITE_LINES_H

#include "csv/write/line_feed.h"

/* How the front ends feed it. */
extern const chunks_kind csv_lines_kind;

void csv_lines_init(csv_lines *self);

/* Read the arguments of the type `name`.  *rows is borrowed from them.  `close_with_task` is
   NULL for the sync front end.  0 or -1. */
int csv_lines_open(csv_lines *self, generators_state *state, const char *name, PyObject *args,
                   PyObject *kwargs, PyObject **rows, int *close_with_task);
void csv_lines_close(csv_lines *self);
int csv_lines_traverse(csv_lines *self, visitproc visit, void *arg);

#endif
