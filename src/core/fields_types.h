/* The types of the CSV machine: see fields.h. */
#ifndef GENERATORS_CORE_FIELDS_TYPES_H
#define GENERATORS_CORE_FIELDS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/scan.h"

typedef enum { FIELDS_STREAM, FIELDS_LINES } fields_mode;

typedef struct {
    scan_set set; /* quote is SCAN_ABSENT where quoting is off */
    bool doublequote;
    bool skip_space; /* blanks after a separator do not count */
    bool strict;
    bool utf8;         /* units are UTF-8: max_field counts code points */
    size_t max_field;  /* in characters; SIZE_MAX for none */
    size_t max_record; /* in units; SIZE_MAX for none */
} fields_dialect;

/* What is known of a record's units.  Each is sure when it is not set. */
enum {
    FIELDS_QUOTED = 1,    /* some field is quoted */
    FIELDS_DOUBLED = 2,   /* some quoted field holds a doubled quote */
    FIELDS_IRREGULAR = 4, /* a quote or an escape stands where it likes */
    FIELDS_HIGH = 8,      /* some unit is 0x80 or above */
};

typedef struct {
    uint32_t start; /* of its first field */
    uint32_t first; /* its fields' ends are ends[first] up to ends[last] */
    uint32_t last;
    uint32_t lines; /* physical lines that it took */
    uint32_t flags;
} fields_record;

typedef enum {
    FIELDS_FINE = 0,
    FIELDS_BAD_QUOTE,      /* strict: text after a closing quote */
    FIELDS_UNEXPECTED_END, /* strict: the data ends inside a field */
    FIELDS_STRAY_NEWLINE,  /* lines: a line goes on after its end */
    FIELDS_FIELD_LIMIT,
    FIELDS_RECORD_LIMIT,
    FIELDS_UNREADABLE, /* said by the owner, with fields_fail() */
} fields_error;

typedef enum {
    START_RECORD,
    START_FIELD,
    IN_FIELD,
    IN_QUOTED_FIELD,
    QUOTE_IN_QUOTED_FIELD, /* also right behind a closing quote without doublequote */
    ESCAPED_CHAR,
    AFTER_ESCAPED_END,
    ESCAPE_IN_QUOTED_FIELD,
    EAT_END, /* lines: the record ends with this line */
} fields_state;

typedef struct {
    fields_dialect dialect;
    const scan_kernel *kernel; /* borrowed, for ever */
    fields_mode mode;
    bool exact_only; /* no group can be proved regular under this dialect */

    fields_state state;
    bool after_carriage;   /* stream: the last unit was '\r' */
    uint32_t pos;          /* the next unit to read */
    uint32_t record_start; /* of the record under way */
    uint32_t field_start;  /* of the field under way */
    uint32_t first;        /* ends[first] is the end of its first field */
    uint32_t lines;        /* line ends in it so far */
    uint32_t flags;
    size_t
        field_limit;   /* of the field under way: max_field, or what it had before that fell */
    size_t measure_at; /* length at which the field under way is measured next */

    uint32_t *ends; /* owned */
    size_t ends_length, ends_capacity;
    fields_record *records; /* owned */
    size_t records_length, records_capacity;
    size_t taken; /* records handed out */

    fields_error error; /* of the record under way; final but for fields_resume() */
    uint32_t error_pos; /* the unit at fault */
} fields;

#endif
