/* Regular groups: proves them one after another, and then lists all that ends in them.
 *
 * The kernel lists where fields end, and which of these end records.  The records are made of
 * that, with no branch that depends on how they lie in the groups.
 */
#include "core/fields_regular.h"

#include "core/fields_inner.h"

/* How many groups can be read before a field or a record could exceed its limit. */
static size_t
groups_within(size_t limit, size_t length)
{
    return limit > length ? (limit - length) / SCAN_GROUP : 0;
}

/* Count the line ends inside quotes before each group. */
static void
count_inner(const proof *p, unsigned groups, uint32_t *before)
{
    before[0] = 0;
    for (unsigned i = 0; i < groups; i++) {
        before[i + 1] = before[i] + count_bits(p->inner[i]);
    }
}

/* List the records of which `lasts` says where they end.  `plain`: all groups have the same
   flags, no line end is inside quotes, and none has two units. */
INLINE void
list_records(fields *self, const proof *p, unsigned groups, uint32_t at, const uint32_t *lasts,
             size_t count, bool plain)
{
    const uint32_t *ends = self->ends;
    const bool inner = !plain && p->any_inner, swallowed = !plain && p->any_swallowed;
    const uint32_t same = proof_flags(p, 1);
    fields_record *out = self->records + self->records_length;
    uint32_t start = self->record_start, first = self->first;
    uint32_t lines = self->lines + 1, flags = self->flags;
    uint32_t before[FIELDS_BATCH + 1], counted = 0;
    uint32_t from = 0; /* the group in which the record starts, or the first one */
    if (inner) {
        count_inner(p, groups, before);
    }
    for (size_t i = 0; i < count; i++) {
        const uint32_t last = lasts[i];
        const uint32_t end = ends[last - 1] - at, through = end / SCAN_GROUP;
        flags |=
            plain ? same : proof_flags(p, (UINT64_C(2) << through) - (UINT64_C(1) << from));
        if (inner) {
            uint64_t up_to = (UINT64_C(1) << end % SCAN_GROUP) - 1;
            uint32_t seen = before[through] + count_bits(p->inner[through] & up_to);
            lines += seen - counted;
            counted = seen;
        }
        out[i].start = start;
        out[i].first = first;
        out[i].last = last;
        out[i].lines = lines;
        out[i].flags = flags;
        uint32_t next = end + 1;
        if (swallowed) {
            next += p->swallowed[next / SCAN_GROUP] >> next % SCAN_GROUP & 1;
        }
        from = next / SCAN_GROUP;
        start = at + next;
        first = last;
        lines = 1;
        flags = 0;
    }
    self->records_length += count;
    self->record_start = start;
    self->first = first;
    self->lines = lines - 1 + (inner ? before[groups] - counted : 0);
    self->flags = flags | (from < groups ? proof_flags(p, ~UINT64_C(0) << from) : 0);
}

/* List what ends in one group.  The lists of a kernel only pay for more. */
static void
list_group(fields *self, const proof *p)
{
    uint64_t field_ends = p->ends[0].fields, record_ends = p->ends[0].records;
    uint64_t inner = p->inner[0];
    const uint64_t swallowed = p->swallowed[0];
    const uint32_t at = self->pos, flags = proof_flags(p, 1);
    uint32_t *out = self->ends + self->ends_length;
    self->flags |= flags;
    while (record_ends != 0) {
        const uint64_t through = record_ends ^ (record_ends - 1);
        const uint32_t end = lowest_bit(record_ends);
        out = list_positions(out, field_ends & through, at);
        self->ends_length = (size_t)(out - self->ends);
        self->lines += 1 + (inner != 0 ? count_bits(inner & through) : 0);
        list_record(self, at + end + 1 + (swallowed >> end >> 1 & 1));
        self->flags = flags;
        field_ends &= ~through;
        inner &= ~through;
        record_ends &= record_ends - 1;
    }
    self->lines += inner != 0 ? count_bits(inner) : 0;
    if (field_ends != 0) {
        out = list_positions(out, field_ends, at);
        self->ends_length = (size_t)(out - self->ends);
        self->field_start = out[-1] + 1;
    }
}

static bool
all_or_none(uint64_t bits, uint64_t all)
{
    return bits == 0 || bits == all;
}

static void
list_proved(fields *self, const proof *p, unsigned groups)
{
    uint32_t lasts[FIELDS_BATCH * SCAN_GROUP + SCAN_LISTED_AHEAD];
    scan_lists lists = {self->ends, self->ends_length, lasts, 0};
    const uint32_t at = self->pos;
    const uint64_t all = ~UINT64_C(0) >> (64 - groups);
    if (p->any_ends != 0) {
        self->kernel->list(p->ends, groups, at, &lists);
        self->ends_length = lists.ends_length;
    }
    if (!(p->any_inner | p->any_swallowed) && all_or_none(p->quoted, all) &&
        all_or_none(p->doubled, all) && all_or_none(p->high, all)) {
        list_records(self, p, groups, at, lasts, lists.lasts_length, true);
    }
    else {
        list_records(self, p, groups, at, lasts, lists.lasts_length, false);
    }
    self->field_start = self->ends_length > self->first ? self->ends[self->ends_length - 1] + 1
                                                        : self->record_start;
}

unsigned
regular_groups(fields *self, carry *c, const scan_masks *masks, unsigned groups,
               unsigned count)
{
    const fields_dialect *d = &self->dialect;
    const size_t field = groups_within(d->max_field, self->pos - self->field_start);
    const size_t record = groups_within(d->max_record, self->pos - self->record_start);
    size_t most = field < record ? field : record;
    const carry before = *c;
    proof p;
    if (record == 0) {
        return 0;
    }
    most = most == 0 ? 1 : most; /* which is looked at more closely */
    groups = groups < most ? groups : (unsigned)most;
    /* What is usual has a loop of its own, and so has the last group of a feed. */
    const bool stream = self->mode == FIELDS_STREAM;
    if (count < SCAN_GROUP) {
        groups = prove_groups(&p, c, masks, 1, count, d->doublequote, stream, d->one_line);
    }
    else if (d->doublequote && stream && !d->one_line) {
        groups = prove_groups(&p, c, masks, groups, SCAN_GROUP, true, true, false);
    }
    else {
        groups = prove_groups(&p, c, masks, groups, SCAN_GROUP, d->doublequote, stream,
                              d->one_line);
    }
    if (groups == 0) {
        return 0;
    }
    /* A field inside the group can't be too long, but the field that ends first may have begun
       before the group. */
    if (field == 0 && p.ends[0].fields != 0 &&
        self->pos + lowest_bit(p.ends[0].fields) - self->field_start > d->max_field) {
        *c = before;
        return 0;
    }
    if (p.swallowed[0] & 1) {
        self->record_start = self->field_start = self->pos + 1;
    }
    if (groups == 1) {
        list_group(self, &p);
    }
    else {
        list_proved(self, &p, groups);
    }
    return groups;
}
