/* columns.c against a model that reads one field at a time: many small files,
 * of every kind of column, dialect and width, the same in every run.
 *
 *     gcc -std=c11 -O2 -Isrc tests/core/columns_test.c src/core/ *.c -lm
 *
 * Each file is laid out whole, in pieces of any number of records, and in
 * pieces by builders of their own that are joined.  Each way, the batches must
 * have the model's rows, and the same bytes.
 *
 * Questions are answered by a rule that knows only the record and the column.
 */
#include "core/fields_feed.h"

#include "check.h"
#include "columns_model.h"

enum {
    MOST_UNITS = 2000,
    SHORT_OF_MEMORY = 60,
};

/* ---- memory that runs out ---- */

static long allocations_left = -1; /* -1: any number */
static long blocks_held;

static void *
test_memory(void *block, size_t size)
{
    if (size == 0) {
        blocks_held -= block != NULL;
        free(block);
        return NULL;
    }
    if (allocations_left == 0) {
        return NULL;
    }
    allocations_left -= allocations_left > 0;
    blocks_held += block == NULL;
    return realloc(block, size);
}

/* ---- a file ---- */

static const char *const words[] = {
    "",
    "1",
    "-17",
    "300",
    "9223372036854775807",
    "18446744073709551615",
    "70000",
    "1.5",
    "2.25e3",
    "NA",
    "null",
    "a",
    "some longer words",
    "true",
    "no",
    "2024-02-29",
    "2024-02-29T23:59:59.123",
    "2024-02-29 10:11:12+05:30",
    "12:30:45",
    "12:30",
    "\xC3\xA9t\xC3\xA9",
    "\xE2\x82\xAC",
    "16777217",
    "1e39",
    "-0",
    "1600-01-01T00:00:00",
    "0.1",
    "123456.789",
    "99999999999999999999999999999999999999",
    "  12 ",
    "1_000",
    "12_345.5",
    "29.2.2024",
    "2024-02-29 1:2:3.4",
    "11:59 pm",
    "JA",
};

/* Append a word as units of the width, as a field that may be quoted. */
static size_t
put_field(uint8_t *units, size_t at, int width, columns_units kind)
{
    uint32_t points[64];
    const char *word = words[random_below(sizeof words / sizeof *words)];
    size_t length = strlen(word), count = 0;
    bool quoted = random_below(5) == 0, doubled = random_below(8) == 0;
    if (kind == COLUMNS_UNITS_UTF8) {
        for (; count < length; count++) {
            points[count] = (uint8_t)word[count];
        }
    }
    else {
        uint8_t highest;
        count = utf8_count((const uint8_t *)word, length, &highest);
        utf8_decode((const uint8_t *)word, length, points, 4);
        for (size_t i = 0; i < count; i++) {
            points[i] &= width == 1 ? 0xFF : UINT32_MAX;
        }
    }
    if (width > 1 && random_below(30) == 0) {
        points[count++] = 0xD800 + random_below(0x800); /* a surrogate alone */
    }
    size_t start = at;
    if (quoted) {
        put_unit(units, at++, width, '"');
    }
    for (size_t i = 0; i < count; i++) {
        put_unit(units, at++, width, points[i]);
    }
    if (quoted && doubled) {
        put_unit(units, at++, width, '"');
        put_unit(units, at++, width, '"');
    }
    if (quoted) {
        put_unit(units, at++, width, '"');
    }
    if (random_below(40) == 0) {
        put_unit(units, at++, width, '"'); /* a stray one, or one that opens */
    }
    if (random_below(40) == 0) {
        put_unit(units, at++, width, '\\');
        put_unit(units, at++, width, 'x');
    }
    return at - start;
}

static void
make_specs(file *f, uint32_t fields_most)
{
    columns_layout *layout = &f->layout;
    layout->count = random_below(MOST_COLUMNS + 1);
    layout->specs = f->specs;
    for (uint32_t j = 0; j < layout->count; j++) {
        choose_spec(&f->specs[j], fields_most);
    }
}

