/* What the files of the CSV machine share and nobody else sees: see fields.h.
 *
 * fields.c has its life, the ends of lines and of data, and what follows a fault;
 * fields_feed.c reads units; fields_exact.h is csv.reader's own machine, a unit at a
 * time; fields_span.c says what a span means.
 */
#ifndef GENERATORS_CORE_FIELDS_INNER_H
#define GENERATORS_CORE_FIELDS_INNER_H

#include "core/fields_span.h"
#include "core/fields_types.h"

/* The record under way can't be read on; `pos` is the unit at fault.  A record is measured
   where it or what was fed ends, so that it may have been too long before that: then that is
   the fault, wherever the block was cut. */
static inline void
fields_fault(fields *self, fields_error error, uint32_t pos)
{
    if (pos - self->record_start > self->dialect.max_record) {
        error = FIELDS_RECORD_LIMIT;
        pos = self->record_start + (uint32_t)self->dialect.max_record;
    }
    self->error = error;
    self->error_pos = pos;
}

/* Does the record under way, read up to `end`, keep the limit? */
static inline bool
record_fits(fields *self, uint32_t end)
{
    if (end - self->record_start <= self->dialect.max_record) {
        return true;
    }
    fields_fault(self, FIELDS_RECORD_LIMIT, end);
    return false;
}

/* Does the field under way, read up to `end`, keep the limit?  Its length in
   units is never less than in characters, so most fields are not measured. */
static inline bool
field_fits(fields *self, const void *block, int width, uint32_t end)
{
    if (end - self->field_start <= self->measure_at) {
        return true;
    }
    size_t count;
    uint32_t at = fields_measure(self, block, width, end, &count);
    if (at < end) {
        fields_fault(self, FIELDS_FIELD_LIMIT, at);
        return false;
    }
    /* It takes at least as many units more until it can be too long. */
    self->measure_at = (size_t)(end - self->field_start) + (self->field_limit - count);
    return true;
}

static inline bool
end_field(fields *self, const void *block, int width, uint32_t pos)
{
    if (!field_fits(self, block, width, pos)) {
        return false;
    }
    self->field_limit = self->measure_at = self->dialect.max_field;
    self->ends[self->ends_length++] = pos;
    self->field_start = pos + 1;
    return true;
}

static inline void
list_record(fields *self, uint32_t next_start)
{
    self->records[self->records_length++] = (fields_record){
        .start = self->record_start,
        .first = self->first,
        .last = (uint32_t)self->ends_length,
        .lines = self->lines,
        .flags = self->flags,
    };
    self->first = (uint32_t)self->ends_length;
    self->record_start = self->field_start = next_start;
    self->lines = 0;
    self->flags = 0;
}

static inline bool
end_record(fields *self, uint32_t pos, uint32_t next_start)
{
    if (!record_fits(self, pos)) {
        return false;
    }
    list_record(self, next_start);
    return true;
}

#endif
