/* Values of a column that have a format: bools, floats, and datetimes by strftime().
 *
 * Their texts are of any length, and may hold any character.  The other parameters of
 * csv_formats change texts where they stand: see column_spell.c.
 *
 * User code runs only where column_object.c runs it.
 */
#include "csv/write/column_format.h"

#include <string.h>

#include "csv/write/column_object.h"

static bool
is_float(arrow_kind kind)
{
    return kind == ARROW_FLOAT16 || kind == ARROW_FLOAT32 || kind == ARROW_FLOAT64;
}

bool
csv_column_is_formatted(const csv_column *self)
{
    const csv_formats *formats = self->cells.style->formats;
    arrow_kind kind = self->type->kind;
    return (kind == ARROW_BOOL && (formats->yes != NULL || formats->no != NULL)) ||
           (is_float(kind) && formats->float_type != 0) ||
           (kind == ARROW_TIMESTAMP && formats->moments != NULL);
}

/* Append a text, and set the flags of its cell.  0 or -1. */
static int
add_text(csv_column *self, size_t index, const char *text, size_t count)
{
    csv_cells *cells = &self->cells;
    uint8_t *room = csv_cells_text_room(cells, count);
    if (room == NULL) {
        return -1;
    }
    memcpy(room, text, count);
    csv_cells_add_text(cells, index, count);
    cells->flags[index] |=
        (uint8_t)(CELL_NUMBER | (cells->style->quotes_number ? CELL_QUOTED : 0));
    return 0;
}

static int
add_bool(csv_column *self, size_t index, bool value)
{
    const csv_formats *formats = self->cells.style->formats;
    PyObject *given = value ? formats->yes : formats->no;
    if (given == NULL) {
        return add_text(self, index, value ? "True" : "False", value ? 4 : 5);
    }
    Py_ssize_t count;
    const char *text = PyUnicode_AsUTF8AndSize(given, &count);
    return text == NULL ? -1 : add_text(self, index, text, (size_t)count);
}

static int
add_float(csv_column *self, size_t index, double value)
{
    csv_number number;
    int found = csv_formats_float(self->cells.style->formats, value, &number);
    if (found <= 0) {
        self->cells.flags[index] = CELL_NULL;
        return found;
    }
    int status = add_text(self, index, number.text, number.count);
    csv_number_free(&number);
    return status;
}

/* Append the value at a place in the values.  0 or -1. */
static int
add_value(csv_column *self, size_t index, int64_t at)
{
    const void *values = self->array->buffers[1];
    switch (self->type->kind) {
    case ARROW_BOOL:
        return add_bool(self, index, arrow_bit(values, at));
    case ARROW_FLOAT16:
        return add_float(self, index, arrow_half(ARROW_LOAD(uint16_t, values, at)));
    case ARROW_FLOAT32:
        return add_float(self, index, (double)ARROW_LOAD(float, values, at));
    default:
        return add_float(self, index, ARROW_LOAD(double, values, at));
    }
}

size_t
csv_column_fill_formatted(csv_column *self, int64_t first, size_t count)
{
    if (self->type->kind == ARROW_TIMESTAMP) {
        return csv_column_fill_by_object(self, first, count);
    }
    csv_cells *cells = &self->cells;
    csv_cells_begin_texts(cells);
    for (size_t i = 0; i < count; i++) {
        if (!(cells->flags[i] & CELL_NULL) &&
            add_value(self, i, self->offset + first + (int64_t)i) < 0) {
            cells->result = CSV_RAISED;
            return 0;
        }
    }
    csv_cells_end_texts(cells, count);
    return csv_cells_quote(cells, count);
}
