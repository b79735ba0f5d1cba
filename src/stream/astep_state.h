/* What a step of an async stream is, for astep.c and take_over.c. */
#ifndef GENERATORS_STREAM_ASTEP_STATE_H
#define GENERATORS_STREAM_ASTEP_STATE_H

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

typedef struct {
    coroutine base;
    astream *stream;    /* owned; NULL when it has ended */
    PyObject *argument; /* owned, or NULL */
    astep_call call;
    bool is_interrupted; /* another closes the stream */
    bool is_closer;      /* waits for another to close it */
} astep;

static inline void
astep_set_under_way(astep *step, astream *self)
{
    self->running = self->executing = true;
    self->current = &step->base;
}

#endif
