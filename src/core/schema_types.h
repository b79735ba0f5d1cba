/* The types of the schema machine: see schema.h. */
#ifndef GENERATORS_CORE_SCHEMA_TYPES_H
#define GENERATORS_CORE_SCHEMA_TYPES_H

#include "core/columns_types.h"

/* The types that a column may have, from the narrowest on.  Text is what is left. */
typedef enum {
    SCHEMA_INT, /* of 64 bits */
    SCHEMA_FLOAT,
    SCHEMA_BOOL,
    SCHEMA_DATE,
    SCHEMA_TIME,
    SCHEMA_DATETIME,
    SCHEMA_DECIMAL,
    SCHEMA_TYPES, /* how many there are */
} schema_type;

#define SCHEMA_BIT(type) (1U << (type))
#define SCHEMA_ALL (SCHEMA_BIT(SCHEMA_TYPES) - 1)
#define SCHEMA_NUMBERS \
    (SCHEMA_BIT(SCHEMA_INT) | SCHEMA_BIT(SCHEMA_FLOAT) | SCHEMA_BIT(SCHEMA_DECIMAL))

/* ---- what only Python can decide ---- */

typedef enum {
    SCHEMA_YES,
    SCHEMA_NO,
    SCHEMA_RAISED, /* it failed: the machine stops */
} schema_verdict;

/* A value that Python read. */
typedef struct {
    const uint8_t *number; /* SCHEMA_INT and SCHEMA_DECIMAL: the number in plain ASCII.  Valid
                              until the next question */
    size_t length;
    int64_t value; /* days since 1970; microseconds of the day, or since 1970 */
    bool zoned;    /* SCHEMA_DATETIME: `value` is in UTC */
} schema_answer;

/* Whether the text, in UTF-8, is a value of the type as csv_rows reads it. */
typedef schema_verdict (*schema_ask)(void *context, schema_type type, const uint8_t *text,
                                     size_t length, schema_answer *answer);

/* ---- what is asked for ---- */

typedef struct {
    columns_layout reading; /* how fields are read: dialect, units, spellings of null, seed */
    uint32_t count;         /* of columns */
    uint32_t most_distinct; /* values of a column that are counted one by one; 0 for none */
} schema_layout;

#define SCHEMA_DISTINCT_BYTES ((size_t)64 * 1024) /* that such values of a column may have */

/* ---- what comes of it ---- */

typedef enum {
    SCHEMA_FINE,
    SCHEMA_STOPPED, /* some column needs an answer, and nobody can be asked */
    SCHEMA_FAILED,  /* schema_ask returned SCHEMA_RAISED */
    SCHEMA_NO_MEMORY,
} schema_status;

/* A text that is kept: borrowed from the block while records are added, then owned. */
typedef struct {
    const uint8_t *bytes;
    size_t length;
    columns_buffer memory; /* owned */
} schema_text;

/* A value, and where it is. */
#define SCHEMA_SAMPLE 60
typedef struct {
    uint64_t record; /* from 1 on; 0 if there is none */
    uint8_t length;
    bool cut; /* the text has more bytes */
    uint8_t text[SCHEMA_SAMPLE];
} schema_sample;

/* The least and the greatest of some integers. */
typedef struct {
    bool any;
    int64_t least, greatest;
} schema_range;

/* What is counted of numbers, each by itself. */
enum {
    SCHEMA_NOT_FINITE,   /* inf and nan */
    SCHEMA_ASKED,        /* only Python knows the spelling */
    SCHEMA_LEADING_ZERO, /* a whole number that begins with 0 and another digit */
    SCHEMA_MARKS,        /* how many there are */
};

/* Numbers.  Most of them fit in 64 bits when multiplied by the same power of ten; the others
   are compared as texts. */
typedef struct {
    schema_range scaled; /* multiplied by 10^scale */
    uint32_t scale;
    uint32_t most_whole; /* digits before the point, of those kept as texts */
    uint32_t most_scale; /* digits after the point, of all */
    bool any_text;
    schema_text least, greatest;
    uint32_t marks; /* of the number that was added last */
    uint64_t marked[SCHEMA_MARKS];
} schema_number;

/* Values that are counted one by one. */
typedef struct {
    uint64_t word; /* the first bytes */
    uint64_t count;
    uint32_t start; /* in schema_distinct.bytes */
    uint32_t length;
    uint32_t marks; /* if it is a number */
} schema_entry;

typedef struct {
    columns_buffer slots;   /* a hash table of the entries */
    columns_buffer entries; /* schema_entry */
    columns_buffer bytes;
    uint32_t count;
    bool over; /* there are too many */
} schema_distinct;

typedef struct {
    uint32_t alive;  /* bits of the types that every value has so far */
    uint32_t truths; /* bit 0: false was seen; bit 1: true */
    uint64_t values; /* that are not null */
    uint64_t empty;  /* nulls that are empty fields */
    uint64_t spelled;
    uint64_t missing; /* fields that short records do not have */
    size_t shortest;  /* of the values, in characters */
    size_t longest;
    size_t most_bytes;                /* of UTF-8 */
    uint64_t least_key, greatest_key; /* the first bytes of the texts below */
    schema_text least, greatest;      /* in the order of code points */
    schema_number number;
    schema_range dates;
    schema_range times;
    schema_range moments;
    bool zoned;       /* of the moments */
    bool not_unicode; /* some value can't be UTF-8 */
    schema_distinct distinct;
    schema_sample first;                 /* the first value */
    schema_sample against[SCHEMA_TYPES]; /* the first value that is not of the type */
    size_t stopped; /* the record to go on with; SIZE_MAX if all are done */
} schema_column;

typedef struct {
    const schema_layout *layout; /* borrowed */
    columns reader;              /* reads fields: its layout is layout->reading */
    columns_allocator allocate;
    schema_column *columns; /* owned */
    schema_ask ask;         /* or NULL */
    void *context;
    uint64_t records; /* all but blank ones */
    uint64_t blank;
    uint64_t too_short, too_long;
    uint64_t first_short, first_long; /* the first such record, from 1 on; 0 for none */
    uint64_t base;                    /* of numbers of records while they are added */
} schema;

#endif
