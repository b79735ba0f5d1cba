/* The coalescer: bytes in pieces of any length -> chunks of exactly `size`.
 *
 * Pieces shorter than a chunk are copied into its block.  When a piece completes a chunk, the
 * rest of the piece is borrowed and cut into whole chunks without a copy.  Bytes held for an
 * incomplete chunk go out early only when they are due: after coalescer_flush(), or when
 * `delay` has passed.  The coalescer reads no clock; its owner passes the time.
 *
 * The owner feeds one piece, takes chunks until there is none, and keeps the piece alive and
 * unchanged until then.
 */
#ifndef GENERATORS_CORE_COALESCER_H
#define GENERATORS_CORE_COALESCER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COALESCER_NEVER UINT64_MAX

enum {
    COALESCER_REST = 1,  /* a part of the last piece is not taken yet */
    COALESCER_OWNER = 2, /* the owner wants to see every piece: it sets and clears this */
};

typedef struct {
    size_t size;         /* bytes in a chunk */
    uint64_t delay;      /* nanoseconds for which bytes may be held; 0: not at all */
    uint8_t *block;      /* owned; NULL until something is held */
    size_t length;       /* bytes in the block; 0 while `rest` is whole chunks */
    size_t capacity;     /* at most size */
    const uint8_t *rest; /* borrowed: the part of the piece that is not taken yet */
    size_t rest_length;
    uint64_t since; /* when the held bytes began to wait */
    bool waiting;   /* `since` is set */
    bool due;       /* all held bytes go out */
    bool given;     /* the block was the last chunk, and the next call empties it */
    uint8_t no_put; /* COALESCER_...: why coalescer_put() takes nothing */
} coalescer;

void coalescer_init(coalescer *self, size_t size, uint64_t delay);
void coalescer_free(coalescer *self);

/* Take a piece.  No chunk may be left to take, or else the piece must begin with the rest of
   the piece before.  False if there is no memory; nothing has changed then. */
bool coalescer_feed(coalescer *self, const void *bytes, size_t count);

/* Set *chunk to the next chunk and return its length, 1 to `size`.  The chunk is valid until
   the next call.  Returns 0 if there is none; the piece fed is then no longer needed. */
size_t coalescer_next(coalescer *self, const uint8_t **chunk);

/* Make the held bytes due, if there are any. */
void coalescer_flush(coalescer *self);

/* A piece was fed at `now`.  If bytes have been held for too long, they are due. */
void coalescer_tick(coalescer *self, uint64_t now);

/* Someone waits for the next chunk from `now` on.  The delay counts from here, because nobody
   waited for the bytes before. */
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

/* coalescer_feed() for a piece that completes no chunk and fits into the block as it is.
   False for any other piece, if chunks are left to take, and if the owner said so. */
static inline bool
coalescer_put(coalescer *self, const void *bytes, size_t count)
{
    if (count >= self->capacity - self->length || self->no_put != 0) {
        return false;
    }
    memcpy(self->block + self->length, bytes, count);
    self->length += count;
    return true;
}

#endif
