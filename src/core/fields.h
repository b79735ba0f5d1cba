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

#include "core/fields_types.h"

void fields_init(fields *self, const fields_dialect *dialect, const scan_kernel *kernel,
                 fields_mode mode);
void fields_free(fields *self);

/* Room for that many more separators and records: one of each a unit.  False without
   memory. */
bool fields_reserve(fields *self, size_t units);

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

#endif
