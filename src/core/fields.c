#include "core/fields.h"

#include <string.h>

#include "core/fields_inner.h"
#include "core/fields_span.h"
#include "core/memory.h"
#include "core/units.h"

/* Whether no group may be read from masks.  They check no limit inside a group, and they can't
   tell a skipped blank from a blank that is the delimiter. */
static bool
needs_exactness(const fields_dialect *dialect)
{
    return dialect->max_field < SCAN_GROUP || dialect->max_record < SCAN_GROUP ||
           (dialect->skip_space && dialect->set.delimiter == ' ');
}

void
fields_init(fields *self, const fields_dialect *dialect, const scan_kernel *kernel,
            fields_mode mode)
{
    *self = (fields){.dialect = *dialect, .kernel = kernel, .mode = mode};
    self->field_limit = self->measure_at = dialect->max_field;
    self->exact_only = needs_exactness(dialect);
}

void
fields_free(fields *self)
{
    CORE_FREE(self->ends);
    CORE_FREE(self->records);
    self->ends = NULL;
    self->records = NULL;
}

static bool
grow(void **items, size_t *capacity, size_t needed, size_t size)
{
    size_t larger = *capacity + *capacity / 2;
    larger = larger > needed ? larger : needed;
    if (larger > SIZE_MAX / size) {
        return false;
    }
    void *grown = CORE_REALLOC(*items, larger * size);
    if (grown == NULL) {
        return false;
    }
    *items = grown;
    *capacity = larger;
    return true;
}

bool
fields_reserve(fields *self, size_t units)
{
    size_t ends = self->ends_length + units;
    size_t records = self->records_length + units;
    if (ends > self->ends_capacity &&
        !grow((void **)&self->ends, &self->ends_capacity, ends, sizeof *self->ends)) {
        return false;
    }
    return records <= self->records_capacity ||
           grow((void **)&self->records, &self->records_capacity, records,
                sizeof *self->records);
}

/* ---- ends ---- */

/* The line ends, in a state in which this ends the record. */
static void
end_record_here(fields *self, const void *block, int width)
{
    if (end_field(self, block, width, self->pos)) {
        end_record(self, self->pos, self->pos);
        self->state = START_RECORD;
    }
}

bool
fields_line_end(fields *self, const void *block, int width)
{
    if (!fields_reserve(self, 1)) {
        return false;
    }
    self->lines++;
    switch (self->state) {
    case START_RECORD:
    case START_FIELD:
    case IN_FIELD:
    case QUOTE_IN_QUOTED_FIELD:
        end_record_here(self, block, width);
        break;
    case EAT_END:
        end_record(self, self->pos, self->pos);
        self->state = START_RECORD;
        break;
    case ESCAPED_CHAR:
    case ESCAPE_IN_QUOTED_FIELD:
        self->state = self->state == ESCAPED_CHAR ? IN_FIELD : IN_QUOTED_FIELD;
        self->pos++;
        field_fits(self, block, width, self->pos);
        break;
    case AFTER_ESCAPED_END:
    case IN_QUOTED_FIELD:
        break;
    }
    if (self->dialect.one_line && self->state != START_RECORD && self->error == FIELDS_FINE) {
        fields_fault(self, FIELDS_OPEN_LINE, self->pos);
    }
    return true;
}

bool
fields_finish(fields *self, const void *block, int width)
{
    if (self->error != FIELDS_FINE || self->state == START_RECORD) {
        return true;
    }
    if (self->mode == FIELDS_STREAM) {
        uint32_t last = unit_at(block, self->pos - 1, width);
        bool open_line = last != '\n' && last != '\r';
        if (open_line && !fields_line_end(self, block, width)) {
            return false;
        }
        if (self->error != FIELDS_FINE || self->state == START_RECORD) {
            return true;
        }
    }
    if (self->dialect.strict) {
        fields_fault(self, FIELDS_UNEXPECTED_END, self->pos);
        return true;
    }
    if (!fields_reserve(self, 1)) {
        return false;
    }
    self->flags |= FIELDS_IRREGULAR; /* the field was never closed */
    end_record_here(self, block, width);
    return true;
}

/* ---- after a fault ---- */

void
fields_fail(fields *self, uint32_t pos)
{
    fields_fault(self, FIELDS_UNREADABLE, pos);
}

