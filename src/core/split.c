/* Begins and ends a range, joins spans, and lets lanes that became the same go on as one.
 *
 * A lane is a reader from where it began, or from where it last became the same as another.
 * Several states at the start of the range may share a lane.  What each of them had passed
 * before is kept apart, and joined with the lane's span at the end.
 */
#include "core/split.h"

#include <string.h>

#include "core/fields.h"
#include "core/fields_feed.h"
#include "core/split_inner.h"

/* ---- the steps ---- */

static const fields_state fields_states[SPLIT_STATES] = {
    [SPLIT_RECORD] = START_RECORD,
    [SPLIT_FIELD] = START_FIELD,
    [SPLIT_TEXT] = IN_FIELD,
    [SPLIT_QUOTED] = IN_QUOTED_FIELD,
    [SPLIT_QUOTE] = QUOTE_IN_QUOTED_FIELD,
    [SPLIT_ESCAPED] = ESCAPED_CHAR,
    [SPLIT_ESCAPED_QUOTED] = ESCAPE_IN_QUOTED_FIELD,
};

static split_state
state_of_fields(const fields *machine)
{
    if (machine->error != FIELDS_FINE) {
        return SPLIT_SKIPPED;
    }
    for (int state = 0; state < SPLIT_SKIPPED; state++) {
        if (machine->state == fields_states[state]) {
            return (split_state)state;
        }
    }
    return SPLIT_TEXT; /* after an escaped line end, where only the end of a line differs */
}

/* Have the exact machine read one byte in a state. */
static uint8_t
step_of_fields(fields *machine, split_state state, bool after_carriage, uint8_t byte)
{
    fields_restart(machine);
    machine->state = fields_states[state];
    machine->after_carriage = after_carriage;
    fields_feed(machine, &byte, 1, 1); /* there is room */
    return (uint8_t)(state_of_fields(machine) |
                     (machine->records_length > 0 ? STEP_ENDS_RECORD : 0) |
                     (machine->ends_length > 0 ? STEP_ENDS_FIELD : 0));
}

/* Sort the bytes into kinds that differ in what they do; bytes[kind] is one of each. */
static int
sort_bytes(split *self, uint8_t *bytes)
{
    const uint32_t special[] = {
        '\n', '\r', ' ', self->set.delimiter, self->set.quote, self->set.escape};
    int count = 1;
    memset(self->kinds, 0, sizeof self->kinds);
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        if (special[i] <= 0xFF && self->kinds[special[i]] == 0) {
            bytes[count] = (uint8_t)special[i];
            self->kinds[special[i]] = (uint8_t)count++;
        }
    }
    bytes[0] = 'a';
    while (self->kinds[bytes[0]] != 0) {
        bytes[0]++;
    }
    return count;
}

static bool
make_steps(split *self, const fields_dialect *dialect)
{
    uint8_t bytes[8];
    const int kinds = sort_bytes(self, bytes);
    fields machine;
    fields_init(&machine, dialect, self->kernel, FIELDS_STREAM);
    machine.exact_only = true;
    if (!fields_reserve(&machine, 1)) {
        fields_free(&machine);
        return false;
    }
    for (int kind = 0; kind < kinds; kind++) {
        const bool end = bytes[kind] == '\n' || bytes[kind] == '\r';
        for (int carriage = 0; carriage < 2; carriage++) {
            for (int state = 0; state < SPLIT_SKIPPED; state++) {
                self->steps[carriage][state][kind] =
                    step_of_fields(&machine, (split_state)state, carriage, bytes[kind]);
            }
            self->steps[carriage][SPLIT_SKIPPED][kind] =
                end ? SPLIT_RECORD | STEP_ENDS_RECORD | STEP_ENDS_FIELD : SPLIT_SKIPPED;
        }
    }
    fields_free(&machine);
    return true;
}

bool
split_init(split *self, const fields_dialect *dialect, const scan_kernel *kernel,
           split_encoding encoding, const bool *bad_bytes)
{
    *self = (split){
        .set = dialect->set,
        .doublequote = dialect->doublequote,
        .skip_space = dialect->skip_space,
        .kernel = kernel,
        .encoding = encoding,
        .bad_bytes = bad_bytes,
    };
    fields_dialect without_limits = *dialect;
    without_limits.utf8 = false;
    without_limits.max_field = without_limits.max_record = SIZE_MAX;
    return make_steps(self, &without_limits);
}

/* ---- the states at the start ---- */

/* Which states are possible after these bytes, as bits. */
static unsigned
possible_states(const split *self, const uint8_t *before, size_t count)
{
    unsigned states = (1u << SPLIT_STATES) - 1;
    if (self->set.escape == SCAN_ABSENT) {
        states &= ~(1u << SPLIT_ESCAPED | 1u << SPLIT_ESCAPED_QUOTED);
    }
    if (self->set.quote == SCAN_ABSENT) {
        states &= ~(1u << SPLIT_QUOTED | 1u << SPLIT_QUOTE | 1u << SPLIT_ESCAPED_QUOTED);
    }
    for (size_t i = 0; i < count; i++) {
        unsigned next = 0;
        for (int state = 0; state < SPLIT_STATES; state++) {
            if (states >> state & 1) {
                const uint8_t kind = self->kinds[before[i]];
                for (int carriage = 0; carriage < 2; carriage++) {
                    if (i == 0 || carriage == (before[i - 1] == '\r')) {
                        next |= 1u << (self->steps[carriage][state][kind] & STEP_STATE);
                    }
                }
            }
        }
        states = next;
    }
    return states;
}

