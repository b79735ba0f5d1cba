/* The CSV machine: by every kernel, at every width and cut anywhere, it reads what the scalar
   kernel reads of the whole by the exact machine alone. */
#include "core/fields.h"
#include "core/fields_feed.h"
#include "core/fields_span.h"

#include "fuzz.h"

enum { LONGEST = 300, MOST_FEEDS = 40 };

/* What was read, as numbers: of each record its counts, of each field its length and units,
   where a line end counts as a record's unit and each unit as a field's. */
typedef struct {
    uint32_t numbers[8 * (LONGEST + 4)];
    size_t length;
} reading;

static inline void
note_number(reading *r, uint32_t number)
{
    CHECK(r->length < sizeof r->numbers / sizeof *r->numbers);
    r->numbers[r->length++] = number;
}

static uint32_t
unit_at(const void *units, size_t i, int width)
{
    return width == 1   ? ((const uint8_t *)units)[i]
           : width == 2 ? ((const uint16_t *)units)[i]
                        : ((const uint32_t *)units)[i];
}

static void
put_unit(void *units, size_t i, int width, uint32_t unit)
{
    if (width == 1) {
        ((uint8_t *)units)[i] = (uint8_t)unit;
    }
    else if (width == 2) {
        ((uint16_t *)units)[i] = (uint16_t)unit;
    }
    else {
        ((uint32_t *)units)[i] = unit;
    }
}

/* What the owner holds: the units from `dropped` on, of which `length` are there. */
typedef struct {
    fields machine;
    const uint8_t *source;
    int width;
    size_t dropped, length;
    bool newline; /* one '\n' stands behind them */
    int block;    /* which of two is in use */
} owner;

/* A block of exactly the units held, so that a sanitizer sees a step beyond: it ends where
   the room does, all before it is poisoned, and so is the whole of the one before it. */
static void *
block_of(owner *o)
{
    static room blocks[2];
    size_t count = o->length + o->newline, size = count * (size_t)o->width;
    room_shut(&blocks[o->block]);
    o->block = !o->block;
    void *units = room_open(&blocks[o->block], (LONGEST + 1) * 4, size);
    for (size_t i = 0; i < o->length; i++) {
        put_unit(units, i, o->width, o->source[o->dropped + i]);
    }
    if (o->newline) {
        put_unit(units, o->length, o->width, '\n');
    }
    return units;
}

static void
take_records(owner *o, const void *block, reading *out)
{
    static room contents;
    const fields_record *record;
    while ((record = fields_take(&o->machine)) != NULL) {
        uint32_t count = fields_count(&o->machine, record);
        note_number(out, count);
        note_number(out, record->lines);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t start = fields_start(&o->machine, record, i);
            uint32_t end = fields_end(&o->machine, record, i);
            CHECK(start <= end && end <= o->length + o->newline);
            bool unquoted;
            void *content = room_open(&contents, (LONGEST + 1) * 4,
                                      (size_t)(end - start) * (size_t)o->width);
            size_t length = fields_content(&o->machine.dialect, block, o->width, start, end,
                                           content, &unquoted);
            CHECK(length <= end - start);
            note_number(out, (uint32_t)length * 2 + unquoted);
            for (size_t j = 0; j < length; j++) {
                note_number(out, unit_at(content, j, o->width));
            }
        }
    }
    size_t drop = fields_rewind(&o->machine);
    CHECK(drop <= o->length + o->newline);
    o->dropped += drop < o->length ? drop : o->length;
    o->length -= drop < o->length ? drop : o->length;
}

static void
read_all(owner *o, const uint8_t *data, size_t count, size_t cut, reading *out)
{
    o->source = data;
    size_t fed = 0;
    if (cut != 0 && cut < count / MOST_FEEDS) {
        cut = count / MOST_FEEDS; /* each feed copies all that is held */
    }
    void *block;
    while (fed < count && o->machine.error == FIELDS_FINE) {
        size_t more = cut == 0 || cut > count - fed ? count - fed : cut;
        fed += more;
        o->length += more;
        block = block_of(o);
        CHECK(fields_feed(&o->machine, block, o->width, o->length));
        take_records(o, block, out);
    }
    if (o->machine.error == FIELDS_FINE) {
        o->newline = fields_wants_newline(&o->machine);
        block = block_of(o);
        if (o->newline) {
            CHECK(fields_feed(&o->machine, block, o->width, o->length + 1));
        }
        CHECK(fields_finish(&o->machine, block, o->width));
        take_records(o, block, out);
    }
    note_number(out, o->machine.error);
    if (o->machine.error != FIELDS_FINE) {
        note_number(out, (uint32_t)o->dropped + o->machine.error_pos);
    }
    fields_free(&o->machine);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t delimiters[] = {',', ';', '\t', ' '};
    static const uint32_t quotes[] = {'"', '\'', SCAN_ABSENT, '"'};
    static const uint32_t escapes[] = {SCAN_ABSENT, '\\', SCAN_ABSENT, '"'};
    input in = {data, size};
    uint8_t flags = next_byte(&in), kinds = next_byte(&in);
    uint8_t cuts[3] = {next_byte(&in), next_byte(&in), 0};
    if (in.count > LONGEST) {
        return 0;
    }
    fields_dialect d = {
        .set = {delimiters[kinds & 3], quotes[kinds >> 2 & 3], escapes[kinds >> 4 & 3]},
        .doublequote = flags & 1,
        .skip_space = flags & 2,
        .strict = flags & 4,
        .max_field = flags & 8 ? 20 : SIZE_MAX,
        .max_record = flags & 16 ? 100 : SIZE_MAX,
    };
    const scan_kernel *kernels[SCAN_KERNELS];
    scan_kernels(kernels);

    static reading expected, got;
    expected.length = 0;
    owner exact = {.width = 1};
    fields_init(&exact.machine, &d, scan_choose("scalar"), FIELDS_STREAM);
    exact.machine.exact_only = true;
    read_all(&exact, in.bytes, in.count, 0, &expected);

    for (int k = 0; kernels[k] != NULL; k++) {
        for (int width = 1; width <= 4; width *= 2) {
            got.length = 0;
            owner o = {.width = width};
            fields_init(&o.machine, &d, kernels[k], FIELDS_STREAM);
            read_all(&o, in.bytes, in.count, cuts[width >> 1], &got);
            CHECK(got.length == expected.length);
            CHECK(memcmp(got.numbers, expected.numbers, got.length * sizeof *got.numbers) ==
                  0);
        }
    }
    return 0;
}
