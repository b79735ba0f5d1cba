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
#include "core/columns.h"
#include "core/columns_join.h"
#include "core/fields.h"
#include "core/fields_feed.h"
#include "core/fields_span.h"
#include "core/number.h"
#include "core/number_decimal.h"
#include "core/number_moment.h"
#include "core/utf8.h"

#include "check.h"

enum {
    MOST_UNITS = 2000,
    MOST_COLUMNS = 6,
    MOST_BATCHES = 2000,
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

typedef struct {
    columns_layout layout;
    columns_spec specs[MOST_COLUMNS];
    fields machine;
    columns_records records;
    void *block;
    bool may_drop; /* whether the rule drops records */
} file;

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
};

static const columns_text null_words[] = {{(const uint8_t *)"NA", 2},
                                          {(const uint8_t *)"null", 4},
                                          {(const uint8_t *)"\xC3\xA9t\xC3\xA9", 5}};

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
        f->specs[j] = (columns_spec){
            .kind = (columns_kind)random_below(COLUMNS_DECIMAL128 + 1),
            .field = random_below(fields_most),
            .empty = (columns_empty)random_below(3),
            .takes_nulls = random_below(2),
            .not_null = random_below(4) == 0,
            .zoned = random_below(2),
            .unit = (columns_unit)random_below(4),
            .precision = (uint8_t)(random_below(2) ? 38 : 1 + random_below(38)),
            .scale = (int8_t)((int)random_below(7) - 2),
        };
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

static void
free_file(file *f)
{
    fields_free(&f->machine);
    free(f->block);
}

/* ---- the rule that answers ---- */

typedef enum { ANSWER_NULL, ANSWER_VALUE, ANSWER_DROP } answer;

static const char text_answer[] = "a text that is an answer";

static answer
rule(const file *f, uint32_t record, uint32_t column)
{
    uint32_t mixed = (record * 31 + column) * UINT32_C(2654435761) >> 16;
    if (!f->may_drop) {
        return ANSWER_NULL;
    }
    return (answer)(mixed % 3);
}

static bool
give_answer(const file *f, columns *self, const columns_question *q, uint32_t record)
{
    columns_kind kind = f->specs[q->column].kind;
    switch (rule(f, record, q->column)) {
    case ANSWER_NULL:
        columns_answer_null(self, q);
        return true;
    case ANSWER_DROP:
        columns_drop(self, q);
        return true;
    default:
        break;
    }
    if (kind <= COLUMNS_DICTIONARY) {
        return columns_answer_bytes(self, q, (const uint8_t *)text_answer, sizeof text_answer);
    }
    if (kind == COLUMNS_FLOAT32 || kind == COLUMNS_FLOAT64) {
        columns_answer_double(self, q, 1.5);
    }
    else if (kind == COLUMNS_DECIMAL128) {
        columns_answer_decimal(self, q, (wide){0, 1});
    }
    else {
        columns_answer_int(self, q, 1);
    }
    return true;
}

/* ---- the model ---- */

typedef struct {
    bool null, asks;
    uint8_t text[8000];
    size_t length; /* of a text */
    uint8_t value[16];
    size_t charge;
} cell;

typedef struct {
    bool fault, blank;
    cell cells[MOST_COLUMNS];
} model_row;

/* The text in UTF-8, or raw.  False if it can't be. */
static bool
model_text(const file *f, const fields_record *r, uint32_t field, bool raw, cell *out,
           bool *unquoted)
{
    static uint32_t content[2000];
    static uint8_t encoded[8000];
    int width = f->records.width;
    size_t count = fields_content(&f->layout.dialect, f->block, width,
                                  fields_start(&f->machine, r, field),
                                  fields_end(&f->machine, r, field), content, unquoted);
    if (raw || f->layout.units == COLUMNS_UNITS_UTF8) {
        memcpy(encoded, content, count);
        out->length = count;
    }
    else if (!utf8_encode(content, width, count, encoded, &out->length)) {
        out->length = 0;
        return false;
    }
    CHECK(out->length <= sizeof out->text, "a longer text than expected");
    memcpy(out->text, encoded, out->length);
    return true;
}

