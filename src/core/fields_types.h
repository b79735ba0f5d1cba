/* The types of the CSV machine: see fields.h. */
#ifndef GENERATORS_CORE_FIELDS_TYPES_H
#define GENERATORS_CORE_FIELDS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/scan.h"

typedef enum { FIELDS_STREAM, FIELDS_LINES } fields_mode;

#define FIELDS_COMMENT_MOST 16 /* units */

typedef struct {
    scan_set set; /* SCAN_ABSENT as the quote if quoting is off */
    bool doublequote;
    bool skip_space; /* blanks after a separator are skipped */
    bool strict;
    bool utf8;     /* units are UTF-8, and max_field counts code points */
    bool one_line; /* a record that goes on in another line is a fault */
    uint32_t comment[FIELDS_COMMENT_MOST]; /* the units that begin a comment; stream only */
    uint32_t comment_length;               /* of them; 0 if there are no comments */
    size_t max_field;                      /* in characters; SIZE_MAX for no limit */
    size_t max_record;                     /* in units; SIZE_MAX for no limit */
} fields_dialect;

/* What is known of a record's units.  A flag that is not set rules the case out; a flag that
   is set means that it is possible. */
enum {
    FIELDS_QUOTED = 1,    /* some field is quoted */
    FIELDS_DOUBLED = 2,   /* some quoted field holds a doubled quote */
    FIELDS_IRREGULAR = 4, /* quotes or escapes may stand anywhere */
    FIELDS_HIGH = 8,      /* some unit is 0x80 or above */
    FIELDS_FOLLOWS = 16,  /* comments come right before: `lines` counts their lines too */
    FIELDS_FAULT = 32,    /* no record: see fields_insert_fault() */
};

typedef struct {
    uint32_t start; /* of its first field */
    uint32_t first; /* the ends of its fields are ends[first] up to ends[last] */
    uint32_t last;
    uint32_t lines; /* physical lines that it spans, and those of FIELDS_FOLLOWS */
    uint32_t flags;
} fields_record;

typedef enum {
    FIELDS_FINE = 0,
    FIELDS_BAD_QUOTE,      /* strict: text after a closing quote */
    FIELDS_UNEXPECTED_END, /* strict: the data ends inside a field */
    FIELDS_STRAY_NEWLINE,  /* lines: the line continues after its line end */
    FIELDS_OPEN_LINE,      /* one_line: the line ends inside a quoted field or an escape */
    FIELDS_FIELD_LIMIT,
    FIELDS_RECORD_LIMIT,
    FIELDS_UNREADABLE, /* set by the owner, with fields_fail() */
} fields_error;

typedef enum {
    START_RECORD,
    START_FIELD,
    IN_FIELD,
    IN_QUOTED_FIELD,
    QUOTE_IN_QUOTED_FIELD, /* without doublequote: also right after a closing quote */
    ESCAPED_CHAR,
    AFTER_ESCAPED_END,
    ESCAPE_IN_QUOTED_FIELD,
    EAT_END, /* lines: only line ends may follow in this line */
} fields_state;

typedef struct {
    fields_dialect dialect;
    const scan_kernel *kernel; /* borrowed, lives for ever */
    fields_mode mode;
    bool exact_only; /* no group can be proved regular under this dialect */

    fields_state state;
    bool after_carriage;   /* stream: the last unit was '\r' */
    uint32_t pos;          /* the next unit to read */
    uint32_t record_start; /* of the record in progress */
    uint32_t field_start;  /* of the field in progress */
    uint32_t first;        /* ends[first] is the end of the record's first field */
    uint32_t lines;        /* line ends in the record so far, and in comments before it */
    uint32_t passed;       /* FIELDS_FOLLOWS: of these, the ones in comments */
    uint32_t flags;
    bool in_comment;       /* in START_RECORD: the next units belong to a comment */
    uint64_t comment_read; /* units of this comment that were read */
    size_t field_limit;    /* of the field in progress: max_field, or the field's length when
                              max_field was set lower */
    size_t measure_at;     /* length at which the field in progress is measured next */

    uint32_t *ends; /* owned */
    size_t ends_length, ends_capacity;
    fields_record *records; /* owned */
    size_t records_length, records_capacity;
    size_t taken; /* records that fields_take() returned */

    fields_error error; /* until fields_resume() or fields_restart() */
    uint32_t error_pos; /* the position of the fault */
} fields;

#endif
