#include "core/utf8.h"

#include <string.h>

#include "core/units.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

size_t
utf8_ascii_prefix(const uint8_t *bytes, size_t count)
{
    size_t at = 0;
    while (count - at >= 32) {
        uint64_t words[4];
        memcpy(words, bytes + at, 32);
        if ((words[0] | words[1] | words[2] | words[3]) & HIGH_BITS) {
            break;
        }
        at += 32;
    }
    while (at < count && bytes[at] < 0x80) {
        at++;
    }
    return at;
}

static bool
is_continuation(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The length of the sequence at `s`, whose first byte is 0x80 or above.  0 if the sequence is
   cut short or not allowed (Unicode 15, table 3-7). */
static size_t
sequence_length(const uint8_t *s, size_t left)
{
    uint8_t lead = s[0];
    if (lead < 0xC2 || lead > 0xF4) {
        return 0;
    }
    if (lead < 0xE0) {
        return left >= 2 && is_continuation(s[1]) ? 2 : 0;
    }
    uint8_t low = 0x80, high = 0xBF;
    switch (lead) {
    case 0xE0:
        low = 0xA0;
        break;
    case 0xED:
        high = 0x9F;
        break;
    case 0xF0:
        low = 0x90;
        break;
    case 0xF4:
        high = 0x8F;
        break;
    }
    if (left < 2 || s[1] < low || s[1] > high) {
        return 0;
    }
    if (lead < 0xF0) {
        return left >= 3 && is_continuation(s[2]) ? 3 : 0;
    }
    return left >= 4 && is_continuation(s[2]) && is_continuation(s[3]) ? 4 : 0;
}

/* Text in one script is runs of sequences of one length.  These functions skip such a run a
   word at a time, while all sequences in the word are plain.  sequence_length() checks the
   others. */

static uint64_t
load64(const uint8_t *p)
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++) {
        word |= (uint64_t)p[i] << (8 * i); /* one load where the machine is little-endian */
    }
    return word;
}

/* Four sequences of two bytes: 110xxxxx 10xxxxxx, not led by C0 or C1. */
static size_t
run_of_two(const uint8_t *bytes, size_t count)
{
    const uint64_t each = UINT64_C(0x0001000100010001);
    size_t at = 0;
    while (count - at >= 8) {
        uint64_t word = load64(bytes + at);
        if ((word & each * 0xC0E0) != each * 0x80C0) {
            break;
        }
        /* The addition carries into the bit above if any of those bits is set. */
        if ((((word & each * 0x1E) + each * 0x1E) & each * 0x20) != each * 0x20) {
            break;
        }
        at += 8;
    }
    return at;
}

/* Two sequences of three bytes, led by E1 to EC, EE or EF. */
static size_t
run_of_three(const uint8_t *bytes, size_t count)
{
    const uint64_t each = UINT64_C(0x0000000001000001);
    size_t at = 0;
    while (count - at >= 8) {
        uint64_t word = load64(bytes + at);
        uint8_t one = bytes[at] & 0x0F, two = bytes[at + 3] & 0x0F;
        if ((word & each * 0xC0C0F0) != each * 0x8080E0 || one == 0 || two == 0 ||
            one == 0xD || two == 0xD) {
            break;
        }
        at += 6;
    }
    return at;
}

size_t
utf8_valid_prefix(const uint8_t *bytes, size_t count)
{
    size_t at = utf8_ascii_prefix(bytes, count);
    while (at < count) {
        size_t length = sequence_length(bytes + at, count - at);
        if (length == 0) {
            return at;
        }
        at += length;
        if (length == 2) {
            at += run_of_two(bytes + at, count - at);
        }
        else if (length == 3) {
            at += run_of_three(bytes + at, count - at);
        }
        if (at < count && bytes[at] < 0x80) {
            at += utf8_ascii_prefix(bytes + at, count - at);
        }
    }
    return at;
}

size_t
utf8_count(const uint8_t *bytes, size_t count, uint8_t *highest)
{
    size_t points = 0;
    uint8_t most = 0;
    for (size_t i = 0; i < count; i++) {
        points += !is_continuation(bytes[i]);
        most = bytes[i] > most ? bytes[i] : most;
    }
    *highest = most;
    return points;
}

/* Decode one code point and move *bytes past it. */
INLINE uint32_t
next_point(const uint8_t **bytes)
{
    const uint8_t *s = *bytes;
    uint32_t lead = s[0];
    if (lead < 0x80) {
        *bytes += 1;
        return lead;
    }
    if (lead < 0xE0) {
        *bytes += 2;
        return (lead & 0x1F) << 6 | (s[1] & 0x3F);
    }
    if (lead < 0xF0) {
        *bytes += 3;
        return (lead & 0x0F) << 12 | (uint32_t)(s[1] & 0x3F) << 6 | (s[2] & 0x3F);
    }
    *bytes += 4;
    return (lead & 0x07) << 18 | (uint32_t)(s[1] & 0x3F) << 12 | (uint32_t)(s[2] & 0x3F) << 6 |
           (s[3] & 0x3F);
}

INLINE void
decode_width(const uint8_t *bytes, size_t count, void *out, int width)
{
    const uint8_t *end = bytes + count;
    for (size_t i = 0; bytes < end; i++) {
        set_unit(out, i, width, next_point(&bytes));
    }
}

void
utf8_decode(const uint8_t *bytes, size_t count, void *out, int width)
{
    switch (width) {
    case 1:
        decode_width(bytes, count, out, 1);
        break;
    case 2:
        decode_width(bytes, count, out, 2);
        break;
    default:
        decode_width(bytes, count, out, 4);
        break;
    }
}

INLINE bool
encode(const void *units, int width, size_t count, uint8_t *out, size_t *length)
{
    uint8_t *to = out;
    for (size_t i = 0; i < count; i++) {
        uint32_t unit = unit_at(units, i, width);
        if (unit < 0x80) {
            *to++ = (uint8_t)unit;
        }
        else if (unit < 0x800) {
            *to++ = (uint8_t)(0xC0 | unit >> 6);
            *to++ = (uint8_t)(0x80 | (unit & 0x3F));
        }
        else if (unit < 0x10000) {
            if (unit >= 0xD800 && unit < 0xE000) {
                return false;
            }
            *to++ = (uint8_t)(0xE0 | unit >> 12);
            *to++ = (uint8_t)(0x80 | (unit >> 6 & 0x3F));
            *to++ = (uint8_t)(0x80 | (unit & 0x3F));
        }
        else {
            *to++ = (uint8_t)(0xF0 | unit >> 18);
            *to++ = (uint8_t)(0x80 | (unit >> 12 & 0x3F));
            *to++ = (uint8_t)(0x80 | (unit >> 6 & 0x3F));
            *to++ = (uint8_t)(0x80 | (unit & 0x3F));
        }
    }
    *length = (size_t)(to - out);
    return true;
}

bool
utf8_encode(const void *units, int width, size_t count, uint8_t *out, size_t *length)
{
    switch (width) {
    case 1:
        return encode(units, 1, count, out, length);
    case 2:
        return encode(units, 2, count, out, length);
    default:
        return encode(units, 4, count, out, length);
    }
}
