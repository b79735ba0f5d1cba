/* Reads bytes for every lane of a split: groups of 64 from their bit masks if these prove the
 * group regular for the lane, all others step by step.
 *
 * The masks are made once for all lanes.  Where lines end is the same for all of them.  A lane
 * finds in each group the ends of its records and fields and the starts of its records, as
 * masks, in either way, and `note` takes what the span needs from these.
 */
#include "core/split_feed.h"

#include <string.h>

#include "core/split.h"
#include "core/split_inner.h"
#include "core/utf8.h"

#define BATCH 32 /* groups for which one call of the kernel makes masks */

/* ---- what all lanes share ---- */

typedef struct {
    const uint8_t *bytes;
    uint64_t at; /* the position of the first byte */
    unsigned groups;
    bool quiet; /* there is no quote and no escape */
    bool after_carriage;
    scan_masks masks[BATCH];
    uint64_t lines[BATCH];     /* the ends of physical lines */
    uint64_t swallowed[BATCH]; /* each '\n' that follows a '\r' */
} batch;

static void
batch_scan(batch *b, const split *self, const uint8_t *bytes, unsigned groups)
{
    uint64_t carriage = self->after_carriage, marks = 0;
    b->bytes = bytes;
    b->at = self->pos;
    b->groups = groups;
    b->after_carriage = self->after_carriage;
    scan_units(self->kernel, bytes, groups, 1, &self->set, b->masks);
    for (unsigned i = 0; i < groups; i++) {
        const scan_masks *m = &b->masks[i];
        const uint64_t feeds = m->end & ~m->carriage;
        b->swallowed[i] = (m->carriage << 1 | carriage) & feeds;
        b->lines[i] = m->end & ~b->swallowed[i];
        carriage = m->carriage >> 63;
        marks |= m->quote | m->escape;
    }
    b->quiet = marks == 0;
}

/* Count the bits of some words. */
static uint64_t
count_words(const uint64_t *words, unsigned count)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < count; i++) {
        total += count_bits(words[i]);
    }
    return total;
}

/* How many lines end in the batch from `at` on. */
static uint64_t
lines_from(const batch *b, uint64_t at)
{
    const unsigned group = (unsigned)((at - b->at) / SCAN_GROUP);
    const uint64_t rest = b->lines[group] & ~bits_below((uint32_t)((at - b->at) % SCAN_GROUP));
    return count_bits(rest) + count_words(b->lines + group + 1, b->groups - group - 1);
}

/* ---- one lane ---- */

/* What a lane finds in a group. */
typedef struct {
    uint64_t separators; /* ends of fields */
    uint64_t ends;       /* ends of records */
    uint64_t starts;     /* starts of records */
} found;

/* A lane's state in the form that masks need, or its state by name. */
typedef struct {
    uint64_t in_quote; /* all ones inside a quoted field */
    uint64_t closed;   /* 1 right after a closing quote */
    uint64_t may_open; /* 1 if a quote would open a field here */
    uint64_t starts;   /* 1 if a record starts here, or behind a swallowed '\n' */
    split_state state; /* at `known_at` */
    const uint8_t *known_at;
    bool by_name; /* masks can't express the state */
} carry;

INLINE carry
carry_of(const split *self, split_state state, const uint8_t *at, bool after_carriage)
{
    carry c = {.state = state, .known_at = at, .starts = state == SPLIT_RECORD};
    switch (state) {
    case SPLIT_RECORD:
    case SPLIT_FIELD:
        c.may_open = 1;
        break;
    case SPLIT_TEXT:
        /* after an escaped '\r', a '\n' ends the record */
        c.by_name = after_carriage;
        break;
    case SPLIT_QUOTED:
        c.in_quote = ~UINT64_C(0);
        break;
    case SPLIT_QUOTE:
        c.closed = 1;
        c.may_open = self->doublequote;
        break;
    default:
        c.by_name = true;
        break;
    }
    return c;
}

