/* The column machine: laid out whole, in pieces and by builders that are joined, records of
   any text have the rows of a plain statement, and the same bytes. */
#include "core/columns.h"

#include "core/fields_feed.h"

#include "fuzz.h"

enum { CHOICES = 64, LONGEST = 900 };

/* Choices are bytes of the input, in turn, and made of the last ones when all are used. */
static input choices;
static uint32_t chosen;

static uint32_t
random_below(uint32_t limit)
{
    chosen = chosen * 747796405 + 2891336453 + next_byte(&choices);
    return limit > 256 || choices.count == 0 ? (chosen >> 16) % limit : (chosen & 255) % limit;
}

#include "../core/columns_model.h"

/* A unit for a byte; in wide text also surrogates and what lies beyond the first plane. */
static uint32_t
unit_of(uint8_t byte, int width)
{
    if (width == 1 || byte < 0xC0) {
        return byte;
    }
    return byte < 0xD0   ? 0x2000u + byte
           : byte < 0xE0 ? 0xD7F8u + byte % 16u * 0x80
           : width == 4  ? 0x1F300u + byte
                         : 0xFF00u + byte;
}

static void *
block_of(const input *in, int width)
{
    uint8_t *block = allocate(in->count * (size_t)width);
    for (size_t i = 0; i < in->count; i++) {
        const uint32_t unit = unit_of(in->bytes[i], width);
        const uint16_t half = (uint16_t)unit;
        if (width == 1) {
            block[i] = (uint8_t)unit;
        }
        else {
            memcpy(block + i * (size_t)width, width == 2 ? (const void *)&half : &unit,
                   (size_t)width);
        }
    }
    return block;
}

static void
choose_layout(file *f, int width)
{
    static const uint32_t delimiters[] = {',', ';', ' ', '\t'};
    columns_layout *layout = &f->layout;
    const uint32_t fields_most = 1 + random_below(4);
    layout->units = width > 1 ? COLUMNS_UNITS_TEXT : (columns_units)random_below(3);
    layout->binary = layout->units == COLUMNS_UNITS_TEXT
                         ? (columns_binary)(1 + random_below(2))
                         : (columns_binary)random_below(3);
    layout->count = random_below(MOST_COLUMNS + 1);
    layout->specs = f->specs;
    for (uint32_t j = 0; j < layout->count; j++) {
        choose_spec(&f->specs[j], fields_most);
    }
    layout->least = random_below(2) ? fields_most : 0;
    layout->most = random_below(2) ? fields_most : UINT32_MAX;
    layout->skips_blank = random_below(2);
    layout->nulls = null_words;
    layout->null_count = random_below(4);
    layout->seed = random_below(UINT16_MAX);
    f->may_drop = random_below(3) != 0;
    layout->max_bytes = f->may_drop ? COLUMNS_MAX_BYTES : 10 + random_below(200);
    layout->dialect = (fields_dialect){
        .set = {delimiters[random_below(4)], random_below(6) ? '"' : SCAN_ABSENT,
                random_below(4) ? SCAN_ABSENT : '\\'},
        .doublequote = random_below(5) != 0,
        .skip_space = random_below(5) == 0,
        .utf8 = layout->units == COLUMNS_UNITS_UTF8,
        .max_field = SIZE_MAX,
        .max_record = SIZE_MAX,
    };
}

static void
read_file(file *f, input *in)
{
    const scan_kernel *kernels[SCAN_KERNELS];
    uint32_t count = 0;
    const int width = 1 << random_below(3);
    *f = (file){0};
    choose_layout(f, width);
    if (f->layout.units == COLUMNS_UNITS_UTF8) {
        in->count = utf8_valid_prefix(in->bytes, in->count);
    }
    scan_kernels(kernels);
    while (kernels[count] != NULL) {
        count++;
    }
    f->block = block_of(in, width);
    fields_init(&f->machine, &f->layout.dialect, kernels[random_below(count)], FIELDS_STREAM);
    CHECK(fields_feed(&f->machine, f->block, width, in->count));
    if (!fields_wants_newline(&f->machine)) {
        CHECK(fields_finish(&f->machine, f->block, width));
    }
    f->records = (columns_records){
        .block = f->block,
        .length = in->count,
        .ends = f->machine.ends,
        .records = f->machine.records,
        .count = f->machine.records_length,
        .width = width,
    };
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static file f;
    static result whole, cut, joined;
    columns self, piece;
    if (size < CHOICES || size > CHOICES + LONGEST) {
        return 0;
    }
    choices = (input){data, CHOICES};
    chosen = 0;
    input in = {data + CHOICES, size - CHOICES};
    read_file(&f, &in);
    const int64_t rows = 1 + random_below(random_below(2) ? 5 : 100);
    CHECK(columns_init(&self, &f.layout, libc_memory));
    CHECK(columns_init(&piece, &f.layout, libc_memory));
    CHECK(lay_directly(&f, 0, rows, &self, &whole));
    check_against_model(&f, &whole, rows);
    CHECK(lay_directly(&f, 9, rows, &self, &cut));
    check_results(&whole, &cut);
    CHECK(lay_in_pieces(&f, random_below(20), rows, &self, &piece, &joined));
    check_results(&whole, &joined);
    free_result(&whole);
    free_result(&cut);
    free_result(&joined);
    columns_free(&self);
    columns_free(&piece);
    free_file(&f);
    return 0;
}
