/* Text -> integer, double, float or bool; or "not sure".  number_moment.h has dates and times,
 * number_decimal.h decimal numbers.
 *
 * An accepted text has exactly the value that int(), float(), Decimal(), or fromisoformat() of
 * date, time or datetime of CPython 3.11 to 3.15 gives for it.  Only the common spellings
 * are accepted.  Anything rare or wrong is NUMBER_UNSURE, and the caller asks CPython.  For a
 * bool, whose spellings are defined here, NUMBER_UNSURE means that the text is not a bool.
 *
 * The text is ASCII or UTF-8, of any length, without a terminating NUL.  Nothing outside of it
 * is read.  *value is written only with NUMBER_OK.  The functions are stateless and do not
 * depend on the locale or on the machine's rounding mode.
 */
#ifndef GENERATORS_CORE_NUMBER_H
#define GENERATORS_CORE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/number_status.h"

/* An optional sign and 1 to 18 digits, with ASCII whitespace around allowed. */
number_status number_int(const uint8_t *text, size_t length, int64_t *value);

/* An optional sign, digits, an optional point and an optional exponent, with ASCII whitespace
   around allowed.  There may be at most 19 digits from the first nonzero one on, and the last
   of them must be worth 10^-65 to 10^65.  Exactly rounded. */
number_status number_double(const uint8_t *text, size_t length, double *value);

/* The same for 1 to 19 digits whose value fits. */
number_status number_int64(const uint8_t *text, size_t length, int64_t *value);

/* The same for 1 to 20 digits.  A minus is allowed before zero only. */
number_status number_uint64(const uint8_t *text, size_t length, uint64_t *value);

/* The float nearest to the text, for a text that number_double() accepts.  Unsure where that
   is infinite, or where the nearest double is halfway between two floats. */
number_status number_float(const uint8_t *text, size_t length, float *value);

/* The float nearest to a finite value; unsure as number_float() is. */
number_status number_round_float(double value, float *rounded);

/* true/false, t/f, yes/no or 1/0, in upper or lower case. */
number_status number_bool(const uint8_t *text, size_t length, bool *value);

#endif
