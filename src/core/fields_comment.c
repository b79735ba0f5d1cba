/* Comments: see fields_comment.h.
 *
 * What begins a comment holds no separator, quote or escape.  So the units of it that were
 * read as a record before the rest was there have changed nothing but the state.
 */
#include "core/fields_comment.h"

#include <string.h>

#include "core/units.h"

bool
comment_is_next(const fields *self, const void *block, int width, uint32_t length)
{
    const fields_dialect *d = &self->dialect;
    const uint32_t start = self->record_start;
    if (self->pos - start >= d->comment_length || length - start < d->comment_length) {
        return false;
    }
    for (uint32_t i = 0; i < d->comment_length; i++) {
        if (unit_at(block, start + i, width) != d->comment[i]) {
            return false;
        }
    }
    return true;
}

static void
comment_end(fields *self, bool carriage)
{
    self->passed = (self->flags & FIELDS_FOLLOWS ? self->passed : 0) + 1;
    self->flags |= FIELDS_FOLLOWS;
    self->lines++;
    self->after_carriage = carriage;
    self->in_comment = false;
}

void
comment_read(fields *self, const void *block, int width, uint32_t length)
{
    uint32_t at = self->record_start;
    if (!self->in_comment) {
        self->in_comment = true;
        self->comment_read = 0;
        self->after_carriage = false;
        self->state = START_RECORD;
    }
    uint32_t c = 0;
    while (at < length && (c = unit_at(block, at, width)) != '\n' && c != '\r') {
        at++;
    }
    self->comment_read += at - self->record_start;
    if (at < length) {
        comment_end(self, c == '\r');
        at++;
    }
    self->pos = self->record_start = self->field_start = at;
}

static uint32_t
find_unit(const void *block, int width, uint32_t from, uint32_t end, uint32_t unit)
{
    if (width == 1) {
        const uint8_t *bytes = block;
        const uint8_t *found =
            unit > 0xFF ? NULL : memchr(bytes + from, (int)unit, (size_t)(end - from));
        return found == NULL ? end : (uint32_t)(found - bytes);
    }
    while (from < end && unit_at(block, from, width) != unit) {
        from++;
    }
    return from;
}

uint32_t
comment_candidate(const fields *self, const void *block, int width, uint32_t length)
{
    uint32_t at = self->pos + 1;
    while (at < length) {
        at = find_unit(block, width, at, length, self->dialect.comment[0]);
        const uint32_t before = unit_at(block, at - 1, width);
        if (at < length && (before == '\n' || before == '\r')) {
            break;
        }
        at += at < length;
    }
    return at;
}
