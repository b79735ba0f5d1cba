#include "core/fields.h"

#include <string.h>

#include "core/memory.h"
#include "core/units.h"

#define BATCH 32               /* groups whose masks are made in one call of the kernel */
#define LINE_READ_AT_ONCE 4096 /* units; longer ones gain nothing by it */

/* Inside a regular group no limit is looked at, and a blank is never both
   skipped and a delimiter. */
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

/* Room for one separator, and one record, a unit. */
static bool
reserve(fields *self, size_t units)
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

/* ---- what both ways of reading end in ---- */

/* A record is measured where it or what was fed ends, so that it may be too long before
   the unit at fault: then that is the fault, wherever the block was cut. */
static void
fail(fields *self, fields_error error, uint32_t pos)
{
    if (pos - self->record_start > self->dialect.max_record) {
        error = FIELDS_RECORD_LIMIT;
        pos = self->record_start + (uint32_t)self->dialect.max_record;
    }
    self->error = error;
    self->error_pos = pos;
}

static void
measure_record(fields *self, uint32_t end)
{
    if (end - self->record_start > self->dialect.max_record) {
        fail(self, FIELDS_RECORD_LIMIT, end);
    }
}

/* Where a walk over the span finds the character that is one too many; `end`
   if it never does.  *count is how many characters there were before. */
static uint32_t measure(const fields *self, const void *block, int width, uint32_t end,
                        size_t *count);

/* Does the field under way, read up to `end`, keep the limit?  Its length in
   units is never less than in characters, so most fields are not measured. */
static bool
field_fits(fields *self, const void *block, int width, uint32_t end)
{
    if (end - self->field_start <= self->measure_at) {
        return true;
    }
    size_t count;
    uint32_t at = measure(self, block, width, end, &count);
    if (at < end) {
        fail(self, FIELDS_FIELD_LIMIT, at);
        return false;
    }
    /* It takes at least as many units more until it can be too long. */
    self->measure_at = (size_t)(end - self->field_start) + (self->field_limit - count);
    return true;
}

static bool
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

static void
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

static bool
end_record(fields *self, uint32_t pos, uint32_t next_start)
{
    measure_record(self, pos);
    if (self->error != FIELDS_FINE) {
        return false;
    }
    list_record(self, next_start);
    return true;
}

/* ---- the exact machine ---- */

/* Read one unit.  `c` is its value and `pos` its place.  False on a fault. */
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
                fail(self, FIELDS_BAD_QUOTE, pos);
            }
            return false;
        }
        if (!end && c != d->set.delimiter) {
            self->flags |= FIELDS_IRREGULAR;
        }
        break;

    case IN_QUOTED_FIELD:
        if (c == d->set.escape) {
            self->state = ESCAPE_IN_QUOTED_FIELD;
        }
        else if (c == d->set.quote) {
            self->state = QUOTE_IN_QUOTED_FIELD;
        }
        return true;

    case ESCAPED_CHAR:
        self->state = end ? AFTER_ESCAPED_END : IN_FIELD;
        return true;

    case ESCAPE_IN_QUOTED_FIELD:
        self->state = IN_QUOTED_FIELD;
        return true;

    case EAT_END:
        if (!end) {
            fail(self, FIELDS_STRAY_NEWLINE, pos);
            return false;
        }
        self->field_start = pos + 1; /* it is no field's */
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
    /* Behind an escaped line end csv.reader stays where it is until the field
       ends: the end of an iterator's line does not end the record there. */
    if (self->state != AFTER_ESCAPED_END) {
        self->state = IN_FIELD;
    }
    return true;
}

INLINE bool
exact_units(fields *self, const void *block, int width, uint32_t end)
{
    while (self->pos < end) {
        if (!exact_unit(self, block, width, self->pos, unit_at(block, self->pos, width))) {
            return false;
        }
        self->pos++;
    }
    return true;
}

/* ---- regular groups ---- */

/* What one group hands to the next.  It says the same as fields.state, for
   the states that can stand between two groups. */
