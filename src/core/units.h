/* What the machines of core share: access to units of any width, and bit operations. */
#ifndef GENERATORS_CORE_UNITS_H
#define GENERATORS_CORE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
/* A function that takes `width` is inlined with a constant width, so that one source serves
   all widths without a test in the loop.  Not where gcov counts: a copy in each caller would
   be counted for each, with the branches that the constant decides. */
#ifdef GENERATORS_COVERAGE
#define INLINE static inline
#else
#define INLINE static inline __attribute__((always_inline))
#endif
/* For a function that uses instructions which the machine may lack. */
#define TARGET(features) __attribute__((target(features)))
/* Before a `case` that the one above it goes on in. */
#define FALL_THROUGH __attribute__((fallthrough))
/* Ask for the memory at `address` before it is read. */
#define PREFETCH(address) __builtin_prefetch(address)
#else
#include <intrin.h>
#define INLINE static __forceinline
#define TARGET(features)
#define FALL_THROUGH ((void)0)
#define PREFETCH(address) ((void)(address))
#endif

INLINE uint32_t
unit_at(const void *units, size_t index, int width)
{
    switch (width) {
    case 1:
        return ((const uint8_t *)units)[index];
    case 2:
        return ((const uint16_t *)units)[index];
    default:
        return ((const uint32_t *)units)[index];
    }
}

INLINE void
set_unit(void *units, size_t index, int width, uint32_t unit)
{
    switch (width) {
    case 1:
        ((uint8_t *)units)[index] = (uint8_t)unit;
        break;
    case 2:
        ((uint16_t *)units)[index] = (uint16_t)unit;
        break;
    default:
        ((uint32_t *)units)[index] = unit;
    }
}

/* The position of the lowest bit set.  There must be one. */
INLINE uint32_t
lowest_bit(uint64_t bits)
{
#if defined(__GNUC__) || defined(__clang__)
    return (uint32_t)__builtin_ctzll(bits);
#elif defined(_M_X64) || defined(_M_ARM64)
    unsigned long index;
    _BitScanForward64(&index, bits);
    return (uint32_t)index;
#else
    unsigned long index;
    if (_BitScanForward(&index, (unsigned long)bits)) {
        return (uint32_t)index;
    }
    _BitScanForward(&index, (unsigned long)(bits >> 32));
    return (uint32_t)index + 32;
#endif
}

/* The position of the highest bit set.  There must be one. */
INLINE uint32_t
highest_bit(uint64_t bits)
{
#if defined(__GNUC__) || defined(__clang__)
    return 63 - (uint32_t)__builtin_clzll(bits);
#else
    uint32_t index = 0;
    for (uint32_t step = 32; step > 0; step /= 2) {
        if (bits >> step != 0) {
            bits >>= step;
            index += step;
        }
    }
    return index;
#endif
}

/* Count the bits set.  Not every machine has an instruction for it. */
INLINE uint32_t
count_bits(uint64_t bits)
{
    bits -= bits >> 1 & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + (bits >> 2 & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (uint32_t)(bits * UINT64_C(0x0101010101010101) >> 56);
}

#endif