/* The state before the byte at `at`. */
INLINE split_state
state_of(const split *self, const carry *c, const uint8_t *at)
{
    if (at == c->known_at) {
        return c->state;
    }
    if (c->in_quote) {
        return SPLIT_QUOTED;
    }
    if (c->closed) {
        return SPLIT_QUOTE;
    }
    if (at[-1] == '\n' || at[-1] == '\r') {
        return SPLIT_RECORD;
    }
    if (at[-1] == self->set.delimiter) {
        return SPLIT_FIELD;
    }
    const uint8_t *from = at;
    if (self->skip_space) {
        while (from > c->known_at && from[-1] == ' ') {
            from--;
        }
        if (from == c->known_at) {
            return c->state == SPLIT_RECORD ? SPLIT_FIELD : c->state;
        }
    }
    const uint8_t last = from[-1];
    return last == '\n' || last == '\r' || last == self->set.delimiter ? SPLIT_FIELD
                                                                       : SPLIT_TEXT;
}

/* Read a group from its masks.  False if it can't be proved regular; nothing has changed
   then. */
INLINE bool
regular_group(const split *self, carry *c, const scan_masks *m, uint64_t lines,
              uint64_t swallowed, found *f)
{
    if (m->escape) {
        return false;
    }
    uint64_t inside = 0, closed = 0;
    uint64_t may_open = m->delimiter | m->end;
    f->separators = m->delimiter | lines;
    if (m->quote | c->in_quote | c->closed) {
        inside = m->inside ^ c->in_quote;
        const uint64_t open = m->quote & inside;
        closed = m->quote & ~inside;
        const uint64_t behind = closed << 1 | c->closed;
        uint64_t closes_well = may_open;
        if (self->doublequote) {
            may_open |= closed;
            closes_well |= m->quote;
        }
        const uint64_t opens_well = may_open << 1 | c->may_open;
        if ((open & ~opens_well) | (behind & ~closes_well)) {
            return false;
        }
        f->separators &= ~inside;
    }
    f->ends = lines & ~inside;
    /* A record starts behind each end, or behind the '\n' that follows that. */
    const uint64_t behind = f->ends << 1 | c->starts, moved = behind & swallowed;
    f->starts = (behind ^ moved) | moved << 1;
    c->starts = f->ends >> 63 | moved >> 63;
    c->in_quote = inside >> 63 ? ~UINT64_C(0) : 0;
    c->closed = closed >> 63;
    c->may_open = may_open >> 63;
    return true;
}

/* Read bytes step by step. */
static split_state
exact_bytes(const split *self, split_state state, bool after_carriage, const uint8_t *bytes,
            unsigned count, found *f)
{
    *f = (found){0};
    for (unsigned i = 0; i < count; i++) {
        const uint8_t c = bytes[i];
        const uint8_t step = self->steps[after_carriage][state][self->kinds[c]];
        const bool starts = state == SPLIT_RECORD && !(after_carriage && c == '\n');
        f->starts |= (uint64_t)starts << i;
        f->ends |= (uint64_t)((step & STEP_ENDS_RECORD) != 0) << i;
        f->separators |= (uint64_t)((step & STEP_ENDS_FIELD) != 0) << i;
        state = (split_state)(step & STEP_STATE);
        after_carriage = c == '\r';
    }
    return state;
}

/* ---- notes ---- */

static void
note_far_field(split_lane *lane, uint64_t at, uint64_t bits)
{
    split_span *span = &lane->span;
    const uint64_t end = at + lowest_bit(bits);
    if (!span->field_ends) {
        span->field_ends = true;
        span->head_field = end - span->start;
        return;
    }
    const uint64_t length = end - (lane->field_group + highest_bit(lane->field_bits));
    span->longest_field = length > span->longest_field ? length : span->longest_field;
}

static void
note_far_start(split_lane *lane, uint64_t at, uint64_t bits)
{
    split_span *span = &lane->span;
    const uint64_t start = at + lowest_bit(bits);
    if (lane->start_bits == 0) {
        span->first = start;
        return;
    }
    const uint64_t length = start - (lane->start_group + highest_bit(lane->start_bits));
    span->longest_record = length > span->longest_record ? length : span->longest_record;
}

