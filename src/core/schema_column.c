/* A value that was counted already is of every type that is alive: it only adds one to its
 * count.  A value that equals the one before it adds nothing.
 *
 * A value whose type only Python can tell changes nothing before that is known, so that a
 * column that stopped there begins with it again.
 */
#include "core/schema_column.h"

#include <string.h>

#include "core/columns_content.h"
#include "core/number.h"
#include "core/schema_distinct.h"
#include "core/schema_moment.h"
#include "core/schema_number.h"

#define MOMENTS \
    (SCHEMA_BIT(SCHEMA_DATE) | SCHEMA_BIT(SCHEMA_TIME) | SCHEMA_BIT(SCHEMA_DATETIME))

/* One value, while it is looked at. */
typedef struct {
    const uint8_t *bytes;
    size_t length;
    uint64_t word; /* the first eight bytes, or fewer and zeros */
    bool passing;  /* the bytes do not stay where they are */
    bool high;     /* some byte may be no ASCII */
    uint64_t record;
} value;

/* What the loop keeps of the value before. */
typedef struct {
    const uint8_t *bytes;
    size_t length;
    uint64_t word;
    uint32_t marks;
} last_value;

/* ---- types ---- */

void
schema_column_give_up(schema_column *self, schema_type type, const schema_sample *sample)
{
    if (!(self->alive & SCHEMA_BIT(type))) {
        return;
    }
    if (type == SCHEMA_DATE) {
        schema_moment_drop_dates(self);
        self->dates.any = false;
    }
    self->alive &= ~SCHEMA_BIT(type);
    self->against[type] = *sample;
}

void
schema_column_limit(schema_column *self, uint32_t alive)
{
    static const schema_sample none;
    for (int type = 0; type < SCHEMA_TYPES; type++) {
        if (!(alive & SCHEMA_BIT(type))) {
            schema_column_give_up(self, (schema_type)type, &none);
        }
    }
}

static void
give_up_types(schema_column *column, uint32_t types, const value *v)
{
    schema_sample sample;
    if (types == 0) {
        return;
    }
    schema_sample_set(&sample, v->record, v->bytes, v->length);
    for (int type = 0; type < SCHEMA_TYPES; type++) {
        if (types & SCHEMA_BIT(type)) {
            schema_column_give_up(column, (schema_type)type, &sample);
        }
    }
}

/* Find out which of the types that are alive have the value.  Types other than numbers. */
static schema_status
check_others(schema *self, schema_column *column, const value *v, uint32_t *not_of)
{
    if (column->alive & SCHEMA_BIT(SCHEMA_BOOL)) {
        bool truth;
        if (number_bool(v->bytes, v->length, &truth) == NUMBER_OK) {
            column->truths |= truth ? 2 : 1;
        }
        else {
            *not_of |= SCHEMA_BIT(SCHEMA_BOOL);
        }
    }
    if (column->alive & MOMENTS) {
        uint32_t moments;
        schema_status status = schema_moment_add(self, column, v->bytes, v->length, &moments);
        if (status != SCHEMA_FINE) {
            return status;
        }
        *not_of |= moments;
    }
    return SCHEMA_FINE;
}

INLINE schema_status
check_types(schema *self, schema_column *column, const value *v)
{
    uint32_t not_of = 0;
    if (column->alive & ~SCHEMA_NUMBERS) {
        const value copy = *v; /* so that *v can be in registers */
        schema_status status = check_others(self, column, &copy, &not_of);
        if (status != SCHEMA_FINE) {
            return status;
        }
    }
    if (column->alive & SCHEMA_NUMBERS) {
        int64_t digits;
        uint32_t scale;
        bool whole, leading_zero;
        if (schema_number_quick(v->bytes, v->length, &digits, &scale, &whole, &leading_zero) &&
            (whole || !(column->alive & SCHEMA_BIT(SCHEMA_INT))) &&
            schema_number_add_quick(&column->number, digits, scale)) {
            column->number.marks = leading_zero ? 1U << SCHEMA_LEADING_ZERO : 0;
        }
        else {
            uint32_t numbers;
            schema_status status =
                schema_number_add(self, column, v->bytes, v->length, v->passing, &numbers);
            if (status != SCHEMA_FINE) {
                return status;
            }
            not_of |= numbers;
        }
    }
    if (not_of != 0) {
        const value copy = *v;
        give_up_types(column, not_of, &copy);
    }
    return SCHEMA_FINE;
}

