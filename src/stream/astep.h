/* The steps of an async stream: what its methods give, to be awaited. */
#ifndef GENERATORS_STREAM_ASTEP_H
#define GENERATORS_STREAM_ASTEP_H

#include "stream/astream.h"

typedef enum {
    ASTEP_ANEXT,
    ASTEP_ASEND,
    ASTEP_ATHROW,
    ASTEP_ACLOSE,
    ASTEP_APRIME,
    ASTEP_AENTER,
    ASTEP_ABANDON, /* an aclose() whose outcome nobody waits for */
} astep_call;

/* An awaitable of one call; `argument` is what asend() sends or athrow() throws. */
PyObject *astep_new(astream *self, astep_call call, PyObject *argument);

/* The same for anext(), sooner. */
PyObject *astep_new_anext(astream *self);

extern PyType_Spec astep_spec;

#endif
