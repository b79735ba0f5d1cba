#ifdef __linux__
#define _DEFAULT_SOURCE /* for madvise() */
#include <sys/mman.h>
#endif

#include "core/columns_arena.h"

#include <string.h>

#define LARGEST ((size_t)4 << 20) /* that a chunk is made without need */
#define LARGE_PAGE ((size_t)2 << 20)

struct columns_chunk {
    columns_chunk *next;
};

static size_t
round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

/* Ask for large pages for as much as fills them. */
static void
advise(uint8_t *data, size_t size)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    (void)madvise(data, size / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE); /* a wish */
#else
    (void)data;
    (void)size;
#endif
}

/* Add a chunk with at least `size` bytes. */
static bool
add_chunk(columns_arena *self, columns_allocator allocate, size_t size)
{
    const size_t alignment = size >= LARGE_PAGE ? LARGE_PAGE : COLUMNS_ALIGNMENT;
    if (size > SIZE_MAX - 2 * LARGE_PAGE) {
        return false;
    }
    columns_chunk *chunk = allocate(NULL, sizeof *chunk + alignment + size);
    if (chunk == NULL) {
        return false;
    }
    uint8_t *data = (uint8_t *)(chunk + 1);
    data += (size_t)(-(uintptr_t)data % alignment);
    if (size >= LARGE_PAGE) {
        advise(data, size);
    }
    chunk->next = self->chunks;
    self->chunks = chunk;
    self->at = data;
    self->end = data + size;
    self->held += size;
    return true;
}

/* How large the next chunk is, for `needed` bytes. */
static size_t
next_size(const columns_arena *self, size_t needed, size_t expected)
{
    size_t size = self->held < COLUMNS_ARENA_SMALLEST ? COLUMNS_ARENA_SMALLEST : self->held;
    size = size < LARGEST ? size : LARGEST;
    if (expected > self->held && expected - self->held > size) {
        size = expected - self->held;
    }
    size = size > needed ? size : needed;
    return round_up(size, COLUMNS_ARENA_SMALLEST);
}

bool
columns_arena_reserve(columns_arena *self, columns_allocator allocate, columns_buffer *buffer,
                      size_t capacity, size_t expected)
{
    if (capacity <= buffer->capacity && buffer->data != NULL) {
        return true;
    }
    size_t more = buffer->capacity + buffer->capacity / 2;
    more = more > capacity ? more : capacity;
    if (more > SIZE_MAX / 2) {
        return false;
    }
    more = more == 0 ? COLUMNS_ALIGNMENT : round_up(more, COLUMNS_ALIGNMENT);
    const size_t extra = more - buffer->capacity;
    if (buffer->data != NULL && buffer->data + buffer->capacity == self->at &&
        extra <= (size_t)(self->end - self->at)) {
        buffer->capacity = more;
        self->at += extra;
        self->taken += extra;
        return true;
    }
    if (more > (size_t)(self->end - self->at) &&
        !add_chunk(self, allocate, next_size(self, more, expected))) {
        return false;
    }
    if (buffer->length > 0) {
        memcpy(self->at, buffer->data, buffer->length);
    }
    buffer->data = self->at;
    buffer->capacity = more;
    self->at += more;
    self->taken += more;
    return true;
}

void
columns_arena_free(columns_arena *self, columns_allocator allocate)
{
    columns_chunk *chunk = self->chunks;
    while (chunk != NULL) {
        columns_chunk *next = chunk->next;
        allocate(chunk, 0);
        chunk = next;
    }
    *self = (columns_arena){0};
}
