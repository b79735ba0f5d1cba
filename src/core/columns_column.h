/* One column of the column machine, row by row: nulls, texts, dictionaries.  See columns.h. */
#ifndef GENERATORS_CORE_COLUMNS_COLUMN_H
#define GENERATORS_CORE_COLUMNS_COLUMN_H

#include "core/columns_inner.h"

#define COLUMNS_INLINE_VIEW 12 /* bytes of a text that a view itself holds */

/* Remember where the column is. */
void columns_column_mark(columns_column *column);

/* The rows from self->rows up to `rows` begin: make room for their values.  False if there is
   no memory. */
bool columns_column_begin(columns *self, columns_column *column, int64_t rows);

/* Go back to what was marked, with the rows before self->row_mark. */
void columns_column_revert(columns *self, columns_column *column);

/* The same for the bytes of its texts alone. */
void columns_column_cut_texts(columns *self, columns_column *column);

/* Forget all rows. */
void columns_column_clear(columns_column *column);

/* Make room for texts of `length` bytes together. */
INLINE bool
columns_column_reserve(columns *self, columns_column *column, size_t length)
{
    if (column->array.kind == COLUMNS_DICTIONARY) {
        return true;
    }
    columns_buffer *data = &column->array.data;
    return columns_array_reserve(self, data, data->length + length, column->data_room);
}

/* Mark a row, whose value is the placeholder, as null.  The column has `rows` rows.  False if
   there is no memory, but not if the bitmap has room. */
bool columns_column_null(columns *self, columns_column *column, int64_t row, int64_t rows);

/* Make room for the bitmap of `rows` rows. */
bool columns_column_reserve_nulls(columns *self, columns_column *column, int64_t rows);

/* Append a text as the value of a row, the next one.  There is room for it, but in a
   dictionary.  False if there is no memory. */
bool columns_column_put(columns *self, columns_column *column, int64_t row,
                        const uint8_t *bytes, size_t length);

/* Set the value of a row of texts, the next one, to a placeholder. */
void columns_column_skip(columns_column *column, int64_t row);

/* The text of an entry of a dictionary. */
INLINE const uint8_t *
columns_entry_text(const columns_array *array, int64_t entry, size_t *length)
{
    const int32_t *offsets = (const int32_t *)array->entries.data;
    *length = (size_t)(offsets[entry + 1] - offsets[entry]);
    return array->data.data + offsets[entry];
}

/* What a text counts towards max_bytes. */
INLINE size_t
columns_text_charge(columns_kind kind, size_t length)
{
    bool is_inline = kind == COLUMNS_UTF8_VIEW && length <= COLUMNS_INLINE_VIEW;
    return is_inline || kind == COLUMNS_LARGE_UTF8 ? 0 : length;
}

/* What the rows so far count towards it. */
INLINE size_t
columns_column_charge(const columns_column *column)
{
    switch (column->array.kind) {
    case COLUMNS_LARGE_UTF8:
        return 0;
    case COLUMNS_DICTIONARY:
        return column->charged;
    default:
        return column->array.data.length;
    }
}

#endif
