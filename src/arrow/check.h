/* Whether an array that another library made is one of its type. */
#ifndef GENERATORS_ARROW_CHECK_H
#define GENERATORS_ARROW_CHECK_H

#include "arrow/format.h"

/* NULL if everything about the array that can be checked without reading its buffers is right,
   or else what is wrong.  Offsets, indices and ends of runs must be checked as they are read.
 */
const char *arrow_check(const arrow_type *type, const struct ArrowArray *array);

/* The bitmap of the values that are there, or NULL if all are. */
static inline const uint8_t *
arrow_bitmap(const arrow_type *type, const struct ArrowArray *array)
{
    bool has_bitmap = type->kind != ARROW_NULL && type->kind != ARROW_RUN_END &&
                      type->kind != ARROW_DENSE_UNION && type->kind != ARROW_SPARSE_UNION;
    return has_bitmap && array->null_count != 0 ? (const uint8_t *)array->buffers[0] : NULL;
}

static inline bool
arrow_bit(const uint8_t *bits, int64_t index)
{
    return bits[index >> 3] >> (index & 7) & 1;
}

#endif
