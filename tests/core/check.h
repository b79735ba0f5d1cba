/* What the C tests share: a check that stops, and numbers that repeat. */
#ifndef TESTS_CORE_CHECK_H
#define TESTS_CORE_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stop with a message, printf's arguments, unless the condition holds. */
#define CHECK(condition, ...)                                               \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__);                                   \
            fputc('\n', stderr);                                            \
            exit(1);                                                        \
        }                                                                   \
    } while (0)

/* Marsaglia's xorshift64*: the same numbers in every run. */
static uint64_t random_state = UINT64_C(0x9E3779B97F4A7C15);

static inline uint64_t
random_bits(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(2685821657736338717);
}

/* Below `limit`, which must not be 0. */
static inline uint32_t
random_below(uint32_t limit)
{
    return (uint32_t)((random_bits() >> 32) % limit);
}

/* Never NULL, also for no bytes; of exactly that size, so that a sanitizer
   sees the first step beyond it. */
static inline void *
allocate(size_t size)
{
    void *block = malloc(size > 0 ? size : 1);
    CHECK(block != NULL, "no memory for %zu bytes", size);
    return block;
}

static inline uint32_t
get_unit(const void *units, size_t index, int width)
{
    const uint8_t *at = (const uint8_t *)units + index * (size_t)width;
    uint16_t two;
    uint32_t four;
    switch (width) {
    case 1:
        return *at;
    case 2:
        memcpy(&two, at, 2);
        return two;
    default:
        memcpy(&four, at, 4);
        return four;
    }
}

static inline void
put_unit(void *units, size_t index, int width, uint32_t unit)
{
    uint8_t *at = (uint8_t *)units + index * (size_t)width;
    uint16_t two = (uint16_t)unit;
    switch (width) {
    case 1:
        *at = (uint8_t)unit;
        break;
    case 2:
        memcpy(at, &two, 2);
        break;
    default:
        memcpy(at, &unit, 4);
    }
}

#endif