static size_t
size_of(columns_kind kind)
{
    static const uint8_t sizes[] = {4, 8, 16, 4, 4, 0, 1, 2, 4, 8,
                                    1, 2, 4,  8, 4, 8, 4, 8, 8, 16};
    return sizes[kind];
}

static bool
store(cell *c, const void *value, size_t size)
{
    memcpy(c->value, value, size);
    return true;
}

static bool
low_first(void)
{
    const uint16_t one = 1;
    return *(const uint8_t *)&one == 1;
}

/* As many of the lowest bytes as a column has, in the order of the machine. */
static bool
store_whole(cell *c, columns_kind kind, uint64_t bits)
{
    size_t size = size_of(kind);
    return store(c, (const uint8_t *)&bits + (low_first() ? 0 : sizeof bits - size), size);
}

static bool
model_whole(cell *c, columns_kind kind)
{
    int64_t value;
    uint64_t large;
    const columns_spec spec = {.kind = kind};
    if (number_uint64(c->text, c->length, &large) == NUMBER_OK) {
        return columns_fits_uint(&spec, large) && store_whole(c, kind, large);
    }
    return number_int64(c->text, c->length, &value) == NUMBER_OK &&
           columns_fits_int(&spec, value) && store_whole(c, kind, (uint64_t)value);
}

static bool
model_timestamp(cell *c, const columns_spec *spec)
{
    number_timestamp_value t;
    if (number_timestamp(c->text, c->length, &t) != NUMBER_OK || t.zoned != spec->zoned) {
        return false;
    }
    int64_t per_second = 1;
    for (int i = 0; i < (int)spec->unit; i++) {
        per_second *= 1000;
    }
    if (per_second == 1000000000 && (t.seconds > 9000000000 || t.seconds < -9000000000)) {
        return false;
    }
    int64_t step = 1000000000 / per_second;
    int64_t value = t.seconds * per_second + t.nanosecond / step;
    return t.nanosecond % step == 0 && store(c, &value, 8);
}

static bool
model_value(cell *c, const columns_spec *spec)
{
    bool truth;
    int64_t whole;
    float single;
    double real;
    number_date_value date;
    wide decimal;
    switch (spec->kind) {
    case COLUMNS_BOOL:
        if (number_bool(c->text, c->length, &truth) != NUMBER_OK) {
            return false;
        }
        c->value[0] = truth;
        return true;
    case COLUMNS_FLOAT32:
        return number_float(c->text, c->length, &single) == NUMBER_OK && store(c, &single, 4);
    case COLUMNS_FLOAT64:
        return number_double(c->text, c->length, &real) == NUMBER_OK && store(c, &real, 8);
    case COLUMNS_DATE32:
        if (number_date(c->text, c->length, &date) != NUMBER_OK) {
            return false;
        }
        whole = number_days(&date);
        return store_whole(c, COLUMNS_DATE32, (uint64_t)whole);
    case COLUMNS_TIME64:
        return number_time(c->text, c->length, &whole) == NUMBER_OK && store(c, &whole, 8);
    case COLUMNS_TIMESTAMP:
        return model_timestamp(c, spec);
    case COLUMNS_DECIMAL128:
        if (number_decimal(c->text, c->length, spec->precision, spec->scale, &decimal) !=
            NUMBER_OK) {
            return false;
        }
        memcpy(c->value + (low_first() ? 0 : 8), &decimal.low, 8);
        memcpy(c->value + (low_first() ? 8 : 0), &decimal.high, 8);
        return true;
    default:
        return model_whole(c, spec->kind);
    }
}

static bool
model_is_null(const file *f, const columns_spec *spec, const cell *c, bool unquoted)
{
    if (c->length == 0) {
        return spec->empty == COLUMNS_EMPTY_NULL ||
               (spec->empty == COLUMNS_EMPTY_UNQUOTED_NULL && unquoted);
    }
    for (size_t i = 0; spec->takes_nulls && unquoted && i < f->layout.null_count; i++) {
        if (null_words[i].length == c->length &&
            memcmp(null_words[i].bytes, c->text, c->length) == 0) {
            return true;
        }
    }
    return false;
}

