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
#include "core/wide.h"

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

/* Write the digits of `number` so that they end before `end`, and return where they begin. */
static char *
write_digits(uint64_t number, char *end)
{
    while (number >= 100) {
        end -= 2;
        memcpy(end, pairs + 2 * (number % 100), 2);
        number /= 100;
    }
    if (number >= 10) {
        end -= 2;
        memcpy(end, pairs + 2 * number, 2);
    }
    else {
        *--end = (char)('0' + number);
    }
    return end;
}

size_t
spell_int(int64_t number, char *text)
{
    char digits[SPELL_ROOM];
    char *end = digits + sizeof digits;
    uint64_t magnitude = number < 0 ? -(uint64_t)number : (uint64_t)number;
    char *start = write_digits(magnitude, end);
    if (number < 0) {
        *--start = '-';
    }
    memcpy(text, start, (size_t)(end - start));
    return (size_t)(end - start);
}

size_t
spell_unsigned(uint64_t number, char *text)
{
    char digits[SPELL_ROOM];
    char *end = digits + sizeof digits;
    char *start = write_digits(number, end);
    memcpy(text, start, (size_t)(end - start));
    return (size_t)(end - start);
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

/* The upper bits of the product.  The last bit is set if any bit below it is set. */
static inline uint64_t
round_to_odd(wide power, uint64_t factor)
{
    wide low = wide_multiply(power.low, factor);
    wide high = wide_multiply(power.high, factor);
    uint64_t middle = high.low + low.high;
    uint64_t top = high.high + (middle < high.low);
    return top | (middle > 1);
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
    uint64_t low = round_to_odd(power, (4 * mantissa - 2 + narrow) << shift) + odd;
    uint64_t value = round_to_odd(power, 4 * mantissa << shift);
    uint64_t high = round_to_odd(power, (4 * mantissa + 2) << shift) - odd;

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

static decimal
without_zeros(decimal d)
{
    static const uint32_t steps[][2] = {{100000000, 8}, {10000, 4}, {100, 2}, {10, 1}};
    for (int i = 0; i < 4; i++) {
        while (d.digits % steps[i][0] == 0) {
            d.digits /= steps[i][0];
            d.exponent += (int)steps[i][1];
        }
    }
    return d;
}

static size_t
write_exponent(char *text, int exponent)
{
    text[0] = 'e';
    text[1] = exponent < 0 ? '-' : '+';
    uint32_t magnitude = (uint32_t)(exponent < 0 ? -exponent : exponent);
    char digits[4];
    char *end = digits + sizeof digits;
    char *start = write_digits(magnitude, end);
    if (magnitude < 10) {
        *--start = '0';
    }
    memcpy(text + 2, start, (size_t)(end - start));
    return 2 + (size_t)(end - start);
}

/* 0.00012, 1.2, 1200.0 or 1.2e-05, depending on the place of the point. */
static size_t
write_decimal(decimal d, char *text)
{
    char digits[SPELL_ROOM];
    char *end = digits + sizeof digits;
    char *start = write_digits(d.digits, end);
    int count = (int)(end - start);
    int point = count + d.exponent;
    char *at = text;
    if (point <= -4 || point > 16) {
        *at++ = start[0];
        if (count > 1) {
            *at++ = '.';
            memcpy(at, start + 1, (size_t)(count - 1));
            at += count - 1;
        }
        return (size_t)(at - text) + write_exponent(at, point - 1);
    }
    if (point <= 0) {
        memcpy(at, "0.0000", 6);
        memcpy(at + 2 - point, start, (size_t)count);
        return (size_t)(2 - point + count);
    }
    if (count <= point) {
        memcpy(at, start, (size_t)count);
        memset(at + count, '0', (size_t)(point - count));
        memcpy(at + point, ".0", 2);
        return (size_t)point + 2;
    }
    memcpy(at, start, (size_t)point);
    at[point] = '.';
    memcpy(at + point + 1, start + point, (size_t)(count - point));
    return (size_t)count + 1;
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
    if (biased == 0 || biased == 0x7FF ||
        !shortest(fraction | UINT64_C(1) << 52, biased - 1075, fraction == 0 && biased > 1,
                  &d)) {
        return 0;
    }
    return sign + write_decimal(without_zeros(d), text + sign);
}