typedef struct {
    uint64_t in_quote; /* all ones inside a quoted field */
    uint64_t closed;   /* 1 right behind a closing quote */
    uint64_t may_open; /* 1 where a quote would open a field */
    uint64_t after_carriage;
} carry;

/* False for the states of which masks know nothing. */
INLINE bool
carry_from_state(const fields *self, carry *c)
{
    *c = (carry){.after_carriage = self->after_carriage};
    switch (self->state) {
    case START_RECORD:
    case START_FIELD:
        c->may_open = self->pos == self->field_start; /* not behind skipped blanks */
        return true;
    case IN_FIELD:
        return true;
    case IN_QUOTED_FIELD:
        c->in_quote = ~UINT64_C(0);
        return true;
    case QUOTE_IN_QUOTED_FIELD:
        c->closed = 1;
        c->may_open = self->dialect.doublequote;
        return true;
    default:
        return false;
    }
}

INLINE void
state_from_carry(fields *self, const carry *c, const void *block, int width)
{
    self->after_carriage = c->after_carriage;
    if (c->in_quote) {
        self->state = IN_QUOTED_FIELD;
    }
    else if (c->closed) {
        self->state = QUOTE_IN_QUOTED_FIELD;
    }
    else if (self->pos == self->record_start) {
        self->state = START_RECORD;
    }
    else {
        uint32_t at = self->field_start;
        if (self->dialect.skip_space) {
            while (at < self->pos && unit_at(block, at, width) == ' ') {
                at++;
            }
        }
        self->state = at == self->pos ? START_FIELD : IN_FIELD;
    }
}

INLINE uint32_t *
list_ends(uint32_t *out, uint32_t at, uint64_t separators)
{
    while (separators != 0) {
        *out++ = at + lowest_bit(separators);
        separators &= separators - 1;
    }
    return out;
}

/* List the separators and records of a group.  `inner` are line ends inside
   quotes, `swallowed` each '\n' that belongs to a '\r' before it. */
INLINE void
list_group(fields *self, uint32_t at, uint64_t separators, uint64_t ends, uint64_t inner,
           uint64_t swallowed, uint32_t flags)
{
    uint32_t *out = self->ends + self->ends_length;
    self->flags |= flags;
    while (ends != 0) {
        uint64_t through = ends ^ (ends - 1);
        uint32_t end = lowest_bit(ends);
        out = list_ends(out, at, separators & through);
        separators &= ~through;
        if (inner != 0) {
            self->lines += count_bits(inner & through);
            inner &= ~through;
        }
        self->lines++;
        self->ends_length = (size_t)(out - self->ends);
        list_record(self, at + end + 1 + (swallowed >> end >> 1 & 1));
        self->flags = flags;
        ends &= ends - 1;
    }
    if (inner != 0) {
        self->lines += count_bits(inner);
    }
    if (separators != 0) {
        out = list_ends(out, at, separators);
        self->field_start = out[-1] + 1;
        self->ends_length = (size_t)(out - self->ends);
    }
}

/* What the masks of a group say of it, once it is proved regular. */
typedef struct {
    uint64_t ends; /* line ends, those inside quotes too */
    uint64_t separators;
    uint64_t inside;
    uint64_t closed;
    uint64_t may_open;
    uint32_t flags;
} group;

/* False where the `count` units (64, but for the last group of a feed) can't be
   proved regular. */
INLINE bool
prove_group(const fields *self, const carry *c, const scan_masks *m, unsigned count, group *g)
{
    const uint64_t valid = ~UINT64_C(0) >> (SCAN_GROUP - count);
    const bool doublequote = self->dialect.doublequote;
    g->ends = m->end & valid;
    g->separators = g->may_open = m->delimiter | g->ends;
    g->closed = g->inside = 0;
    g->flags = m->high & valid ? FIELDS_HIGH : 0;
    if (m->escape) {
        return false;
    }
    if (m->quote | c->in_quote | c->closed) {
        g->inside = m->inside ^ c->in_quote;
        uint64_t open = m->quote & g->inside;
        g->closed = m->quote & ~g->inside;
        g->may_open |= doublequote ? g->closed : 0;
        uint64_t opens_well = g->may_open << 1 | c->may_open;
        uint64_t behind = g->closed << 1 | c->closed;
        uint64_t closes_well = g->separators | (doublequote ? m->quote : 0);
        if ((open & ~opens_well) | (behind & ~closes_well & valid)) {
            return false;
        }
        g->flags |= FIELDS_QUOTED | (behind & open ? FIELDS_DOUBLED : 0);
        g->separators &= ~g->inside;
    }
    return self->mode != FIELDS_LINES || !(g->ends & ~g->inside);
}