/* ---- texts ---- */

static size_t
count_points(const uint8_t *bytes, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        count += (bytes[i] & 0xC0) != 0x80;
    }
    return count;
}

/* The order of words is that of their bytes. */
INLINE uint64_t
key_of(uint64_t word)
{
#if defined(__GNUC__) || defined(__clang__)
    return __builtin_bswap64(word);
#else
    return _byteswap_uint64(word);
#endif
}

/* Keep a text as the least or the greatest.  False if there is no memory. */
static bool
keep_text(schema *self, schema_text *text, const value *v)
{
    if (v->passing) {
        return schema_text_copy(text, self->allocate, v->bytes, v->length);
    }
    schema_text_borrow(text, v->bytes, v->length);
    return true;
}

/* A value whose key is not between those of the least and of the greatest. */
static bool
compare_text(schema *self, schema_column *column, const value *v, uint64_t key)
{
    const bool first = column->least.bytes == NULL;
    if (first || schema_bytes_compare(v->bytes, v->length, column->least.bytes,
                                      column->least.length) < 0) {
        column->least_key = key;
        if (!keep_text(self, &column->least, v)) {
            return false;
        }
    }
    if (first || schema_bytes_compare(v->bytes, v->length, column->greatest.bytes,
                                      column->greatest.length) > 0) {
        column->greatest_key = key;
        if (!keep_text(self, &column->greatest, v)) {
            return false;
        }
    }
    return true;
}

/* Measure a value that was not seen before. */
INLINE bool
measure(schema *self, schema_column *column, const value *v)
{
    const uint64_t key = key_of(v->word);
    const size_t points = v->high ? count_points(v->bytes, v->length) : v->length;
    if (points < column->shortest) {
        column->shortest = points;
    }
    if (points > column->longest) {
        column->longest = points;
    }
    if (v->length > column->most_bytes) {
        column->most_bytes = v->length;
    }
    if (column->least.bytes == NULL) {
        schema_sample_set(&column->first, v->record, v->bytes, v->length);
    }
    else if (key > column->least_key && key < column->greatest_key) {
        return true;
    }
    const value copy = *v;
    return compare_text(self, column, &copy, key);
}

/* ---- values ---- */

/* Count a value.  `marks` are those of a number. */
INLINE void
count_value(schema_column *column, uint32_t marks)
{
    column->values++;
    for (int mark = 0; marks != 0; mark++, marks >>= 1) {
        column->number.marked[mark] += marks & 1;
    }
}

INLINE schema_status
add_value(schema *self, schema_column *column, const value *v, last_value *last)
{
    uint64_t hash = 0;
    const bool counts = !column->distinct.over;
    if (counts) {
        hash = schema_hash(self->layout->reading.seed, v->word, v->bytes, v->length);
        schema_entry *entry =
            schema_distinct_find(&column->distinct, hash, v->word, v->bytes, v->length);
        if (entry != NULL) {
            entry->count++;
            count_value(column, entry->marks);
            return SCHEMA_FINE;
        }
    }
    else if (v->length == last->length && v->word == last->word &&
             (v->length <= 8 || memcmp(v->bytes + 8, last->bytes + 8, v->length - 8) == 0)) {
        count_value(column, last->marks);
        return SCHEMA_FINE;
    }
    column->number.marks = 0;
    if (column->alive != 0) {
        schema_status status = check_types(self, column, v);
        if (status != SCHEMA_FINE) {
            return status;
        }
    }
    const uint32_t marks = column->number.marks;
    const schema_entry entry = {
        .word = v->word, .count = 1, .length = (uint32_t)v->length, .marks = marks};
    if (!measure(self, column, v) ||
        (counts && !schema_distinct_add(&column->distinct, self->layout, self->allocate, hash,
                                        &entry, v->bytes))) {
        return SCHEMA_NO_MEMORY;
    }
    count_value(column, marks);
    if (!v->passing) {
        *last = (last_value){v->bytes, v->length, v->word, marks};
    }
    return SCHEMA_FINE;
}

