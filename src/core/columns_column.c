/* A dictionary finds its entries by a hash table with linear probing.  Entries are removed
 * only in the opposite order of insertion, so a slot can simply be emptied.  The hash depends
 * on the layout's seed, so that a file can't be made of texts that collide.
 */
#include "core/columns_column.h"

#include "core/digits.h"
#include "core/wide.h"

#define FIRST_SLOTS 64

typedef struct {
    uint32_t hash;  /* its upper half */
    uint32_t entry; /* plus one; 0 for none */
} slot;

/* ---- nulls ---- */

bool
columns_column_reserve_nulls(columns *self, columns_column *column, int64_t rows)
{
    columns_buffer *bits = &column->array.validity;
    return columns_array_reserve(self, bits, ((size_t)rows + 7) / 8, column->validity_room);
}

/* Rows from `from` on are valid. */
static bool
column_extend_nulls(columns *self, columns_column *column, int64_t from, int64_t rows)
{
    if (!columns_column_reserve_nulls(self, column, rows)) {
        return false;
    }
    columns_fill_bits(column->array.validity.data, from, rows, true);
    column->array.validity.length = ((size_t)rows + 7) / 8;
    return true;
}

bool
columns_column_null(columns *self, columns_column *column, int64_t row, int64_t rows)
{
    columns_array *array = &column->array;
    if (array->null_count == 0 && !column_extend_nulls(self, column, 0, rows)) {
        return false;
    }
    columns_set_bit(array->validity.data, row, false);
    array->null_count++;
    return true;
}

/* ---- dictionaries ---- */

static uint64_t
mix(uint64_t a, uint64_t b)
{
    wide product = wide_multiply(a, b);
    return product.high ^ product.low;
}

static uint64_t
hash_text(uint64_t seed, const uint8_t *bytes, size_t length)
{
    const uint64_t odd = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t hash = seed ^ odd;
    size_t left = length;
    for (; left >= 8; left -= 8, bytes += 8) {
        hash = mix(hash ^ load8(bytes), seed | odd);
    }
    uint64_t rest = left == 0 ? 0 : load_short(bytes, left);
    hash = mix(hash ^ rest, seed | odd);
    return mix(hash ^ length, odd);
}

/* Put an entry that is in no slot into one.  There is a free one. */
static void
insert_entry(columns_column *column, uint64_t hash, int64_t entry)
{
    slot *slots = (slot *)column->slots.data;
    size_t mask = column->slots.length / sizeof *slots - 1;
    size_t at = (size_t)hash & mask;
    while (slots[at].entry != 0) {
        at = (at + 1) & mask;
    }
    slots[at] = (slot){(uint32_t)(hash >> 32), (uint32_t)entry + 1};
}

/* Make the table larger. */
static bool
grow_slots(columns *self, columns_column *column)
{
    columns_array *array = &column->array;
    size_t length = column->slots.length * 2;
    length = length > 0 ? length : FIRST_SLOTS * sizeof(slot);
    if (!columns_reserve(self, &column->slots, length)) {
        return false;
    }
    column->slots.length = length;
    memset(column->slots.data, 0, length);
    for (int64_t i = 0; i < array->entry_count; i++) {
        size_t count;
        const uint8_t *text = columns_entry_text(array, i, &count);
        insert_entry(column, hash_text(self->layout->seed, text, count), i);
    }
    return true;
}

static bool
add_entry(columns *self, columns_column *column, const uint8_t *bytes, size_t length)
{
    columns_array *array = &column->array;
    size_t offsets = ((size_t)array->entry_count + 2) * sizeof(int32_t);
    if (!columns_array_reserve(self, &array->data, array->data.length + length, 0) ||
        !columns_array_reserve(self, &array->entries, offsets, 0)) {
        return false;
    }
    if (length > 0) {
        memcpy(array->data.data + array->data.length, bytes, length);
    }
    array->data.length += length;
    array->entries.length = offsets;
    int32_t *ends = (int32_t *)array->entries.data;
    ends[0] = 0;
    ends[++array->entry_count] = (int32_t)array->data.length;
    return true;
}

/* The index of a text, which is added if it is new; -1 if there is no memory. */
static int64_t
find_entry(columns *self, columns_column *column, const uint8_t *bytes, size_t length)
{
    columns_array *array = &column->array;
    if (((size_t)array->entry_count + 1) * 2 > column->slots.length / sizeof(slot) &&
        !grow_slots(self, column)) {
        return -1;
    }
    uint64_t hash = hash_text(self->layout->seed, bytes, length);
    const slot *slots = (const slot *)column->slots.data;
    size_t mask = column->slots.length / sizeof *slots - 1;
    size_t at = (size_t)hash & mask;
    for (; slots[at].entry != 0; at = (at + 1) & mask) {
        if (slots[at].hash == (uint32_t)(hash >> 32)) {
            size_t count;
            int64_t entry = (int64_t)slots[at].entry - 1;
            const uint8_t *text = columns_entry_text(array, entry, &count);
            if (count == length && (count == 0 || memcmp(text, bytes, count) == 0)) {
                return entry;
            }
        }
    }
    if (!add_entry(self, column, bytes, length)) {
        return -1;
    }
    insert_entry(column, hash, array->entry_count - 1);
    return array->entry_count - 1;
}

