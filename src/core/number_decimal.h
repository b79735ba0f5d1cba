/* Text -> decimal number of 128 bits; or "not sure", as number.h says. */
#ifndef GENERATORS_CORE_NUMBER_DECIMAL_H
#define GENERATORS_CORE_NUMBER_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#include "core/number_status.h"
#include "core/wide.h"

#define NUMBER_DECIMAL_DIGITS 38

/* The text's value times 10^scale, in two's complement.  The text is an optional sign, digits,
   an optional point and an optional exponent, with ASCII whitespace around allowed.  Unsure if
   that is no integer or has more than `precision` digits, 38 at most. */
number_status number_decimal(const uint8_t *text, size_t length, int precision, int scale,
                             wide *value);

#endif
