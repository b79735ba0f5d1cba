/* The inside of the column machine, for its own files: see columns.h.
 *
 * The values of a column have no length of their own: it follows from the rows.  Bits of rows
 * that are not there are zero.
 */
#ifndef GENERATORS_CORE_COLUMNS_INNER_H
#define GENERATORS_CORE_COLUMNS_INNER_H

#include <string.h>

#include "core/columns_types.h"
#include "core/units.h"
#include "core/wide.h"

/* ---- kinds ---- */

/* Whether it holds texts: the first five kinds. */
INLINE bool
columns_is_text(columns_kind kind)
{
    return kind <= COLUMNS_DICTIONARY;
}

/* Bytes of a value, view, index or offset; 0 for bool. */
INLINE size_t
columns_value_size(columns_kind kind)
{
    switch (kind) {
    case COLUMNS_BOOL:
        return 0;
    case COLUMNS_INT8:
    case COLUMNS_UINT8:
        return 1;
    case COLUMNS_INT16:
    case COLUMNS_UINT16:
        return 2;
    case COLUMNS_UTF8:
    case COLUMNS_BINARY:
    case COLUMNS_DICTIONARY:
    case COLUMNS_INT32:
    case COLUMNS_UINT32:
    case COLUMNS_FLOAT32:
    case COLUMNS_DATE32:
        return 4;
    case COLUMNS_UTF8_VIEW:
    case COLUMNS_DECIMAL128:
        return 16;
    default:
        return 8;
    }
}

/* Whether the values are offsets, one more than rows. */
INLINE bool
columns_has_offsets(columns_kind kind)
{
    return kind == COLUMNS_UTF8 || kind == COLUMNS_LARGE_UTF8 || kind == COLUMNS_BINARY;
}

INLINE size_t
columns_values_length(columns_kind kind, int64_t rows)
{
    if (kind == COLUMNS_BOOL) {
        return ((size_t)rows + 7) / 8;
    }
    return ((size_t)rows + columns_has_offsets(kind)) * columns_value_size(kind);
}

/* ---- bits ---- */

INLINE bool
columns_bit(const uint8_t *bits, int64_t index)
{
    return bits[index >> 3] >> (index & 7) & 1;
}

INLINE void
columns_set_bit(uint8_t *bits, int64_t index, bool value)
{
    uint8_t bit = (uint8_t)(1 << (index & 7));
    bits[index >> 3] = (uint8_t)(value ? bits[index >> 3] | bit : bits[index >> 3] & ~bit);
}

/* Set the bits from `from` up to `to`, and clear those after them in the last byte. */
static inline void
columns_fill_bits(uint8_t *bits, int64_t from, int64_t to, bool value)
{
    int64_t last = (to + 7) / 8;
    if (from >= to) {
        return;
    }
    if (from & 7) {
        uint8_t below = (uint8_t)((1 << (from & 7)) - 1);
        bits[from / 8] = (uint8_t)((bits[from / 8] & below) | (value ? ~below : 0));
        from = from / 8 * 8 + 8;
    }
    if (from < last * 8) {
        memset(bits + from / 8, value ? 0xFF : 0, (size_t)(last - from / 8));
    }
    if (to & 7) {
        bits[last - 1] &= (uint8_t)((1 << (to & 7)) - 1);
    }
}

/* ---- columns ---- */

/* Make room in a buffer of an array, for `room` bytes if there is not enough. */
INLINE bool
columns_array_reserve(columns *self, columns_buffer *buffer, size_t capacity, size_t room)
{
    return (capacity <= buffer->capacity && buffer->data != NULL) ||
           columns_arena_reserve(&self->arena, self->allocate, buffer,
                                 capacity > room ? capacity : room, self->arena_room);
}

/* Make room in any other buffer. */
INLINE bool
columns_reserve(columns *self, columns_buffer *buffer, size_t capacity)
{
    return capacity <= buffer->capacity ||
           columns_buffer_reserve(buffer, self->allocate, capacity);
}

/* ---- values ---- */

INLINE void
columns_put_decimal(uint8_t *values, int64_t row, wide value)
{
    const uint16_t one = 1;
    bool low_first = *(const uint8_t *)&one == 1;
    uint64_t *out = (uint64_t *)values + 2 * row;
    out[!low_first] = value.low;
    out[low_first] = value.high;
}

#endif
