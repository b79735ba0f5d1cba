/* Logarithms from a table: see sniff_bits.h. */
#include "core/sniff_bits.h"

#include "core/units.h"

/* Of 1 + i / 64. */
static const uint8_t fractions[64] = {
    0,  1,  3,  4,  6,  7,  8,  10, 11, 12, 13, 15, 16, 17, 18, 19, 21, 22, 23, 24, 25, 26,
    27, 28, 29, 30, 31, 32, 34, 35, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 47,
    48, 49, 50, 51, 52, 52, 53, 54, 55, 56, 56, 57, 58, 59, 60, 60, 61, 62, 63, 63,
};

uint32_t
sniff_log(uint64_t number)
{
    if (number == 0) {
        return 0;
    }
    const uint32_t whole = highest_bit(number);
    const uint64_t fraction = whole >= 6 ? number >> (whole - 6) : number << (6 - whole);
    return whole * SNIFF_BIT + fractions[fraction & 63];
}
