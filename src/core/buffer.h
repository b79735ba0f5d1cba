/* A growable block of code units, 1, 2 or 4 bytes wide.
 *
 * Units are appended at the end and dropped from the front.  Appending wider units widens the
 * whole block.  The block owns its memory and nothing else.  Nothing here is safe to call from
 * two threads at once; the owner locks.
 *
 * A block holds at most BUFFER_LIMIT units, because positions in a block are 32 bits wide.
 */
#ifndef GENERATORS_CORE_BUFFER_H
#define GENERATORS_CORE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#define BUFFER_LIMIT ((size_t)UINT32_MAX - 64)

typedef enum {
    BUFFER_OK = 0,
    BUFFER_NO_MEMORY = -1,
    BUFFER_TOO_LONG = -2,
} buffer_status;

typedef struct {
    uint8_t *data;   /* owned; NULL until something is held */
    size_t length;   /* units held */
    size_t capacity; /* units that fit, at this width */
    int width;       /* bytes a unit: 1, 2 or 4 */
} buffer;

/* Make an empty block, of units one byte wide. */
void buffer_init(buffer *self);

void buffer_free(buffer *self);

/* Make room for `more` units after those held, each at least `width` bytes wide. */
buffer_status buffer_reserve(buffer *self, size_t more, int width);

/* Append `count` units of `width` bytes each. */
buffer_status buffer_append(buffer *self, const void *units, size_t count, int width);

/* Append one unit, widening the block if needed. */
buffer_status buffer_append_unit(buffer *self, uint32_t unit);

/* The unit at `index`, which must be less than `length`. */
uint32_t buffer_unit(const buffer *self, size_t index);

/* Forget the units from `length` on.  An emptied block is one byte wide again. */
void buffer_cut(buffer *self, size_t length);

/* Forget the first `count` units.  An emptied block is one byte wide again. */
void buffer_drop(buffer *self, size_t count);

#endif