/* What ends and starts in the group at `at`.  What is found within two groups that follow each
   other is not looked at closely: it is not long. */
INLINE void
note(split_lane *lane, uint64_t at, const found *f)
{
    if (f->separators != 0) {
        if (at - lane->field_group > SCAN_GROUP || lane->field_bits == 0) {
            note_far_field(lane, at, f->separators);
        }
        lane->field_group = at;
        lane->field_bits = f->separators;
    }
    if (f->starts != 0) {
        if (at - lane->start_group > SCAN_GROUP || lane->start_bits == 0) {
            note_far_start(lane, at, f->starts);
        }
        lane->start_group = at;
        lane->start_bits = f->starts;
    }
}

/* ---- a batch ---- */

/* The lines that ended before the first and the last start of a record, if that is in this
   batch.  The span's own lines are counted up to the batch. */
static void
lane_count_lines(split_lane *lane, const batch *b, uint64_t lines)
{
    split_span *span = &lane->span;
    if (lane->start_bits == 0 || lane->start_group < b->at) {
        span->lines += lines;
        return;
    }
    if (span->last == SPLIT_NOWHERE) {
        span->first_lines = span->lines + lines - lines_from(b, span->first);
    }
    span->last = lane->start_group + highest_bit(lane->start_bits);
    span->last_lines = span->lines + lines - lines_from(b, span->last);
    span->lines += lines;
}

static void
lane_groups(const split *self, split_lane *to, const batch *b, uint64_t *ends)
{
    split_lane lane = *to;
    bool after_carriage = b->after_carriage;
    carry c = carry_of(self, lane.state, b->bytes, after_carriage);
    const uint8_t *at = b->bytes;
    for (unsigned i = 0; i < b->groups; i++, at += SCAN_GROUP) {
        const scan_masks *m = &b->masks[i];
        found f;
        if (c.by_name && c.state == SPLIT_SKIPPED && m->end == 0) {
            c.known_at = at + SCAN_GROUP;
            ends[i] = 0;
            after_carriage = false;
            continue;
        }
        if (c.by_name || !regular_group(self, &c, m, b->lines[i], b->swallowed[i], &f)) {
            split_state state = state_of(self, &c, at);
            state = exact_bytes(self, state, after_carriage, at, SCAN_GROUP, &f);
            c = carry_of(self, state, at + SCAN_GROUP, m->carriage >> 63);
        }
        ends[i] = f.ends;
        note(&lane, b->at + (uint64_t)i * SCAN_GROUP, &f);
        after_carriage = m->carriage >> 63;
    }
    lane.state = state_of(self, &c, at);
    *to = lane;
}

static void
lane_batch(const split *self, split_lane *lane, const batch *b, uint64_t lines)
{
    if (b->quiet && lane->state == SPLIT_QUOTED) {
        lane->span.lines += lines; /* nothing ends */
        return;
    }
    uint64_t ends[BATCH];
    lane_groups(self, lane, b, ends);
    lane->span.records += count_words(ends, b->groups);
    lane_count_lines(lane, b, lines);
}

/* ---- bytes that are not whole groups ---- */

/* The last bytes of a piece. */
static void
feed_few(split *self, const uint8_t *bytes, unsigned count)
{
    batch b = {.bytes = bytes, .at = self->pos, .groups = 1};
    bool after_carriage = self->after_carriage;
    for (unsigned i = 0; i < count; i++) {
        const bool end = bytes[i] == '\r' || (bytes[i] == '\n' && !after_carriage);
        b.lines[0] |= (uint64_t)end << i;
        after_carriage = bytes[i] == '\r';
    }
    const uint64_t lines = count_bits(b.lines[0]);
    for (int i = 0; i < self->lane_count; i++) {
        split_lane *lane = &self->lanes[i];
        found f;
        lane->state = exact_bytes(self, lane->state, self->after_carriage, bytes, count, &f);
        note(lane, self->pos, &f);
        lane->span.records += count_bits(f.ends);
        lane_count_lines(lane, &b, lines);
    }
    self->lines += lines;
    self->after_carriage = after_carriage;
    self->pos += count;
    split_merge(self);
}

