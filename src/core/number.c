/* How a double is rounded: if the digits and the power of ten are both doubles, by W.
 * Clinger's method ("How to read floating point numbers accurately", 1990); otherwise in
 * integers, by the Eisel-Lemire method (D. Lemire, "Number parsing at a gigabyte per second",
 * 2021).
 *
 * NUMBER_PORTABLE avoids what only some compilers have.  It is for the tests.
 */
#include "core/number.h"

#include <float.h>
#include <string.h>

#include "core/digits.h"
#include "core/powers.h"
#include "core/wide.h"

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

#define INT_DIGITS 18     /* any 18 digits fit in 63 bits */
#define INT64_DIGITS 19   /* any 19 digits fit in 64 bits */
#define UINT64_DIGITS 20  /* no more are needed */
#define DOUBLE_DIGITS 19  /* any 19 digits fit in 64 bits */
#define DOUBLE_LENGTH 128 /* keeps counts of digits far below INT_MAX */

_Static_assert(FLT_RADIX == 2 && DBL_MANT_DIG == 53 && DBL_MAX_EXP == 1024 &&
                   sizeof(double) == 8,
               "double is IEEE 754 binary64");

/* ---- integers ---- */

number_status
number_int(const uint8_t *text, size_t length, int64_t *value)
{
    uint64_t total;
    bool negative;
    if (!take_integer(text, length, INT_DIGITS, &total, &negative)) {
        return NUMBER_UNSURE;
    }
    *value = negative ? -(int64_t)total : (int64_t)total;
    return NUMBER_OK;
}

number_status
number_int64(const uint8_t *text, size_t length, int64_t *value)
{
    uint64_t total;
    bool negative;
    if (!take_integer(text, length, INT64_DIGITS, &total, &negative) ||
        total > (uint64_t)INT64_MAX + negative) {
        return NUMBER_UNSURE;
    }
    *value = negative ? (int64_t)(0 - total) : (int64_t)total;
    return NUMBER_OK;
}

number_status
number_uint64(const uint8_t *text, size_t length, uint64_t *value)
{
    uint64_t total;
    bool negative;
    if (!take_integer(text, length, UINT64_DIGITS, &total, &negative) ||
        (negative && total != 0)) {
        return NUMBER_UNSURE;
    }
    *value = total;
    return NUMBER_OK;
}

/* ---- doubles: the text to digits * 10^exponent ---- */

typedef struct {
    uint64_t digits;
    int exponent;
} decimal;

/* Append the digits at s->at to *total, which wraps around if they are too many: a word of
   them at a time, and what is left of a word at once. */
static inline void
take_digits(span *s, uint64_t *total)
{
    static const uint32_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    while (s->at < s->end) {
        const size_t left = (size_t)(s->end - s->at);
        const uint64_t word = left >= 8 ? load8(s->at) : load_short(s->at, left);
        const uint64_t wrong = not_digits(word);
        if (wrong != 0) {
            const size_t count = lowest_bit(wrong) / 8;
            if (count > 0) {
                *total = *total * tens[count] + eight_digits(pad_zeros(word, count));
                s->at += count;
            }
            return;
        }
        *total = *total * 100000000 + eight_digits(word);
        s->at += 8;
    }
}

/* Of `count` digits, with a point somewhere, how many are left after the leading zeros. */
static size_t
significant(const uint8_t *p, size_t count)
{
    for (; count > 0 && (*p == '0' || *p == '.'); p++) {
        count -= *p == '0';
    }
    return count;
}

static inline bool
take_decimal(span *s, decimal *result)
{
    const uint8_t *start = s->at;
    uint64_t digits = 0;
    take_digits(s, &digits);
    size_t count = (size_t)(s->at - start);
    int exponent = 0;
    if (s->at < s->end && *s->at == '.') {
        const uint8_t *fraction = ++s->at;
        take_digits(s, &digits);
        exponent = -(int)(s->at - fraction);
        count += (size_t)(s->at - fraction);
    }
    if (count == 0 || (count > DOUBLE_DIGITS && significant(start, count) > DOUBLE_DIGITS)) {
        return false;
    }
    if (s->at < s->end) {
        if ((*s->at++ | 0x20) != 'e' || !take_exponent(s, &exponent)) {
            return false;
        }
    }
    *result = (decimal){digits, exponent};
    return true;
}

/* ---- doubles: rounding ---- */

/* How many zero bits a nonzero word begins with. */
static inline int
leading_zeros(uint64_t word)
{
#if (defined(__GNUC__) || defined(__clang__)) && !defined(NUMBER_PORTABLE)
    return __builtin_clzll(word);
#elif (defined(_M_X64) || defined(_M_ARM64)) && !defined(NUMBER_PORTABLE)
    unsigned long top;
    _BitScanReverse64(&top, word);
    return 63 - (int)top;
#else
    int zeros = 0;
    for (int step = 32; step > 0; step /= 2) {
        if (word >> (64 - step) == 0) {
            word <<= step;
            zeros += step;
        }
    }
    return zeros;
#endif
}

#if FLT_EVAL_METHOD == 0
static inline bool
rounds_to_nearest(void)
{
    static const double smallest = DBL_MIN;
    double tiny = *(
        const volatile double *)&smallest; /* so that the compiler does not compute the sums */
    return 1.0 + tiny == 1.0 - tiny;
}
#endif

/* Compute the value with one rounding of two exact doubles, if the machine rounds to nearest
   and does not use a wider register. */
