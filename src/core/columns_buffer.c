#include "core/columns_buffer.h"

#include <string.h>

#include "core/memory.h"

void *
columns_core_memory(void *block, size_t size)
{
    if (size == 0) {
        CORE_FREE(block);
        return NULL;
    }
    return CORE_REALLOC(block, size);
}

static size_t
padding(const uint8_t *memory)
{
    return (size_t)(-(uintptr_t)memory % COLUMNS_ALIGNMENT);
}

/* Change the capacity, which is a multiple of the alignment and holds what is in use. */
static bool
resize(columns_buffer *self, columns_allocator allocate, size_t capacity)
{
    size_t before = self->memory == NULL ? 0 : (size_t)(self->data - (uint8_t *)self->memory);
    uint8_t *memory = allocate(self->memory, capacity + COLUMNS_ALIGNMENT);
    if (memory == NULL) {
        return false;
    }
    size_t after = padding(memory);
    if (before != after && self->length > 0) {
        memmove(memory + after, memory + before, self->length);
    }
    self->memory = memory;
    self->data = memory + after;
    self->capacity = capacity;
    return true;
}

bool
columns_buffer_reserve(columns_buffer *self, columns_allocator allocate, size_t capacity)
{
    if (capacity <= self->capacity && self->memory != NULL) {
        return true;
    }
    size_t more = self->capacity + self->capacity / 2;
    more = more > capacity ? more : capacity;
    if (more > SIZE_MAX - 2 * COLUMNS_ALIGNMENT) {
        return false;
    }
    return resize(self, allocate,
                  (more + COLUMNS_ALIGNMENT - 1) / COLUMNS_ALIGNMENT * COLUMNS_ALIGNMENT);
}

void
columns_buffer_pad(columns_buffer *self)
{
    size_t over = self->length % COLUMNS_ALIGNMENT;
    if (over > 0) {
        memset(self->data + self->length, 0, COLUMNS_ALIGNMENT - over);
    }
}

void
columns_buffer_free(columns_buffer *self, columns_allocator allocate)
{
    if (self->memory != NULL) {
        allocate(self->memory, 0);
    }
    *self = (columns_buffer){0};
}
