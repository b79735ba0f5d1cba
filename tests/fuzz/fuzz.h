/* What the fuzz targets share: choices that are read off the front of the input. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stop, so that libFuzzer keeps the input, unless the condition holds. */
#define CHECK(condition)                                                    \
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

static inline void *
copy_of(const void *bytes, size_t size)
{
    void *copy = allocate(size);
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

#endif