/* Remove the entries from `count` on. */
static void
cut_entries(columns *self, columns_column *column, int64_t count)
{
    columns_array *array = &column->array;
    slot *slots = (slot *)column->slots.data;
    size_t mask = column->slots.length / sizeof *slots - 1;
    while (array->entry_count > count) {
        size_t length;
        int64_t entry = array->entry_count - 1;
        const uint8_t *text = columns_entry_text(array, entry, &length);
        size_t at = (size_t)hash_text(self->layout->seed, text, length) & mask;
        while (slots[at].entry != (uint32_t)entry + 1) {
            at = (at + 1) & mask;
        }
        slots[at].entry = 0;
        array->entry_count = entry;
        array->data.length -= length;
    }
}

/* ---- texts ---- */

static void
put_view(columns_column *column, int64_t row, const uint8_t *bytes, size_t length)
{
    columns_array *array = &column->array;
    uint8_t *view = array->values.data + (size_t)row * 16;
    int32_t parts[4] = {(int32_t)length, 0, 0, (int32_t)array->data.length};
    if (length <= COLUMNS_INLINE_VIEW) {
        parts[3] = 0;
        memcpy(view, parts, 16);
        if (length > 0) {
            memcpy(view + 4, bytes, length);
        }
        return;
    }
    memcpy(&parts[1], bytes, 4);
    memcpy(view, parts, 16);
    memcpy(array->data.data + array->data.length, bytes, length);
    array->data.length += length;
}

bool
columns_column_put(columns *self, columns_column *column, int64_t row, const uint8_t *bytes,
                   size_t length)
{
    columns_array *array = &column->array;
    if (array->kind == COLUMNS_DICTIONARY) {
        int64_t entry = find_entry(self, column, bytes, length);
        if (entry < 0) {
            return false;
        }
        ((int32_t *)array->values.data)[row] = (int32_t)entry;
        column->charged += length;
        return true;
    }
    if (array->kind == COLUMNS_UTF8_VIEW) {
        put_view(column, row, bytes, length);
        return true;
    }
    if (length > 0) {
        memcpy(array->data.data + array->data.length, bytes, length);
    }
    array->data.length += length;
    if (array->kind == COLUMNS_LARGE_UTF8) {
        ((int64_t *)array->values.data)[row + 1] = (int64_t)array->data.length;
    }
    else {
        ((int32_t *)array->values.data)[row + 1] = (int32_t)array->data.length;
    }
    return true;
}

void
columns_column_skip(columns_column *column, int64_t row)
{
    columns_array *array = &column->array;
    const size_t size = columns_value_size(array->kind);
    uint8_t *values = array->values.data + (size_t)row * size;
    if (columns_has_offsets(array->kind)) {
        memcpy(values + size, values, size);
    }
    else {
        memset(values, 0, size);
    }
}

/* ---- rows that begin, or are given up ---- */

void
columns_column_mark(columns_column *column)
{
    const columns_array *array = &column->array;
    column->data_mark = array->data.length;
    column->charged_mark = column->charged;
    column->null_mark = array->null_count;
    column->entry_mark = array->entry_count;
    column->answers.length = 0;
}

bool
columns_column_begin(columns *self, columns_column *column, int64_t rows)
{
    columns_array *array = &column->array;
    const int64_t before = self->rows;
    array->values.length = before == 0 ? 0 : columns_values_length(array->kind, before);
    if (!columns_array_reserve(self, &array->values, columns_values_length(array->kind, rows),
                               column->values_room)) {
        return false;
    }
    if (before == 0 && columns_has_offsets(array->kind)) {
        memset(array->values.data, 0, columns_value_size(array->kind));
    }
    if (array->kind == COLUMNS_BOOL) {
        columns_fill_bits(array->values.data, before, rows, false);
    }
    return array->null_count == 0 || column_extend_nulls(self, column, before, rows);
}

static void
cut_bits(columns_buffer *bits, int64_t rows)
{
    bits->length = ((size_t)rows + 7) / 8;
    if (rows & 7) {
        bits->data[rows / 8] &= (uint8_t)((1 << (rows & 7)) - 1);
    }
}

void
columns_column_cut_texts(columns *self, columns_column *column)
{
    if (column->array.kind == COLUMNS_DICTIONARY) {
        cut_entries(self, column, column->entry_mark);
    }
    column->array.data.length = column->data_mark;
    column->charged = column->charged_mark;
}

void
columns_column_revert(columns *self, columns_column *column)
{
    columns_array *array = &column->array;
    columns_column_cut_texts(self, column);
    array->null_count = column->null_mark;
    if (array->null_count > 0) {
        cut_bits(&array->validity, self->row_mark);
    }
}

void
columns_column_clear(columns_column *column)
{
    columns_array *array = &column->array;
    array->null_count = 0;
    array->entry_count = 0;
    array->data.length = array->validity.length = array->values.length = 0;
    array->entries.length = 0;
    column->charged = 0;
    if (column->slots.length > 0) {
        memset(column->slots.data, 0, column->slots.length);
    }
}
