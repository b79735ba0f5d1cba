/* Single values out of the buffers of an array that arrow_check() found right. */
#ifndef GENERATORS_ARROW_READ_H
#define GENERATORS_ARROW_READ_H

#include <string.h>

#include "arrow/check.h"

/* The number as Arrow stores it, at a place in a buffer.  The buffer may be unaligned. */
#define ARROW_LOAD(ctype, buffer, index)                                             \
    (*(ctype *)memcpy(&(ctype){0}, (const char *)(buffer) + (index) * sizeof(ctype), \
                      sizeof(ctype)))

/* Half of a float: 5 bits of exponent, 10 of fraction. */
double arrow_half(uint16_t bits);

/* An integer, date, time, timestamp or duration, or the index of a dictionary.  uint64 is
   returned as if it were signed. */
int64_t arrow_integer(arrow_kind kind, int64_t width, const void *buffer, int64_t index);

/* How many units of a type's unit a second has; for dates, 1000 with milliseconds. */
int64_t arrow_per_second(const arrow_type *type);

/* The bytes of a string or binary of any kind; `index` counts from the start of the buffers.
   False if offsets or views are wrong. */
bool arrow_bytes(const arrow_type *type, const struct ArrowArray *array, int64_t index,
                 const uint8_t **start, int64_t *count);

/* The items of a list or map, by their place in the child.  False if they are not within the
   child. */
bool arrow_items(const arrow_type *type, const struct ArrowArray *array, int64_t index,
                 int64_t *first, int64_t *count);

/* The index of the run that holds the value at `index`, which counts from the start of the
   runs; -1 if there is none. */
int64_t arrow_run(const arrow_type *type, const struct ArrowArray *array, int64_t index);

#endif
