/* The CSV machine: code units -> records and the spans of their fields.
 *
 * It is fed a block of code units from the front, as far as the block has
 * grown, and lists the records that are complete.  It does no I/O, keeps no
 * pointer to the block between calls, and makes no text: a field is a span of
 * the block, from its first unit up to its separator, quotes and all, and
 * fields_content() writes out what the span means.
 *
 * What it reads is exactly what CPython 3.13's _csv.reader reads.  Groups of
 * 64 units that it can prove regular are read from bit masks; all else goes
 * through the reader's own state machine, for that group only.  A group is
 * regular when each quote that opens follows a separator, the start of the
 * data or a closing quote, each that closes is followed by a separator, the
 * end of the data or another quote, and nothing in it is escaped: then the
 * prefix XOR of its quotes tells inside from outside.  The state is the same
 * for both, so either may go on where the other stopped, at any cut.
 *
 * FIELDS_STREAM: units cut anywhere; '\n', '\r' and "\r\n" end a line, as
 * for a text file opened with newline=''.  FIELDS_LINES: each feed is one
 * line, as an iterator gives them to csv.reader, and fields_line_end() follows.
 *
 * Positions count units from the start of the block.  When every listed record
 * is taken, fields_rewind() says how many units the owner may drop.
 */
#ifndef GENERATORS_CORE_FIELDS_H
#define GENERATORS_CORE_FIELDS_H

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

void fields_init(fields *self, const fields_dialect *dialect, const scan_kernel *kernel,
                 fields_mode mode);
void fields_free(fields *self);

/* Read the block's units from where the last feed stopped up to `length`.
   False only when there is no memory.  On a fault it sets `error` and stops;
   the records before it stand. */
bool fields_feed(fields *self, const void *block, int width, size_t length);

/* FIELDS_LINES: begin a block that is one line, where no record is under way.  Where
   the line is one regular record it is read in one go, its end and all; else
   *read is false and it has still to be fed.  False only when there is no
   memory. */
bool fields_line(fields *self, const void *line, int width, size_t length, bool *read);

/* FIELDS_LINES: the line fed is over.  First, while fields_wants_newline(),
   the owner appends one '\n' to the block, which stands for the escaped end. */
bool fields_line_end(fields *self, const void *block, int width);

/* The data is over: the last record, if one is under way, is listed.  The
   same about fields_wants_newline() holds. */
bool fields_finish(fields *self, const void *block, int width);

/* The owner can't read the block from `pos` on.  Every record is taken. */
void fields_fail(fields *self, uint32_t pos);

/* After a fault, when every record is taken: give up the record under way and go on, as
   csv.reader does, behind the physical line that the fault is in, in the start state.
   What is given up of the block is from *from up to *through.  False while the end of that
   line is not among the block's `length` units: the owner keeps what it wants of them,
   feeds more, which is not read, and calls again.  `final`: there will be no more. */
bool fields_resume(fields *self, const void *block, int width, size_t length, bool final,
                   uint32_t *from, uint32_t *through);

static inline bool
fields_wants_newline(const fields *self)
{
    return self->state == ESCAPED_CHAR || self->state == ESCAPE_IN_QUOTED_FIELD;
}

/* Forget everything but the dialect: the next unit fed is the first of a block. */
void fields_restart(fields *self);

/* Change dialect.max_field.  Characters that the field under way has already are
   not held against it; the next one is. */
void fields_set_max_field(fields *self, const void *block, int width, size_t max_field);

/* Fields of the record under way that have ended. */
static inline uint32_t
fields_open_count(const fields *self)
{
    return (uint32_t)self->ends_length - self->first;
}

/* The next complete record, or NULL.  It stands until fields_rewind(). */
static inline const fields_record *
fields_take(fields *self)
{
    return self->taken < self->records_length ? &self->records[self->taken++] : NULL;
}

/* Forget the records taken (all must be) and return how many units of the
   block came before the record under way: the owner drops them. */
size_t fields_rewind(fields *self);

/* Where field `index` of a record starts and ends in the block. */
static inline uint32_t
fields_start(const fields *self, const fields_record *record, uint32_t index)
{
    return index == 0 ? record->start : self->ends[record->first + index - 1] + 1;
}

static inline uint32_t
fields_end(const fields *self, const fields_record *record, uint32_t index)
{
    return self->ends[record->first + index];
}

/* A blank line is a record of no fields; it is listed with one empty span. */
static inline uint32_t
fields_count(const fields *self, const fields_record *record)
{
    uint32_t count = record->last - record->first;
    return count == 1 && self->ends[record->first] == record->start ? 0 : count;
}

/* Write what the span means to `out`, which has room for as many units of the
   same width, and return how many were written.  *unquoted tells whether
   the field did not start with a quote.  `out` may be NULL to count only. */
size_t fields_content(const fields_dialect *dialect, const void *block, int width,
                      uint32_t start, uint32_t end, void *out, bool *unquoted);

/* Line ends among the units from `start` up to `end`; "\r\n" counts once. */
size_t fields_count_lines(const void *block, int width, uint32_t start, uint32_t end);

#endif
