/* Decimals of fixed scale -> text, as decimal.Decimal spells them. */
#ifndef GENERATORS_CORE_SPELL_DECIMAL_H
#define GENERATORS_CORE_SPELL_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#define SPELL_DECIMAL_ROOM 112 /* enough for any of them */

/* Write str(Decimal) of number * 10^-scale and return its length.  The number has `count`
   words of 32 bits, at most 8, the lowest first, in two's complement.  `scale` has at most
   nine digits. */
size_t spell_decimal(const uint32_t *number, int count, int scale, char *text);

#endif
