/* A growing run of bytes for an Arrow buffer: its data is aligned to 64 bytes.
 *
 * The memory comes from the function that the buffer was made with, so that a thread that must
 * not call the allocator of the interpreter can be given another one.  A buffer may be moved
 * by copying the struct.
 */
#ifndef GENERATORS_CORE_COLUMNS_BUFFER_H
#define GENERATORS_CORE_COLUMNS_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COLUMNS_ALIGNMENT 64

/* As realloc() does, but a size of 0 frees the block and returns NULL. */
typedef void *(*columns_allocator)(void *block, size_t size);

typedef struct {
    uint8_t *data;   /* aligned; NULL until there is room */
    size_t length;   /* bytes in use; the owner sets it */
    size_t capacity; /* bytes that fit at `data` */
    void *memory;    /* owned: what was allocated */
} columns_buffer;

/* The allocator of core: see core/memory.h. */
void *columns_core_memory(void *block, size_t size);

/* Make room for `capacity` bytes in all.  What is in use is kept.  False if there is no
   memory, and nothing has changed. */
bool columns_buffer_reserve(columns_buffer *self, columns_allocator allocate, size_t capacity);

/* Set the bytes after those in use to zero, up to a multiple of 64.  They are reserved. */
void columns_buffer_pad(columns_buffer *self);

void columns_buffer_free(columns_buffer *self, columns_allocator allocate);

#endif
