/* The types of the machine of split.h: see there. */
#ifndef GENERATORS_CORE_SPLIT_TYPES_H
#define GENERATORS_CORE_SPLIT_TYPES_H

#include "core/fields_types.h"

/* The states that a reader of bytes can be in between two bytes.  Those of fields_state that
   no longer differ in what follows are one. */
typedef enum {
    SPLIT_RECORD, /* a record starts here, or behind the '\n' of "\r\n" */
    SPLIT_FIELD,
    SPLIT_TEXT,
    SPLIT_QUOTED,
    SPLIT_QUOTE,
    SPLIT_ESCAPED,
    SPLIT_ESCAPED_QUOTED,
    SPLIT_SKIPPED, /* behind a fault, up to the end of the line */
    SPLIT_STATES,
} split_state;

#define SPLIT_NOWHERE UINT64_MAX

/* What was passed from `start` to `stop` by a reader that was in one state at `start`. */
typedef struct {
    uint64_t start, stop;
    uint64_t lines;       /* physical lines that ended */
    uint64_t records;     /* records that ended */
    uint64_t first;       /* where the first record starts, or SPLIT_NOWHERE */
    uint64_t first_lines; /* lines that ended before it */
    uint64_t last;        /* where the last record starts, or SPLIT_NOWHERE */
    uint64_t last_lines;
    /* Upper bounds of lengths in bytes.  A field that is in progress at an end counts from
       there, or up to there. */
    uint64_t head_field, longest_field, tail_field;
    uint64_t longest_record; /* of those that start and end in between */
    bool field_ends;         /* the field in progress at `start` ends */
    split_state end;         /* the state at `stop` */
} split_span;

/* Bounds are not exact below that. */
#define SPLIT_FIELD_FLOOR 128

typedef enum {
    SPLIT_ANY_BYTE, /* every byte is a character */
    SPLIT_ASCII,
    SPLIT_UTF8,
    SPLIT_SINGLE_BYTE, /* bytes that are no character are given */
} split_encoding;

/* A reader that is followed.  See split.c. */
typedef struct {
    split_span span;
    split_state state;
    uint64_t field_group, field_bits; /* where the last separator was found */
    uint64_t start_group, start_bits; /* where the last start of a record was found */
} split_lane;

typedef struct {
    scan_set set;
    bool doublequote;
    bool skip_space;
    const scan_kernel *kernel; /* borrowed, lives for ever */
    split_encoding encoding;
    const bool *bad_bytes; /* SPLIT_SINGLE_BYTE: 256, borrowed; NULL if there are none */

    uint8_t kinds[256];                /* of bytes, for `steps` */
    uint8_t steps[2][SPLIT_STATES][8]; /* [after '\r'][state][kind] */

    uint64_t start, pos;
    bool after_carriage; /* the byte before `pos` is '\r' */
    bool unreadable;     /* some byte is not text of the encoding */
    uint64_t lines;      /* in the range so far */
    uint8_t cut[4];      /* SPLIT_UTF8: the beginning of a character */
    unsigned cut_length;
    unsigned skipped; /* SPLIT_UTF8: bytes at the start that belong to a character before it */

    split_lane lanes[SPLIT_STATES];
    int lane_count;
    int lane_of[SPLIT_STATES];       /* by the state at `start`; -1 if it is not possible */
    split_span passed[SPLIT_STATES]; /* by the state at `start`: before its lane's span */
} split;

#endif
