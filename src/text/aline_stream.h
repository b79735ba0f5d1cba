/* The async front end of line_rows: what `alines` and `ajsonl_rows` share. */
#ifndef GENERATORS_TEXT_ALINE_STREAM_H
#define GENERATORS_TEXT_ALINE_STREAM_H

#include "stream/astream.h"
#include "text/line_options.h"

typedef struct {
    astream stream;
    data_source pieces; /* how pieces are fed; it has no source itself */
    line_rows rows;
} aline_stream;

/* A type's tp_new, but for its name and how it reads its arguments. */
PyObject *aline_stream_new(PyTypeObject *type, const char *name, line_options_reader read,
                           PyObject *args, PyObject *kwargs);

/* Slots of both types. */
int aline_stream_traverse(PyObject *op, visitproc visit, void *arg);
int aline_stream_clear(PyObject *op);
PyObject *aline_stream_get_total_bytes(PyObject *op, void *closure);

#define ALINE_STREAM_COUNT(member) (void *)offsetof(aline_stream, member)

#endif
