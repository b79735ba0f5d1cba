/* Doubles are written by the Schubfach method (Raffaele Giulietti, "The Schubfach way to
 * render doubles").  Of all decimals that read back as the number, it takes those with the
 * fewest digits, and of these the nearest.  It scales the interval of such decimals by a power
 * of ten so that the interval is between one and ten units wide.  Then it needs to look at two
 * candidates at most, one of which ends in zero.
 */
#include "core/spell.h"

#include <stdbool.h>
#include <string.h>

#include "core/powers.h"
#include "core/units.h"
#include "core/wide.h"

#define ZEROS UINT64_C(0x3030303030303030) /* eight characters */
#define TEN_8 UINT64_C(100000000)
#define TEN_16 UINT64_C(10000000000000000)

/* The eight digits of a number, one in each byte, the first one in the lowest byte.  Halves
   are divided all at once: by 100, then by 10, each by a product that is exact for these
   numbers. */
static inline uint64_t
eight_digits(uint32_t number)
{
    uint64_t fours = number / 10000 | (uint64_t)(number % 10000) << 32;
    uint64_t hundreds = fours * 10486 >> 20 & UINT64_C(0x0000007F0000007F);
    uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
    uint64_t tens = twos * 103 >> 10 & UINT64_C(0x000F000F000F000F);
    return tens | (twos - 10 * tens) << 8;
}

/* Write eight bytes, the lowest first. */
static inline void
store(char *text, uint64_t bytes)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(text, &bytes, sizeof bytes);
#else
    for (int i = 0; i < 8; i++) {
        text[i] = (char)(bytes >> 8 * i);
    }
#endif
}

/* Write a number below 10^8 and return its length.  Eight bytes are written in any case. */
static inline size_t
write_short(uint32_t number, char *text)
{
    uint64_t digits = eight_digits(number);
    uint32_t zeros = lowest_bit(digits | UINT64_C(1) << 56) / 8;
    store(text, (digits | ZEROS) >> 8 * zeros);
    return 8 - zeros;
}

static inline void
write_eight(uint32_t number, char *text)
{
    store(text, eight_digits(number) | ZEROS);
}

size_t
spell_unsigned(uint64_t number, char *text)
{
    if (number < TEN_8) {
        return write_short((uint32_t)number, text);
    }
    size_t count;
    if (number < TEN_16) {
        count = write_short((uint32_t)(number / TEN_8), text);
    }
    else {
        count = write_short((uint32_t)(number / TEN_16), text);
        write_eight((uint32_t)(number / TEN_8 % TEN_8), text + count);
        count += 8;
    }
    write_eight((uint32_t)(number % TEN_8), text + count);
    return count + 8;
}

size_t
spell_int(int64_t number, char *text)
{
    text[0] = '-';
    return number < 0 ? 1 + spell_unsigned(-(uint64_t)number, text + 1)
                      : spell_unsigned((uint64_t)number, text);
}

/* ---- doubles ---- */

/* digits * 10^exponent */
typedef struct {
    uint64_t digits;
    int exponent;
} decimal;

/* floor(x / 2^20), also below zero: the result of shifting a negative number depends on the
   compiler. */
static inline int
scaled(int x)
{
    return ((x + (512 << 20)) >> 20) - 512;
}

/* 192 bits, the highest first. */
typedef struct {
    uint64_t high;
    uint64_t middle;
    uint64_t low;
} product;

static inline product
multiply(wide power, uint64_t factor)
{
    wide low = wide_multiply(power.low, factor);
    wide high = wide_multiply(power.high, factor);
    uint64_t middle = high.low + low.high;
    return (product){high.high + (middle < high.low), middle, low.low};
}

static inline product
add(product a, product b)
{
    uint64_t low = a.low + b.low;
    uint64_t middle = a.middle + b.middle, carried = middle + (low < a.low);
    return (product){a.high + b.high + (middle < a.middle) + (carried < middle), carried, low};
}

static inline product
subtract(product a, product b)
{
    uint64_t borrow = a.low < b.low, middle = a.middle - b.middle;
    return (product){a.high - b.high - (a.middle < b.middle) - (middle < borrow),
                     middle - borrow, a.low - b.low};
}

/* The upper bits of the product.  The last bit is set if any bit below it is set. */
static inline uint64_t
round_to_odd(product p)
{
    return p.high | (p.middle > 1);
}

/* The shortest decimal for mantissa * 2^exponent, which is not zero.  `narrow`: the next
   double below is nearer than the one above.  False if the number is outside of the table. */
