/* The state machine of csv.reader, one unit at a time.  It reads the groups that the bit masks
 * can't prove regular, and in FIELDS_LINES the line ends.
 */
#ifndef GENERATORS_CORE_FIELDS_EXACT_H
#define GENERATORS_CORE_FIELDS_EXACT_H

#include "core/fields_inner.h"
#include "core/units.h"

/* A line ends at `pos` inside a quoted field or after an escape.  False if this is a fault. */
static inline bool
exact_line_goes_on(fields *self, const void *block, int width, uint32_t pos)
{
    if (!self->dialect.one_line) {
        return true;
    }
    if (field_fits(self, block, width, pos)) {
        fields_fault(self, FIELDS_OPEN_LINE, pos);
    }
    return false;
}

/* Read one unit of value `c` at `pos`.  False on a fault. */
INLINE bool
exact_unit(fields *self, const void *block, int width, uint32_t pos, uint32_t c)
{
    const fields_dialect *d = &self->dialect;
    const bool end = c == '\n' || c == '\r';
    const bool stream = self->mode == FIELDS_STREAM;
    if (end && stream) {
        bool second = c == '\n' && self->after_carriage;
        self->after_carriage = c == '\r';
        if (second && self->state == START_RECORD) {
            self->record_start = self->field_start = pos + 1;
            return true;
        }
        self->lines += !second;
    }
    else {
        self->after_carriage = false;
        if (c == d->set.quote || c == d->set.escape) {
            self->flags |= FIELDS_IRREGULAR;
        }
        else if (c >= 0x80) {
            self->flags |= FIELDS_HIGH;
        }
    }

    switch (self->state) {
    case START_RECORD:
    case START_FIELD:
        if (c == d->set.quote) {
            self->state = IN_QUOTED_FIELD;
            return true;
        }
        if (c == d->set.escape) {
            self->state = ESCAPED_CHAR;
            return true;
        }
        if (c == ' ' && d->skip_space) {
            self->state = START_FIELD;
            return true;
        }
        break;

    case IN_FIELD:
    case AFTER_ESCAPED_END:
        if (c == d->set.escape) {
            self->state = ESCAPED_CHAR;
            return true;
        }
        break;

    case QUOTE_IN_QUOTED_FIELD:
        if (!d->doublequote) {
            if (c == d->set.escape) {
                self->state = ESCAPED_CHAR;
                return true;
            }
        }
        else if (c == d->set.quote) {
            self->state = IN_QUOTED_FIELD;
            return true;
        }
        else if (d->strict && !end && c != d->set.delimiter) {
            if (field_fits(self, block, width, pos)) {
                fields_fault(self, FIELDS_BAD_QUOTE, pos);
            }
            return false;
        }
        if (!end && c != d->set.delimiter) {
            self->flags |= FIELDS_IRREGULAR;
        }
        break;

    case IN_QUOTED_FIELD:
        if (end) {
            return exact_line_goes_on(self, block, width, pos);
        }
        if (c == d->set.escape) {
            self->state = ESCAPE_IN_QUOTED_FIELD;
        }
        else if (c == d->set.quote) {
            self->state = QUOTE_IN_QUOTED_FIELD;
        }
        return true;

    case ESCAPED_CHAR:
        if (end && !exact_line_goes_on(self, block, width, pos)) {
            return false;
        }
        self->state = end ? AFTER_ESCAPED_END : IN_FIELD;
        return true;

    case ESCAPE_IN_QUOTED_FIELD:
        if (end && !exact_line_goes_on(self, block, width, pos)) {
            return false;
        }
        self->state = IN_QUOTED_FIELD;
        return true;

    case EAT_END:
        if (!end) {
            fields_fault(self, FIELDS_STRAY_NEWLINE, pos);
            return false;
        }
        self->field_start = pos + 1; /* this unit belongs to no field */
        return true;
    }

    /* Outside quotes: a separator, or a character of an unquoted field. */
    if (end) {
        if (!end_field(self, block, width, pos)) {
            return false;
        }
        self->state = stream ? START_RECORD : EAT_END;
        return !stream || end_record(self, pos, pos + 1);
    }
    if (c == d->set.delimiter) {
        self->state = START_FIELD;
        return end_field(self, block, width, pos);
    }
    /* After an escaped line end, csv.reader stays in this state until the field ends: there,
       the end of an iterator's line does not end the record. */
    if (self->state != AFTER_ESCAPED_END) {
        self->state = IN_FIELD;
    }
    return true;
}

/* Whether a unit of value `c` changes nothing within a field. */
INLINE bool
is_plain(const fields_dialect *d, uint32_t c)
{
    return c < 0x80 && c != d->set.delimiter && c != d->set.quote && c != d->set.escape &&
           c != '\n' && c != '\r';
}

INLINE bool
exact_units(fields *self, const void *block, int width, uint32_t end)
{
    uint32_t pos = self->pos;
    while (pos < end) {
        uint32_t c = unit_at(block, pos, width);
        if ((self->state == IN_FIELD || self->state == IN_QUOTED_FIELD) &&
            is_plain(&self->dialect, c)) {
            self->after_carriage = false;
            while (++pos < end && is_plain(&self->dialect, unit_at(block, pos, width))) {
            }
            continue;
        }
        self->pos = pos;
        if (!exact_unit(self, block, width, pos, c)) {
            return false;
        }
        pos++;
    }
    self->pos = pos;
    return true;
}

#endif
