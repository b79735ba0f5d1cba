/* The types of the column machine: see columns.h. */
#ifndef GENERATORS_CORE_COLUMNS_TYPES_H
#define GENERATORS_CORE_COLUMNS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/columns_arena.h"
#include "core/columns_buffer.h"
#include "core/convert.h"
#include "core/fields_types.h"

/* ---- what is asked for ---- */

typedef enum {
    COLUMNS_UTF8,
    COLUMNS_LARGE_UTF8,
    COLUMNS_UTF8_VIEW,
    COLUMNS_BINARY,
    COLUMNS_DICTIONARY, /* of utf8, with int32 indices */
    COLUMNS_BOOL,
    COLUMNS_INT8,
    COLUMNS_INT16,
    COLUMNS_INT32,
    COLUMNS_INT64,
    COLUMNS_UINT8,
    COLUMNS_UINT16,
    COLUMNS_UINT32,
    COLUMNS_UINT64,
    COLUMNS_FLOAT32,
    COLUMNS_FLOAT64,
    COLUMNS_DATE32,
    COLUMNS_TIME64,     /* of microseconds */
    COLUMNS_TIMESTAMP,  /* of `unit`; `zoned` or not */
    COLUMNS_DECIMAL128, /* of `precision` and `scale` */
} columns_kind;

typedef enum {
    COLUMNS_SECONDS,
    COLUMNS_MILLISECONDS,
    COLUMNS_MICROSECONDS,
    COLUMNS_NANOSECONDS,
} columns_unit;

/* What an empty field is. */
typedef enum {
    COLUMNS_EMPTY_VALUE,         /* an empty text; for another kind, a question */
    COLUMNS_EMPTY_NULL,          /* null, also if it is quoted, as csv_rows has it */
    COLUMNS_EMPTY_UNQUOTED_NULL, /* null unless it is quoted; then as COLUMNS_EMPTY_VALUE */
} columns_empty;

/* One column.  The first three are set for each; the others where they are named above. */
typedef struct {
    columns_kind kind;
    uint32_t field; /* its index in the record */
    columns_empty empty;
    bool takes_nulls; /* an unquoted field that is one of layout.nulls is null */
    bool not_null;    /* a null is a question, COLUMNS_ASKS_NULL */
    bool zoned;       /* each text must have an offset or 'Z', and the values are UTC.
                         Otherwise a text that has one is a question */
    columns_unit unit;
    uint8_t precision;        /* 1 to 38 */
    int8_t scale;             /* -38 to 38 */
    bool strip;               /* utf8: without whitespace around */
    const convert_rule *rule; /* borrowed: how a text becomes a value of `kind`; or NULL, for
                                 the common spellings */
} columns_spec;

/* What the units of the records are. */
typedef enum {
    COLUMNS_UNITS_UTF8,   /* bytes of valid UTF-8, or ASCII */
    COLUMNS_UNITS_LATIN1, /* bytes of Latin-1 */
    COLUMNS_UNITS_TEXT,   /* code points, 1, 2 or 4 bytes wide */
} columns_units;

/* What a binary column holds. */
typedef enum {
    COLUMNS_BINARY_UNITS, /* the units as they are; they are one byte wide */
    COLUMNS_BINARY_UTF8,  /* the text in UTF-8 */
    COLUMNS_BINARY_ASKS,  /* each field that is not empty is a question */
} columns_binary;

typedef struct {
    const uint8_t *bytes; /* UTF-8 */
    size_t length;
} columns_text;

/* A layout; it never changes while it is in use, and may be shared by threads.  Everything it
   points to is borrowed, and outlives the builders that use it. */
typedef struct {
    fields_dialect dialect; /* of the machine that made the spans */
    columns_units units;
    columns_binary binary;
    const columns_spec *specs;
    uint32_t count;            /* of specs; there may be none */
    uint32_t least;            /* A record of fewer fields is a fault.  Otherwise fields that
                                  are missing are null */
    uint32_t most;             /* A record of more fields is a fault; UINT32_MAX for none */
    bool skips_blank;          /* a record without fields gives no row, and is no fault */
    const columns_text *nulls; /* spellings of null */
    size_t null_count;
    size_t max_bytes; /* that a text column of a batch may hold: COLUMNS_MAX_BYTES, or less
                         in tests.  Not of large_utf8.  For a dictionary, the texts of all rows
                         count */
    uint64_t seed;    /* of dictionaries' hash tables: random, so that no file can be made to
                         be slow */
} columns_layout;

