#include "core/coalescer.h"

#include "core/memory.h"

#define FIRST_CAPACITY ((size_t)4096)

void
coalescer_init(coalescer *self, size_t size, uint64_t delay)
{
    *self = (coalescer){.size = size, .delay = delay};
}

void
coalescer_free(coalescer *self)
{
    CORE_FREE(self->block);
    coalescer_init(self, self->size, self->delay);
}

/* Make room for `length` bytes in all, which is at most one chunk. */
static bool
reserve(coalescer *self, size_t length)
{
    if (length <= self->capacity) {
        return true;
    }
    size_t capacity = self->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : self->capacity;
    while (capacity < length && capacity <= self->size / 2) {
        capacity *= 2;
    }
    if (capacity < length || capacity > self->size) {
        capacity = self->size;
    }
    uint8_t *block = CORE_REALLOC(self->block, capacity);
    if (block == NULL) {
        return false;
    }
    self->block = block;
    self->capacity = capacity;
    return true;
}

/* Move as much of the rest into the block as fits a chunk.  There is room for it. */
static void
absorb(coalescer *self)
{
    size_t room = self->size - self->length;
    size_t count = self->rest_length < room ? self->rest_length : room;
    if (count > 0) {
        memcpy(self->block + self->length, self->rest, count);
        self->length += count;
        self->rest += count;
        self->rest_length -= count;
    }
}

/* The rest has changed. */
static void
note_rest(coalescer *self)
{
    self->no_put &= (uint8_t)~COALESCER_REST;
    self->no_put |= self->rest_length > 0 ? COALESCER_REST : 0;
}

bool
coalescer_feed(coalescer *self, const void *bytes, size_t count)
{
    /* Reserve all the room that this piece can need, so that coalescer_next() needs none. */
    size_t total = self->length + count;
    size_t most = total < self->size || self->length == 0 ? total % self->size : self->size;
    if (count > SIZE_MAX - self->length || !reserve(self, most)) {
        return false;
    }
    self->rest = bytes;
    self->rest_length = count;
    if (self->length > 0 || count < self->size) {
        absorb(self);
    }
    note_rest(self);
    return true;
}

size_t
coalescer_next(coalescer *self, const uint8_t **chunk)
{
    if (self->given) {
        self->given = false;
        self->length = 0;
    }
    if (self->length == 0 && self->rest_length < self->size) {
        absorb(self);
    }
    size_t count = 0;
    if (self->length == 0 && self->rest_length >= self->size) {
        count = self->size;
        *chunk = self->rest;
        self->rest += count;
        self->rest_length -= count;
    }
    else if (self->length == self->size || (self->length > 0 && self->due)) {
        count = self->length;
        *chunk = self->block;
        self->given = true;
    }
    if (count > 0) {
        self->waiting = false;
    }
    else {
        self->due = false;
    }
    note_rest(self);
    return count;
}

void
coalescer_flush(coalescer *self)
{
    self->due = !coalescer_is_empty(self);
}

void
coalescer_tick(coalescer *self, uint64_t now)
{
    if (coalescer_is_empty(self)) {
        self->waiting = false;
    }
    else if (!self->waiting) {
        self->waiting = true;
        self->since = now;
    }
    else if (now - self->since >= self->delay) {
        self->due = true;
    }
}

void
coalescer_ask(coalescer *self, uint64_t now)
{
    self->waiting = !coalescer_is_empty(self);
    self->since = now;
}
