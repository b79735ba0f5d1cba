/* The coalescer among Python objects, for every type that gives chunks: pieces in,
 * `bytes` objects out, and an error kept until the bytes before it are out.
 * The owner locks.
 *
 * A machine that makes chunks of its items (pieces.h, csv/lines.h) begins with `chunks` and
 * says how by a chunks_kind; its faces are chunks_next() here and achunks.h.
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
    PyObject *piece;         /* owned: what the machine borrows from, or NULL */
    PyObject *failure;       /* owned: raised when all that came before is out, or NULL */
    uint64_t (*clock)(void); /* NULL where the time does not matter */
    bool finished;           /* nothing more is fed */
} chunks;

typedef struct {
    /* Feed an item, of which `index` came before.  0, or -1 with an exception that says
       where. */
    int (*take)(chunks *self, generators_state *state, PyObject *item, Py_ssize_t index);

    /* There are no more: feed what is left, and chunks_end().  0 or -1. */
    int (*end)(chunks *self);

    bool hands_on; /* an item that is the next chunk goes out as it is */
} chunks_kind;

/* `size` and `max_delay` as the user gave them, NULL for one that was not: 64 KiB
   and a tenth of a second.  0, or -1 with an exception set. */
int chunks_open(chunks *self, PyObject *size, PyObject *max_delay);
/* `text` is opened by its owner, and closed here. */
void chunks_close(chunks *self);
int chunks_traverse(chunks *self, visitproc visit, void *arg);

/* The next chunk: a new reference; NULL with an exception set, or without one
   when more must be fed or, `finished`, at the end. */
PyObject *chunks_take(chunks *self);

/* Feed a piece.  `owner` keeps the bytes alive and unchanged; they are copied where
   it is NULL, and where chunks are left to be taken of the piece before, which
   come first.  0 or -1. */
int chunks_feed(chunks *self, PyObject *owner, const void *bytes, size_t count);

/* Feed text by the encoder. */
int chunks_feed_text(chunks *self, PyObject *text);

/* What the encoder and the machine hold goes out, and that is the end.  0 or -1. */
int chunks_end(chunks *self);

/* The same, and the exception being raised is raised after it.  False for one
   that does not wait for that: it is no Exception, and still set. */
bool chunks_fail(chunks *self);

#define CHUNKS_BETWEEN_TICKS 64
#define CHUNKS_BETWEEN_CHECKS 1024 /* for signals: no item may ever complete a chunk */

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

/* Whether an item is the next chunk. */
static inline bool
chunks_is_whole(const chunks *self, const chunks_kind *kind, PyObject *item)
{
    return kind->hands_on && PyBytes_CheckExact(item) &&
           (size_t)PyBytes_GET_SIZE(item) == self->machine.size &&
           coalescer_is_empty(&self->machine);
}

/* ---- the synchronous face ---- */

/* Feed items of the stream until a chunk is ready, one is found whole, or the source has
   ended.  0 and *whole, a new reference or NULL, or -1.  Inline, so that `kind` is known
   where it is called. */
static inline int
chunks_pull(chunks *self, stream *face, const chunks_kind *kind, bool instant,
            PyObject **whole)
{
    generators_state *state = generators_state_of((PyObject *)face);
    PyObject *flush = state->flush;
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
        if (coalescer_is_ready(&self->machine)) {
            return 0;
        }
        if (count % CHUNKS_BETWEEN_CHECKS == 0 && PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
}

/* The next chunk, for which `more` feeds; NULL at the end or with an exception set. */
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