#define COLUMNS_MAX_BYTES ((size_t)INT32_MAX)

/* The records of a block.  All borrowed. */
typedef struct {
    const void *block;
    size_t length;        /* units of the block that may be read */
    const uint32_t *ends; /* as machine->ends */
    const fields_record *records;
    size_t count; /* of the records */
    int width;    /* bytes a unit */
} columns_records;

/* ---- what comes of it ---- */

typedef enum {
    COLUMNS_FINE,     /* the records are laid out */
    COLUMNS_FULL,     /* the batch must end: the next record does not fit into it */
    COLUMNS_ASKS,     /* the records are laid out, but questions must be answered */
    COLUMNS_NO_MEMORY /* nothing has changed */
} columns_status;

typedef enum {
    COLUMNS_ASKS_VALUE, /* answer with a value or null, or drop the record: number_* is not
                           sure, the value does not fit, or the text is not valid Unicode */
    COLUMNS_ASKS_NULL,  /* a null where `not_null` is set: answer as above */
    COLUMNS_TOO_FEW,    /* a fault: the record has too few fields and is left out already */
    COLUMNS_TOO_MANY,   /* the same for too many */
    COLUMNS_TOO_LONG,   /* the record alone does not fit into a batch; left out already */
} columns_question_kind;

typedef struct {
    columns_question_kind kind;
    uint32_t record; /* index in columns_records.records */
    uint32_t column; /* index in layout.specs; UINT32_MAX for a fault of the whole record */
    uint32_t row;    /* in the batch: of the record, or of the one after it */
} columns_question;

/* One column of a batch, as Arrow lays it out. */
typedef struct {
    columns_kind kind;
    int64_t length; /* rows */
    int64_t null_count;
    columns_buffer validity; /* a bit a row; no data if there are no nulls */
    columns_buffer values;   /* values, bits of bool, offsets (length + 1), views, or
                                indices */
    columns_buffer data;     /* the bytes of texts; also those of a dictionary */
    columns_buffer entries;  /* a dictionary: the int32 offsets of its utf8 values */
    int64_t entry_count;     /* a dictionary: how many values it has */
} columns_array;

typedef struct {
    columns_array *arrays; /* owned */
    uint32_t count;
    int64_t rows;
    columns_allocator allocate;
    columns_arena arena; /* owned: the memory of buffers that have none of their own */
} columns_batch;

/* ---- private ---- */

/* An answer that is a text, kept until columns_settle(). */
typedef struct {
    uint32_t row;         /* since columns.row_mark */
    size_t start, length; /* in columns.answer_bytes */
} columns_answer;

typedef struct {
    columns_array array;
    columns_buffer slots; /* a dictionary: a hash table of its entries */
    size_t charged;       /* a dictionary: bytes of the texts of all rows */

    /* What array.values.length, array.data.length and the like were at the end of the last
       batch, so that the next one gets the room at once. */
    size_t validity_room;
    size_t values_room;
    size_t data_room;

    /* Before the records appended last: to go back there. */
    size_t data_mark;
    size_t charged_mark;
    int64_t null_mark;
    int64_t entry_mark;

    columns_buffer answers; /* columns_answer, in order of rows */
} columns_column;

/* A builder of batches. */
typedef struct {
    const columns_layout *layout; /* borrowed */
    columns_allocator allocate;
    columns_column *columns; /* owned */
    columns_arena arena;     /* owned: the memory of the columns' arrays */
    size_t arena_room;       /* what the last batch took of it */
    int64_t rows;            /* laid out so far in the batch */
    uint64_t null_lengths;   /* bit n: some spelling of null has n bytes; 63: 63 or more */

    /* The records appended last. */
    int64_t row_mark;         /* rows before them */
    columns_buffer chosen;    /* fields_record: those that give rows, if not all do */
    columns_buffer places;    /* uint32_t: the index of each of them in the block's records */
    size_t first_place;       /* where the first of them is, if all give rows */
    bool places_used;         /* `places` is set */
    columns_buffer questions; /* columns_question, in order once all are there */
    columns_buffer sorted;    /* memory to sort them in */
    columns_buffer scratch;
    size_t asked; /* questions that columns_next_question() gave */

    /* While there are questions. */
    columns_buffer dropped;      /* a bit for each row since row_mark */
    columns_buffer answer_bytes; /* what columns_answer.start points into */
    bool changes;                /* something was dropped, or answered with a text */
} columns;

#endif
