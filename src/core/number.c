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

#include "core/powers.h"
#include "core/wide.h"

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

#define INT_DIGITS 18     /* any 18 digits fit in 63 bits */
#define DOUBLE_DIGITS 19  /* any 19 digits fit in 64 bits */
#define DOUBLE_LENGTH 128 /* keeps counts of digits far below INT_MAX */

_Static_assert(FLT_RADIX == 2 && DBL_MANT_DIG == 53 && DBL_MAX_EXP == 1024 &&
                   sizeof(double) == 8,
               "double is IEEE 754 binary64");

/* ---- whitespace and sign ---- */

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} span;

static inline bool
is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline span
strip(const uint8_t *text, size_t length)
{
    span s = {text, text + length};
    while (s.at < s.end && is_space(*s.at)) {
        s.at++;
    }
    while (s.at < s.end && is_space(s.end[-1])) {
        s.end--;
    }
    return s;
}

static inline bool
take_sign(span *s)
{
    if (s->at < s->end && (*s->at == '-' || *s->at == '+')) {
        return *s->at++ == '-';
    }
    return false;
}

/* ---- digits, eight in a word: the first of them in the lowest byte ---- */

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

static inline uint64_t
load8(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

static inline uint64_t
load4(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
}

/* Load 1 to 7 bytes; the rest is zero.  Bytes that are loaded twice land in the same place. */
static inline uint64_t
load_short(const uint8_t *p, size_t count)
{
    if (count >= 4) {
        return load4(p) | load4(p + count - 4) << (8 * (count - 4));
    }
    return (uint64_t)p[0] | (uint64_t)p[count / 2] << (8 * (count / 2)) |
           (uint64_t)p[count - 1] << (8 * (count - 1));
}

/* Nonzero if a byte is not a digit.  The lowest nonzero byte then marks the first such byte:
   only a byte that is not a digit carries, and a carry spoils only the bytes after it. */
static inline uint64_t
not_digits(uint64_t word)
{
    return ((word & EACH_BYTE(0xF0)) ^ EACH_BYTE(0x30)) |
           (((word + EACH_BYTE(0x06)) & EACH_BYTE(0xF0)) ^ EACH_BYTE(0x30));
}

/* Combine digits to pairs, pairs to fours, and fours to the result.  Each step adds ten, a
   hundred or ten thousand times the lower half of a lane to the upper half. */
static inline uint64_t
eight_digits(uint64_t word)
{
    word = (word & EACH_BYTE(0x0F)) * ((10 << 8) + 1) >> 8;
    word = (word & UINT64_C(0x00FF00FF00FF00FF)) * ((100 << 16) + 1) >> 16;
    return (word & UINT64_C(0x0000FFFF0000FFFF)) * ((UINT64_C(10000) << 32) + 1) >> 32;
}

/* Move 1 to 7 digits to the end of a word that begins with '0's. */
static inline uint64_t
pad_zeros(uint64_t word, size_t count)
{
    return word << (8 * (8 - count)) | EACH_BYTE('0') >> (8 * count);
}

/* ---- integers ---- */

number_status
number_int(const uint8_t *text, size_t length, int64_t *value)
{
    span s = strip(text, length);
    bool negative = take_sign(&s);
    size_t count = (size_t)(s.end - s.at);
    if (count == 0 || count > INT_DIGITS) {
        return NUMBER_UNSURE;
    }
    uint64_t total = 0;
    uint64_t wrong = 0;
    size_t first = count % 8;
    if (first != 0) {
        uint64_t word = pad_zeros(load_short(s.at, first), first);
        wrong = not_digits(word);
        total = eight_digits(word);
    }
    for (s.at += first; s.at < s.end; s.at += 8) {
        uint64_t word = load8(s.at);
        wrong |= not_digits(word);
        total = total * 100000000 + eight_digits(word);
    }
    if (wrong != 0) {
        return NUMBER_UNSURE;
    }
    *value = negative ? -(int64_t)total : (int64_t)total;
    return NUMBER_OK;
}

/* ---- doubles: the text to digits * 10^exponent ---- */

typedef struct {
    uint64_t digits;
    int exponent;
} decimal;

/* Append the digits at s->at to *total, which wraps around if they are too many. */
static inline void
take_digits(span *s, uint64_t *total)
{
    while (s->end - s->at >= 8) {
        uint64_t word = load8(s->at);
        if (not_digits(word) != 0) {
            break;
        }
        *total = *total * 100000000 + eight_digits(word);
        s->at += 8;
    }
    while (s->at < s->end && is_digit(*s->at)) {
        *total = *total * 10 + (uint64_t)(*s->at++ - '0');
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

/* Read the sign and one to four digits after an 'e'. */
static bool
take_exponent(span *s, int *exponent)
{
    bool negative = take_sign(s);
    ptrdiff_t count = s->end - s->at;
    if (count < 1 || count > 4) {
        return false;
    }
    int total = 0;
    for (; s->at < s->end; s->at++) {
        if (!is_digit(*s->at)) {
            return false;
        }
        total = total * 10 + (*s->at - '0');
    }
    *exponent += negative ? -total : total;
    return true;
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

/* ---- dates ---- */

static int
days_in_month(int year, int month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

static inline bool
take_number(const uint8_t *p, size_t count, int *number)
{
    int total = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_digit(p[i])) {
            return false;
        }
        total = total * 10 + (p[i] - '0');
    }
    *number = total;
    return true;
}

/* Read ten bytes. */
static inline bool
take_date(const uint8_t *p, number_date_value *date)
{
    return p[4] == '-' && p[7] == '-' && take_number(p, 4, &date->year) &&
           take_number(p + 5, 2, &date->month) && take_number(p + 8, 2, &date->day) &&
           date->year >= 1 && date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= days_in_month(date->year, date->month);
}

number_status
number_date(const uint8_t *text, size_t length, number_date_value *value)
{
    number_date_value date;
    if (length != 10 || !take_date(text, &date)) {
        return NUMBER_UNSURE;
    }
    *value = date;
    return NUMBER_OK;
}

/* Read what follows HH:MM: nothing, :SS, :SS.fff or :SS.ffffff. */
static inline bool
take_seconds(const uint8_t *p, size_t length, number_datetime_value *value)
{
    value->second = 0;
    value->microsecond = 0;
    if (length == 0) {
        return true;
    }
    if (length < 3 || p[0] != ':' || !take_number(p + 1, 2, &value->second) ||
        value->second > 59) {
        return false;
    }
    switch (length) {
    case 3:
        return true;
    case 7:
        if (p[3] != '.' || !take_number(p + 4, 3, &value->microsecond)) {
            return false;
        }
        value->microsecond *= 1000;
        return true;
    case 10:
        return p[3] == '.' && take_number(p + 4, 6, &value->microsecond);
    default:
        return false;
    }
}

/* 3.14 accepts hour 24 and 3.13 does not, so it is left to CPython. */
number_status
number_datetime(const uint8_t *text, size_t length, number_datetime_value *value)
{
    number_datetime_value moment;
    if (length < 16 || (text[10] != 'T' && text[10] != ' ') || text[13] != ':' ||
        !take_date(text, &moment.date) || !take_number(text + 11, 2, &moment.hour) ||
        !take_number(text + 14, 2, &moment.minute) || moment.hour > 23 || moment.minute > 59 ||
        !take_seconds(text + 16, length - 16, &moment)) {
        return NUMBER_UNSURE;
    }
    *value = moment;
    return NUMBER_OK;
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
