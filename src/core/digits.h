/* ASCII text to digits: what the readers of numbers and dates share. */
#ifndef GENERATORS_CORE_DIGITS_H
#define GENERATORS_CORE_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/units.h"

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

/* Read an optional sign and 1 to `most` digits, which may be 18, 19 or 20, with whitespace
   around.  False for anything else, and for what does not fit in 64 bits. */
INLINE bool
take_integer(const uint8_t *text, size_t length, size_t most, uint64_t *result, bool *negative)
{
    span s = strip(text, length);
    *negative = take_sign(&s);
    size_t count = (size_t)(s.end - s.at);
    if (count == 0 || count > most) {
        return false;
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
        uint64_t eight = eight_digits(word);
        wrong |= not_digits(word);
        if (most > 19 && total > (UINT64_MAX - eight) / 100000000) {
            return false; /* or a wrong digit */
        }
        total = total * 100000000 + eight;
    }
    *result = total;
    return wrong == 0;
}

/* ---- a few digits ---- */

/* Read exactly `count` digits. */
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

/* Read the sign and one to four digits after an 'e'. */
static inline bool
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

#endif