INLINE void
carry_from_group(carry *c, const group *g, unsigned last)
{
    c->in_quote = g->inside >> last & 1 ? ~UINT64_C(0) : 0;
    c->closed = g->closed >> last & 1;
    c->may_open = g->may_open >> last & 1;
}

/* Read the `count` units from `at` on.  False, and nothing done, where that can't
   be told from their masks. */
INLINE bool
regular_group(fields *self, carry *c, const scan_masks *m, uint32_t at, unsigned count)
{
    const uint64_t valid = ~UINT64_C(0) >> (SCAN_GROUP - count);
    const unsigned last = count - 1;
    group g;
    if (!prove_group(self, c, m, count, &g)) {
        return false;
    }
    uint64_t ends = g.ends, separators = g.separators;
    /* No field inside a group can be too long; the one that ends first can. */
    if (separators != 0 &&
        at + lowest_bit(separators) - self->field_start > self->dialect.max_field) {
        return false;
    }
    if (at + SCAN_GROUP - self->record_start > self->dialect.max_record) {
        return false;
    }

    uint64_t inner = 0, swallowed = 0;
    if (ends | c->after_carriage) {
        if (self->mode == FIELDS_LINES) {
            ends = 0;
        }
        else {
            uint64_t carriage = m->carriage & valid;
            swallowed = (carriage << 1 | c->after_carriage) & ends & ~carriage;
            inner = ends & g.inside & ~swallowed;
            ends &= ~(g.inside | swallowed);
            if (swallowed & ~g.inside & 1) {
                self->record_start = self->field_start = at + 1;
            }
            separators &= ~swallowed;
            c->after_carriage = carriage >> last & 1;
        }
    }
    list_group(self, at, separators, ends, inner, swallowed, g.flags);
    carry_from_group(c, &g, last);
    return true;
}

/* ---- feeding ---- */

/* Read one group that could not be read from its masks. */
INLINE bool
irregular_group(fields *self, carry *c, bool *carried, const void *block, int width,
                unsigned count)
{
    if (*carried) {
        state_from_carry(self, c, block, width);
    }
    bool fine = exact_units(self, block, width, self->pos + count);
    *carried = carry_from_state(self, c);
    return fine;
}

/* Copy up to 64 bytes by at most two moves of one size that overlap: most tails are
   short, and memcpy asks more of a length that is not known. */
INLINE void
copy_tail(uint8_t *to, const uint8_t *from, size_t count)
{
    if (count >= 32) {
        memcpy(to, from, 32);
        memcpy(to + count - 32, from + count - 32, 32);
    }
    else if (count >= 16) {
        memcpy(to, from, 16);
        memcpy(to + count - 16, from + count - 16, 16);
    }
    else if (count >= 8) {
        memcpy(to, from, 8);
        memcpy(to + count - 8, from + count - 8, 8);
    }
    else {
        for (size_t i = 0; i < count; i++) {
            to[i] = from[i];
        }
    }
}

/* Masks of the `left` < 64 units that are the last of a feed: the block must
   not be read beyond its end.  '\n' is never a delimiter, a quote or an escape. */