static void
model_cell(const file *f, const fields_record *r, const columns_spec *spec, cell *c)
{
    bool unquoted = true;
    *c = (cell){0};
    if (spec->field >= fields_count(&f->machine, r)) {
        c->null = true;
    }
    else {
        bool raw = spec->kind == COLUMNS_BINARY && f->layout.binary != COLUMNS_BINARY_UTF8;
        bool valid = model_text(f, r, spec->field, raw, c, &unquoted);
        c->null = valid && model_is_null(f, spec, c, unquoted);
        c->asks = !c->null && !valid;
    }
    if (c->null) {
        c->asks = spec->not_null;
        c->length = 0;
        return;
    }
    if (spec->kind > COLUMNS_DICTIONARY) {
        c->asks |= !model_value(c, spec);
    }
    else if (spec->kind == COLUMNS_BINARY && f->layout.binary == COLUMNS_BINARY_ASKS) {
        c->asks |= c->length > 0;
    }
    else if (!c->asks) {
        bool is_inline = spec->kind == COLUMNS_UTF8_VIEW && c->length <= 12;
        c->charge = is_inline || spec->kind == COLUMNS_LARGE_UTF8 ? 0 : c->length;
    }
}

static void
model_of(const file *f, const fields_record *r, model_row *row)
{
    uint32_t count = fields_count(&f->machine, r);
    row->blank = count == 0 && f->layout.skips_blank;
    row->fault = !row->blank && (count < f->layout.least || count > f->layout.most);
    for (uint32_t j = 0; j < f->layout.count && !row->blank && !row->fault; j++) {
        model_cell(f, r, &f->specs[j], &row->cells[j]);
    }
}

/* The answers put in.  False if the record is dropped. */
static bool
settle_model(const file *f, uint32_t record, model_row *row)
{
    for (uint32_t j = 0; j < f->layout.count; j++) {
        cell *c = &row->cells[j];
        columns_kind kind = f->specs[j].kind;
        if (!c->asks) {
            continue;
        }
        switch (rule(f, record, j)) {
        case ANSWER_DROP:
            return false;
        case ANSWER_NULL:
            c->null = true;
            c->length = 0;
            break;
        default:
            c->null = false;
            memset(c->value, 0, sizeof c->value);
            if (kind == COLUMNS_BOOL) {
                c->value[0] = 1;
            }
            else if (kind == COLUMNS_DECIMAL128) {
                c->value[low_first() ? 0 : 15] = 1;
            }
            else if (kind > COLUMNS_DICTIONARY) {
                store_whole(c, kind, 1);
            }
            c->length = sizeof text_answer;
            memcpy(c->text, text_answer, sizeof text_answer);
            if (kind == COLUMNS_FLOAT32 || kind == COLUMNS_FLOAT64) {
                float single = 1.5F;
                double real = 1.5;
                memcpy(c->value, kind == COLUMNS_FLOAT32 ? (void *)&single : (void *)&real,
                       kind == COLUMNS_FLOAT32 ? 4 : 8);
            }
        }
    }
    return true;
}

/* ---- a batch, read ---- */

static const uint8_t *
array_text(const columns_array *a, int64_t row, size_t *length)
{
    const int32_t *v = (const int32_t *)a->values.data;
    const int64_t *large = (const int64_t *)a->values.data;
    const int32_t *entries = (const int32_t *)a->entries.data;
    switch (a->kind) {
    case COLUMNS_LARGE_UTF8:
        *length = (size_t)(large[row + 1] - large[row]);
        return a->data.data + large[row];
    case COLUMNS_UTF8_VIEW:
        *length = (size_t)v[4 * row];
        if (*length <= 12) {
            return (const uint8_t *)(v + 4 * row + 1);
        }
        CHECK(memcmp(v + 4 * row + 1, a->data.data + v[4 * row + 3], 4) == 0, "a prefix");
        return a->data.data + v[4 * row + 3];
    case COLUMNS_DICTIONARY:
        CHECK(v[row] < a->entry_count, "an index");
        *length = (size_t)(entries[v[row] + 1] - entries[v[row]]);
        return a->data.data + entries[v[row]];
    default:
        *length = (size_t)(v[row + 1] - v[row]);
        return a->data.data + v[row];
    }
}