/* A value that can't be UTF-8, since it has half of a surrogate pair: no type but str has it,
   and it is not compared. */
static void
add_invalid(schema *self, schema_column *column, size_t units, uint64_t record)
{
    const value v = {.bytes = (const uint8_t *)"", .record = record};
    give_up_types(column, column->alive, &v);
    schema_distinct_free(&column->distinct, self->allocate);
    column->distinct = (schema_distinct){.over = true};
    column->not_unicode = true;
    column->values++;
    if (units < column->shortest) {
        column->shortest = units;
    }
    if (units > column->longest) {
        column->longest = units;
    }
}

/* A field that is empty or can't be read as text. */
static void
add_nothing(schema *self, schema_column *column, const columns_content *content,
            const fields_record *record, const uint32_t *ends, uint32_t j, uint64_t number)
{
    const uint32_t start = j == 0 ? record->start : ends[record->first + j - 1] + 1;
    if (content->invalid) {
        add_invalid(self, column, ends[record->first + j] - start, number);
    }
    else {
        column->empty++;
    }
}

/* The first eight bytes of a text, or fewer and zeros.  `room`: bytes that may be read. */
INLINE uint64_t
word_of(const uint8_t *bytes, size_t length, size_t room)
{
    if (room >= 8) { /* without a branch for the length, which is hard to predict */
        const size_t unused = length < 8 ? 8 - length : 0;
        return load8(bytes) & (~UINT64_C(0) >> (8 * unused));
    }
    return load_short(bytes, length);
}

static bool
is_blank(const fields_record *record, const uint32_t *ends)
{
    return record->last - record->first == 1 && ends[record->first] == record->start;
}

schema_status
schema_column_add(schema *self, uint32_t j, const columns_records *records, size_t from,
                  size_t to)
{
    schema_column *column = &self->columns[j];
    const columns_region g = {.self = &self->reader, .source = records};
    const columns_spec spec = {.takes_nulls = true};
    const uint32_t *ends = records->ends;
    const uint8_t *block = records->block;
    const uint32_t hard_flags = columns_hard_flags(&g, false);
    const bool hard = columns_is_hard(&g);
    const uint64_t null_lengths = self->reader.null_lengths;
    last_value last = {0};
    for (size_t i = from; i < to; i++) {
        const fields_record *record = &records->records[i];
        columns_content content = columns_read(&g, record, j, hard, hard_flags, false);
        if (content.length == 0) {
            if (content.failed) {
                return SCHEMA_NO_MEMORY;
            }
            if (!content.missing) {
                add_nothing(self, column, &content, record, ends, j, self->base + i + 1);
            }
            else if (!is_blank(record, ends)) {
                column->missing++;
            }
            continue;
        }
        if (null_lengths != 0 && content.unquoted &&
            columns_content_is_null(&g, &spec, &content)) {
            column->spelled++;
            continue;
        }
        const bool inside = content.bytes >= block && content.bytes < block + records->length;
        value v = {
            .bytes = content.bytes,
            .length = content.length,
            .passing = !inside,
            .high = (record->flags & FIELDS_HIGH) != 0 || records->width != 1,
            .record = self->base + i + 1,
        };
        v.word = word_of(v.bytes, v.length,
                         inside ? (size_t)(block + records->length - v.bytes) : v.length);
        schema_status status = add_value(self, column, &v, &last);
        if (status != SCHEMA_FINE) {
            column->stopped = i;
            return status;
        }
    }
    column->stopped = SIZE_MAX;
    return SCHEMA_FINE;
}

static void
list_texts(schema_column *self, schema_text *texts[4])
{
    texts[0] = &self->least;
    texts[1] = &self->greatest;
    texts[2] = &self->number.least;
    texts[3] = &self->number.greatest;
}

bool
schema_column_own(schema *self, uint32_t j)
{
    schema_text *texts[4];
    list_texts(&self->columns[j], texts);
    for (size_t i = 0; i < 4; i++) {
        if (!schema_text_own(texts[i], self->allocate)) {
            return false;
        }
    }
    return true;
}

