/* Rows of a piece are copied column by column, many at a time. */
#include "core/columns_join.h"

#include "core/columns_column.h"

/* Rows of a piece that are appended. */
typedef struct {
    columns *self;
    const columns *piece;
    int64_t from; /* in the piece */
    int64_t count;
} rows_range;

/* ---- how many rows fit ---- */

static int64_t
offset_at(const columns_array *array, int64_t row)
{
    return array->kind == COLUMNS_LARGE_UTF8 ? ((const int64_t *)array->values.data)[row]
                                             : ((const int32_t *)array->values.data)[row];
}

/* The bytes that row `row` of a view or dictionary counts towards max_bytes. */
static size_t
row_charge(const columns_array *array, int64_t row)
{
    const int32_t *values = (const int32_t *)array->values.data;
    size_t length = 0;
    if (array->kind == COLUMNS_UTF8_VIEW) {
        length = (size_t)values[4 * row];
    }
    else if (array->null_count == 0 || columns_bit(array->validity.data, row)) {
        (void)columns_entry_text(array, values[row], &length);
    }
    return columns_text_charge(array->kind, length);
}

/* How many of the rows of a text column fit into the batch. */
static int64_t
fitting_rows(const rows_range *r, uint32_t j)
{
    const columns_column *from = &r->piece->columns[j];
    const columns_array *array = &from->array;
    const size_t most = r->self->layout->max_bytes;
    size_t charge = columns_column_charge(&r->self->columns[j]);
    if (array->kind == COLUMNS_LARGE_UTF8 || charge + columns_column_charge(from) <= most) {
        return r->count;
    }
    if (columns_has_offsets(array->kind)) {
        int64_t start = offset_at(array, r->from), fits = 0, beyond = r->count + 1;
        while (beyond - fits > 1) {
            int64_t middle = fits + (beyond - fits) / 2;
            int64_t bytes = offset_at(array, r->from + middle) - start;
            if (charge + (size_t)bytes <= most) {
                fits = middle;
            }
            else {
                beyond = middle;
            }
        }
        return fits;
    }
    for (int64_t i = 0; i < r->count; i++) {
        charge += row_charge(array, r->from + i);
        if (charge > most) {
            return i;
        }
    }
    return r->count;
}

/* ---- bits ---- */

/* Append bits to those before row `to`.  The bits after these are zero. */
static void
append_bits(uint8_t *out, int64_t to, const uint8_t *bits, int64_t from, int64_t count)
{
    while (count > 0 && (to & 7) != 0) {
        columns_set_bit(out, to++, columns_bit(bits, from++));
        count--;
    }
    const int shift = (int)(from & 7);
    for (; count >= 8; count -= 8, to += 8, from += 8) {
        uint32_t low = bits[from >> 3];
        uint32_t high = shift != 0 ? bits[(from >> 3) + 1] : 0;
        out[to >> 3] = (uint8_t)(low >> shift | high << (8 - shift));
    }
    for (; count > 0; count--) {
        columns_set_bit(out, to++, columns_bit(bits, from++));
    }
}

/* Append the nulls of the rows.  False if there is no memory. */
static bool
join_nulls(const rows_range *r, columns_column *to, const columns_array *from)
{
    columns_array *array = &to->array;
    const int64_t rows = r->self->rows;
    int64_t nulls = 0;
    if (from->null_count == 0) {
        return true; /* columns_column_begin() has made them valid */
    }
    for (int64_t i = 0; i < r->count; i++) {
        nulls += !columns_bit(from->validity.data, r->from + i);
    }
    if (nulls == 0) {
        return true;
    }
    if (!columns_column_reserve_nulls(r->self, to, rows + r->count)) {
        return false;
    }
    uint8_t *bits = array->validity.data;
    if (array->null_count == 0) {
        columns_fill_bits(bits, 0, rows, true);
    }
    columns_fill_bits(bits, rows, rows + r->count, false);
    append_bits(bits, rows, from->validity.data, r->from, r->count);
    array->validity.length = ((size_t)(rows + r->count) + 7) / 8;
    array->null_count += nulls;
    return true;
}

/* ---- texts ---- */

/* Append bytes to the data of a column.  False if there is no memory. */
static bool
join_bytes(const rows_range *r, columns_column *to, const uint8_t *bytes, size_t length)
{
    columns_buffer *data = &to->array.data;
    if (!columns_column_reserve(r->self, to, length)) {
        return false;
    }
    if (length > 0) {
        memcpy(data->data + data->length, bytes, length);
    }
    data->length += length;
    return true;
}

static bool
join_offsets(const rows_range *r, columns_column *to, const columns_array *from)
{
    const int64_t start = offset_at(from, r->from);
    const int64_t end = offset_at(from, r->from + r->count);
    const int64_t change = (int64_t)to->array.data.length - start;
    if (!join_bytes(r, to, from->data.data + start, (size_t)(end - start))) {
        return false;
    }
    if (from->kind == COLUMNS_LARGE_UTF8) {
        const int64_t *offsets = (const int64_t *)from->values.data + r->from + 1;
        int64_t *out = (int64_t *)to->array.values.data + r->self->rows + 1;
        for (int64_t i = 0; i < r->count; i++) {
            out[i] = offsets[i] + change;
        }
        return true;
    }
    const int32_t *offsets = (const int32_t *)from->values.data + r->from + 1;
    int32_t *out = (int32_t *)to->array.values.data + r->self->rows + 1;
    for (int64_t i = 0; i < r->count; i++) {
        out[i] = offsets[i] + (int32_t)change;
    }
    return true;
}