static void
make_file(file *f)
{
    static const scan_kernel *kernel;
    kernel = kernel != NULL ? kernel : scan_choose(NULL);
    static uint8_t units[(MOST_UNITS + 500) * 4];
    const uint32_t width_most = 1 + random_below(4);
    int width = 1 << random_below(3);
    *f = (file){.may_drop = true};
    columns_layout *layout = &f->layout;
    layout->units = width > 1 ? COLUMNS_UNITS_TEXT : (columns_units)random_below(3);
    layout->binary = width > 1 || layout->units == COLUMNS_UNITS_TEXT
                         ? (columns_binary)(1 + random_below(2))
                         : (columns_binary)random_below(3);
    make_specs(f, width_most);
    layout->least = random_below(2) ? width_most : 0;
    layout->most = random_below(2) ? width_most : UINT32_MAX;
    layout->skips_blank = random_below(2);
    layout->nulls = null_words;
    layout->null_count = random_below(4);
    layout->max_bytes = COLUMNS_MAX_BYTES;
    layout->seed = random_bits();
    if (random_below(3) == 0) {
        layout->max_bytes = 10 + random_below(200);
        f->may_drop = false;
    }
    layout->dialect = (fields_dialect){
        .set = {',', random_below(6) ? '"' : SCAN_ABSENT,
                random_below(4) ? SCAN_ABSENT : '\\'},
        .doublequote = random_below(5) != 0,
        .skip_space = random_below(5) == 0,
        .utf8 = layout->units == COLUMNS_UNITS_UTF8,
        .max_field = SIZE_MAX,
        .max_record = SIZE_MAX,
    };
    size_t length = 0, most = random_below(3) ? 100 : MOST_UNITS;
    bool ragged = random_below(2);
    while (length < most) {
        uint32_t count = ragged ? 1 + random_below(width_most + 1) : width_most;
        for (uint32_t i = 0; i < count; i++) {
            if (i > 0) {
                put_unit(units, length++, width, ',');
            }
            length += put_field(units, length, width, layout->units);
        }
        put_unit(units, length++, width, '\n');
    }
    f->block = allocate(length * (size_t)width);
    memcpy(f->block, units, length * (size_t)width);
    fields_init(&f->machine, &layout->dialect, kernel, FIELDS_STREAM);
    CHECK(fields_feed(&f->machine, f->block, width, length), "fed");
    if (!fields_wants_newline(&f->machine)) {
        CHECK(fields_finish(&f->machine, f->block, width), "finished");
    }
    f->records = (columns_records){
        .block = f->block,
        .length = length,
        .ends = f->machine.ends,
        .records = f->machine.records,
        .count = f->machine.records_length,
        .width = width,
    };
}

/* ---- checks ---- */

static void
test_file(void)
{
    static file f;
    static result whole, cut, joined;
    columns self, piece;
    make_file(&f);
    const int64_t rows = 1 + random_below(random_below(2) ? 5 : 100);
    CHECK(columns_init(&self, &f.layout, test_memory), "memory");
    CHECK(columns_init(&piece, &f.layout, test_memory), "memory");
    CHECK(lay_directly(&f, 0, rows, &self, &whole), "memory");
    check_against_model(&f, &whole, rows);
    CHECK(lay_directly(&f, 9, rows, &self, &cut), "memory");
    check_results(&whole, &cut);
    CHECK(lay_in_pieces(&f, random_below(20), rows, &self, &piece, &joined), "memory");
    check_results(&whole, &joined);
    free_result(&cut);
    free_result(&joined);
    columns_free(&self);
    columns_free(&piece);

    /* Memory runs out at each place, and what is held is freed. */
    for (long left = 0; left < SHORT_OF_MEMORY; left++) {
        allocations_left = left;
        bool fine = columns_init(&self, &f.layout, test_memory) &&
                    lay_directly(&f, 9, rows, &self, &cut);
        columns_free(&self);
        free_result(&cut);
        fine = columns_init(&self, &f.layout, test_memory) &&
               columns_init(&piece, &f.layout, test_memory) &&
               lay_in_pieces(&f, 9, rows, &self, &piece, &joined) && fine;
        columns_free(&self);
        columns_free(&piece);
        free_result(&joined);
        if (fine) {
            break;
        }
    }
    allocations_left = -1;
    free_result(&whole);
    free_file(&f);
    CHECK(blocks_held == 0, "%ld blocks are held", blocks_held);
}

