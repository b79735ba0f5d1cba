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

/* Length of the sequence that starts with the byte `lead` >= 0x80 at `s`, or
   0 where it is cut short or not allowed (Unicode 15, table 3-7). */
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

size_t
utf8_valid_prefix(const uint8_t *bytes, size_t count)
{
    size_t at = 0;
    for (;;) {
        /* Text in one script alternates between runs of ASCII and runs of
           one sequence length: stay in the short loop while it lasts. */
        while (at < count && bytes[at] >= 0x80) {
            size_t length = sequence_length(bytes + at, count - at);
            if (length == 0) {
                return at;
            }
            at += length;
        }
        if (at == count) {
            return at;
        }
        at += utf8_ascii_prefix(bytes + at, count - at);
        if (at == count) {
            return at;
        }
    }
}

size_t
utf8_count(const uint8_t *bytes, size_t count)
{
    size_t points = 0;
    for (size_t i = 0; i < count; i++) {
        points += !is_continuation(bytes[i]);
    }
    return points;
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