/* ---- several parts ---- */

/* Give up the types that either has given up.  If their datetimes differ in the zone, the
   first value of the part is against them, whatever comes after it. */
static void
merge_types(schema_column *into, schema_column *from)
{
    if (schema_moment_differs(into, from)) {
        schema_column_give_up(into, SCHEMA_DATETIME, &from->first);
    }
    for (int type = 0; type < SCHEMA_TYPES; type++) {
        if (!(from->alive & SCHEMA_BIT(type))) {
            schema_column_give_up(into, (schema_type)type, &from->against[type]);
        }
    }
    schema_column_limit(from, into->alive);
}

static bool
merge_texts(schema *self, schema_column *into, const schema_column *from)
{
    const schema_text *texts[2] = {&from->least, &from->greatest};
    for (int i = 0; i < 2; i++) {
        value v = {.bytes = texts[i]->bytes, .length = texts[i]->length, .passing = true};
        v.word = word_of(v.bytes, v.length, v.length);
        const bool first = into->least.bytes == NULL;
        if ((first || schema_bytes_compare(v.bytes, v.length, into->least.bytes,
                                           into->least.length) < 0)) {
            into->least_key = key_of(v.word);
            if (!keep_text(self, &into->least, &v)) {
                return false;
            }
        }
        if ((first || schema_bytes_compare(v.bytes, v.length, into->greatest.bytes,
                                           into->greatest.length) > 0)) {
            into->greatest_key = key_of(v.word);
            if (!keep_text(self, &into->greatest, &v)) {
                return false;
            }
        }
    }
    return true;
}

/* The records of a part are numbered from 1 on. */
static void
shift_samples(schema_column *part, uint64_t base)
{
    part->first.record += part->first.record > 0 ? base : 0;
    for (int type = 0; type < SCHEMA_TYPES; type++) {
        part->against[type].record += base;
    }
}

schema_status
schema_column_merge(schema *self, schema_column *into, schema_column *from, uint64_t base)
{
    shift_samples(from, base);
    merge_types(into, from);
    if ((from->least.bytes != NULL && !merge_texts(self, into, from)) ||
        !schema_number_merge(&into->number, &from->number, self->allocate) ||
        !schema_distinct_merge(&into->distinct, self->layout, self->allocate,
                               &from->distinct)) {
        return SCHEMA_NO_MEMORY;
    }
    if (into->first.record == 0) {
        into->first = from->first;
    }
    if (from->dates.any || from->moments.any) {
        into->zoned = from->zoned;
    }
    schema_range_merge(&into->dates, &from->dates);
    schema_range_merge(&into->times, &from->times);
    schema_range_merge(&into->moments, &from->moments);
    into->truths |= from->truths;
    into->values += from->values;
    into->empty += from->empty;
    into->spelled += from->spelled;
    into->missing += from->missing;
    into->not_unicode |= from->not_unicode;
    if (from->shortest < into->shortest) {
        into->shortest = from->shortest;
    }
    if (from->longest > into->longest) {
        into->longest = from->longest;
    }
    if (from->most_bytes > into->most_bytes) {
        into->most_bytes = from->most_bytes;
    }
    return SCHEMA_FINE;
}

/* ---- lifetime ---- */

void
schema_column_restart(schema_column *self, uint32_t alive, bool counts)
{
    schema_column fresh = {.alive = alive, .shortest = SIZE_MAX, .stopped = SIZE_MAX};
    schema_text *own[4], *new[4];
    list_texts(self, own);
    list_texts(&fresh, new);
    for (int i = 0; i < 4; i++) {
        new[i]->memory = own[i]->memory;
    }
    fresh.distinct = self->distinct;
    schema_distinct_clear(&fresh.distinct);
    fresh.distinct.over = !counts;
    *self = fresh;
}

void
schema_column_free(schema_column *self, columns_allocator allocate)
{
    schema_text *texts[4];
    list_texts(self, texts);
    for (int i = 0; i < 4; i++) {
        columns_buffer_free(&texts[i]->memory, allocate);
    }
    schema_distinct_free(&self->distinct, allocate);
}
