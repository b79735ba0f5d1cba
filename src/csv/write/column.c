/* csv_column: one column of an Arrow batch as CSV fields, some rows at a time.
 *
 * The kind of the column is asked once for these rows and not for each.  A dictionary is
 * written once for each batch, unless it is much longer than the batch, and so are the values
 * of runs.  Nested values become Python objects, whose str() is written.
 *
 * It owns its cells.  It borrows the type and the arrays from the source of the batches.  User
 * code runs only where there are Python objects: str() of what lists hold, and time zones.
 */
#include "csv/write/column.h"

#include <string.h>

#include "csv/write/column_format.h"
#include "csv/write/column_object.h"
#include "csv/write/column_spell.h"
#include "csv/write/column_text.h"
#include "csv/write/column_zone.h"

/* ---- lifetime ---- */

static csv_column *
new_values(const csv_style *style, const arrow_type *type)
{
    csv_column *values = PyMem_RawCalloc(1, sizeof *values);
    if (values == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (csv_column_open(values, style, type) < 0) {
        csv_column_free(values);
        PyMem_RawFree(values);
        return NULL;
    }
    return values;
}

int
csv_column_open(csv_column *self, const csv_style *style, const arrow_type *type)
{
    *self = (csv_column){.type = type};
    csv_cells_init(&self->cells, style);
    if (type == NULL) {
        return 0;
    }
    const arrow_type *values = type->dictionary != NULL      ? type->dictionary
                               : type->kind == ARROW_RUN_END ? &type->children[1]
                                                             : NULL;
    if (values != NULL) {
        self->values = new_values(style, values);
        return self->values == NULL ? -1 : 0;
    }
    return type->kind == ARROW_TIMESTAMP ? csv_zone_open(&self->zone, type->zone) : 0;
}

void
csv_column_free(csv_column *self)
{
    csv_cells_free(&self->cells);
    csv_zone_free(self->zone);
    PyMem_RawFree(self->specials);
    csv_column *values = self->values;
    *self = (csv_column){.type = NULL};
    if (values != NULL) {
        csv_column_free(values);
        PyMem_RawFree(values);
    }
}

/* ---- dictionaries and runs ---- */

static int
begin_values(csv_column *self, int64_t count)
{
    csv_column *values = self->values;
    const struct ArrowArray *array =
        self->type->dictionary != NULL ? self->array->dictionary : self->array->children[1];
    self->value_count = 0;
    if (csv_column_begin(values, array, 0, array->length, NULL, 0) < 0) {
        return -1;
    }
    if (array->length > 1024 && array->length / 2 > count) {
        return 0;
    }
    size_t length = (size_t)array->length;
    values->whole = true;
    size_t written = csv_column_fill(values, 0, length);
    values->whole = false;
    if (written == length) {
        self->value_count = length;
    }
    else if (values->cells.result == CSV_RAISED) {
        /* It is raised again if a row has this value. */
        if (!PyErr_ExceptionMatches(PyExc_Exception) ||
            PyErr_ExceptionMatches(PyExc_MemoryError)) {
            return -1;
        }
        PyErr_Clear();
    }
    return 0;
}

/* The index of the value of a row; -1 with an exception set. */
static int64_t
value_index(csv_column *self, int64_t row)
{
    const arrow_type *type = self->type;
    const struct ArrowArray *array = self->array;
    int64_t index, length;
    if (type->dictionary != NULL) {
        index = arrow_integer(type->kind, type->width, array->buffers[1], self->offset + row);
        length = array->dictionary->length;
    }
    else {
        index = arrow_run(type, array, self->offset + row);
        length = array->children[1]->length;
    }
    if (index >= 0 && index < length) {
        return index;
    }
    PyErr_SetString(PyExc_ValueError, "Arrow data are wrong: an index outside of its values");
    return -1;
}

/* All values are in their cells. */
static size_t
fill_by_index(csv_column *self, int64_t first, size_t count)
{
    csv_cells *cells = &self->cells;
    for (size_t i = 0; i < count; i++) {
        if (cells->flags[i] & CELL_NULL) {
            continue;
        }
        int64_t index = value_index(self, first + (int64_t)i);
        if (index < 0) {
            count = csv_cells_set_nulls(cells, i);
            cells->result = CSV_RAISED;
            return count;
        }
        cells->cells[i] = self->values->cells.cells[index];
    }
    return csv_cells_set_nulls(cells, count);
}

/* The values are written one by one, and copied. */
static size_t
fill_one_by_one(csv_column *self, int64_t first, size_t count)
{
    csv_cells *cells = &self->cells;
    csv_written result = CSV_WRITTEN;
    size_t i = 0;
    csv_cells_begin_texts(cells);
    for (; i < count; i++) {
        if (cells->flags[i] & CELL_NULL) {
            continue;
        }
        int64_t index = value_index(self, first + (int64_t)i);
        result = index < 0 ? CSV_RAISED : CSV_WRITTEN;
        if (index >= 0 && csv_column_fill(self->values, index, 1) == 0) {
            result = self->values->cells.result;
        }
        csv_cell value = {NULL, 0};
        uint8_t *room = NULL;
        if (result == CSV_WRITTEN) {
            value = self->values->cells.cells[0];
            room = csv_cells_text_room(cells, value.length);
            result = room == NULL ? CSV_RAISED : CSV_WRITTEN;
        }
        if (result != CSV_WRITTEN) {
            break;
        }
        memcpy(room, value.start, value.length);
        csv_cells_add_text(cells, i, value.length);
    }
    csv_cells_end_texts(cells, i);
    size_t written = csv_cells_set_nulls(cells, i);
    if (written == i) {
        cells->result = result;
    }
    return written;
}

/* ---- any ---- */

int
csv_column_begin(csv_column *self, const struct ArrowArray *array, int64_t offset,
                 int64_t count, const uint8_t *parent, int64_t parent_offset)
{
    if (self->type == NULL) {
        return 0;
    }
    self->array = array;
    self->offset = array->offset + offset;
    self->bitmap = arrow_bitmap(self->type, array);
    self->parent = parent;
    self->parent_offset = parent_offset;
    return self->values == NULL ? 0 : begin_values(self, count);
}

static void
flag_nulls(csv_column *self, int64_t first, size_t count)
{
    uint8_t *flags = self->cells.flags;
    for (size_t i = 0; self->bitmap != NULL && i < count; i++) {
        flags[i] = !arrow_bit(self->bitmap, self->offset + first + (int64_t)i);
    }
    for (size_t i = 0; self->parent != NULL && i < count; i++) {
        flags[i] |= !arrow_bit(self->parent, self->parent_offset + first + (int64_t)i);
    }
}

static size_t
fill_constant(csv_column *self, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        self->cells.cells[i] = self->constant;
    }
    self->cells.result = CSV_WRITTEN;
    return count;
}

