/* Lines: bytes cut anywhere -> lines as spans of bytes.
 *
 * A line ends at LF, CR or CR LF, or at one given string.  Nothing else ends a line, and the
 * lines are the same for every cut.  A CR that is the last byte so far ends its line at once;
 * a LF that comes next belongs to it.  If line ends are kept, such a line waits for the next
 * byte instead, because its line end is not known before.
 *
 * The owner feeds bytes, takes lines until there is none, and feeds more.  Each byte is
 * searched once and moved at most once for each line that it is part of, so time is linear for
 * a line of any length in pieces of any size.
 */
#ifndef GENERATORS_CORE_LINES_H
#define GENERATORS_CORE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/scan.h"
#include "core/units.h"

#define LINES_LONGEST_NEWLINE 16
#define LINES_GROUPS 16 /* groups of bytes that are searched at a time */

typedef enum {
    LINES_LINE,     /* the span is the next line */
    LINES_MORE,     /* more must be fed, or the end told, first */
    LINES_OVER,     /* there are no more lines */
    LINES_TOO_LONG, /* the next line is over `max_line`.  The span is as much of it as may be.
                       It stays the next line, unless lines_skip() is called */
} lines_result;

typedef struct {
    const uint8_t *bytes; /* valid until more is fed */
    size_t length;        /* without the line end */
    size_t end;           /* bytes of the line end, which follow; 0 for none */
} lines_span;

typedef struct {
    const scan_kernel *kernel; /* borrowed for ever */
    scan_set set;
    uint8_t newline[LINES_LONGEST_NEWLINE];
    size_t newline_length; /* 0: lines end at LF, CR and CR LF */
    size_t max_line;       /* bytes of a line without its end */
    bool keeps_ends;
    bool drops_mark; /* a byte order mark at the very start is still to be dropped */

    buffer block;
    size_t start;                 /* of the next line */
    size_t searched;              /* bytes that were searched for line ends */
    size_t window;                /* where the groups that were searched last begin */
    uint64_t found[LINES_GROUPS]; /* the line ends in them */
    uint64_t left;                /* those of the current group that are not taken yet */
    size_t group;
    size_t groups;
    size_t high_end; /* bytes from here up to `searched` are ASCII */

    size_t held;         /* a line of this length waits for the byte after its CR */
    bool holds;          /* `held` is set */
    bool after_carriage; /* a LF that comes next belongs to the last line */
    bool skipping;       /* the next line is not given */
    uint64_t skipped;    /* bytes of that line that were dropped from the block */
    bool finished;
    uint64_t block_byte; /* offset of the block in the source */
    uint64_t line_count; /* lines that were taken or skipped */
} lines;

/* Make a machine for lines that end at `newline`, of 1 to LINES_LONGEST_NEWLINE bytes; of
   none for LF, CR and CR LF. */
void lines_init(lines *self, const scan_kernel *kernel, const void *newline,
                size_t newline_length, bool keeps_ends, size_t max_line);
void lines_free(lines *self);

/* Before anything is fed: continue at that offset, after so many lines.  `after_carriage` is
   that of the machine that stopped there. */
void lines_resume(lines *self, uint64_t byte, bool after_carriage, uint64_t line_count);

/* Feed bytes cut anywhere.  Since lines_next() was called it must have given all lines, but it
   need not be called between two feeds. */
buffer_status lines_feed(lines *self, const void *bytes, size_t count);

/* The same in two steps: the address at which `count` bytes may be written, or NULL with
 *status set; and how many were. */
uint8_t *lines_room(lines *self, size_t count, buffer_status *status);
void lines_filled(lines *self, size_t count);

/* Nothing more is fed. */
void lines_finish(lines *self);

/* Take the next line. */
lines_result lines_next(lines *self, lines_span *span);

/* Search the bytes that come next for line ends.  False if there are none.  For the inline
   functions. */
bool lines_search(lines *self);

/* Find the next byte that may end a line.  False if there is none so far. */
static inline bool
lines_find(lines *self, size_t *at)
{
    while (self->left == 0) {
        if (self->group + 1 < self->groups) {
            self->left = self->found[++self->group];
        }
        else if (!lines_search(self)) {
            return false;
        }
    }
    *at = self->window + self->group * SCAN_GROUP + lowest_bit(self->left);
    return true;
}

/* lines_next() for a line with an end of one byte that may not be a CR: the common case,
   without a call.  False for any other result; lines_next() then gives it. */
static inline bool
lines_next_quick(lines *self, lines_span *span)
{
    size_t at;
    if (self->newline_length > 1 || self->skipping || self->drops_mark || self->holds ||
        !lines_find(self, &at) || at < self->start || at - self->start > self->max_line ||
        (self->newline_length == 0 && self->block.data[at] != '\n')) {
        return false;
    }
    span->bytes = self->block.data + self->start;
    span->length = at - self->start;
    span->end = 1;
    self->start = at + 1;
    self->line_count++;
    self->left &= self->left - 1;
    return true;
}

/* Whether a line that was just taken is known to be ASCII. */
static inline bool
lines_is_ascii(const lines *self, const lines_span *span)
{
    return (size_t)(span->bytes - self->block.data) >= self->high_end;
}

/* After LINES_TOO_LONG: do not give that line, but count it. */
void lines_skip(lines *self);

/* The offset of the next line in the source.  For a line that is skipped, of its start. */
static inline uint64_t
lines_byte(const lines *self)
{
    return self->block_byte + self->start - self->skipped;
}

/* The offset of a line that was just taken. */
static inline uint64_t
lines_byte_of(const lines *self, const lines_span *span)
{
    return self->block_byte + (uint64_t)(span->bytes - self->block.data);
}

#endif
