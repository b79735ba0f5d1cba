/* Steps that fields_feed.c, fields.c and fields_exact.h share.  No other file includes this.
 *
 * fields_types.h has the types. fields.c starts and ends the machine, ends lines and data, and
 * continues after a fault. fields_feed.c reads units: fields_regular.c the groups that can be
 * proved regular, and fields_exact.h, which is the state machine of csv.reader, one unit at a
 * time. fields_span.c decodes spans.
 */
#ifndef GENERATORS_CORE_FIELDS_INNER_H
#define GENERATORS_CORE_FIELDS_INNER_H

#include "core/fields_span.h"
#include "core/fields_types.h"

/* Report that the record in progress can't be read further; the fault is at `pos`.  A record's
   length is checked only at its end and at the end of each feed, so it may have exceeded the
   limit before `pos`.  The fault is then that limit, so that the fault is the same wherever
   the block is cut. */
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

/* Whether the record in progress, read up to `end`, is within the limit.  If not, report the
   fault. */
static inline bool
record_fits(fields *self, uint32_t end)
{
    if (end - self->record_start <= self->dialect.max_record) {
        return true;
    }
    fields_fault(self, FIELDS_RECORD_LIMIT, end);
    return false;
}

/* Whether the field in progress, read up to `end`, is within the limit.  If not, report the
   fault.  A field has at least as many units as characters, so most fields need no
   measuring. */
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
    /* The field can't exceed the limit before it has that many more units. */
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