INLINE void
scan_copied(const fields *self, const void *units, int width, unsigned left, scan_masks *masks)
{
    _Alignas(64) uint8_t tail[SCAN_GROUP * sizeof(uint32_t)];
    if (width == 1) {
        memset(tail, '\n', SCAN_GROUP);
        copy_tail(tail, units, left);
    }
    else {
        memcpy(tail, units, (size_t)left * (size_t)width);
        for (unsigned i = left; i < SCAN_GROUP; i++) {
            set_unit(tail, i, width, '\n');
        }
    }
    scan_units(self->kernel, tail, 1, width, &self->dialect.set, masks);
}

/* The same where at least 64 units can be read that end where these do: what
   the masks say of those before is shifted out. */
INLINE void
scan_overlapping(const fields *self, const void *units, int width, unsigned left,
                 scan_masks *masks)
{
    const unsigned before = SCAN_GROUP - left;
    const uint8_t *start = (const uint8_t *)units - (size_t)before * (size_t)width;
    scan_units(self->kernel, start, 1, width, &self->dialect.set, masks);
    const uint64_t was_inside = masks->inside >> (before - 1) & 1;
    masks->delimiter >>= before;
    masks->quote >>= before;
    masks->inside = masks->inside >> before ^ (0 - was_inside);
    masks->escape >>= before;
    masks->end >>= before;
    masks->carriage >>= before;
    masks->high >>= before;
}

/* Masks of the `left` < 64 units at `at`, the last of a feed. */
INLINE void
scan_tail(const fields *self, const void *block, int width, uint32_t at, unsigned left,
          scan_masks *masks)
{
    const uint8_t *units = (const uint8_t *)block + (size_t)at * (size_t)width;
    if (at >= SCAN_GROUP - left) {
        scan_overlapping(self, units, width, left, masks);
    }
    else {
        scan_copied(self, units, width, left, masks);
    }
}

INLINE bool
feed_groups(fields *self, const void *block, int width, uint32_t length)
{
    scan_masks masks[BATCH];
    carry c;
    bool carried = carry_from_state(self, &c);
    while (self->pos < length) {
        const uint8_t *units = (const uint8_t *)block + (size_t)self->pos * (size_t)width;
        uint32_t left = length - self->pos;
        uint32_t groups = left / SCAN_GROUP;
        unsigned count = SCAN_GROUP;
        if (groups == 0) {
            groups = 1;
            count = left;
            scan_tail(self, block, width, self->pos, left, masks);
        }
        else {
            groups = groups < BATCH ? groups : BATCH;
            scan_units(self->kernel, units, groups, width, &self->dialect.set, masks);
        }
        if (!reserve(self, (size_t)groups * SCAN_GROUP)) {
            return false;
        }
        for (uint32_t i = 0; i < groups; i++) {
            if (carried && regular_group(self, &c, &masks[i], self->pos, count)) {
                self->pos += count;
            }
            else if (!irregular_group(self, &c, &carried, block, width, count)) {
                return true;
            }
        }
    }
    if (carried) {
        state_from_carry(self, &c, block, width);
    }
    return true;
}

INLINE bool
feed_exactly(fields *self, const void *block, int width, uint32_t length)
{
    while (self->pos < length && self->error == FIELDS_FINE) {
        uint32_t left = length - self->pos;
        uint32_t stretch = left < BATCH * SCAN_GROUP ? left : BATCH * SCAN_GROUP;
        if (!reserve(self, stretch)) {
            return false;
        }
        exact_units(self, block, width, self->pos + stretch);
    }
    return true;
}

INLINE bool
feed_width(fields *self, const void *block, int width, uint32_t length)
{
    return self->exact_only ? feed_exactly(self, block, width, length)
                            : feed_groups(self, block, width, length);
}

/* Lines: the line end itself is outside all that is regular. */
static uint32_t
line_body(const void *block, int width, uint32_t from, uint32_t length)
{
    while (length > from) {
        uint32_t c = unit_at(block, length - 1, width);
        if (c != '\n' && c != '\r') {
            break;
        }
        length--;
    }
    return length;
}

static bool
feed_part(fields *self, const void *block, int width, uint32_t length)
{
    switch (width) {
    case 1:
        return feed_width(self, block, 1, length);
    case 2:
        return feed_width(self, block, 2, length);
    default:
        return feed_width(self, block, 4, length);
    }
}