static bool
shortest(uint64_t mantissa, int exponent, bool narrow, decimal *result)
{
    /* floor(log10(2^exponent)), or of three quarters of it if `narrow` */
    int k = scaled(exponent * 315653 - (narrow ? 131237 : 0));
    if (-k < NUMBER_POWER_FIRST || -k > NUMBER_POWER_LAST) {
        return false;
    }
    /* floor(log2(10^-k)) */
    int binary = ((-k * 217706 + (1024 << 16)) >> 16) - 1024;
    int shift = exponent + binary + 1;
    const uint64_t *entry = number_powers[-k - NUMBER_POWER_FIRST];
    wide power = {entry[0], entry[1]};
    if (-k < 0 || -k > NUMBER_POWER_EXACT) {
        power.low++; /* the table rounds down, and this needs it rounded up */
        power.high += power.low == 0;
    }
    uint64_t odd = mantissa & 1;
    product middle = multiply(power, 4 * mantissa << shift);
    product step = {power.high >> (63 - shift),
                    power.high << (shift + 1) | power.low >> (63 - shift),
                    power.low << (shift + 1)}; /* the power, times 2 << shift */
    product below_it =
        narrow ? multiply(power, (4 * mantissa - 1) << shift) : subtract(middle, step);
    uint64_t low = round_to_odd(below_it) + odd;
    uint64_t value = round_to_odd(middle);
    uint64_t high = round_to_odd(add(middle, step)) - odd;

    uint64_t units = value / 4;
    uint64_t tens = units / 10;
    bool below = low <= 40 * tens, above = high >= 40 * tens + 40;
    if (units >= 10 && below != above) {
        *result = (decimal){tens + above, k + 1};
        return true;
    }
    below = low <= 4 * units;
    above = high >= 4 * units + 4;
    uint64_t half = 4 * units + 2;
    bool up = below != above ? above : value > half || (value == half && (units & 1));
    *result = (decimal){units + up, k};
    return true;
}

static size_t
write_exponent(char *text, int exponent)
{
    text[0] = 'e';
    text[1] = exponent < 0 ? '-' : '+';
    uint32_t magnitude = (uint32_t)(exponent < 0 ? -exponent : exponent);
    text[2] = '0';
    return 2 + (magnitude < 10) + write_short(magnitude, text + 2 + (magnitude < 10));
}

#define DIGITS 17 /* that the shortest decimal of a double has at most */

/* Write the digits, and zeros after them: DIGITS in all.  Returns how many there are before
   the zeros. */
static inline int
write_digits(uint64_t digits, char *text)
{
    uint64_t rest = digits % TEN_16;
    uint64_t middle = eight_digits((uint32_t)(rest / TEN_8));
    uint64_t last = eight_digits((uint32_t)(rest % TEN_8));
    text[0] = (char)('0' + digits / TEN_16);
    store(text + 1, middle | ZEROS);
    store(text + 9, last | ZEROS);
    if (last != 0) {
        return 10 + (int)highest_bit(last) / 8;
    }
    return middle != 0 ? 2 + (int)highest_bit(middle) / 8 : 1;
}

/* 0.00012, 1.2, 1200.0 or 1.2e-05, depending on the place of the point.  As many bytes are
   copied as there may be, which is faster than to copy as many as there are. */
static size_t
write_decimal(decimal d, char *text)
{
    char digits[2 * DIGITS];
    while (d.digits < TEN_16) {
        d.digits *= 10;
        d.exponent--;
    }
    int count = write_digits(d.digits, digits);
    int point = DIGITS + d.exponent;
    if (point > 0 && point <= 16) {
        memset(digits + DIGITS, '0', DIGITS);
        memcpy(text, digits, DIGITS);
        memcpy(text + point + 1, digits + point, DIGITS);
        text[point] = '.';
        return (size_t)(count > point ? count + 1 : point + 2);
    }
    if (point <= 0 && point > -4) {
        memcpy(text, "0.0000", 6);
        memcpy(text + 2 - point, digits, DIGITS);
        return (size_t)(2 - point + count);
    }
    text[0] = digits[0];
    text[1] = '.';
    memcpy(text + 2, digits + 1, DIGITS - 1);
    size_t length = count > 1 ? (size_t)count + 1 : 1;
    return length + write_exponent(text + length, point - 1);
}

/* Most numbers in tables have few places after the point.  A decimal of 15 digits or fewer
   that reads back as the number is the only one, since no two of them are the same double.  So
   if the number of millionths, divided by a million, is the number again, they are its
   decimal. Returns 0 if the number is not such a one. */
static inline size_t
spell_millionths(double number, char *text)
{
    if (!(number >= 0.0001 && number < 1e9)) {
        return 0;
    }
    uint64_t millionths = (uint64_t)(number * 1e6 + 0.5);
    if ((double)millionths / 1e6 != number) {
        return 0;
    }
    size_t count = spell_unsigned(millionths / 1000000, text);
    uint64_t fraction = eight_digits((uint32_t)(millionths % 1000000) * 100);
    text[count] = '.';
    store(text + count + 1, fraction | ZEROS);
    return count + 2 + (fraction == 0 ? 0 : highest_bit(fraction) / 8);
}

size_t
spell_double(double number, char *text)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    size_t sign = (size_t)(bits >> 63);
    uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    int biased = (int)(bits >> 52 & 0x7FF);
    decimal d;
    text[0] = '-';
    if (biased == 0 && fraction == 0) {
        memcpy(text + sign, "0.0", 3);
        return sign + 3;
    }
    double magnitude = number < 0 ? -number : number;
    size_t count = spell_millionths(magnitude, text + sign);
    if (count > 0) {
        return sign + count;
    }
    if (biased == 0 || biased == 0x7FF ||
        !shortest(fraction | UINT64_C(1) << 52, biased - 1075, fraction == 0 && biased > 1,
                  &d)) {
        return 0;
    }
    return sign + write_decimal(d, text + sign);
}
