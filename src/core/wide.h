/* Products of 128 bits.  C has no type for them. */
#ifndef GENERATORS_CORE_WIDE_H
#define GENERATORS_CORE_WIDE_H

#include <stdint.h>

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

typedef struct {
    uint64_t high;
    uint64_t low;
} wide;

static inline wide
wide_multiply(uint64_t a, uint64_t b)
{
#if defined(__SIZEOF_INT128__) && !defined(NUMBER_PORTABLE)
    __extension__ typedef unsigned __int128 uint128;
    uint128 product = (uint128)a * b;
    return (wide){(uint64_t)(product >> 64), (uint64_t)product};
#elif defined(_M_X64) && !defined(__clang__) && !defined(NUMBER_PORTABLE)
    wide product;
    product.low = _umul128(a, b, &product.high);
    return product;
#else
    const uint64_t lower = UINT32_MAX;
    uint64_t low = (a & lower) * (b & lower);
    uint64_t cross = (a >> 32) * (b & lower) + (low >> 32);
    uint64_t other = (a & lower) * (b >> 32) + (cross & lower);
    return (wide){(a >> 32) * (b >> 32) + (cross >> 32) + (other >> 32),
                  other << 32 | (low & lower)};
#endif
}

#endif
