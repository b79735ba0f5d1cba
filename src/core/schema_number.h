/* Numbers of a column: whether a text is one, the least and the greatest.  See schema.h. */
#ifndef GENERATORS_CORE_SCHEMA_NUMBER_H
#define GENERATORS_CORE_SCHEMA_NUMBER_H

#include "core/digits.h"
#include "core/schema_text.h"

#define SCHEMA_SCALES 19 /* powers of ten that fit in 64 bits */

extern const int64_t schema_tens[SCHEMA_SCALES];

INLINE void
schema_range_add(schema_range *self, int64_t value)
{
    if (!self->any) {
        *self = (schema_range){true, value, value};
        return;
    }
    if (value < self->least) {
        self->least = value;
    }
    if (value > self->greatest) {
        self->greatest = value;
    }
}

/* Add to a range the values of another. */
INLINE void
schema_range_merge(schema_range *self, const schema_range *other)
{
    if (other->any) {
        schema_range_add(self, other->least);
        schema_range_add(self, other->greatest);
    }
}

/* Take the digits at *at, a word at a time.  The total wraps around if they are too many. */
INLINE const uint8_t *
schema_take_digits(const uint8_t *at, const uint8_t *end, uint64_t *total)
{
    static const uint32_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    while (at < end) {
        const size_t left = (size_t)(end - at);
        const uint64_t word = left >= 8 ? load8(at) : load_short(at, left);
        const uint64_t wrong = not_digits(word);
        if (wrong != 0) {
            const size_t count = lowest_bit(wrong) / 8;
            if (count > 0) {
                *total = *total * tens[count] + eight_digits(pad_zeros(word, count));
                at += count;
            }
            return at;
        }
        *total = *total * 100000000 + eight_digits(word);
        at += 8;
    }
    return at;
}

/* A number of at most 15 digits without an exponent, as most are: every type of number has
   it, but int only if there is no point.  Returns false for any other text. */
INLINE bool
schema_number_quick(const uint8_t *text, size_t length, int64_t *digits, uint32_t *scale,
                    bool *whole, bool *leading_zero)
{
    const uint8_t *at = text, *end = text + length;
    uint64_t total = 0;
    if (length > 17) { /* a sign and a point */
        return false;
    }
    const bool negative = *at == '-';
    at += negative || *at == '+';
    const uint8_t *first = at;
    at = schema_take_digits(at, end, &total);
    size_t count = (size_t)(at - first);
    *whole = at == end;
    *scale = 0;
    if (at < end) {
        if (*at != '.') {
            return false;
        }
        const uint8_t *fraction = ++at;
        at = schema_take_digits(at, end, &total);
        *scale = (uint32_t)(at - fraction);
        count += *scale;
    }
    if (at != end || count == 0 || count > 15) {
        return false;
    }
    *leading_zero = *first == '0' && *whole && count > 1;
    *digits = negative ? -(int64_t)total : (int64_t)total;
    return true;
}

/* Add such a number to the range, if it has the scale of those before it. */
INLINE bool
schema_number_add_quick(schema_number *self, int64_t digits, uint32_t scale)
{
    if (!self->scaled.any || scale > self->scale) {
        return false;
    }
    const uint32_t more = self->scale - scale;
    if (more > 3 && (digits > INT64_MAX / schema_tens[more] ||
                     digits < -(INT64_MAX / schema_tens[more]))) {
        return false; /* 10^15 * 10^3 fits */
    }
    digits *= schema_tens[more];
    if (digits < self->scaled.least) {
        self->scaled.least = digits;
    }
    if (digits > self->scaled.greatest) {
        self->scaled.greatest = digits;
    }
    return true;
}

/* Find out which types of number that are alive in the column a text does not have: *not_of,
   bits.  Adds it to the numbers.  `passing`: its bytes do not stay where they are. */
schema_status schema_number_add(schema *self, schema_column *column, const uint8_t *text,
                                size_t length, bool passing, uint32_t *not_of);

/* Add the numbers of another part.  False if there is no memory. */
bool schema_number_merge(schema_number *self, schema_number *other,
                         columns_allocator allocate);

/* Move all to the two texts, so that they are the least and the greatest of all.  False if
   there is no memory. */
bool schema_number_finish(schema_number *self, columns_allocator allocate);

#endif
