/* A plain statement of the column machine, which reads one field at a time, and the ways to
   lay out a file, each of whose batches must have its rows.  Questions are answered by a rule
   that knows only the record and the column.

   Whoever includes it has CHECK() and random_below(). */
#ifndef TESTS_COLUMNS_MODEL_H
#define TESTS_COLUMNS_MODEL_H

#include "core/columns.h"
#include "core/columns_join.h"
#include "core/convert_moment.h"
#include "core/fields.h"
#include "core/fields_span.h"
#include "core/number.h"
#include "core/number_decimal.h"
#include "core/number_moment.h"
#include "core/utf8.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_COLUMNS = 6,
    MOST_BATCHES = 2000,
};

/* ---- a file ---- */

typedef struct {
    columns_layout layout;
    columns_spec specs[MOST_COLUMNS];
    fields machine;
    columns_records records;
    void *block;
    bool may_drop; /* whether the rule drops records */
} file;

static const columns_text null_words[] = {{(const uint8_t *)"NA", 2},
                                          {(const uint8_t *)"null", 4},
                                          {(const uint8_t *)"\xC3\xA9t\xC3\xA9", 5}};

/* ---- values by a rule of the user's ---- */

enum { RULES = 6 };

typedef struct {
    convert_rule rule;
    columns_kind kind; /* of its column */
} ruled;

static const convert_word truths[] = {{(const uint8_t *)"ja", 2, true},
                                      {(const uint8_t *)"1", 1, true},
                                      {(const uint8_t *)"no", 2, false}};

/* A decimal comma and grouped digits; other words; and dates by a format. */
static void
make_rules(ruled *rules)
{
    static const char *const formats[] = {"%d.%m.%Y", "%Y-%m-%d %H:%M:%S.%f", "%I:%M %p"};
    static const convert_kind numbers[] = {CONVERT_NUMBER, CONVERT_INTEGER, CONVERT_DECIMAL};
    static const columns_kind of_numbers[] = {COLUMNS_FLOAT64, COLUMNS_INT64,
                                              COLUMNS_DECIMAL128};
    static const columns_kind of_formats[] = {COLUMNS_DATE32, COLUMNS_TIMESTAMP,
                                              COLUMNS_TIME64};
    for (int i = 0; i < 3; i++) {
        convert_rule *number = &rules[i].rule, *moment = &rules[3 + i].rule;
        *number = (convert_rule){.kind = numbers[i],
                                 .decimal = {{'.'}, 1},
                                 .thousands = {{{'_'}, 1}, {{0xC2, 0xA0}, 2}},
                                 .thousands_count = 2,
                                 .precision = 12,
                                 .scale = 3};
        *moment = (convert_rule){.kind = CONVERT_DATE};
        CHECK(
            convert_read_format(moment, (const uint8_t *)formats[i], strlen(formats[i]), true),
            "a format");
        rules[i].kind = of_numbers[i];
        rules[3 + i].kind = of_formats[i];
    }
    rules[RULES] =
        (ruled){{.kind = CONVERT_BOOLEAN, .words = truths, .word_count = 3}, COLUMNS_BOOL};
}

/* One of the columns that the rest of the specification fits. */
static void
choose_spec(columns_spec *spec, uint32_t fields_most)
{
    static ruled rules[RULES + 1];
    *spec = (columns_spec){
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
    spec->strip = spec->kind <= COLUMNS_DICTIONARY && spec->kind != COLUMNS_BINARY &&
                  random_below(3) == 0;
    if (random_below(4) == 0) {
        make_rules(rules);
        const ruled *chosen = &rules[random_below(RULES + 1)];
        spec->rule = &chosen->rule;
        spec->kind = chosen->kind;
        spec->precision = 12;
        spec->scale = 3;
        spec->strip = spec->zoned = false;
        spec->unit = COLUMNS_MICROSECONDS;
    }
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

/* Some are empty. */
static size_t
answer_length(uint32_t record, uint32_t column)
{
    return (record + column) % 4 == 0 ? 0 : sizeof text_answer;
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
        return columns_answer_bytes(self, q, (const uint8_t *)text_answer,
                                    answer_length(record, q->column));
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
store_wide(cell *c, wide value)
{
    memcpy(c->value + (low_first() ? 0 : 8), &value.low, 8);
    memcpy(c->value + (low_first() ? 8 : 0), &value.high, 8);
    return true;
}

static bool
model_whole(cell *c, columns_kind kind)
{
    int64_t value;
    uint64_t large;
    const columns_spec spec = {.kind = kind};
    if (kind == COLUMNS_UINT64) {
        return number_uint64(c->text, c->length, &large) == NUMBER_OK &&
               store_whole(c, kind, large);
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
model_by_rule(cell *c, const convert_rule *by)
{
    number_datetime_value t;
    bool truth;
    int64_t whole;
    double real;
    wide decimal;
    switch (by->kind) {
    case CONVERT_NUMBER:
        return convert_number(by, c->text, c->length, &real) == NUMBER_OK &&
               store(c, &real, 8);
    case CONVERT_INTEGER:
        return convert_integer(by, c->text, c->length, &whole) == NUMBER_OK &&
               store(c, &whole, 8);
    case CONVERT_DECIMAL:
        return convert_decimal(by, c->text, c->length, &decimal) == NUMBER_OK &&
               store_wide(c, decimal);
    case CONVERT_BOOLEAN:
        if (convert_boolean(by, c->text, c->length, &truth) != NUMBER_OK) {
            return false;
        }
        c->value[0] = truth;
        return true;
    default:
        break;
    }
    if (convert_moment(by, c->text, c->length, &t) != NUMBER_OK) {
        return false;
    }
    whole = number_days(&t.date);
    if (by->kind == CONVERT_DATE) {
        return store_whole(c, COLUMNS_DATE32, (uint64_t)whole);
    }
    whole = by->kind == CONVERT_TIME ? 0 : whole * 24;
    whole = ((whole + t.hour) * 60 + t.minute) * 60 + t.second;
    whole = whole * 1000000 + t.microsecond;
    return store(c, &whole, 8);
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
    if (spec->rule != NULL) {
        return model_by_rule(c, spec->rule);
    }
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
        return store_wide(c, decimal);
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
model_strip(cell *c)
{
    const uint8_t *text = c->text;
    convert_strip(&text, &c->length);
    memmove(c->text, text, c->length);
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
        if (valid && !c->null && spec->strip) {
            model_strip(c);
            c->null = model_is_null(f, spec, c, unquoted);
        }
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
            c->length = answer_length(record, j);
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

#endif
