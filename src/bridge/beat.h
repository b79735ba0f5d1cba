/* What heartbeat() and aheartbeat() give while no item comes. */
#ifndef GENERATORS_BRIDGE_BEAT_H
#define GENERATORS_BRIDGE_BEAT_H

#include "state.h"

typedef struct {
    PyObject *item; /* owned: the item, or a callable that makes one; NULL once released */
    uint64_t every; /* nanoseconds, or SECONDS_FOREVER */
    uint64_t since; /* when the wait for the next item began; 0: nobody has waited yet */
} beat;

/* Read the parameters.  0 or -1. */
int beat_open(beat *self, PyObject *every, PyObject *item);

/* How many nanoseconds to wait now, at most. */
uint64_t beat_left(const beat *self);

/* A wait begins, if none has begun since something was given. */
void beat_wait(beat *self);

/* Something was given: the next wait begins anew. */
static inline void
beat_rest(beat *self)
{
    self->since = 0;
}

/* The item for now: a new reference, or NULL. */
PyObject *beat_make(beat *self);

int beat_traverse(const beat *self, visitproc visit, void *arg);
void beat_clear(beat *self);

#endif
