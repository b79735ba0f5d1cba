#include "core/schema.h"

#include <string.h>

#include "core/columns.h"
#include "core/schema_column.h"

#define AT_ONCE 512 /* records of which all columns are added before the next ones */

/* ---- records ---- */

/* Count the records, and those that are blank or have too few or too many fields. */
static void
count_records(schema *self, const columns_records *records, size_t from, size_t to)
{
    const uint32_t width = self->layout->count;
    for (size_t i = from; i < to; i++) {
        const fields_record *record = &records->records[i];
        const uint32_t count = record->last - record->first;
        if (count == 1 && records->ends[record->first] == record->start) {
            self->blank++;
            continue;
        }
        self->records++;
        if (count == width) {
            continue;
        }
        uint64_t *counter = count < width ? &self->too_short : &self->too_long;
        uint64_t *first = count < width ? &self->first_short : &self->first_long;
        if (*first == 0) {
            *first = self->base + i + 1;
        }
        ++*counter;
    }
}

static schema_status
own_texts(schema *self)
{
    for (uint32_t j = 0; j < self->layout->count; j++) {
        if (!schema_column_own(self, j)) {
            return SCHEMA_NO_MEMORY;
        }
    }
    return SCHEMA_FINE;
}

schema_status
schema_add(schema *self, const columns_records *records, size_t from, size_t to, uint64_t base)
{
    const uint32_t count = self->layout->count;
    bool stopped = false;
    self->base = base;
    count_records(self, records, from, to);
    for (size_t at = from; at < to;) {
        const size_t next = to - at > AT_ONCE ? at + AT_ONCE : to;
        for (uint32_t j = 0; j < count; j++) {
            if (self->columns[j].stopped != SIZE_MAX) {
                continue;
            }
            schema_status status = schema_column_add(self, j, records, at, next);
            if (status != SCHEMA_FINE && status != SCHEMA_STOPPED) {
                return status;
            }
            stopped |= status == SCHEMA_STOPPED;
        }
        at = next;
    }
    schema_status owned = own_texts(self);
    return owned == SCHEMA_FINE && stopped ? SCHEMA_STOPPED : owned;
}

schema_status
schema_resume(schema *self, const schema *other, const columns_records *records, size_t to,
              uint64_t base)
{
    self->base = base;
    for (uint32_t j = 0; j < self->layout->count; j++) {
        schema_column *column = &self->columns[j];
        if (column->stopped == SIZE_MAX) {
            continue;
        }
        schema_column_limit(column, other->columns[j].alive);
        schema_status status = schema_column_add(self, j, records, column->stopped, to);
        if (status != SCHEMA_FINE) {
            return status;
        }
    }
    return own_texts(self);
}

schema_status
schema_merge(schema *self, schema *part, uint64_t base)
{
    for (uint32_t j = 0; j < self->layout->count; j++) {
        schema_status status =
            schema_column_merge(self, &self->columns[j], &part->columns[j], base);
        if (status != SCHEMA_FINE) {
            return status;
        }
    }
    self->records += part->records;
    self->blank += part->blank;
    self->too_short += part->too_short;
    self->too_long += part->too_long;
    if (self->first_short == 0 && part->first_short > 0) {
        self->first_short = part->first_short + base;
    }
    if (self->first_long == 0 && part->first_long > 0) {
        self->first_long = part->first_long + base;
    }
    return SCHEMA_FINE;
}

/* ---- lifetime ---- */

bool
schema_init(schema *self, const schema_layout *layout, columns_allocator allocate)
{
    *self = (schema){.layout = layout, .allocate = allocate};
    const size_t size = (size_t)layout->count * sizeof *self->columns;
    self->columns = allocate(NULL, size + 1);
    if (self->columns == NULL || !columns_init(&self->reader, &layout->reading, allocate)) {
        if (self->columns != NULL) {
            allocate(self->columns, 0);
            self->columns = NULL;
        }
        return false;
    }
    memset(self->columns, 0, size);
    schema_restart(self, NULL);
    return true;
}

void
schema_restart(schema *self, const schema *other)
{
    for (uint32_t j = 0; j < self->layout->count; j++) {
        const schema_column *as = other == NULL ? NULL : &other->columns[j];
        const bool counts =
            self->layout->most_distinct > 0 && (as == NULL || !as->distinct.over);
        schema_column_restart(&self->columns[j], as == NULL ? SCHEMA_ALL : as->alive, counts);
    }
    self->records = self->blank = self->too_short = self->too_long = 0;
    self->first_short = self->first_long = 0;
}

void
schema_free(schema *self)
{
    if (self->columns == NULL) {
        return;
    }
    for (uint32_t j = 0; j < self->layout->count; j++) {
        schema_column_free(&self->columns[j], self->allocate);
    }
    self->allocate(self->columns, 0);
    self->columns = NULL;
    columns_free(&self->reader);
}
