#include "core/quote.h"

#include <string.h>

#include "core/memory.h"
#include "core/units.h"

#define SCANNED_GROUPS 8

/* ---- special units ---- */

static int
width_of(uint32_t unit)
{
    return unit == SCAN_ABSENT || unit <= UINT8_MAX ? 1 : unit <= UINT16_MAX ? 2 : 4;
}

static void
add_special(quoter *self, uint32_t unit)
{
    if (unit <= UINT8_MAX) {
        self->special[unit] = 1;
    }
    else if (unit != SCAN_ABSENT) {
        self->wide[self->wide_count++] = unit;
    }
}

bool
quote_init(quoter *self, const quote_dialect *dialect, const scan_kernel *kernel,
           const void *terminator, size_t length, int width)
{
    const scan_set *set = &dialect->set;
    *self = (quoter){.dialect = *dialect, .kernel = kernel, .width = 1, .scans = true};
    if (length > SIZE_MAX / sizeof *self->wide - 3) {
        return false;
    }
    self->wide = CORE_REALLOC(NULL, (length + 3) * sizeof *self->wide);
    if (self->wide == NULL) {
        return false;
    }
    const uint32_t units[] = {set->delimiter, set->quote, set->escape};
    for (int i = 0; i < 3; i++) {
        add_special(self, units[i]);
        self->width = width_of(units[i]) > self->width ? width_of(units[i]) : self->width;
    }
    add_special(self, '\r');
    add_special(self, '\n');
    for (size_t i = 0; i < length; i++) {
        uint32_t unit = unit_at(terminator, i, width);
        if (unit != '\r' && unit != '\n') {
            self->scans = false; /* the kernels look for no other characters */
        }
        add_special(self, unit);
    }
    return true;
}

void
quote_free(quoter *self)
{
    CORE_FREE(self->wide);
    self->wide = NULL;
    self->wide_count = 0;
}

INLINE bool
is_special(const quoter *self, uint32_t unit)
{
    if (unit <= UINT8_MAX) {
        return self->special[unit];
    }
    for (size_t i = 0; i < self->wide_count; i++) {
        if (self->wide[i] == unit) {
            return true;
        }
    }
    return false;
}

/* ---- finding them ---- */

/* Search all whole groups of 64.  Returns the position of the first special unit, or how many
   units were searched. */
static size_t
scan_groups(const quoter *self, const void *units, size_t count, int width)
{
    scan_masks masks[SCANNED_GROUPS];
    size_t at = 0;
    while (count - at >= SCAN_GROUP) {
        size_t groups = (count - at) / SCAN_GROUP;
        groups = groups < SCANNED_GROUPS ? groups : SCANNED_GROUPS;
        scan_units(self->kernel, (const uint8_t *)units + at * (size_t)width, groups, width,
                   &self->dialect.set, masks);
        for (size_t i = 0; i < groups; i++, at += SCAN_GROUP) {
            uint64_t any =
                masks[i].delimiter | masks[i].quote | masks[i].escape | masks[i].end;
            if (any != 0) {
                return at + lowest_bit(any);
            }
        }
    }
    return at;
}

INLINE size_t
find_from(const quoter *self, const void *units, size_t at, size_t count, int width)
{
    while (at < count && !is_special(self, unit_at(units, at, width))) {
        at++;
    }
    return at;
}

size_t
quote_find(const quoter *self, const void *units, size_t count, int width)
{
    size_t at = 0;
    if (count >= SCAN_GROUP && self->scans) {
        at = scan_groups(self, units, count, width);
    }
    switch (width) {
    case 1:
        return find_from(self, units, at, count, 1);
    case 2:
        return find_from(self, units, at, count, 2);
    default:
        return find_from(self, units, at, count, 4);
    }
}

/* ---- writing ---- */

INLINE void
copy_units(void *to, size_t at, int to_width, const void *from, size_t count, int width)
{
    if (to_width == width) {
        memcpy((uint8_t *)to + at * (size_t)width, from, count * (size_t)width);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        set_unit(to, at + i, to_width, unit_at(from, i, width));
    }
}

