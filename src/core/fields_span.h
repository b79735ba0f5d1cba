/* The characters that a span of the CSV machine stands for: see fields.h. */
#ifndef GENERATORS_CORE_FIELDS_SPAN_H
#define GENERATORS_CORE_FIELDS_SPAN_H

#include "core/fields_types.h"

/* Write what the span means to `out`, which has room for as many units of the
   same width, and return how many were written.  *unquoted tells whether
   the field did not start with a quote.  `out` may be NULL to count only. */
size_t fields_content(const fields_dialect *dialect, const void *block, int width,
                      uint32_t start, uint32_t end, void *out, bool *unquoted);

/* Line ends among the units from `start` up to `end`; "\r\n" counts once. */
size_t fields_count_lines(const void *block, int width, uint32_t start, uint32_t end);

/* Where a walk over the span finds the character that is one too many; `end`
   if it never does.  *count is how many characters there were before. */
uint32_t fields_measure(const fields *self, const void *block, int width, uint32_t end,
                        size_t *count);

#endif
