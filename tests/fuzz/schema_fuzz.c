/* The schema machine: parts cut anywhere, by machines that may ask and by such as stop, merge
   into what one machine finds in all; and that is what a plain statement says of each value.
 */
#include "core/schema.h"

#include "core/fields.h"
#include "core/fields_feed.h"
#include "core/fields_span.h"
#include "core/number.h"
#include "core/number_moment.h"
#include "core/utf8.h"
#include "fuzz.h"

enum { LONGEST = 600, MOST_COLUMNS = 3, SAMPLES = LONGEST };

/* ---- who is asked ---- */

typedef enum { NOTHING, NUMBER, TIME, DAY } meaning;

static uint32_t
hash_of(const uint8_t *text, size_t length)
{
    uint32_t hash = 7;
    for (size_t i = 0; i < length; i++) {
        hash = hash * 31 + text[i];
    }
    return hash >> 2;
}

/* YYYYMMDD, which the machine reads itself as a date, is a datetime, too. */
static bool
is_short_date(const uint8_t *text, size_t length, int32_t *days)
{
    number_date_value date;
    uint8_t spelled[10] = {[4] = '-', [7] = '-'};
    if (length != 8) {
        return false;
    }
    memcpy(spelled, text, 4);
    memcpy(spelled + 5, text + 4, 2);
    memcpy(spelled + 8, text + 6, 2);
    if (number_date(spelled, sizeof spelled, &date) != NUMBER_OK) {
        return false;
    }
    *days = number_days(&date);
    return true;
}

/* By the text alone, and the same for each type, as Python answers. */
static schema_verdict
answer(void *context, schema_type type, const uint8_t *text, size_t length,
       schema_answer *result)
{
    static char number[16];
    const uint32_t hash = hash_of(text, length);
    const int64_t day = INT64_C(86400000000);
    int32_t days;
    (void)context;
    result->zoned = false;
    if (is_short_date(text, length, &days)) {
        result->value = days * day;
        return type == SCHEMA_DATETIME ? SCHEMA_YES : SCHEMA_NO;
    }
    switch ((meaning)(hash % 4)) {
    case NUMBER:
        result->length =
            (size_t)snprintf(number, sizeof number, "%u", (unsigned)(hash % 1000));
        result->number = (const uint8_t *)number;
        return type == SCHEMA_INT || type == SCHEMA_DECIMAL || type == SCHEMA_FLOAT
                   ? SCHEMA_YES
                   : SCHEMA_NO;
    case TIME:
        result->value = hash;
        return type == SCHEMA_TIME ? SCHEMA_YES : SCHEMA_NO;
    case DAY:
        result->value = type == SCHEMA_DATE ? hash % 10000 : hash % 10000 * day;
        return type == SCHEMA_DATE || type == SCHEMA_DATETIME ? SCHEMA_YES : SCHEMA_NO;
    default:
        return SCHEMA_NO;
    }
}

/* ---- the plain statement ---- */

static const columns_text null_words[] = {{(const uint8_t *)"NA", 2}};

typedef struct {
    uint64_t values, empty, spelled, missing;
    size_t most_bytes;
    uint8_t least[LONGEST], greatest[LONGEST];
    size_t least_length, greatest_length;
    bool no_bool, no_date; /* some value is not one, or not surely */
} survey;

