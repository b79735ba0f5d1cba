/* How the CSV machine decodes a span into characters: see fields.h. */
#ifndef GENERATORS_CORE_FIELDS_SPAN_H
#define GENERATORS_CORE_FIELDS_SPAN_H

#include "core/fields_types.h"

/* Write the characters of the span to `out` and return how many units were written.  `out` has
   room for as many units as the span, of the same width, or is NULL to count only.  *unquoted
   is set if the field did not start with a quote. */
size_t fields_content(const fields_dialect *dialect, const void *block, int width,
                      uint32_t start, uint32_t end, void *out, bool *unquoted);

/* Count the line ends among the units from `start` up to `end`.  "\r\n" counts once. */
size_t fields_count_lines(const void *block, int width, uint32_t start, uint32_t end);

/* Whether the unit at `end` of a record that begins at `start` is inside a quoted field, and
   where the quote that opens it is. */
bool fields_find_quote(const fields_dialect *dialect, const void *block, int width,
                       uint32_t start, uint32_t end, uint32_t *quote);

/* Find the character of the field in progress that exceeds the limit, and return its position,
   or `end` if there is none.  *count is the number of characters before it. */
uint32_t fields_measure(const fields *self, const void *block, int width, uint32_t end,
                        size_t *count);

#endif
