/* Rows in, chunks of JSON lines out: the machine of jsonl_encode and ajsonl_encode.
 *
 * The struct is part of the two front ends.
 */
#ifndef GENERATORS_TEXT_JSON_LINES_H
#define GENERATORS_TEXT_JSON_LINES_H

#include "chunks/chunks.h"

typedef struct {
    chunks chunks;
    PyObject *dumps; /* owned, or NULL */
    uint64_t row_count;
} json_lines;

/* How the front ends feed it. */
extern const chunks_kind json_lines_kind;

/* Read the arguments of the type `name`.  *rows is borrowed from them.  `close_with_task` is
   NULL for the sync front end.  0 or -1. */
int json_lines_open(json_lines *self, const char *name, PyObject *args, PyObject *kwargs,
                    PyObject **rows, int *close_with_task);
void json_lines_close(json_lines *self);
int json_lines_traverse(json_lines *self, visitproc visit, void *arg);

#endif