static int
compare(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
    const int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

static void
survey_add(survey *s, const uint8_t *text, size_t length)
{
    bool truth;
    number_date_value date;
    if (s->values == 0 || compare(text, length, s->least, s->least_length) < 0) {
        memcpy(s->least, text, length);
        s->least_length = length;
    }
    if (s->values == 0 || compare(text, length, s->greatest, s->greatest_length) > 0) {
        memcpy(s->greatest, text, length);
        s->greatest_length = length;
    }
    s->values++;
    s->most_bytes = length > s->most_bytes ? length : s->most_bytes;
    s->no_bool |= number_bool(text, length, &truth) != NUMBER_OK;
    s->no_date |= number_date(text, length, &date) != NUMBER_OK;
}

static void
check_column(const schema_column *c, const fields *machine, const columns_records *records,
             uint32_t j)
{
    static survey s;
    memset(&s, 0, sizeof s);
    for (size_t i = 0; i < records->count; i++) {
        const fields_record *r = &records->records[i];
        const uint32_t count = fields_count(machine, r);
        uint8_t text[LONGEST];
        bool unquoted;
        if (j >= count) {
            s.missing += count > 0;
            continue;
        }
        const size_t length =
            fields_content(&machine->dialect, records->block, 1, fields_start(machine, r, j),
                           fields_end(machine, r, j), text, &unquoted);
        if (length == 0) {
            s.empty++;
        }
        else if (unquoted && length == 2 && memcmp(text, "NA", 2) == 0) {
            s.spelled++;
        }
        else {
            survey_add(&s, text, length);
        }
    }
    CHECK(c->values == s.values && c->empty == s.empty && c->spelled == s.spelled);
    CHECK(c->missing == s.missing && c->most_bytes == s.most_bytes);
    CHECK(s.values == 0 || (c->least.length == s.least_length &&
                            memcmp(c->least.bytes, s.least, s.least_length) == 0));
    CHECK(s.values == 0 || (c->greatest.length == s.greatest_length &&
                            memcmp(c->greatest.bytes, s.greatest, s.greatest_length) == 0));
    CHECK(!(c->alive & SCHEMA_BIT(SCHEMA_BOOL)) == s.no_bool);
    CHECK(c->alive & SCHEMA_BIT(SCHEMA_DATE) || s.no_date);
}

/* ---- two machines ---- */

static void
check_same_text(const schema_text *a, const schema_text *b)
{
    CHECK((a->bytes == NULL) == (b->bytes == NULL) && a->length == b->length);
    CHECK(a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0);
}

static void
check_same_sample(const schema_sample *a, const schema_sample *b)
{
    CHECK(a->record == b->record && a->length == b->length && a->cut == b->cut);
    CHECK(memcmp(a->text, b->text, a->length) == 0);
}

static void
check_same_range(const schema_range *a, const schema_range *b)
{
    CHECK(a->any == b->any &&
          (!a->any || (a->least == b->least && a->greatest == b->greatest)));
}

static void
check_same_distinct(const schema_distinct *a, const schema_distinct *b)
{
    CHECK(a->over == b->over);
    if (a->over) {
        return;
    }
    const schema_entry *x = (const schema_entry *)a->entries.data;
    const schema_entry *y = (const schema_entry *)b->entries.data;
    CHECK(a->count == b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        CHECK(x[i].count == y[i].count && x[i].length == y[i].length);
        CHECK(memcmp(a->bytes.data + x[i].start, b->bytes.data + y[i].start, x[i].length) ==
              0);
    }
}

static void
check_same_column(const schema_column *a, const schema_column *b)
{
    CHECK(a->alive == b->alive && a->values == b->values && a->empty == b->empty);
    CHECK(a->spelled == b->spelled && a->missing == b->missing);
    CHECK(a->shortest == b->shortest && a->longest == b->longest);
    CHECK(a->most_bytes == b->most_bytes && a->not_unicode == b->not_unicode);
    check_same_text(&a->least, &b->least);
    check_same_text(&a->greatest, &b->greatest);
    check_same_distinct(&a->distinct, &b->distinct);
    check_same_sample(&a->first, &b->first);
    for (int type = 0; type < SCHEMA_TYPES; type++) {
        if (!(a->alive & SCHEMA_BIT(type))) {
            check_same_sample(&a->against[type], &b->against[type]);
        }
    }
    if (a->alive & SCHEMA_BIT(SCHEMA_BOOL)) {
        CHECK(a->truths == b->truths);
    }
    if (a->alive & SCHEMA_BIT(SCHEMA_DATE)) {
        check_same_range(&a->dates, &b->dates);
    }
    if (a->alive & SCHEMA_BIT(SCHEMA_TIME)) {
        check_same_range(&a->times, &b->times);
    }
    if (a->alive & SCHEMA_BIT(SCHEMA_DATETIME)) {
        check_same_range(&a->moments, &b->moments);
        CHECK(a->zoned == b->zoned);
    }
    if (a->alive & SCHEMA_NUMBERS) {
        CHECK(a->number.scaled.any == b->number.scaled.any);
        CHECK(a->number.any_text == b->number.any_text);
        CHECK(a->number.most_scale == b->number.most_scale);
        for (int mark = 0; mark < SCHEMA_MARKS; mark++) {
            CHECK(a->number.marked[mark] == b->number.marked[mark]);
        }
    }
}

static void
check_same(const schema *a, const schema *b)
{
    CHECK(a->records == b->records && a->blank == b->blank);
    CHECK(a->too_short == b->too_short && a->too_long == b->too_long);
    CHECK(a->first_short == b->first_short && a->first_long == b->first_long);
    for (uint32_t j = 0; j < a->layout->count; j++) {
        check_same_column(&a->columns[j], &b->columns[j]);
    }
}

/* The records from `from` up to `to`, as a thread adds them, and as the owner does then. */
static void
add_part(schema *owner, schema *part, const columns_records *all, size_t from, size_t to)
{
    columns_records records = *all;
    records.records += from;
    records.count = to - from;
    part->ask = NULL;
    schema_status status = schema_add(part, &records, 0, records.count, 0);
    CHECK(status == SCHEMA_FINE || status == SCHEMA_STOPPED);
    if (status == SCHEMA_STOPPED) {
        part->ask = answer;
        CHECK(schema_resume(part, owner, &records, records.count, 0) == SCHEMA_FINE);
    }
    CHECK(schema_merge(owner, part, from) == SCHEMA_FINE);
}

/* Parts of few records or many; one may begin before the one before it is merged. */
static void
read_in_parts(schema *owner, const columns_records *all, const uint8_t *steps, size_t count)
{
    const schema_layout *layout = owner->layout;
    schema parts[2];
    CHECK(schema_init(&parts[0], layout, libc_memory));
    CHECK(schema_init(&parts[1], layout, libc_memory));
    schema_restart(&parts[0], owner);
    for (size_t from = 0, i = 0; from < all->count; i++) {
        const uint8_t step = steps[i % count];
        size_t to = from + 1 + step % 16;
        to = to < all->count ? to : all->count;
        if (step & 16) {
            schema_restart(&parts[(i + 1) % 2], owner);
        }
        add_part(owner, &parts[i % 2], all, from, to);
        if (!(step & 16)) {
            schema_restart(&parts[(i + 1) % 2], owner);
        }
        from = to;
    }
    schema_free(&parts[0]);
    schema_free(&parts[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    uint8_t flags = next_byte(&in), steps[4];
    for (size_t i = 0; i < sizeof steps; i++) {
        steps[i] = next_byte(&in);
    }
    in.count = in.count < LONGEST ? utf8_valid_prefix(in.bytes, in.count) : 0;
    const schema_layout layout = {
        .reading = {.dialect = {.set = {',', '"', flags & 1 ? '\\' : SCAN_ABSENT},
                                .doublequote = true,
                                .skip_space = flags & 2,
                                .utf8 = true,
                                .max_field = SIZE_MAX,
                                .max_record = SIZE_MAX},
                    .units = COLUMNS_UNITS_UTF8,
                    .nulls = null_words,
                    .null_count = 1,
                    .most = UINT32_MAX,
                    .max_bytes = COLUMNS_MAX_BYTES,
                    .seed = flags},
        .count = 1 + (flags >> 2) % MOST_COLUMNS,
        .most_distinct = flags & 64 ? 0 : 1 + (flags >> 4) % 4 * 3u,
    };
    uint8_t *block = copy_of(in.bytes, in.count);
    fields machine;
    schema whole, parts;
    fields_init(&machine, &layout.reading.dialect, scan_choose(NULL), FIELDS_STREAM);
    CHECK(fields_feed(&machine, block, 1, in.count));
    if (!fields_wants_newline(&machine)) {
        CHECK(fields_finish(&machine, block, 1));
    }
    const columns_records records = {
        block, in.count, machine.ends, machine.records, machine.records_length, 1};
    CHECK(schema_init(&whole, &layout, libc_memory));
    CHECK(schema_init(&parts, &layout, libc_memory));
    whole.ask = parts.ask = answer;
    CHECK(schema_add(&whole, &records, 0, records.count, 0) == SCHEMA_FINE);
    for (uint32_t j = 0; j < layout.count; j++) {
        check_column(&whole.columns[j], &machine, &records, j);
    }
    read_in_parts(&parts, &records, steps, sizeof steps);
    check_same(&whole, &parts);
    schema_free(&whole);
    schema_free(&parts);
    fields_free(&machine);
    free(block);
    return 0;
}
