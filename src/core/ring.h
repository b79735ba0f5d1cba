/* The ring: pointers in the order in which they were put, bounded by their number
 * and by the bytes that they stand for.
 *
 * It is full when either bound is reached.  Until then it takes an item of any
 * size, so what it stands for exceeds `max_bytes` by less than one item, and an item
 * larger than that on its own always has its turn.  A ring of no items is always full:
 * its owner puts an item when one is asked for.
 *
 * The ring owns its memory and never looks at what the pointers lead to.  Nothing
 * here is safe to call from two threads at once: the owner locks.
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
    ring_entry *entries; /* owned; NULL while nothing was ever held */
    size_t room;         /* entries there is memory for: 0 or a power of two */
    size_t first;        /* where the oldest is, below `room` */
    size_t count;        /* items held */
    size_t bytes;        /* that they stand for; at SIZE_MAX it counts no further */
    size_t max_items;
    size_t max_bytes;
} ring;

/* An empty ring. */
void ring_init(ring *self, size_t max_items, size_t max_bytes);

/* Give up the memory; what is still held is forgotten.  The ring is empty then. */
void ring_free(ring *self);

/* Hold one more item, also where the ring is full: who puts asks first.  False when
   there is no memory. */
bool ring_put(ring *self, void *item, size_t bytes);

/* The oldest item, which is held no longer; NULL where there is none. */
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

/* Whether at most half of either bound is in use: time to fill it again. */
static inline bool
ring_is_half_empty(const ring *self)
{
    return self->count <= self->max_items / 2 && self->bytes <= self->max_bytes / 2;
}

/* The item at that place from the oldest on, which is held. */
static inline void *
ring_at(const ring *self, size_t place)
{
    return self->entries[(self->first + place) & (self->room - 1)].item;
}

#endif