static void
check_cell(const columns_array *a, int64_t row, const cell *c)
{
    size_t length;
    bool valid = a->null_count == 0 || (a->validity.data[row / 8] >> (row % 8) & 1);
    CHECK(valid == !c->null, "a null at %d: %d in kind %d, text %.*s", (int)row, (int)c->null,
          (int)a->kind, (int)c->length, (const char *)c->text);
    if (!valid) {
        return;
    }
    if (a->kind <= COLUMNS_DICTIONARY) {
        const uint8_t *text = array_text(a, row, &length);
        CHECK(length == c->length && memcmp(text, c->text, length) == 0,
              "a text: '%.*s', not '%.*s'", (int)length, (const char *)text, (int)c->length,
              (const char *)c->text);
    }
    else if (a->kind == COLUMNS_BOOL) {
        CHECK((a->values.data[row / 8] >> (row % 8) & 1) == c->value[0], "a bool");
    }
    else {
        size_t size = size_of(a->kind);
        CHECK(memcmp(a->values.data + (size_t)row * size, c->value, size) == 0, "a value");
    }
}

static void
check_shape(const columns_array *a, int64_t rows)
{
    const columns_buffer *buffers[] = {&a->validity, &a->values, &a->data, &a->entries};
    int64_t nulls = 0;
    CHECK(a->length == rows, "the length");
    for (size_t i = 0; i < 4; i++) {
        CHECK((uintptr_t)buffers[i]->data % 64 == 0, "the alignment");
        for (size_t k = buffers[i]->length; buffers[i]->data != NULL && k % 64 != 0; k++) {
            CHECK(buffers[i]->data[k] == 0, "the padding");
        }
    }
    CHECK((a->validity.data != NULL) == (a->null_count > 0), "a bitmap only with nulls");
    for (int64_t row = 0; a->null_count > 0 && row < rows; row++) {
        nulls += !(a->validity.data[row / 8] >> (row % 8) & 1);
    }
    CHECK(nulls == a->null_count, "the number of nulls");
}

