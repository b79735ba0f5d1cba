/* The sync front end of line_rows: what `lines` and `jsonl_rows` share. */
#ifndef GENERATORS_TEXT_LINE_STREAM_H
#define GENERATORS_TEXT_LINE_STREAM_H

#include "text/line_options.h"

typedef struct {
    stream stream;
    data_source source;
    line_rows rows;
    file_origin origin; /* of the source, for checkpoints */
    line_mark asked;    /* of the last checkpoint that was asked for */
} line_stream;

/* A type's tp_new, but for its name and how it reads its arguments. */
PyObject *line_stream_new(PyTypeObject *type, const char *name, line_options_reader read,
                          PyObject *args, PyObject *kwargs);

/* Slots and methods of both types. */
int line_stream_traverse(PyObject *op, visitproc visit, void *arg);
int line_stream_clear(PyObject *op);
PyObject *line_stream_checkpoint(PyObject *op, PyObject *ignored);
PyObject *line_stream_get_total_bytes(PyObject *op, void *closure);

#define LINE_STREAM_COUNT(member) (void *)offsetof(line_stream, member)

#endif
