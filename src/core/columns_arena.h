/* The memory of one batch: its buffers lie in a few large blocks, which the system can back by
 * large pages.  To touch fresh memory for the first time costs more than to lay out what is
 * put there.
 *
 * A buffer that grows moves, unless it is the last one; its old place is given up.
 */
#ifndef GENERATORS_CORE_COLUMNS_ARENA_H
#define GENERATORS_CORE_COLUMNS_ARENA_H

#include "core/columns_buffer.h"

#define COLUMNS_ARENA_SMALLEST ((size_t)4096) /* bytes of a block */

typedef struct columns_chunk columns_chunk;

typedef struct {
    columns_chunk *chunks; /* owned, newest first */
    uint8_t *at;           /* what is free in the newest */
    uint8_t *end;
    size_t taken; /* bytes that buffers took, also those that were given up */
    size_t held;  /* bytes of the chunks */
} columns_arena;

/* Make room in a buffer of the arena, which has no memory of its own, for `capacity` bytes in
   all.  `expected` bytes may be needed of the arena together.  False if there is no memory,
   and nothing has changed. */
bool columns_arena_reserve(columns_arena *self, columns_allocator allocate,
                           columns_buffer *buffer, size_t capacity, size_t expected);

void columns_arena_free(columns_arena *self, columns_allocator allocate);

#endif