static bool
same_bytes(const columns_buffer *a, const columns_buffer *b)
{
    return a->length == b->length &&
           (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

static void
check_same(const columns_batch *a, const columns_batch *b)
{
    CHECK(a->rows == b->rows && a->count == b->count, "as many rows");
    for (uint32_t j = 0; j < a->count; j++) {
        const columns_array *x = &a->arrays[j], *y = &b->arrays[j];
        CHECK(x->null_count == y->null_count && x->entry_count == y->entry_count &&
                  same_bytes(&x->validity, &y->validity) &&
                  same_bytes(&x->values, &y->values) && same_bytes(&x->data, &y->data) &&
                  same_bytes(&x->entries, &y->entries),
              "the same bytes in column %u of kind %d", (unsigned)j, (int)x->kind);
    }
}

/* ---- ways to lay out ---- */

typedef struct {
    columns_batch batches[MOST_BATCHES];
    size_t count;
} result;

static void
free_result(result *out)
{
    for (size_t i = 0; i < out->count; i++) {
        columns_batch_free(&out->batches[i]);
    }
    out->count = 0;
}

static bool
finish(columns *self, result *out)
{
    CHECK(out->count < MOST_BATCHES, "batches");
    if (!columns_finish(self, &out->batches[out->count])) {
        return false;
    }
    out->count++;
    return true;
}

/* Answer the questions about records that begin at `first`.  *too_long: one of them is that.
 */
static bool
answer_all(const file *f, columns *self, size_t first, bool *too_long)
{
    const columns_question *q;
    uint32_t last = 0;
    while ((q = columns_next_question(self)) != NULL) {
        CHECK(q->record >= last, "questions in order");
        last = q->record;
        *too_long |= q->kind == COLUMNS_TOO_LONG;
        if (q->column != UINT32_MAX && !give_answer(f, self, q, (uint32_t)first + q->record)) {
            return false;
        }
    }
    return columns_settle(self) == COLUMNS_FINE;
}

/* The next records: all, or some of them. */
static columns_records
some_records(const file *f, size_t first, uint32_t most)
{
    columns_records some = f->records;
    some.records += first;
    some.count -= first;
    if (most > 0 && some.count > 1) {
        size_t count = 1 + random_below(most);
        some.count = count < some.count ? count : some.count;
    }
    return some;
}

/* False if there is no memory. */
static bool
lay_directly(const file *f, uint32_t most, int64_t rows, columns *self, result *out)
{
    bool too_long = false;
    for (size_t first = 0; first < f->records.count;) {
        columns_records some = some_records(f, first, most);
        for (size_t at = 0; at < some.count;) {
            columns_status status = columns_append(self, &some, &at, rows);
            if (status == COLUMNS_NO_MEMORY ||
                (status == COLUMNS_ASKS && !answer_all(f, self, first, &too_long))) {
                return false;
            }
            CHECK(status != COLUMNS_FULL || self->rows > 0, "full with rows");
            if ((status == COLUMNS_FULL || self->rows == rows) && !finish(self, out)) {
                return false;
            }
        }
        first += some.count;
    }
    return self->rows == 0 || finish(self, out);
}

/* Join what a builder of a piece has. */
static bool
join_piece(columns *self, columns *piece, int64_t rows, result *out)
{
    for (int64_t row = 0; row < piece->rows;) {
        columns_status status = columns_join(self, piece, &row, rows);
        if (status == COLUMNS_NO_MEMORY ||
            ((status == COLUMNS_FULL || self->rows == rows) && !finish(self, out))) {
            return false;
        }
    }
    columns_clear(piece);
    return true;
}

static bool
lay_in_pieces(const file *f, uint32_t most, int64_t rows, columns *self, columns *piece,
              result *out)
{
    for (size_t first = 0; first < f->records.count;) {
        columns_records some = some_records(f, first, most);
        for (size_t at = 0; at < some.count;) {
            bool too_long = false;
            columns_status status = columns_append(piece, &some, &at, INT32_MAX);
            if (status == COLUMNS_NO_MEMORY ||
                (status == COLUMNS_ASKS && !answer_all(f, piece, first, &too_long))) {
                return false;
            }
            if (too_long && self->rows > 0 && !finish(self, out)) {
                return false;
            }
            if (!join_piece(self, piece, rows, out)) {
                return false;
            }
        }
        first += some.count;
    }
    return self->rows == 0 || finish(self, out);
}

/* ---- checks ---- */

/* The batches have the rows of the model, and end where they must. */
static void
check_against_model(const file *f, const result *out, int64_t rows)
{
    static model_row row;
    size_t charges[MOST_COLUMNS] = {0};
    size_t batch = 0;
    int64_t at = 0;
    for (size_t b = 0; b < out->count; b++) {
        for (uint32_t j = 0; j < f->layout.count; j++) {
            check_shape(&out->batches[b].arrays[j], out->batches[b].rows);
        }
    }
    for (size_t i = 0; i < f->records.count; i++) {
        model_of(f, &f->records.records[i], &row);
        bool fits = true, alone = true;
        for (uint32_t j = 0; j < f->layout.count && !row.blank && !row.fault; j++) {
            fits &= charges[j] + row.cells[j].charge <= f->layout.max_bytes;
            alone &= row.cells[j].charge <= f->layout.max_bytes;
        }
        if (row.blank || row.fault || (alone && !settle_model(f, (uint32_t)i, &row))) {
            continue;
        }
        if (at > 0 && (at == rows || !fits)) {
            CHECK(out->batches[batch].rows == at, "where a batch ends");
            batch++;
            at = 0;
            memset(charges, 0, sizeof charges);
        }
        if (!alone) {
            continue;
        }
        CHECK(batch < out->count, "another batch");
        CHECK(at < out->batches[batch].rows, "another row");
        for (uint32_t j = 0; j < f->layout.count; j++) {
            check_cell(&out->batches[batch].arrays[j], at, &row.cells[j]);
            charges[j] += row.cells[j].charge;
        }
        at++;
    }
    CHECK(at == 0 ? batch == out->count : batch + 1 == out->count, "no more batches");
    CHECK(at == 0 || out->batches[batch].rows == at, "no more rows");
}

static void
check_results(const result *a, const result *b)
{
    CHECK(a->count == b->count, "as many batches");
    for (size_t i = 0; i < a->count; i++) {
        check_same(&a->batches[i], &b->batches[i]);
    }
}

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
