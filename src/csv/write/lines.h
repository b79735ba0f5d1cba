/* Rows in, chunks of CSV text out: see lines.c.
 *
 * The struct is part of the two front ends in this room.
 */
#ifndef GENERATORS_CSV_WRITE_LINES_H
#define GENERATORS_CSV_WRITE_LINES_H

#include "chunks/chunks.h"
#include "core/buffer.h"
#include "csv/write/columns.h"
#include "csv/write/encode.h"

typedef struct {
    chunks chunks;
    generators_state *state; /* borrowed from the module of the front end */
    csv_encoder *encoder;    /* owned, or NULL */
    csv_columns columns;
    buffer bytes;     /* UTF-8 of a line that is not ASCII */
    PyObject *labels; /* owned: a tuple of the header's labels; NULL: the names */
    bool has_header;
    bool has_mark;
    bool begun;       /* the mark and the header were written */
    Py_ssize_t index; /* of the row in progress */
    uint64_t row_count;
} csv_lines;

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
