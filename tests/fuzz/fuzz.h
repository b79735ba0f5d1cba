/* What the fuzz targets share: choices that are read off the front of the input. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

/* Stop, so that libFuzzer keeps the input, unless the condition holds.  The words of a model
   that the tests of core share are left out. */
#define CHECK(condition, ...)                                               \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    const uint8_t *bytes;
    size_t count;
} input;

/* The next byte; 0 when there is none. */
static inline uint8_t
next_byte(input *in)
{
    if (in->count == 0) {
        return 0;
    }
    in->count--;
    return *in->bytes++;
}

/* A block of exactly that size, never NULL. */
static inline void *
allocate(size_t size)
{
    void *block = malloc(size > 0 ? size : 1);
    CHECK(block != NULL);
    return block;
}

/* The memory of a machine. */
static inline void *
libc_memory(void *block, size_t size)
{
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

static inline void *
copy_of(const void *bytes, size_t size)
{
    void *copy = allocate(size);
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

/* Memory that is used again and again, since to allocate costs most under a sanitizer. */
typedef struct {
    uint8_t *bytes; /* for ever */
    size_t size;
} room;

/* All of it is out of bounds. */
static inline void
room_shut(const room *r)
{
    if (r->bytes != NULL) {
        ASAN_POISON_MEMORY_REGION(r->bytes, r->size);
    }
}

/* The last `size` of its `most` bytes; what is before and behind them is out of bounds. */
static inline void *
room_open(room *r, size_t most, size_t size)
{
    CHECK(size <= most);
    if (r->bytes == NULL) {
        r->bytes = allocate(most);
        r->size = most;
    }
    room_shut(r);
    ASAN_UNPOISON_MEMORY_REGION(r->bytes + most - size, size);
    return r->bytes + most - size;
}

#endif