/* The texts that are not in their views lie in the order of rows, without gaps. */
static bool
join_views(const rows_range *r, columns_column *to, const columns_array *from)
{
    const int32_t *views = (const int32_t *)from->values.data + 4 * r->from;
    int32_t *out = (int32_t *)to->array.values.data + 4 * r->self->rows;
    int64_t start = -1, end = -1;
    for (int64_t i = 0; i < r->count; i++) {
        if (views[4 * i] > COLUMNS_INLINE_VIEW) {
            start = start < 0 ? views[4 * i + 3] : start;
            end = (int64_t)views[4 * i + 3] + views[4 * i];
        }
    }
    memcpy(out, views, (size_t)r->count * 16);
    if (start < 0) {
        return true;
    }
    const int32_t change = (int32_t)((int64_t)to->array.data.length - start);
    for (int64_t i = 0; i < r->count; i++) {
        out[4 * i + 3] += out[4 * i] > COLUMNS_INLINE_VIEW ? change : 0;
    }
    return join_bytes(r, to, from->data.data + start, (size_t)(end - start));
}

/* Each entry is looked up once, in the order in which rows first have it. */
static bool
join_dictionary(const rows_range *r, columns_column *to, const columns_array *from)
{
    columns *self = r->self;
    const int32_t *indices = (const int32_t *)from->values.data + r->from;
    int32_t *out = (int32_t *)to->array.values.data + self->rows;
    const size_t size = (size_t)from->entry_count * sizeof(int32_t);
    if (!columns_reserve(self, &self->scratch, size)) {
        return false;
    }
    int32_t *places = (int32_t *)self->scratch.data; /* of the entries, plus one */
    if (size > 0) {
        memset(places, 0, size);
    }
    for (int64_t i = 0; i < r->count; i++) {
        if (from->null_count > 0 && !columns_bit(from->validity.data, r->from + i)) {
            out[i] = 0;
            continue;
        }
        size_t length;
        const uint8_t *text = columns_entry_text(from, indices[i], &length);
        if (places[indices[i]] != 0) {
            out[i] = places[indices[i]] - 1;
            to->charged += length;
            continue;
        }
        if (!columns_column_put(self, to, self->rows + i, text, length)) {
            return false;
        }
        places[indices[i]] = out[i] + 1;
    }
    return true;
}

/* ---- columns ---- */

static bool
join_column(const rows_range *r, uint32_t j)
{
    columns_column *to = &r->self->columns[j];
    const columns_array *from = &r->piece->columns[j].array;
    const size_t size = columns_value_size(from->kind);
    if (!join_nulls(r, to, from)) {
        return false;
    }
    if (columns_has_offsets(from->kind)) {
        return join_offsets(r, to, from);
    }
    if (from->kind == COLUMNS_UTF8_VIEW) {
        return join_views(r, to, from);
    }
    if (from->kind == COLUMNS_DICTIONARY) {
        return join_dictionary(r, to, from);
    }
    if (from->kind == COLUMNS_BOOL) {
        append_bits(to->array.values.data, r->self->rows, from->values.data, r->from,
                    r->count);
        return true;
    }
    memcpy(to->array.values.data + (size_t)r->self->rows * size,
           from->values.data + (size_t)r->from * size, (size_t)r->count * size);
    return true;
}

static bool
join_columns(const rows_range *r)
{
    columns *self = r->self;
    for (uint32_t j = 0; j < self->layout->count; j++) {
        columns_column_mark(&self->columns[j]);
    }
    for (uint32_t j = 0; j < self->layout->count; j++) {
        if (!columns_column_begin(self, &self->columns[j], self->rows + r->count) ||
            !join_column(r, j)) {
            return false;
        }
    }
    return true;
}

columns_status
columns_join(columns *self, const columns *piece, int64_t *at, int64_t rows)
{
    rows_range r = {self, piece, *at, piece->rows - *at};
    if (r.count > rows - self->rows) {
        r.count = rows - self->rows;
    }
    const int64_t wanted = r.count;
    for (uint32_t j = 0; j < self->layout->count; j++) {
        if (columns_is_text(self->layout->specs[j].kind)) {
            r.count = fitting_rows(&r, j);
        }
    }
    if (r.count == 0) {
        return wanted == 0 ? COLUMNS_FINE : COLUMNS_FULL;
    }
    self->row_mark = self->rows;
    if (!join_columns(&r)) {
        for (uint32_t j = 0; j < self->layout->count; j++) {
            columns_column_revert(self, &self->columns[j]);
        }
        return COLUMNS_NO_MEMORY;
    }
    self->rows += r.count;
    *at += r.count;
    return COLUMNS_FINE;
}

size_t
columns_place(const columns *self, int64_t row)
{
    const size_t index = (size_t)(row - self->row_mark);
    return self->places_used ? ((const uint32_t *)self->places.data)[index]
                             : self->first_place + index;
}