/* ---- single things ---- */

/* The records of a text, laid out until the first question, which cuts. */
static void
test_cut(void)
{
    static const char text[] = "a,1\nb,2\nc,x\nd,4\n";
    const columns_spec specs[] = {{.kind = COLUMNS_UTF8, .field = 0},
                                  {.kind = COLUMNS_INT64, .field = 1}};
    const columns_layout layout = {
        .dialect = {.set = {',', '"', SCAN_ABSENT},
                    .max_field = SIZE_MAX,
                    .max_record = SIZE_MAX},
        .specs = specs,
        .count = 2,
        .least = 2,
        .most = 2,
        .max_bytes = COLUMNS_MAX_BYTES,
    };
    fields machine;
    fields_init(&machine, &layout.dialect, scan_choose(NULL), FIELDS_STREAM);
    CHECK(fields_feed(&machine, text, 1, sizeof text - 1), "fed");
    const columns_records records = {
        text, sizeof text - 1, machine.ends, machine.records, machine.records_length, 1};
    columns self;
    columns_batch batch;
    size_t at = 0;
    CHECK(columns_init(&self, &layout, columns_core_memory), "memory");
    CHECK(columns_append(&self, &records, &at, 100) == COLUMNS_ASKS && at == 4, "a question");
    const columns_question *q = columns_next_question(&self);
    CHECK(q->record == 2 && q->column == 1 && q->row == 2, "about the third");
    CHECK(columns_cut(&self, q) == COLUMNS_FINE && self.rows == 2, "cut");
    CHECK(columns_finish(&self, &batch) && batch.rows == 2, "a batch");
    CHECK(((const int64_t *)batch.arrays[1].values.data)[1] == 2, "a value");
    CHECK(((const int32_t *)batch.arrays[0].values.data)[2] == 2, "an offset");
    CHECK(columns_batch_size(&batch) >= 24, "its size");
    columns_batch_free(&batch);
    CHECK(columns_finish(&self, &batch) && batch.rows == 0, "an empty batch");
    CHECK(((const int32_t *)batch.arrays[0].values.data)[0] == 0, "its only offset");
    columns_batch_free(&batch);
    columns_free(&self);
    fields_free(&machine);
}

/* Answers that are longer than a column may be. */
static void
test_long_answers(void)
{
    static const char text[] = "a\nb\n";
    const columns_spec specs[] = {{.kind = COLUMNS_BINARY, .field = 0}};
    const columns_layout layout = {
        .dialect = {.set = {',', '"', SCAN_ABSENT},
                    .max_field = SIZE_MAX,
                    .max_record = SIZE_MAX},
        .binary = COLUMNS_BINARY_ASKS,
        .specs = specs,
        .count = 1,
        .most = 1,
        .max_bytes = 10,
    };
    fields machine;
    fields_init(&machine, &layout.dialect, scan_choose(NULL), FIELDS_STREAM);
    CHECK(fields_feed(&machine, text, 1, sizeof text - 1), "fed");
    const columns_records records = {
        text, sizeof text - 1, machine.ends, machine.records, machine.records_length, 1};
    columns self;
    size_t at = 0;
    const columns_question *q;
    CHECK(columns_init(&self, &layout, columns_core_memory), "memory");
    CHECK(columns_append(&self, &records, &at, 100) == COLUMNS_ASKS, "questions");
    while ((q = columns_next_question(&self)) != NULL) {
        CHECK(columns_answer_bytes(&self, q, (const uint8_t *)"sixsix", 6), "memory");
    }
    CHECK(columns_settle(&self) == COLUMNS_FULL, "too long together");
    columns_free(&self);
    fields_free(&machine);
}

int
main(int count, char **arguments)
{
    long times = count > 1 ? strtol(arguments[1], NULL, 10) : 1;
    long files = times > 0 ? 6000 * times : 500;
    test_cut();
    test_long_answers();
    for (long i = 0; i < files; i++) {
        test_file();
    }
    printf("%ld files\n", files);
    return 0;
}
