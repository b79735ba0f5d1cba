/* The number is divided by 10^9 again and again, which gives nine digits at a time. */
#include "core/spell_decimal.h"

#include <stdbool.h>
#include <string.h>

#include "core/spell.h"

#define WORDS 8
#define DIGITS 81

/* Divide by 10^9: returns the remainder. */
static uint32_t
divide(uint32_t *words, int count)
{
    uint64_t rest = 0;
    for (int i = count - 1; i >= 0; i--) {
        uint64_t value = rest << 32 | words[i];
        words[i] = (uint32_t)(value / 1000000000);
        rest = value % 1000000000;
    }
    return (uint32_t)rest;
}

static void
negate(uint32_t *words, int count)
{
    uint64_t carry = 1;
    for (int i = 0; i < count; i++) {
        carry += (uint32_t)~words[i];
        words[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* Write the digits so that they end before `end`, and return where they begin. */
static char *
write_digits(uint32_t *words, int count, char *end)
{
    char *start = end;
    while (count > 0) {
        if (words[count - 1] == 0) {
            count--;
            continue;
        }
        uint32_t group = divide(words, count);
        for (int i = 0; i < 9; i++) {
            *--start = (char)('0' + group % 10);
            group /= 10;
        }
    }
    while (start < end && *start == '0') {
        start++;
    }
    if (start == end) {
        *--start = '0';
    }
    return start;
}

/* "1.23E+5" */
static size_t
write_scientific(const char *digits, int count, int64_t exponent, char *text)
{
    char *at = text;
    *at++ = digits[0];
    if (count > 1) {
        *at++ = '.';
        memcpy(at, digits + 1, (size_t)(count - 1));
        at += count - 1;
    }
    *at++ = 'E';
    if (exponent >= 0) {
        *at++ = '+';
    }
    return (size_t)(at - text) + spell_int(exponent, at);
}

size_t
spell_decimal(const uint32_t *number, int count, int scale, char *text)
{
    uint32_t words[WORDS];
    char room[DIGITS];
    char *end = room + DIGITS;
    size_t sign = number[count - 1] >> 31;
    memcpy(words, number, (size_t)count * sizeof *words);
    if (sign) {
        negate(words, count);
    }
    char *digits = write_digits(words, count, end);
    int length = (int)(end - digits);
    int64_t point = (int64_t)length - scale; /* digits before it */
    text[0] = '-';
    text += sign;
    if (scale < 0 || point <= -6) {
        return sign + write_scientific(digits, length, point - 1, text);
    }
    if (scale == 0) {
        memcpy(text, digits, (size_t)length);
        return sign + (size_t)length;
    }
    if (point <= 0) {
        size_t zeros = (size_t)(2 - point);
        memcpy(text, "0.00000", 7);
        memcpy(text + zeros, digits, (size_t)length);
        return sign + zeros + (size_t)length;
    }
    memcpy(text, digits, (size_t)point);
    text[point] = '.';
    memcpy(text + point + 1, digits + point, (size_t)(length - point));
    return sign + (size_t)length + 1;
}