bool
fields_feed(fields *self, const void *block, int width, size_t length)
{
    uint32_t end = (uint32_t)length;
    if (self->error != FIELDS_FINE) {
        return true;
    }
    if (self->mode == FIELDS_LINES) {
        uint32_t body = line_body(block, width, self->pos, end);
        if (!feed_part(self, block, width, body) || !reserve(self, end - body)) {
            return false;
        }
        if (self->error == FIELDS_FINE) {
            exact_units(self, block, width, end);
        }
    }
    else if (!feed_part(self, block, width, end)) {
        return false;
    }
    if (self->error == FIELDS_FINE && field_fits(self, block, width, self->pos)) {
        measure_record(self, self->pos);
    }
    return true;
}

/* ---- whole lines ---- */

/* Read the first `body` units of a line as one regular record, all but its end.
   False, and nothing done but room made use of, where it is not that. */
INLINE bool
regular_line(fields *self, const void *line, int width, uint32_t body, uint32_t *flags)
{
    carry c = {.may_open = 1};
    uint32_t *out = self->ends;
    group g;
    for (uint32_t at = 0; at < body; at += SCAN_GROUP) {
        scan_masks masks;
        unsigned count = body - at < SCAN_GROUP ? body - at : SCAN_GROUP;
        if (count < SCAN_GROUP) {
            scan_tail(self, line, width, at, count, &masks);
        }
        else {
            const uint8_t *units = (const uint8_t *)line + (size_t)at * (size_t)width;
            scan_units(self->kernel, units, 1, width, &self->dialect.set, &masks);
        }
        if (!prove_group(self, &c, &masks, count, &g)) {
            return false;
        }
        out = list_ends(out, at, g.separators);
        *flags |= g.flags;
        carry_from_group(&c, &g, count - 1);
    }
    *out++ = body;
    self->ends_length = (size_t)(out - self->ends);
    return !c.in_quote;
}

INLINE bool
read_line(fields *self, const void *line, int width, uint32_t length)
{
    uint32_t body = line_body(line, width, 0, length);
    uint32_t flags = 0;
    if (body > self->dialect.max_field || length > self->dialect.max_record) {
        return false;
    }
    self->ends_length = 0;
    if (!regular_line(self, line, width, body, &flags)) {
        self->ends_length = 0;
        return false;
    }
    self->flags = flags;
    self->lines = 1;
    self->pos = length;
    list_record(self, length);
    return true;
}

bool
fields_line(fields *self, const void *line, int width, size_t length, bool *read)
{
    *read = false;
    fields_restart(self);
    if (self->exact_only || length > LINE_READ_AT_ONCE) {
        return true;
    }
    if ((length >= self->ends_capacity || self->records_capacity == 0) &&
        !reserve(self, length + 1)) {
        return false;
    }
    switch (width) {
    case 1:
        *read = read_line(self, line, 1, (uint32_t)length);
        break;
    case 2:
        *read = read_line(self, line, 2, (uint32_t)length);
        break;
    default:
        *read = read_line(self, line, 4, (uint32_t)length);
        break;
    }
    return true;
}

/* The line ends, in a state where that ends the record. */
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
    if (!reserve(self, 1)) {
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
        fail(self, FIELDS_UNEXPECTED_END, self->pos);
        return true;
    }
    if (!reserve(self, 1)) {
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
    fail(self, FIELDS_UNREADABLE, pos);
}

/* Where the line after the one that `at` is in starts.  False, with *next what is known to
   be of that line, where its end can't be seen: a '\r' that is last may have a '\n' yet. */
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
    self->measure_at = self->dialect.max_field;
    if (found) {
        self->after_carriage = false;
        self->state = START_RECORD;
        self->error = FIELDS_FINE;
    }
    return found;
}

