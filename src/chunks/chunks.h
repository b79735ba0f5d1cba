/* The coalescer for Python objects: pieces in, `bytes` objects out.  It holds an error back
 * until the bytes before the error are out.  The owner locks.
 *
 * A machine that makes chunks of its items (pieces.h, csv/write/lines.h) has `chunks` as the
 * first member of its struct, and a chunks_kind.  Its front ends use chunks_next() here, or
 * achunks.h.  The struct is public for these machines, and for the inline functions that run
 * for each item.
 */
#ifndef GENERATORS_CHUNKS_CHUNKS_H
#define GENERATORS_CHUNKS_CHUNKS_H

#include "core/coalescer.h"
#include "state.h"
#include "stream/stream.h"
#include "chunks/text.h"

typedef struct {
    coalescer machine;
    text_encoder text;
    PyObject *piece;         /* owned: the object whose bytes the machine borrows, or NULL */
    PyObject *failure;       /* owned: raised after all bytes before it are out, or NULL */
    uint64_t (*clock)(void); /* NULL if the time does not matter */
    bool finished;           /* nothing more is fed */
    bool holding;            /* the last item has more to feed: see chunks_kind */
} chunks;

typedef struct {
    /* Feed item number `index`.  0, or -1 with an exception that has a note of its place. */
    int (*take)(chunks *self, generators_state *state, PyObject *item, Py_ssize_t index);

    /* There are no more items: feed what is left, and call chunks_end().  0 or -1. */
    int (*end)(chunks *self);

    bool passes; /* pass an item on as it is if it is exactly the next chunk */

    /* Feed more of the last item, which has set `holding`: 1, 0 if there is no more, or -1
       with an exception set.  No chunk is ready.  NULL if no item sets it. */
    int (*feed_more)(chunks *self);
} chunks_kind;

/* Read `size` and `max_delay`.  NULL means not given: 64 KiB, and a tenth of a second.  Where
   only `size` is given, the chunks are parts of that size, and time does not cut them.  The
   owner opens `text`; chunks_close() closes it.  0 or -1. */
int chunks_open(chunks *self, PyObject *size, PyObject *max_delay);
void chunks_close(chunks *self);
int chunks_traverse(chunks *self, visitproc visit, void *arg);

/* Take the next chunk: a new reference.  NULL with an exception set; or without one if more
   must be fed, or at the end if `finished`. */
PyObject *chunks_take(chunks *self);

/* Feed a piece.  `owner` keeps the bytes alive and unchanged.  The bytes are copied if `owner`
   is NULL or if chunks of the last piece are not all taken.  0 or -1. */
int chunks_feed(chunks *self, PyObject *owner, const void *bytes, size_t count);

/* Encode and feed text.  0 or -1. */
int chunks_feed_text(chunks *self, PyObject *text);

/* Flush the encoder and the machine, and end.  0 or -1. */
int chunks_end(chunks *self);

/* Flush the machine, and end.  Hold back the exception that is set until the flushed bytes are
   out.  False if it is not an Exception: it is then not held back, and stays set. */
bool chunks_fail(chunks *self);

/* What is held, for a stream's kind->measure(). */
static inline void
chunks_measure(const chunks *self, measures *into)
{
    const coalescer *c = &self->machine;
    size_t bytes = c->rest_length + (c->given ? 0 : c->length);
    into->held_bytes = (Py_ssize_t)bytes;
    into->held += bytes > 0;
}

#define CHUNKS_BETWEEN_TICKS 64
#define CHUNKS_BETWEEN_CHECKS \
    1024 /* for signals: it may be that no item ever completes a chunk */

/* Whether the next piece is always there at once.  The clock then need not be read after each
   one. */
static inline bool
chunks_is_instant(const chunks *self, PyObject *source)
{
    return self->clock != NULL &&
           (Py_IS_TYPE(source, &PyListIter_Type) || Py_IS_TYPE(source, &PyTupleIter_Type));
}

/* A step begins: from now on the consumer waits. */
static inline void
chunks_ask(chunks *self)
{
    if (self->clock != NULL && !coalescer_is_empty(&self->machine)) {
        coalescer_ask(&self->machine, self->clock());
    }
}

/* A piece was fed: flush the bytes that have waited too long. */
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

/* Whether an item is exactly the next chunk. */
static inline bool
chunks_is_whole(const chunks *self, const chunks_kind *kind, PyObject *item)
{
    return kind->passes && PyBytes_CheckExact(item) &&
           (size_t)PyBytes_GET_SIZE(item) == self->machine.size &&
           coalescer_is_empty(&self->machine);
}

/* Feed more of the item in hand.  0 or -1. */
static inline int
chunks_feed_more(chunks *self, const chunks_kind *kind)
{
    int status = kind->feed_more(self);
    self->holding = status > 0;
    if (status > 0) {
        chunks_tick(self);
        status = PyErr_CheckSignals();
    }
    return status;
}

/* ---- the sync front end ---- */

/* Feed items of the stream until a chunk is ready, an item is exactly the next chunk, or the
   source has ended.  0 with *whole set to that item or NULL, or -1.  Inline, so that the
   compiler knows `kind`. */
static inline int
chunks_pull(chunks *self, stream *face, const chunks_kind *kind, bool instant,
            PyObject **whole)
{
    generators_state *state = generators_state_of((PyObject *)face);
    PyObject *flush = state->flush;
    if (self->holding) {
        return chunks_feed_more(self, kind);
    }
    for (unsigned count = 1;; count++) {
        PyObject *item;
        int status = stream_pull(face, &item);
        if (status <= 0) {
            return status < 0 ? -1 : kind->end(self);
        }
        if (chunks_is_whole(self, kind, item)) {
            *whole = item;
            return 0;
        }
        if (item == flush) {
            coalescer_flush(&self->machine);
        }
        else {
            status = kind->take(self, state, item, face->pulled - 1);
        }
        Py_DECREF(item);
        if (status < 0) {
            return -1;
        }
        if (!instant || count % CHUNKS_BETWEEN_TICKS == 0) {
            chunks_tick(self);
        }
        if (coalescer_is_ready(&self->machine) || self->holding) {
            return 0;
        }
        if (count % CHUNKS_BETWEEN_CHECKS == 0 && PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
}

/* Take the next chunk, calling `more` to feed.  NULL at the end, or with an exception set. */
static inline PyObject *
chunks_next(chunks *self, stream *face, int (*more)(stream *face, PyObject **whole))
{
    chunks_ask(self);
    for (;;) {
        PyObject *chunk = chunks_take(self);
        if (chunk != NULL || PyErr_Occurred() || self->finished) {
            return chunk;
        }
        int status = more(face, &chunk);
        if (chunk != NULL) {
            return chunk;
        }
        if (status < 0 && !chunks_fail(self)) {
            return NULL;
        }
    }
}

#endif
