/* The coalescer: bytes in pieces of any length -> chunks of exactly `size`.
 *
 * Pieces shorter than a chunk are copied together into its block; of a piece
 * that completes a chunk, what is left over is borrowed and cut without a copy
 * for as long as whole chunks come out of it.  What is held goes out early
 * only when it is due: coalescer_flush(), or `delay` passed by.  It reads no
 * clock: its owner tells it the time.
 *
 * The owner feeds one piece, takes chunks until there is none, and keeps the
 * piece alive and unchanged until then.
 */
#ifndef GENERATORS_CORE_COALESCER_H
#define GENERATORS_CORE_COALESCER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COALESCER_NEVER UINT64_MAX

typedef struct {
    size_t size;         /* bytes of a chunk */
    uint64_t delay;      /* nanoseconds that bytes may be held; 0: none is held */
    uint8_t *block;      /* owned; NULL while nothing was ever held */
    size_t length;       /* bytes in it; 0 while `rest` is whole chunks */
    size_t capacity;     /* at most size */
    const uint8_t *rest; /* borrowed: what is not yet taken of the piece fed */
    size_t rest_length;
    uint64_t since; /* when what is held began to wait */
    bool waiting;   /* `since` is set */
    bool due;       /* all that is held goes out */
    bool given;     /* the block was the last chunk: it is empty at the next call */
} coalescer;

void coalescer_init(coalescer *self, size_t size, uint64_t delay);
void coalescer_free(coalescer *self);

/* Take a piece; no chunk is left to be taken, or the piece begins with the rest of
   the one before.  False when there is no memory, and nothing has changed. */
bool coalescer_feed(coalescer *self, const void *bytes, size_t count);

/* The next chunk, 1 to `size` bytes that stand until the next call; 0 when there
   is none, and the piece fed is no longer needed. */
size_t coalescer_next(coalescer *self, const uint8_t **chunk);

/* What is held is due, if anything is. */
void coalescer_flush(coalescer *self);

/* A piece was fed at `now`: what has been held for too long is due. */
void coalescer_tick(coalescer *self, uint64_t now);

/* Somebody waits for the next chunk from `now` on: what was held before that
   made nobody wait. */
void coalescer_ask(coalescer *self, uint64_t now);

static inline bool
coalescer_is_empty(const coalescer *self)
{
    return self->rest_length == 0 && (self->length == 0 || self->given);
}

static inline bool
coalescer_needs_clock(const coalescer *self)
{
    return self->delay != 0 && self->delay != COALESCER_NEVER;
}

/* Whether coalescer_next() has a chunk to give. */
static inline bool
coalescer_is_ready(const coalescer *self)
{
    return self->due || self->rest_length > 0 || self->length == self->size;
}

/* coalescer_feed() for a piece that completes no chunk and for which there is
   room already; false for any other, and where chunks are left. */
static inline bool
coalescer_put(coalescer *self, const void *bytes, size_t count)
{
    if (count >= self->capacity - self->length || self->rest_length > 0) {
        return false;
    }
    memcpy(self->block + self->length, bytes, count);
    self->length += count;
    return true;
}

#endif