/* How many bytes behind these belong to a character that begins in them. */
static unsigned
bytes_to_skip(const uint8_t *before, size_t count)
{
    for (unsigned back = 1; back <= count && back <= 3; back++) {
        const uint8_t c = before[count - back];
        if ((c & 0xC0) != 0x80) {
            const unsigned length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
            return length > back ? length - back : 0;
        }
    }
    return 0;
}

static void
lane_begin(split_lane *lane, split_state state, uint64_t at)
{
    *lane = (split_lane){
        .span = {.start = at,
                 .stop = at,
                 .first = SPLIT_NOWHERE,
                 .last = SPLIT_NOWHERE,
                 .end = state},
        .state = state,
    };
}

void
split_begin(split *self, uint64_t start, const uint8_t *before, size_t count, split_state only)
{
    unsigned states = count == 0 ? 1u << SPLIT_RECORD : possible_states(self, before, count);
    if (only != SPLIT_STATES) {
        states = 1u << only;
    }
    self->start = self->pos = start;
    self->after_carriage = count > 0 && before[count - 1] == '\r';
    self->unreadable = false;
    self->lines = 0;
    self->cut_length = 0;
    self->skipped = self->encoding == SPLIT_UTF8 ? bytes_to_skip(before, count) : 0;
    self->lane_count = 0;
    for (int state = 0; state < SPLIT_STATES; state++) {
        self->lane_of[state] = -1;
        if (states >> state & 1) {
            split_lane *lane = &self->lanes[self->lane_count];
            lane_begin(lane, (split_state)state, start);
            self->passed[state] = lane->span;
            self->lane_of[state] = self->lane_count++;
        }
    }
}

/* ---- joining ---- */

static uint64_t
larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void
join_fields(split_span *joined, const split_span *a, const split_span *b)
{
    joined->field_ends = a->field_ends || b->field_ends;
    joined->longest_field = larger(a->longest_field, b->longest_field);
    joined->head_field = a->head_field;
    joined->tail_field = b->tail_field;
    if (!a->field_ends) {
        joined->head_field += b->head_field;
    }
    else if (b->field_ends) {
        joined->longest_field = larger(joined->longest_field, a->tail_field + b->head_field);
    }
    if (!b->field_ends) {
        joined->tail_field = a->tail_field + b->tail_field;
    }
}

split_span
split_join(const split_span *a, const split_span *b)
{
    const bool starts = a->first != SPLIT_NOWHERE;
    split_span joined = {
        .start = a->start,
        .stop = b->stop,
        .lines = a->lines + b->lines,
        .records = a->records + b->records,
        .first = starts ? a->first : b->first,
        .first_lines = a->first_lines,
        .last = a->last,
        .last_lines = a->last_lines,
        .longest_record = larger(a->longest_record, b->longest_record),
        .end = b->end,
    };
    if (b->first != SPLIT_NOWHERE && !starts) {
        joined.first_lines = a->lines + b->first_lines;
    }
    if (b->last != SPLIT_NOWHERE) {
        joined.last = b->last;
        joined.last_lines = a->lines + b->last_lines;
        if (starts) {
            joined.longest_record = larger(joined.longest_record, b->first - a->last);
        }
    }
    join_fields(&joined, a, b);
    return joined;
}

/* ---- ends ---- */

/* The span of a lane up to where all were read. */
static split_span
lane_span(const split *self, const split_lane *lane)
{
    split_span span = lane->span;
    span.stop = self->pos;
    span.end = lane->state;
    const uint64_t length = span.stop - span.start;
    if (span.field_ends) {
        span.tail_field = span.stop - (lane->field_group + highest_bit(lane->field_bits));
    }
    else {
        span.head_field = span.tail_field = length;
    }
    return span;
}

bool
split_result(const split *self, split_state state, split_span *span)
{
    const int lane = self->lane_of[state];
    if (lane < 0) {
        return false;
    }
    const split_span rest = lane_span(self, &self->lanes[lane]);
    *span = split_join(&self->passed[state], &rest);
    return true;
}

/* Let lane `to` go on for lane `from` too, which is in the same state.  The last lane takes
   the place of `from`. */
static void
merge_lanes(split *self, int to, int from)
{
    const split_span spans[2] = {lane_span(self, &self->lanes[to]),
                                 lane_span(self, &self->lanes[from])};
    const int last = --self->lane_count;
    for (int state = 0; state < SPLIT_STATES; state++) {
        int *lane = &self->lane_of[state];
        if (*lane == to || *lane == from) {
            self->passed[state] = split_join(&self->passed[state], &spans[*lane == from]);
            *lane = to;
        }
        else if (*lane == last) {
            *lane = from;
        }
    }
    lane_begin(&self->lanes[to], self->lanes[to].state, self->pos);
    if (from != last) {
        self->lanes[from] = self->lanes[last];
    }
}

void
split_merge(split *self)
{
    for (int one = 0; one < self->lane_count; one++) {
        for (int other = one + 1; other < self->lane_count; other++) {
            if (self->lanes[one].state == self->lanes[other].state) {
                merge_lanes(self, one, other);
                other = one;
            }
        }
    }
}
