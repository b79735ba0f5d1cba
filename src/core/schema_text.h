/* Texts that the schema machine keeps: see schema.h. */
#ifndef GENERATORS_CORE_SCHEMA_TEXT_H
#define GENERATORS_CORE_SCHEMA_TEXT_H

#include <string.h>

#include "core/schema_types.h"
#include "core/units.h"

/* Keep bytes that stay where they are until schema_text_own(). */
INLINE void
schema_text_borrow(schema_text *self, const uint8_t *bytes, size_t length)
{
    self->bytes = bytes;
    self->length = length;
}

/* Copy the bytes if they are borrowed.  False if there is no memory. */
bool schema_text_own(schema_text *self, columns_allocator allocate);

/* Keep a copy of the bytes.  False if there is no memory, and the text is empty then. */
bool schema_text_copy(schema_text *self, columns_allocator allocate, const uint8_t *bytes,
                      size_t length);

/* Compare two texts as bytes: less than, equal to or greater than 0. */
INLINE int
schema_bytes_compare(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
    size_t both = a_length < b_length ? a_length : b_length;
    int order = both == 0 ? 0 : memcmp(a, b, both);
    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

/* Keep the first bytes of a value, cut between two code points. */
void schema_sample_set(schema_sample *self, uint64_t record, const uint8_t *bytes,
                       size_t length);

#endif
