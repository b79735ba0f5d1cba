/* The CSV machine on texts of several thousand units, many of whose groups are proved
 * together: by every kernel it finds the records, fields and lines that it finds one unit at a
 * time, and its flags rule out nothing that is there. */
#include "core/fields.h"
#include "core/fields_feed.h"

#include "check.h"

enum { LONGEST = 12000, ROUNDS = 400 };

static uint8_t text[LONGEST + 400];
static size_t length;

static void
put(uint8_t unit)
{
    text[length++] = unit;
}

static void
put_end(unsigned kind)
{
    if (kind != 0) {
        put('\r');
    }
    if (kind != 1) {
        put('\n');
    }
}

/* A field of up to `longest` units.  One in `quoted` is quoted, one in `high` units is high.
 */
static void
put_field(unsigned longest, unsigned quoted, unsigned high)
{
    const bool quotes = quoted != 0 && random_below(quoted) == 0;
    if (quotes) {
        put('"');
    }
    for (unsigned i = random_below(longest + 1); i > 0; i--) {
        switch (quotes ? random_below(12) : 12) {
        case 0:
            put(',');
            break;
        case 1:
            put_end(random_below(3));
            break;
        case 2:
            put('"');
            put('"');
            break;
        default:
            put(high != 0 && random_below(high) == 0 ? 0xC3 : 'a');
        }
    }
    if (quotes) {
        put('"');
    }
}

/* Records of one kind; one in `stray` fields, if not 0, holds a quote that proves nothing. */
static void
write_text(void)
{
    static const unsigned longest[] = {0, 3, 10, 70, 300};
    static const unsigned seldom[] = {0, 0, 1, 10, 300};
    const unsigned field = longest[random_below(5)], columns = 1 + random_below(20);
    const unsigned quoted = seldom[random_below(5)], high = seldom[random_below(5)];
    const unsigned end = random_below(4), stray = random_below(3) == 0 ? 200 : 0;
    length = 0;
    while (length < LONGEST - 1000) {
        unsigned more = 1 + random_below(columns);
        for (unsigned i = 0; i < more && length < LONGEST - 1000; i++) {
            if (i > 0) {
                put(',');
            }
            put_field(field, quoted, high);
            if (stray != 0 && random_below(stray) == 0) {
                put('"');
            }
        }
        put_end(end == 3 ? random_below(3) : end);
    }
}

/* Whether the units from `start` up to `end` hold `unit`; 0x80 is any high one. */
static bool
holds(uint32_t start, uint32_t end, uint8_t unit)
{
    for (uint32_t i = start; i < end; i++) {
        if (unit == 0x80 ? text[i] >= 0x80 : text[i] == unit) {
            return true;
        }
    }
    return false;
}

static void
check_flags(const fields *machine, const fields_record *record, const char *kernel)
{
    const uint32_t start = record->start, end = machine->ends[record->last - 1];
    CHECK(!holds(start, end, 0x80) || (record->flags & FIELDS_HIGH), "%s: no high unit at %u",
          kernel, (unsigned)start);
    if (record->flags & FIELDS_IRREGULAR) {
        return;
    }
    CHECK(!holds(start, end, '"') || (record->flags & FIELDS_QUOTED), "%s: no quote at %u",
          kernel, (unsigned)start);
    for (uint32_t i = 0; i < record->last - record->first; i++) {
        uint32_t from = fields_start(machine, record, i), to = fields_end(machine, record, i);
        if (to - from >= 2 && holds(from + 1, to - 1, '"')) {
            CHECK(record->flags & FIELDS_DOUBLED, "%s: no doubled quote at %u", kernel,
                  (unsigned)from);
        }
    }
}

static void
read_text(fields *machine, const fields_dialect *d, const scan_kernel *kernel, bool exact,
          size_t cut)
{
    fields_init(machine, d, kernel, FIELDS_STREAM);
    machine->exact_only = exact;
    for (size_t fed = 0; fed < length;) {
        fed += cut < length - fed ? cut : length - fed;
        CHECK(fields_feed(machine, text, 1, fed), "no memory");
    }
    if (machine->error == FIELDS_FINE) {
        CHECK(fields_finish(machine, text, 1), "no memory");
    }
}

static void
same(const fields *found, const fields *expected, const char *kernel)
{
    CHECK(found->error == expected->error && found->error_pos == expected->error_pos,
          "%s: error %d at %u, not %d at %u", kernel, found->error, (unsigned)found->error_pos,
          expected->error, (unsigned)expected->error_pos);
    CHECK(found->records_length == expected->records_length, "%s: %zu records, not %zu",
          kernel, found->records_length, expected->records_length);
    for (size_t i = 0; i < found->records_length; i++) {
        const fields_record *a = &found->records[i], *b = &expected->records[i];
        CHECK(a->start == b->start && a->first == b->first && a->last == b->last &&
                  a->lines == b->lines,
              "%s: record %zu differs at %u", kernel, i, (unsigned)b->start);
        check_flags(found, a, kernel);
    }
    for (uint32_t i = 0; i < expected->first; i++) {
        CHECK(found->ends[i] == expected->ends[i], "%s: end %u is %u, not %u", kernel,
              (unsigned)i, (unsigned)found->ends[i], (unsigned)expected->ends[i]);
    }
}

int
main(void)
{
    static const size_t limits[] = {SIZE_MAX, 131072, 64, 200, 1000};
    const scan_kernel *kernels[SCAN_KERNELS];
    scan_kernels(kernels);
    for (int round = 0; round < ROUNDS; round++) {
        fields_dialect d = {.set = {',', '"', SCAN_ABSENT}, .max_field = SIZE_MAX};
        d.doublequote = random_below(4) != 0;
        d.max_field = limits[random_below(5)];
        d.max_record = random_below(3) == 0 ? 64 + random_below(9000) : SIZE_MAX;
        write_text();
        fields expected;
        read_text(&expected, &d, kernels[0], true, LONGEST);
        for (int i = 0; kernels[i] != NULL; i++) {
            const size_t cut = random_below(2) == 0 ? LONGEST : 1 + random_below(6000);
            fields found;
            read_text(&found, &d, kernels[i], false, cut);
            same(&found, &expected, kernels[i]->name);
            fields_free(&found);
        }
        fields_free(&expected);
    }
    return 0;
}