/* Find the start of the line after the one that `at` is in.  Returns false if the end of the
   line is not in sight: a '\n' may still follow a '\r' that is the last unit.  *next is then
   the end of what is known to belong to the line. */
static bool
find_next_line(const void *block, int width, uint32_t at, uint32_t end, bool final,
               uint32_t *next)
{
    while (at < end) {
        uint32_t c = unit_at(block, at, width);
        if (c == '\n' || c == '\r') {
            break;
        }
        at++;
    }
    *next = at;
    if (at == end) {
        return final;
    }
    if (unit_at(block, at, width) == '\n') {
        *next = at + 1;
        return true;
    }
    if (at + 1 == end) {
        *next = at + final;
        return final;
    }
    *next = at + 1 + (unit_at(block, at + 1, width) == '\n');
    return true;
}

bool
fields_resume(fields *self, const void *block, int width, size_t length, bool final,
              uint32_t *from, uint32_t *through)
{
    bool found = true;
    *from = self->record_start;
    *through = (uint32_t)length;
    if (self->mode == FIELDS_STREAM && self->error_pos < length) {
        found =
            find_next_line(block, width, self->error_pos, (uint32_t)length, final, through);
    }
    else if (self->mode == FIELDS_STREAM) {
        found = final;
    }
    self->ends_length = self->first;
    self->record_start = self->field_start = self->pos = self->error_pos = *through;
    self->lines = 0;
    self->flags = 0;
    self->in_comment = false;
    self->measure_at = self->dialect.max_field;
    if (found) {
        self->after_carriage = false;
        self->state = START_RECORD;
        self->error = FIELDS_FINE;
    }
    return found;
}

/* Move the records that are not taken to the front: they now begin with their first end at 0,
   and their first unit at 0. */
static void
keep_records(fields *self, uint32_t drop, uint32_t first)
{
    const size_t kept = self->records_length - self->taken;
    for (size_t i = 0; i < kept; i++) {
        fields_record record = self->records[self->taken + i];
        record.start -= drop;
        record.first -= first;
        record.last -= first;
        self->records[i] = record;
    }
    self->records_length = kept;
    self->taken = 0;
}

size_t
fields_rewind(fields *self)
{
    const bool kept = self->taken < self->records_length;
    const size_t drop = kept ? self->records[self->taken].start : self->record_start;
    const uint32_t first = kept ? self->records[self->taken].first : self->first;
    const size_t open = self->ends_length - first;
    if (first > 0 || drop > 0) {
        for (size_t i = 0; i < open; i++) {
            self->ends[i] = self->ends[first + i] - (uint32_t)drop;
        }
    }
    keep_records(self, (uint32_t)drop, first);
    self->ends_length = open;
    self->first -= first;
    self->pos -= (uint32_t)drop;
    self->field_start -= (uint32_t)drop;
    self->error_pos -= self->error != FIELDS_FINE ? (uint32_t)drop : 0;
    self->record_start -= (uint32_t)drop;
    return drop;
}

bool
fields_insert_fault(fields *self, size_t index, uint32_t lines)
{
    if (!fields_reserve(self, 1)) {
        return false;
    }
    const bool last = index == self->records_length;
    fields_record *place = self->records + index;
    const fields_record fault = {
        .start = last ? self->record_start : place->start,
        .first = last ? self->first : place->first,
        .last = last ? self->first : place->first,
        .lines = lines,
        .flags = FIELDS_FAULT,
    };
    memmove(place + 1, place, (self->records_length - index) * sizeof *place);
    *place = fault;
    self->records_length++;
    return true;
}

void
fields_restart(fields *self)
{
    self->state = START_RECORD;
    self->after_carriage = false;
    self->pos = self->record_start = self->field_start = self->first = 0;
    self->lines = self->flags = 0;
    self->in_comment = false;
    self->field_limit = self->measure_at = self->dialect.max_field;
    self->ends_length = self->records_length = self->taken = 0;
    self->error = FIELDS_FINE;
}

void
fields_set_max_field(fields *self, const void *block, int width, size_t max_field)
{
    size_t count = 0;
    if (self->pos > self->field_start) {
        self->field_limit = SIZE_MAX;
        fields_measure(self, block, width, self->pos, &count);
    }
    self->dialect.max_field = max_field;
    self->exact_only = needs_exactness(&self->dialect);
    self->field_limit = self->measure_at = count > max_field ? count : max_field;
}