/* What must stand before a special unit; SCAN_ABSENT for nothing.  Sets *quoted if the unit
   requires that the field is quoted. */
INLINE uint32_t
guard(const quote_dialect *dialect, uint32_t unit, bool *quoted, bool *escaped)
{
    *escaped = dialect->escapes;
    if (!dialect->escapes) {
        if (unit == dialect->set.quote) {
            if (dialect->doublequote) {
                *quoted = true;
                return unit;
            }
            *escaped = true;
        }
        else if (unit == dialect->set.escape) {
            *escaped = true;
        }
        else {
            *quoted = true;
        }
    }
    return *escaped ? dialect->set.escape : SCAN_ABSENT;
}

/* Write a field whose first special unit is at `first` to `to`, starting at `at` + 1.  There
   must be room for twice its units and two more.  *written is how many units were written.
   `at` is left free for a quote, which comes if *quoted. */
INLINE quote_status
write_guarded(const quoter *self, uint8_t *to, size_t at, int to_width, const void *units,
              size_t first, size_t count, int width, bool *quoted, size_t *written)
{
    size_t end = at + 1 + first;
    copy_units(to, at + 1, to_width, units, first, width);
    for (size_t i = first; i < count; i++) {
        uint32_t unit = unit_at(units, i, width);
        if (is_special(self, unit)) {
            bool escaped;
            uint32_t before = guard(&self->dialect, unit, quoted, &escaped);
            if (before != SCAN_ABSENT) {
                set_unit(to, end++, to_width, before);
            }
            else if (escaped) {
                return QUOTE_NO_ESCAPE;
            }
        }
        set_unit(to, end++, to_width, unit);
    }
    *written = end - at - 1;
    return QUOTE_FINE;
}

static quote_status
append_guarded(const quoter *self, buffer *block, size_t at, const void *units, size_t first,
               size_t count, int width, bool quoted)
{
    if (count > BUFFER_LIMIT / 2 - 2) {
        return QUOTE_TOO_LONG;
    }
    buffer_status room = buffer_reserve(block, at - block->length + 2 * count + 2, width);
    if (room != BUFFER_OK) {
        return room == BUFFER_NO_MEMORY ? QUOTE_NO_MEMORY : QUOTE_TOO_LONG;
    }
    size_t written;
    quote_status status;
    if (block->width == 1) {
        status =
            write_guarded(self, block->data, at, 1, units, first, count, 1, &quoted, &written);
    }
    else {
        status = write_guarded(self, block->data, at, block->width, units, first, count, width,
                               &quoted, &written);
    }
    if (status != QUOTE_FINE) {
        return status;
    }
    size_t size = (size_t)block->width;
    if (quoted) {
        set_unit(block->data, at, block->width, self->dialect.set.quote);
        set_unit(block->data, at + 1 + written, block->width, self->dialect.set.quote);
        block->length = at + written + 2;
    }
    else {
        memmove(block->data + at * size, block->data + (at + 1) * size, written * size);
        block->length = at + written;
    }
    return QUOTE_FINE;
}

quote_status
quote_append(const quoter *self, buffer *block, const void *units, size_t count, int width,
             bool quoted, bool separated)
{
    size_t first = quote_find(self, units, count, width);
    int widest = width > self->width ? width : self->width;
    if (count > BUFFER_LIMIT - 3) {
        return QUOTE_TOO_LONG;
    }
    buffer_status room = buffer_reserve(block, count + 3, widest);
    if (room != BUFFER_OK) {
        return room == BUFFER_NO_MEMORY ? QUOTE_NO_MEMORY : QUOTE_TOO_LONG;
    }
    size_t at = block->length;
    if (separated) {
        set_unit(block->data, at++, block->width, self->dialect.set.delimiter);
    }
    if (first < count) {
        return append_guarded(self, block, at, units, first, count, width, quoted);
    }
    if (quoted) {
        set_unit(block->data, at++, block->width, self->dialect.set.quote);
    }
    copy_units(block->data, at, block->width, units, count, width);
    at += count;
    if (quoted) {
        set_unit(block->data, at++, block->width, self->dialect.set.quote);
    }
    block->length = at;
    return QUOTE_FINE;
}
