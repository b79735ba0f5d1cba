/* Values of a column as CSV fields, by way of Python objects: what is nested, and datetimes
 * whose format is one of strftime().
 *
 * User code runs in str() of what lists hold, in strftime() and in time zones.
 */
#include "csv/write/column_object.h"

#include <string.h>

#include "arrow/value.h"

/* Append the text of a value, and set the flags of its cell.  0 or -1. */
static int
add_object(csv_column *self, size_t index, PyObject *value)
{
    const csv_style *style = self->cells.style;
    if (value == Py_None) {
        self->cells.flags[index] = CELL_NULL;
        return 0;
    }
    bool is_text = PyUnicode_Check(value), is_number = PyNumber_Check(value);
    bool quoted = is_text     ? style->quotes_text
                  : is_number ? style->quotes_number
                              : style->quotes_other;
    self->cells.flags[index] =
        (uint8_t)((quoted ? CELL_QUOTED : 0) | (is_number ? CELL_NUMBER : 0));
    PyObject *text = NULL;
    int found = csv_formats_text(style->formats, value, &text);
    if (found <= 0) {
        self->cells.flags[index] = CELL_NULL;
        return found;
    }
    Py_ssize_t length;
    const char *bytes = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &length);
    uint8_t *room = bytes == NULL ? NULL : csv_cells_text_room(&self->cells, (size_t)length);
    if (room != NULL) {
        if (!is_number && csv_style_marks(style, (const uint8_t *)bytes, (size_t)length)) {
            self->cells.flags[index] |= CELL_QUOTED;
        }
        memcpy(room, bytes, (size_t)length);
        csv_cells_add_text(&self->cells, index, (size_t)length);
    }
    Py_XDECREF(text);
    return room == NULL ? -1 : 0;
}

size_t
csv_column_fill_by_object(csv_column *self, int64_t first, size_t count)
{
    csv_cells *cells = &self->cells;
    size_t i = 0;
    bool failed = false;
    PyObject *module = arrow_value_module();
    csv_cells_begin_texts(cells);
    for (; module != NULL && i < count &&
           (self->whole || i == 0 || cells->texts.length < CSV_COLUMN_BYTES);
         i++) {
        if (cells->flags[i] & CELL_NULL) {
            continue;
        }
        PyObject *value = arrow_value(module, self->type, self->array,
                                      self->offset - self->array->offset + first + (int64_t)i);
        failed = value == NULL || add_object(self, i, value) < 0;
        Py_XDECREF(value);
        if (failed) {
            break;
        }
    }
    failed |= module == NULL;
    Py_XDECREF(module);
    csv_cells_end_texts(cells, i);
    if (!failed) {
        return csv_cells_quote(cells, i);
    }
    PyObject *raised = PyErr_GetRaisedException();
    size_t written = csv_cells_quote(cells, i);
    if (written == i) {
        cells->result = CSV_RAISED;
        PyErr_SetRaisedException(raised);
    }
    else {
        Py_DECREF(raised);
    }
    return written;
}