size_t
fields_rewind(fields *self)
{
    size_t drop = self->record_start;
    size_t open = self->ends_length - self->first;
    if (self->first > 0 || drop > 0) {
        for (size_t i = 0; i < open; i++) {
            self->ends[i] = self->ends[self->first + i] - (uint32_t)drop;
        }
    }
    self->ends_length = open;
    self->records_length = self->taken = 0;
    self->first = 0;
    self->pos -= (uint32_t)drop;
    self->field_start -= (uint32_t)drop;
    self->error_pos -= self->error != FIELDS_FINE ? (uint32_t)drop : 0;
    self->record_start = 0;
    return drop;
}

void
fields_restart(fields *self)
{
    self->state = START_RECORD;
    self->after_carriage = false;
    self->pos = self->record_start = self->field_start = self->first = 0;
    self->lines = self->flags = 0;
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
        measure(self, block, width, self->pos, &count);
    }
    self->dialect.max_field = max_field;
    self->exact_only = needs_exactness(&self->dialect);
    self->field_limit = self->measure_at = count > max_field ? count : max_field;
}

/* ---- what a span means ---- */

/* Walk over the units from `start` up to `end`, all of one field.  `out` gets
   its characters where it is not NULL.  Stops before the character that is one
   more than `most`, and says where. */
INLINE uint32_t
walk(const fields_dialect *d, const void *block, int width, uint32_t start, uint32_t end,
     void *out, bool code_points, size_t most, size_t *count, bool *unquoted)
{
    fields_state state = START_FIELD;
    size_t n = 0;
    *unquoted = true;
    uint32_t at = start;
    for (; at < end; at++) {
        uint32_t c = unit_at(block, at, width);
        switch (state) {
        case START_FIELD:
            if (c == d->set.quote) {
                *unquoted = false;
                state = IN_QUOTED_FIELD;
                continue;
            }
            if (c == ' ' && d->skip_space) {
                continue;
            }
            /* fall through */
        case IN_FIELD:
            state = IN_FIELD;
            if (c == d->set.escape) {
                state = ESCAPED_CHAR;
                continue;
            }
            break;
        case IN_QUOTED_FIELD:
            if (c == d->set.escape) {
                state = ESCAPE_IN_QUOTED_FIELD;
                continue;
            }
            if (c == d->set.quote) {
                state = d->doublequote ? QUOTE_IN_QUOTED_FIELD : IN_FIELD;
                continue;
            }
            break;
        case QUOTE_IN_QUOTED_FIELD:
            state = c == d->set.quote ? IN_QUOTED_FIELD : IN_FIELD;
            break;
        case ESCAPE_IN_QUOTED_FIELD:
            state = IN_QUOTED_FIELD;
            break;
        default:
            state = IN_FIELD;
            break;
        }
        bool counts = !code_points || (c & 0xC0) != 0x80;
        if (counts && n == most) {
            break;
        }
        if (out != NULL) {
            set_unit(out, n, width, c);
        }
        n += counts;
    }
    *count = n;
    return at;
}

static uint32_t
measure(const fields *self, const void *block, int width, uint32_t end, size_t *count)
{
    bool unquoted;
    return walk(&self->dialect, block, width, self->field_start, end, NULL, self->dialect.utf8,
                self->field_limit, count, &unquoted);
}

size_t
fields_content(const fields_dialect *dialect, const void *block, int width, uint32_t start,
               uint32_t end, void *out, bool *unquoted)
{
    size_t count;
    switch (width) {
    case 1:
        walk(dialect, block, 1, start, end, out, false, SIZE_MAX, &count, unquoted);
        break;
    case 2:
        walk(dialect, block, 2, start, end, out, false, SIZE_MAX, &count, unquoted);
        break;
    default:
        walk(dialect, block, 4, start, end, out, false, SIZE_MAX, &count, unquoted);
        break;
    }
    return count;
}

size_t
fields_count_lines(const void *block, int width, uint32_t start, uint32_t end)
{
    size_t lines = 0;
    bool after_carriage = false;
    for (uint32_t at = start; at < end; at++) {
        uint32_t c = unit_at(block, at, width);
        lines += c == '\r' || (c == '\n' && !after_carriage);
        after_carriage = c == '\r';
    }
    return lines;
}
