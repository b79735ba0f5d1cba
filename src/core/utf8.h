/* Where a run of bytes stops being UTF-8, or ASCII.
 *
 * UTF-8 is what RFC 3629 defines and CPython's strict decoder accepts: no overlong forms, no
 * surrogates, nothing above U+10FFFF.  The functions are stateless.
 *
 * Functions that take valid UTF-8 do not check it again.
 */
#ifndef GENERATORS_CORE_UTF8_H
#define GENERATORS_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many bytes from the start are whole, valid UTF-8 sequences. */
size_t utf8_valid_prefix(const uint8_t *bytes, size_t count);

/* How many bytes from the start are below 0x80. */
size_t utf8_ascii_prefix(const uint8_t *bytes, size_t count);

/* How many code points valid UTF-8 holds.  *highest is its highest byte.  If that is below
   0x80, all code points are ASCII; below 0xC4, all are below U+0100; below 0xF0, all are below
   U+10000. */
size_t utf8_count(const uint8_t *bytes, size_t count, uint8_t *highest);

/* Write the code points of valid UTF-8 as units of `width` bytes.  All must fit this width. */
void utf8_decode(const uint8_t *bytes, size_t count, void *out, int width);

/* Write code units of any width as UTF-8 to `out`, which has room for 4 bytes a unit, and set
 *length.  False if a unit is a surrogate. */
bool utf8_encode(const void *units, int width, size_t count, uint8_t *out, size_t *length);

#endif
