/* schema.c: the first value against a type is the same one, however the records were cut into
 * parts.  That the rest is, too, is fuzzed: see tests/fuzz/schema_fuzz.c.
 *
 *     gcc -std=c11 -O2 -Isrc tests/core/schema_test.c src/core/ *.c -lm
 */
#include "core/schema.h"

#include "core/fields.h"
#include "core/fields_feed.h"

#include "check.h"

static const schema_layout layout = {
    .reading = {.dialect = {.set = {',', '"', SCAN_ABSENT},
                            .utf8 = true,
                            .max_field = SIZE_MAX,
                            .max_record = SIZE_MAX},
                .units = COLUMNS_UNITS_UTF8,
                .most = UINT32_MAX,
                .max_bytes = COLUMNS_MAX_BYTES},
    .count = 1,
};

/* The machine is not sure that a datetime is no time. */
static schema_verdict
answer_no(void *context, schema_type type, const uint8_t *text, size_t length,
          schema_answer *answer)
{
    (void)context;
    (void)type;
    (void)text;
    (void)length;
    (void)answer;
    return SCHEMA_NO;
}

static schema_sample
against_when_cut(const char *text, schema_type type, size_t cut)
{
    fields machine;
    schema whole, part;
    fields_init(&machine, &layout.reading.dialect, scan_choose(NULL), FIELDS_STREAM);
    CHECK(fields_feed(&machine, text, 1, strlen(text)), "fed");
    columns_records records = {
        text, strlen(text), machine.ends, machine.records, machine.records_length, 1};
    CHECK(schema_init(&whole, &layout, columns_core_memory), "memory");
    CHECK(schema_init(&part, &layout, columns_core_memory), "memory");
    whole.ask = part.ask = answer_no;
    CHECK(schema_add(&whole, &records, 0, cut, 0) == SCHEMA_FINE, "memory");
    records.records += cut;
    records.count -= cut;
    CHECK(schema_add(&part, &records, 0, records.count, 0) == SCHEMA_FINE, "memory");
    CHECK(schema_merge(&whole, &part, cut) == SCHEMA_FINE, "memory");
    CHECK(!(whole.columns[0].alive & SCHEMA_BIT(type)), "the type is given up");
    const schema_sample found = whole.columns[0].against[type];
    schema_free(&whole);
    schema_free(&part);
    fields_free(&machine);
    return found;
}

/* A part whose datetimes have a zone, unlike those before, and in which comes what is none. */
static void
test_zones(void)
{
    static const char text[] = "2024-01-01T10:00:00\n2024-01-02T10:00:00Z\nword\n";
    for (size_t cut = 0; cut <= 3; cut++) {
        const schema_sample found = against_when_cut(text, SCHEMA_DATETIME, cut);
        CHECK(found.record == 2, "cut after %zu: %d", cut, (int)found.record);
        CHECK(memcmp(found.text, "2024-01-02", 10) == 0, "cut after %zu", cut);
    }
}

/* Dates are datetimes without a zone. */
static void
test_dates(void)
{
    static const char text[] = "2024-01-01\n2024-01-02T10:00:00Z\n2024-01-03\nword\n";
    for (size_t cut = 0; cut <= 4; cut++) {
        const schema_sample found = against_when_cut(text, SCHEMA_DATETIME, cut);
        CHECK(found.record == 2, "cut after %zu: %d", cut, (int)found.record);
    }
}

int
main(void)
{
    test_zones();
    test_dates();
    return 0;
}
