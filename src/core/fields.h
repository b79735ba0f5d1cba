/* The CSV machine: code units -> records and the spans of their fields.
 *
 * The owner feeds it a block of code units from the front, as far as the block has grown.  The
 * machine lists the complete records.  It does no I/O, keeps no pointer to the block between
 * calls, and makes no text.  A field is a span of the block, from its first unit up to its
 * separator, including quotes.  fields_content() writes the characters of a span.
 *
 * It reads exactly what CPython 3.13's _csv.reader reads.  It works on groups of 64 units.  If
 * it can prove that a group is regular, it reads the group from bit masks.  Otherwise that one
 * group goes through the state machine of csv.reader.  In a regular group each opening quote
 * follows a separator, the start of the data or a closing quote; each closing quote is
 * followed by a separator, the end of the data or another quote; and nothing is escaped.  The
 * prefix XOR of the quotes then tells inside from outside.  Both ways use the same state, so
 * either can continue where the other stopped, wherever the data is cut.
 *
 * FIELDS_STREAM: units may be cut anywhere.  '\n', '\r' and "\r\n" end a line, as in a text
 * file opened with newline=''.  FIELDS_LINES: each feed is one line, as an iterator gives
 * lines to csv.reader.  The owner calls fields_line_end() after it.
 *
 * Lines that begin with dialect.comment where a record would begin are passed over: no record
 * is listed, and the next one has their lines.
 *
 * Positions count units from the start of the block.  fields_rewind() returns how many units
 * the owner may drop; records that are listed and not taken stay.
 *
 * The functions are in three headers: this one, fields_feed.h (reading units) and
 * fields_span.h (the characters of a span).
 */
#ifndef GENERATORS_CORE_FIELDS_H
#define GENERATORS_CORE_FIELDS_H

#include "core/fields_types.h"

void fields_init(fields *self, const fields_dialect *dialect, const scan_kernel *kernel,
                 fields_mode mode);
void fields_free(fields *self);

/* Make room for `units` more separators and as many records: a unit adds at most one of each.
   False if there is no memory. */
bool fields_reserve(fields *self, size_t units);

/* FIELDS_LINES: the line that was fed is over.  If fields_wants_newline(), the owner first
   appends one '\n' to the block, for the escaped line end. */
bool fields_line_end(fields *self, const void *block, int width);

/* The data is over.  If a record is in progress, list it as the last one.  If
   fields_wants_newline(), the owner first appends a '\n', as for fields_line_end(). */
bool fields_finish(fields *self, const void *block, int width);

/* Report that the owner can't read the block from `pos` on.  All records must be taken. */
void fields_fail(fields *self, uint32_t pos);

/* Continue after a fault.  As csv.reader does, give up the record
   in progress and continue after the physical line of the fault, in the start state.  The
   units given up are those from *from up to *through.  Returns false if the end of that line
   is not among the block's `length` units.  The owner then saves what it wants of these units,
   feeds more, which are not read, and calls again.  `final`: no more units will come. */
bool fields_resume(fields *self, const void *block, int width, size_t length, bool final,
                   uint32_t *from, uint32_t *through);

static inline bool
fields_wants_newline(const fields *self)
{
    return self->state == ESCAPED_CHAR || self->state == ESCAPE_IN_QUOTED_FIELD;
}

/* Forget everything but the dialect.  The next unit fed is the first of a block. */
void fields_restart(fields *self);

/* Change dialect.max_field.  The field in progress keeps the characters that it has already,
   even if they are more than the limit; only further ones can exceed it. */
void fields_set_max_field(fields *self, const void *block, int width, size_t max_field);

/* How many fields of the record in progress have ended. */
static inline uint32_t
fields_open_count(const fields *self)
{
    return (uint32_t)self->ends_length - self->first;
}

/* The next complete record, or NULL.  It is valid until fields_rewind(). */
static inline const fields_record *
fields_take(fields *self)
{
    return self->taken < self->records_length ? &self->records[self->taken++] : NULL;
}

/* Forget the records that are taken.  Returns how many units of the block came before the next
   record, or before the one in progress.  The owner must drop these units. */
size_t fields_rewind(fields *self);

/* List something that is no record, as the record of that index, which is not taken: it has
   the flag FIELDS_FAULT, no fields, and as many lines.  False if there is no memory. */
bool fields_insert_fault(fields *self, size_t index, uint32_t lines);

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

/* A blank line is a record without fields.  It is listed with one empty span. */
static inline uint32_t
fields_count(const fields *self, const fields_record *record)
{
    uint32_t count = record->last - record->first;
    return count == 1 && self->ends[record->first] == record->start ? 0 : count;
}

#endif