static inline bool
small_decimal(decimal number, double *value)
{
#if FLT_EVAL_METHOD == 0
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (number.digits <= UINT64_C(1) << DBL_MANT_DIG && number.exponent >= -22 &&
        number.exponent <= 22 && rounds_to_nearest()) {
        double whole = (double)(int64_t)number.digits;
        *value = number.exponent < 0 ? whole / tens[-number.exponent]
                                     : whole * tens[number.exponent];
        return true;
    }
#else
    (void)number;
    (void)value;
#endif
    return false;
}

/* Find the bits of the double nearest to `number`, which is not zero.  False if they are not
 * certain.  The range of the table is far from the ends of the range of double.
 *
 * The product of the digits and the first 128 bits of the power has 192 bits.  If the power
 * was cut off, the true product is greater, by less than the digits in the lowest 64 bits.
 * The answer is unknown only if that difference could reach the half that decides the
 * rounding.  Only an exact product can be a tie: a cut-off product that shows a half is really
 * above it.
 */
static bool
round_decimal(decimal number, uint64_t *bits)
{
    if (number.exponent < NUMBER_POWER_FIRST || number.exponent > NUMBER_POWER_LAST) {
        return false;
    }
    const uint64_t *power = number_powers[number.exponent - NUMBER_POWER_FIRST];
    bool exact = number.exponent >= 0 && number.exponent <= NUMBER_POWER_EXACT;
    int shift = leading_zeros(number.digits);
    uint64_t digits = number.digits << shift;
    wide upper = wide_multiply(digits, power[0]);
    wide lower = wide_multiply(digits, power[1]);
    uint64_t middle = upper.low + lower.high;
    uint64_t high = upper.high + (middle < upper.low);

    int spare = (int)(high >> 63) + 10; /* bits of `high` below the 53 of the mantissa */
    uint64_t half = UINT64_C(1) << (spare - 1);
    uint64_t rest = high & (2 * half - 1);
    uint64_t mantissa = (high >> spare) + (rest >= half);
    if (exact) {
        if (rest == half && (middle | lower.low) == 0) {
            mantissa &= ~UINT64_C(1);
        }
    }
    else if (rest == half - 1 && middle == UINT64_MAX && lower.low + digits < digits) {
        return false;
    }
    /* floor(log2(10^exponent)), computed above zero: the result of shifting a negative number
       depends on the compiler. */
    int binary = ((number.exponent * 217706 + (1024 << 16)) >> 16) - 1024;
    /* Adding the mantissa's top bit increments the exponent field by one; a mantissa rounded
       up to 2^53 increments it by two. */
    *bits = ((uint64_t)(binary - shift + spare + 1 + 1074) << 52) + mantissa;
    return true;
}

number_status
number_double(const uint8_t *text, size_t length, double *value)
{
    span s = strip(text, length);
    bool negative = take_sign(&s);
    decimal number;
    if (s.end - s.at > DOUBLE_LENGTH || !take_decimal(&s, &number)) {
        return NUMBER_UNSURE;
    }
    uint64_t bits = 0;
    if (!small_decimal(number, value)) {
        if (number.digits != 0 && !round_decimal(number, &bits)) {
            return NUMBER_UNSURE;
        }
        memcpy(value, &bits, sizeof bits);
    }
    if (negative) {
        *value = -*value;
    }
    return NUMBER_OK;
}

/* ---- floats ---- */

/* The double nearest to the text rounds as the text does, unless it is halfway between two
   floats: then the text may be on either side.  Computed in integers, because the result of a
   cast depends on the machine's rounding mode. */
number_status
number_round_float(double value, float *rounded)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = (uint32_t)(bits >> 63) << 31;
    int exponent = (int)(bits >> 52 & 0x7FF) - 1023;
    uint64_t mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
    int spare = 29; /* bits of the mantissa that a float does not have */
    uint32_t result = (uint32_t)(exponent + 126) << 23;
    if (exponent > 127) {
        return NUMBER_UNSURE;
    }
    if (exponent < -126) {
        spare += -126 - exponent;
        result = 0;
    }
    if (spare > 54) { /* also 0, and the smallest doubles: far below half of any float */
        spare = 54;
    }
    uint64_t half = UINT64_C(1) << (spare - 1);
    uint64_t rest = mantissa & (2 * half - 1);
    if (rest == half) {
        return NUMBER_UNSURE;
    }
    /* Adding the mantissa's top bit increments the exponent field by one. */
    result += (uint32_t)(mantissa >> spare) + (rest > half);
    if (result >= UINT32_C(0x7F800000)) {
        return NUMBER_UNSURE;
    }
    result |= sign;
    memcpy(rounded, &result, sizeof result);
    return NUMBER_OK;
}

number_status
number_float(const uint8_t *text, size_t length, float *value)
{
    double nearest;
    number_status status = number_double(text, length, &nearest);
    return status == NUMBER_OK ? number_round_float(nearest, value) : status;
}

/* ---- bool ---- */

/* `word` is lower-case letters.  Setting bit 5 turns only letters into these letters. */
static inline bool
spells(const uint8_t *text, const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((text[i] | 0x20) != word[i]) {
            return false;
        }
    }
    return true;
}

static inline number_status
answer(bool is_true, bool is_false, bool *value)
{
    if (!is_true && !is_false) {
        return NUMBER_UNSURE;
    }
    *value = is_true;
    return NUMBER_OK;
}

number_status
number_bool(const uint8_t *text, size_t length, bool *value)
{
    switch (length) {
    case 1:
        return answer(*text == '1' || spells(text, "t", 1),
                      *text == '0' || spells(text, "f", 1), value);
    case 2:
        return answer(false, spells(text, "no", 2), value);
    case 3:
        return answer(spells(text, "yes", 3), false, value);
    case 4:
        return answer(spells(text, "true", 4), false, value);
    case 5:
        return answer(false, spells(text, "false", 5), value);
    default:
        return NUMBER_UNSURE;
    }
}