static size_t
fill_nulls(csv_column *self, size_t count)
{
    if (count > 0) {
        memset(self->cells.flags, CELL_NULL, count);
    }
    return csv_cells_set_nulls(&self->cells, count);
}

size_t
csv_column_fill(csv_column *self, int64_t first, size_t count)
{
    self->cells.result = CSV_RAISED;
    if (csv_cells_reserve(&self->cells, count) < 0) {
        return 0;
    }
    if (self->type == NULL) {
        return fill_constant(self, count);
    }
    flag_nulls(self, first, count);
    if (self->values != NULL) {
        return self->value_count > 0 ? fill_by_index(self, first, count)
                                     : fill_one_by_one(self, first, count);
    }
    if (csv_column_is_formatted(self)) {
        return csv_column_fill_formatted(self, first, count);
    }
    switch (self->type->kind) {
    case ARROW_NULL:
        return fill_nulls(self, count);
    case ARROW_BINARY:
    case ARROW_LARGE_BINARY:
    case ARROW_BINARY_VIEW:
    case ARROW_FIXED_BINARY:
    case ARROW_UTF8:
    case ARROW_LARGE_UTF8:
    case ARROW_UTF8_VIEW:
        return csv_column_fill_text(self, first, count);
    case ARROW_INTERVAL_MONTHS:
    case ARROW_INTERVAL_DAYS:
    case ARROW_INTERVAL_MIXED:
        return csv_column_fill_by_object(self, first, count);
    default:
        return arrow_is_nested(self->type->kind)
                   ? csv_column_fill_by_object(self, first, count)
                   : csv_column_fill_spelled(self, first, count);
    }
}
