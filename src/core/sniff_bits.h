/* Lengths of codes, in 64ths of a bit: what csv_sniff() counts in.
 *
 * Integers, so that every machine comes to the same result.
 */
#ifndef GENERATORS_CORE_SNIFF_BITS_H
#define GENERATORS_CORE_SNIFF_BITS_H

#include <stdint.h>

#define SNIFF_BIT 64 /* one bit */

/* 64 times the logarithm of `number`, to the base 2, rounded.  0 for 0. */
uint32_t sniff_log(uint64_t number);

/* What it costs to say the next one of `kinds` things, which was seen `seen` times among
   `total` before. */
static inline uint32_t
sniff_surprise(uint32_t seen, uint32_t total, uint32_t kinds)
{
    return sniff_log(2 * (uint64_t)total + kinds) - sniff_log(2 * (uint64_t)seen + 1);
}

#endif