/* ---- the encoding ---- */

static size_t
utf8_prefix(const scan_kernel *kernel, const uint8_t *bytes, size_t count)
{
    size_t valid = utf8_ascii_prefix(bytes, count);
    if (valid < count) {
        valid += kernel->utf8_blocks(bytes + valid, count - valid);
        valid += utf8_valid_prefix(bytes + valid, count - valid);
    }
    return valid;
}

/* Check the character that was cut, with more bytes.  Returns how many of these belong to
   it. */
static size_t
check_cut(split *self, const uint8_t *bytes, size_t count)
{
    size_t used = 0;
    while (self->cut_length > 0 && used < count) {
        self->cut[self->cut_length++] = bytes[used++];
        if (utf8_valid_prefix(self->cut, self->cut_length) > 0) {
            self->cut_length = 0;
        }
        else if (self->cut_length == sizeof self->cut) {
            self->unreadable = true;
            self->cut_length = 0;
        }
    }
    return used;
}

static void
check_utf8(split *self, const uint8_t *bytes, size_t count)
{
    while (self->skipped > 0 && count > 0) {
        const bool belongs = (bytes[0] & 0xC0) == 0x80;
        self->skipped = belongs ? self->skipped - 1 : 0;
        bytes += belongs;
        count -= belongs;
    }
    const size_t used = check_cut(self, bytes, count);
    bytes += used;
    count -= used;
    const size_t valid = utf8_prefix(self->kernel, bytes, count);
    if (valid < count) {
        self->cut_length = 0;
        if (count - valid < sizeof self->cut) {
            memcpy(self->cut, bytes + valid, count - valid);
            self->cut_length = (unsigned)(count - valid);
        }
        else {
            self->unreadable = true;
        }
    }
}

static void
check_text(split *self, const uint8_t *bytes, size_t count)
{
    if (self->unreadable) {
        return;
    }
    switch (self->encoding) {
    case SPLIT_UTF8:
        check_utf8(self, bytes, count);
        break;
    case SPLIT_ASCII:
        self->unreadable = utf8_ascii_prefix(bytes, count) < count;
        break;
    case SPLIT_SINGLE_BYTE:
        for (size_t i = 0; self->bad_bytes != NULL && i < count; i++) {
            self->unreadable |= self->bad_bytes[bytes[i]];
        }
        break;
    case SPLIT_ANY_BYTE:
        break;
    }
}

/* ---- the range ---- */

static void
feed_batch(split *self, const uint8_t *bytes, unsigned groups)
{
    batch b;
    batch_scan(&b, self, bytes, groups);
    const uint64_t lines = count_words(b.lines, groups);
    for (int i = 0; i < self->lane_count; i++) {
        lane_batch(self, &self->lanes[i], &b, lines);
    }
    self->lines += lines;
    self->after_carriage = b.masks[groups - 1].carriage >> 63;
    self->pos += (uint64_t)groups * SCAN_GROUP;
    if (self->lane_count > 1) {
        split_merge(self);
    }
}

void
split_feed(split *self, const uint8_t *bytes, size_t count)
{
    while (count > 0) {
        /* Many lanes are not followed far: they soon become the same. */
        const size_t most = self->lane_count > 2 ? 1 : BATCH;
        const size_t groups = count / SCAN_GROUP < most ? count / SCAN_GROUP : most;
        const size_t length = groups > 0 ? groups * SCAN_GROUP : count;
        check_text(self, bytes, length);
        if (groups > 0) {
            feed_batch(self, bytes, (unsigned)groups);
        }
        else {
            feed_few(self, bytes, (unsigned)length);
        }
        bytes += length;
        count -= length;
    }
}

void
split_end(split *self, const uint8_t *after, size_t count)
{
    if (self->cut_length > 0) {
        check_cut(self, after, count);
        self->unreadable |= self->cut_length > 0;
    }
}
