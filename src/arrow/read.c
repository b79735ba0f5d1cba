/* The readers are stateless.  What they read was made by another library: offsets, views and
 * runs are checked here, because nothing else has looked at them.
 */
#include "arrow/read.h"

#include <math.h>
#include <stddef.h>

double
arrow_half(uint16_t bits)
{
    int exponent = bits >> 10 & 0x1F;
    double fraction = bits & 0x3FF, value;
    if (exponent == 0x1F) {
        value = fraction == 0 ? INFINITY : NAN;
    }
    else if (exponent == 0) {
        value = ldexp(fraction, -24);
    }
    else {
        value = ldexp(fraction + 1024, exponent - 25);
    }
    return bits >> 15 ? -value : value;
}

int64_t
arrow_integer(arrow_kind kind, int64_t width, const void *buffer, int64_t index)
{
    switch (width) {
    case 1:
        return kind == ARROW_UINT8 ? (int64_t)ARROW_LOAD(uint8_t, buffer, index)
                                   : (int64_t)ARROW_LOAD(int8_t, buffer, index);
    case 2:
        return kind == ARROW_UINT16 ? (int64_t)ARROW_LOAD(uint16_t, buffer, index)
                                    : (int64_t)ARROW_LOAD(int16_t, buffer, index);
    case 4:
        return kind == ARROW_UINT32 ? (int64_t)ARROW_LOAD(uint32_t, buffer, index)
                                    : (int64_t)ARROW_LOAD(int32_t, buffer, index);
    default:
        return ARROW_LOAD(int64_t, buffer, index);
    }
}

int64_t
arrow_per_second(const arrow_type *type)
{
    static const int64_t units[] = {1, 1000, 1000000, 1000000000};
    return units[type->unit];
}

/* ---- strings ---- */

typedef struct {
    int32_t length;
    uint8_t begin[4]; /* the bytes, up to 12, go on in `block` and `offset` */
    int32_t block;
    int32_t offset;
} view;

#define VIEW_INLINE 12

static bool
view_bytes(const struct ArrowArray *array, int64_t index, const uint8_t **start,
           int64_t *count)
{
    const uint8_t *place = (const uint8_t *)array->buffers[1] + index * (int64_t)sizeof(view);
    view v;
    memcpy(&v, place, sizeof v);
    *count = v.length;
    if (v.length <= VIEW_INLINE) {
        *start = place + offsetof(view, begin);
        return v.length >= 0;
    }
    int64_t blocks = array->n_buffers - 3;
    if (v.block < 0 || v.block >= blocks || v.offset < 0 ||
        array->buffers[array->n_buffers - 1] == NULL || array->buffers[2 + v.block] == NULL) {
        return false;
    }
    int64_t size = ARROW_LOAD(int64_t, array->buffers[array->n_buffers - 1], v.block);
    *start = (const uint8_t *)array->buffers[2 + v.block] + v.offset;
    return (int64_t)v.offset + v.length <= size;
}

bool
arrow_bytes(const arrow_type *type, const struct ArrowArray *array, int64_t index,
            const uint8_t **start, int64_t *count)
{
    int64_t first, last;
    switch (type->kind) {
    case ARROW_BINARY_VIEW:
    case ARROW_UTF8_VIEW:
        return view_bytes(array, index, start, count);
    case ARROW_FIXED_BINARY:
        *start = (const uint8_t *)array->buffers[1] + index * type->width;
        *count = type->width;
        return true;
    case ARROW_LARGE_BINARY:
    case ARROW_LARGE_UTF8:
        first = ARROW_LOAD(int64_t, array->buffers[1], index);
        last = ARROW_LOAD(int64_t, array->buffers[1], index + 1);
        break;
    default:
        first = ARROW_LOAD(int32_t, array->buffers[1], index);
        last = ARROW_LOAD(int32_t, array->buffers[1], index + 1);
        break;
    }
    if (first < 0 || last < first || (last > first && array->buffers[2] == NULL)) {
        return false;
    }
    *start = last > first ? (const uint8_t *)array->buffers[2] + first : (const uint8_t *)"";
    *count = last - first;
    return true;
}

/* ---- lists ---- */

bool
arrow_items(const arrow_type *type, const struct ArrowArray *array, int64_t index,
            int64_t *first, int64_t *count)
{
    const void *offsets = type->kind == ARROW_FIXED_LIST ? NULL : array->buffers[1];
    switch (type->kind) {
    case ARROW_FIXED_LIST:
        *first = index * type->width;
        *count = type->width;
        break;
    case ARROW_LARGE_LIST:
        *first = ARROW_LOAD(int64_t, offsets, index);
        *count = ARROW_LOAD(int64_t, offsets, index + 1) - *first;
        break;
    case ARROW_LIST_VIEW:
        *first = ARROW_LOAD(int32_t, offsets, index);
        *count = ARROW_LOAD(int32_t, array->buffers[2], index);
        break;
    case ARROW_LARGE_LIST_VIEW:
        *first = ARROW_LOAD(int64_t, offsets, index);
        *count = ARROW_LOAD(int64_t, array->buffers[2], index);
        break;
    default:
        *first = ARROW_LOAD(int32_t, offsets, index);
        *count = (int64_t)ARROW_LOAD(int32_t, offsets, index + 1) - *first;
        break;
    }
    int64_t length = array->children[0]->length;
    return *first >= 0 && *count >= 0 && *first <= length && *count <= length - *first;
}

/* ---- runs ---- */

int64_t
arrow_run(const arrow_type *type, const struct ArrowArray *array, int64_t index)
{
    const struct ArrowArray *ends = array->children[0];
    arrow_kind kind = type->children[0].kind;
    int64_t width = type->children[0].width;
    int64_t low = 0, high = ends->length;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (arrow_integer(kind, width, ends->buffers[1], ends->offset + middle) > index) {
            high = middle;
        }
        else {
            low = middle + 1;
        }
    }
    return low < ends->length ? low : -1;
}
