/* Arrow's types: from the schemas of the C data interface, and back to format strings. */
#ifndef GENERATORS_ARROW_FORMAT_H
#define GENERATORS_ARROW_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arrow/abi.h"

typedef enum {
    ARROW_NULL,
    ARROW_BOOL,
    ARROW_INT8,
    ARROW_UINT8,
    ARROW_INT16,
    ARROW_UINT16,
    ARROW_INT32,
    ARROW_UINT32,
    ARROW_INT64,
    ARROW_UINT64,
    ARROW_FLOAT16,
    ARROW_FLOAT32,
    ARROW_FLOAT64,
    ARROW_BINARY,
    ARROW_LARGE_BINARY,
    ARROW_BINARY_VIEW,
    ARROW_FIXED_BINARY, /* of `width` bytes */
    ARROW_UTF8,
    ARROW_LARGE_UTF8,
    ARROW_UTF8_VIEW,
    ARROW_DECIMAL, /* of `width` 4, 8, 16 or 32 bytes */
    ARROW_DATE32,  /* days */
    ARROW_DATE64,  /* milliseconds */
    ARROW_TIME32,
    ARROW_TIME64,
    ARROW_TIMESTAMP,
    ARROW_DURATION,
    ARROW_INTERVAL_MONTHS,
    ARROW_INTERVAL_DAYS,  /* and milliseconds */
    ARROW_INTERVAL_MIXED, /* months, days and nanoseconds */
    ARROW_LIST,
    ARROW_LARGE_LIST,
    ARROW_LIST_VIEW,
    ARROW_LARGE_LIST_VIEW,
    ARROW_FIXED_LIST, /* of `width` items each */
    ARROW_STRUCT,
    ARROW_MAP,
    ARROW_DENSE_UNION,
    ARROW_SPARSE_UNION,
    ARROW_RUN_END, /* children: the ends of the runs, their values */
} arrow_kind;

typedef enum {
    ARROW_SECOND,
    ARROW_MILLISECOND,
    ARROW_MICROSECOND,
    ARROW_NANOSECOND,
} arrow_unit;

typedef enum {
    ARROW_OK = 0,
    ARROW_NO_MEMORY,
    ARROW_RELEASED,   /* the schema was released */
    ARROW_UNKNOWN,    /* the format string is none of the specification's */
    ARROW_BAD_SCHEMA, /* children or dictionary do not fit the format */
} arrow_status;

typedef struct arrow_type arrow_type;

struct arrow_type {
    arrow_kind kind;
    arrow_unit unit; /* of times, timestamps and durations */
    int precision;   /* of decimals */
    int scale;
    int64_t width;    /* bytes of a value in the main buffer; 0: bits, or no fixed width.  For
                         ARROW_FIXED_LIST, the items of a value */
    const char *zone; /* of a timestamp, "" for none.  Borrowed from the schema */
    const char *ids;  /* of a union: numbers with commas between.  Borrowed from the schema */
    const char *name; /* UTF-8, or "".  Borrowed from the schema */
    bool nullable;
    bool ordered; /* the dictionary */
    bool sorted;  /* the keys of a map */
    size_t child_count;
    arrow_type *children;   /* owned, or NULL */
    arrow_type *dictionary; /* owned: the type of the values if this is that of indices */
};

/* Read a schema, which must live as long as the type.  The type must be freed, whatever this
   returns. */
arrow_status arrow_type_read(arrow_type *self, const struct ArrowSchema *schema);
void arrow_type_free(arrow_type *self);

/* Write the format string of a type, without its children, and return its length; 0 if `room`
   bytes are not enough.  For a dictionary, that is the format of the indices. */
size_t arrow_type_format(const arrow_type *self, char *text, size_t room);

/* How many buffers an array of this kind has.  The kinds with views have more: one for each
   block of bytes, and one for the lengths of these. */
int arrow_buffer_count(arrow_kind kind);

static inline bool
arrow_is_integer(arrow_kind kind)
{
    return kind >= ARROW_INT8 && kind <= ARROW_UINT64;
}

static inline bool
arrow_is_view(arrow_kind kind)
{
    return kind == ARROW_BINARY_VIEW || kind == ARROW_UTF8_VIEW;
}

/* Whether the values have parts of their own, in children. */
static inline bool
arrow_is_nested(arrow_kind kind)
{
    return kind >= ARROW_LIST && kind <= ARROW_SPARSE_UNION;
}

#endif
