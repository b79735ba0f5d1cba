/* The ring: a queue of pointers, bounded by their number and by the bytes that they stand for.
 *
 * The ring is full when either bound is reached.  Until then it accepts an item of any size.
 * So it may exceed `max_bytes` by less than one item, and an item that is larger than
 * `max_bytes` can still be put.  A ring with `max_items` of 0 is always full; its owner puts
 * an item only when one is asked for.
 *
 * The ring owns its memory and never looks at what the pointers point to.  Nothing here is
 * safe to call from two threads at once; the owner locks.
 */
#ifndef GENERATORS_CORE_RING_H
#define GENERATORS_CORE_RING_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    void *item;
    size_t bytes;
} ring_entry;

typedef struct {
    ring_entry *entries; /* owned; NULL until something is held */
    size_t room;         /* allocated entries: 0 or a power of two */
    size_t first;        /* index of the oldest item, less than `room` */
    size_t count;        /* items held */
    size_t bytes;        /* that the items stand for, SIZE_MAX at most */
    size_t max_items;
    size_t max_bytes;
} ring;

/* Make an empty ring. */
void ring_init(ring *self, size_t max_items, size_t max_bytes);

/* Free the memory and forget all items.  The ring is then empty. */
void ring_free(ring *self);

/* Put one item, even if the ring is full: the caller checks that first.  False if there is no
   memory. */
bool ring_put(ring *self, void *item, size_t bytes);

/* Remove and return the oldest item.  NULL if there is none. */
void *ring_take(ring *self);

static inline bool
ring_is_empty(const ring *self)
{
    return self->count == 0;
}

static inline bool
ring_is_full(const ring *self)
{
    return self->count >= self->max_items || self->bytes >= self->max_bytes;
}

/* Whether at most half of each bound is in use: time to fill the ring again. */
static inline bool
ring_is_half_empty(const ring *self)
{
    return self->count <= self->max_items / 2 && self->bytes <= self->max_bytes / 2;
}

/* The item at that place, counted from the oldest.  It must exist. */
static inline void *
ring_at(const ring *self, size_t place)
{
    return self->entries[(self->first + place) & (self->room - 1)].item;
}

#endif
