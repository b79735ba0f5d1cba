/* The coalescer among Python objects, for every type that gives chunks: pieces in,
 * `bytes` objects out, and an error kept until the bytes before it are out.
 * The owner locks.
 */
#ifndef GENERATORS_STREAM_CHUNKS_H
#define GENERATORS_STREAM_CHUNKS_H

#include "core/coalescer.h"
#include "generators.h"

typedef struct {
    coalescer machine;
    PyObject *piece;         /* owned: what the machine borrows from, or NULL */
    PyObject *failure;       /* owned: raised when all that came before is out, or NULL */
    uint64_t (*clock)(void); /* NULL where the time does not matter */
    bool finished;           /* nothing more is fed */
} chunks;

/* `size` and `max_delay` as the user gave them, NULL for one that was not: 64 KiB
   and a tenth of a second.  0, or -1 with an exception set. */
int chunks_open(chunks *self, PyObject *size, PyObject *max_delay);
void chunks_close(chunks *self);
int chunks_traverse(chunks *self, visitproc visit, void *arg);

/* The next chunk: a new reference; NULL with an exception set, or without one
   when more must be fed or, `finished`, at the end. */
PyObject *chunks_take(chunks *self);

/* Feed a piece.  `owner` keeps the bytes alive and unchanged; they are copied where
   it is NULL, and where chunks are left to be taken of the piece before, which
   come first.  0 or -1. */
int chunks_feed(chunks *self, PyObject *owner, const void *bytes, size_t count);

/* What is held goes out, and that is the end. */
void chunks_finish(chunks *self);

/* The same, and the exception being raised is raised after it.  False for one
   that does not wait for that: it is no Exception, and still set. */
bool chunks_fail(chunks *self);

#define CHUNKS_BETWEEN_TICKS 64

/* Whether asking for a piece can make nobody wait, so that the clock need not be
   looked at after each. */
static inline bool
chunks_is_instant(const chunks *self, PyObject *source)
{
    return self->clock != NULL &&
           (Py_IS_TYPE(source, &PyListIter_Type) || Py_IS_TYPE(source, &PyTupleIter_Type));
}

/* A step begins, and somebody waits from now on. */
static inline void
chunks_ask(chunks *self)
{
    if (self->clock != NULL && !coalescer_is_empty(&self->machine)) {
        coalescer_ask(&self->machine, self->clock());
    }
}

/* A piece was fed: what has waited too long goes out. */
static inline void
chunks_tick(chunks *self)
{
    if (self->clock != NULL) {
        coalescer_tick(&self->machine, self->clock());
    }
    else if (self->machine.delay == 0) {
        coalescer_flush(&self->machine);
    }
}

#endif
