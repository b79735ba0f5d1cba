/* Reads units: groups of 64 from their bit masks if these prove the group regular
 * (fields_regular.h), all others with the exact machine of fields_exact.h.
 */
#include "core/fields_feed.h"

#include <string.h>

#include "core/fields.h"
#include "core/fields_comment.h"
#include "core/fields_exact.h"
#include "core/fields_inner.h"
#include "core/fields_regular.h"
#include "core/units.h"

#define LINE_READ_AT_ONCE 4096 /* units; longer lines gain nothing from it */

/* ---- the carry and the state ---- */

/* False in states that masks can't express. */
INLINE bool
carry_from_state(const fields *self, carry *c)
{
    *c = (carry){.after_carriage = self->after_carriage};
    switch (self->state) {
    case START_RECORD:
    case START_FIELD:
        c->may_open = self->pos == self->field_start; /* not after skipped blanks */
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

/* ---- feeding ---- */

/* A function of its own, since its loop is slow where it shares registers with others. */
static bool
read_exactly(fields *self, const void *block, int width, uint32_t end)
{
    switch (width) {
    case 1:
        return exact_units(self, block, 1, end);
    case 2:
        return exact_units(self, block, 2, end);
    default:
        return exact_units(self, block, 4, end);
    }
}

/* Read one group that could not be read from its masks. */
INLINE bool
irregular_group(fields *self, carry *c, bool *carried, const void *block, int width,
                unsigned count)
{
    if (*carried) {
        state_from_carry(self, c, block, width);
    }
    bool fine = read_exactly(self, block, width, self->pos + count);
    *carried = carry_from_state(self, c);
    return fine;
}

/* Copy up to 64 bytes, with at most two moves of one size that may overlap.  Most tails are
   short, and memcpy is slower if the length is not a constant. */
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

/* Make the masks of the last `left` < 64 units of a feed.  The block must not be read beyond
   its end, so the units are copied and padded with '\n', which is never a delimiter, a quote
   or an escape. */
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

/* The same if 64 units can be read that end where the `left` units end.  The masks of the
   units before these are shifted out. */
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

/* Make the masks of the `left` < 64 units at `at`, the last of a feed. */
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

/* Let the memory bring the units of the next groups while these are read. */
INLINE void
prefetch_units(const void *block, int width, uint32_t from, uint32_t end)
{
    for (uint32_t at = from; at < end; at += 64 / (uint32_t)width) {
        PREFETCH((const uint8_t *)block + (size_t)at * (size_t)width);
    }
}

INLINE bool
feed_groups(fields *self, const void *block, int width, uint32_t length)
{
    scan_masks masks[FIELDS_BATCH];
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
            groups = groups < FIELDS_BATCH ? groups : FIELDS_BATCH;
            const uint32_t next = self->pos + groups * SCAN_GROUP;
            prefetch_units(block, width, next,
                           length - next < groups * SCAN_GROUP ? length
                                                               : next + groups * SCAN_GROUP);
            scan_units(self->kernel, units, groups, width, &self->dialect.set, masks);
        }
        if (!fields_reserve(self, (size_t)groups * SCAN_GROUP)) {
            return false;
        }
        for (uint32_t i = 0, read; i < groups; i += read) {
            read = carried ? regular_groups(self, &c, &masks[i], groups - i, count) : 0;
            self->pos += read * count;
            if (read == 0) {
                if (!irregular_group(self, &c, &carried, block, width, count)) {
                    return true;
                }
                read = 1;
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
        uint32_t stretch = left < FIELDS_BATCH * SCAN_GROUP ? left : FIELDS_BATCH * SCAN_GROUP;
        if (!fields_reserve(self, stretch)) {
            return false;
        }
        read_exactly(self, block, width, self->pos + stretch);
    }
    return true;
}

INLINE bool
feed_width(fields *self, const void *block, int width, uint32_t length)
{
    return self->exact_only ? feed_exactly(self, block, width, length)
                            : feed_groups(self, block, width, length);
}

/* Lines: the length without the line end, which no regular group contains. */
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

/* Comments begin behind a line end.  Read up to each place where one may begin: whether it
   does depends on the state there. */
static bool
feed_with_comments(fields *self, const void *block, int width, uint32_t length)
{
    while (self->pos < length && self->error == FIELDS_FINE) {
        if (self->in_comment || comment_is_next(self, block, width, length)) {
            comment_read(self, block, width, length);
        }
        else if (!feed_part(self, block, width,
                            comment_candidate(self, block, width, length))) {
            return false;
        }
    }
    return true;
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
        if (!feed_part(self, block, width, body) || !fields_reserve(self, end - body)) {
            return false;
        }
        if (self->error == FIELDS_FINE) {
            read_exactly(self, block, width, end);
        }
    }
    else if (self->dialect.comment_length > 0) {
        if (!feed_with_comments(self, block, width, end)) {
            return false;
        }
    }
    else if (!feed_part(self, block, width, end)) {
        return false;
    }
    if (self->error == FIELDS_FINE && field_fits(self, block, width, self->pos)) {
        (void)record_fits(self, self->pos);
    }
    return true;
}

/* ---- whole lines ---- */

/* Read the first `body` units of a line, which is all but its line end, as one regular record.
   False if it is not regular; nothing has changed then but unused entries of `ends`. */
INLINE bool
regular_line(fields *self, const void *line, int width, uint32_t body, uint32_t *flags)
{
    carry c = {.may_open = 1};
    uint32_t *out = self->ends;
    proof p;
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
        if (prove_groups(&p, &c, &masks, 1, count, self->dialect.doublequote, false, false) ==
            0) {
            return false;
        }
        out = list_positions(out, p.ends[0].fields, at);
        *flags |= proof_flags(&p, 1);
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
        !fields_reserve(self, length + 1)) {
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
