/* csv_table: Arrow batches as lines of UTF-8.
 *
 * Some rows are written at once.  Each column first writes its fields of these rows.  Then the
 * fields are copied into lines, row by row.  If a field cannot be written, the rows before it
 * are, and the reason is kept, as if row after row had been written.
 *
 * States: opened, planned, in a batch, between batches, ended.  It owns the source and the
 * columns, which borrow from it.  User code runs in the source, and in columns of Python
 * objects; the owner is `running` meanwhile.
 */
#include "csv/write/table.h"

#include <string.h>

#include "core/utf8.h"
#include "runtime/raising.h"

#define MOST_ROWS 512
#define LEAST_ROWS 16
#define MOST_CELLS 4096

/* ---- lifetime ---- */

static void
free_columns(csv_table *self)
{
    csv_column *columns = self->columns;
    size_t count = self->column_count;
    self->columns = NULL;
    self->column_count = 0;
    for (size_t i = 0; i < count; i++) {
        csv_column_free(&columns[i]);
    }
    PyMem_RawFree(columns);
}

void
csv_table_end(csv_table *self)
{
    self->planned = false;
    self->length = self->next = 0;
    free_columns(self);
    PyMem_RawFree(self->constant);
    PyMem_RawFree(self->null);
    self->constant = self->null = NULL;
    arrow_source_close(&self->source);
}

void
csv_table_close(csv_table *self)
{
    csv_table_end(self);
    PyMem_RawFree(self->lines);
    self->lines = NULL;
    self->room = self->size = 0;
    Py_CLEAR(self->raised);
}

int
csv_table_traverse(csv_table *self, visitproc visit, void *arg)
{
    Py_VISIT(self->raised);
    return 0;
}

/* A copy of a field that may be read for CSV_CELL_ROOM bytes, or NULL. */
static uint8_t *
copy_field(csv_cell field)
{
    uint8_t *copy = PyMem_RawCalloc(1, field.length + CSV_CELL_ROOM);
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(copy, field.start, field.length);
    return copy;
}

int
csv_table_plan(csv_table *self, const csv_encoder *encoder, const Py_ssize_t *places,
               size_t count, csv_cell constant, csv_cell null)
{
    if (csv_style_open(&self->style, encoder) < 0 ||
        (self->constant = copy_field(constant)) == NULL ||
        (self->null = copy_field(null)) == NULL) {
        return -1;
    }
    csv_style_set_alone(&self->style, encoder, count == 1);
    if (null.length > 0) {
        csv_style_set_null(&self->style, (csv_cell){self->null, null.length});
    }
    self->columns = PyMem_RawCalloc(count + 1, sizeof *self->columns);
    if (self->columns == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        const arrow_type *type = places[i] < 0 ? NULL : &self->source.type.children[places[i]];
        csv_column *column = &self->columns[i];
        self->column_count++;
        if (csv_column_open(column, &self->style, type) < 0) {
            return -1;
        }
        column->place = places[i];
        column->constant = (csv_cell){self->constant, constant.length};
    }
    self->slice = MOST_ROWS;
    self->planned = true;
    return 0;
}

int
csv_table_next(csv_table *self)
{
    self->length = self->next = 0;
    int status = arrow_source_next(&self->source);
    if (status <= 0) {
        return status;
    }
    const struct ArrowArray *batch = &self->source.batch;
    const uint8_t *bitmap = arrow_bitmap(&self->source.type, batch);
    for (size_t i = 0; i < self->column_count; i++) {
        csv_column *column = &self->columns[i];
        const struct ArrowArray *array =
            column->place < 0 ? NULL : batch->children[column->place];
        if (csv_column_begin(column, array, batch->offset, batch->length, bitmap,
                             batch->offset) < 0) {
            return -1;
        }
    }
    self->length = batch->length;
    return 1;
}

/* ---- lines ---- */

static size_t
separators_size(const csv_table *self)
{
    size_t count = self->column_count > 0 ? self->column_count - 1 : 0;
    return count * self->style.delimiter_length + self->style.end_length;
}

size_t
csv_table_row_size(const csv_table *self, size_t row)
{
    size_t size = separators_size(self);
    for (size_t i = 0; i < self->column_count; i++) {
        size += self->columns[i].cells.cells[row].length;
    }
    return size;
}

/* Make room for `rows` lines, and as much as may be written beyond them.  0 or -1. */
static int
reserve_lines(csv_table *self, size_t rows)
{
    size_t size = rows * separators_size(self) + 2 * CSV_CELL_ROOM;
    for (size_t i = 0; i < self->column_count; i++) {
        const csv_cell *cells = self->columns[i].cells.cells;
        for (size_t row = 0; row < rows; row++) {
            size += cells[row].length;
        }
    }
    if (size > self->room) {
        self->room = self->size = 0;
        PyMem_RawFree(self->lines);
        self->lines = PyMem_RawMalloc(size + size / 4);
        if (self->lines == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->room = size + size / 4;
    }
    return 0;
}

static inline uint8_t *
copy_cell(uint8_t *out, csv_cell cell)
{
    if (cell.length <= CSV_CELL_ROOM / 2) {
        memcpy(out, cell.start, CSV_CELL_ROOM / 2);
    }
    else if (cell.length <= CSV_CELL_ROOM) {
        memcpy(out, cell.start, CSV_CELL_ROOM);
    }
    else {
        memcpy(out, cell.start, cell.length);
    }
    return out + cell.length;
}

/* Copy the fields of `rows` rows into lines. */
static void
write_lines(csv_table *self, size_t rows)
{
    const csv_style *style = &self->style;
    const csv_column *columns = self->columns;
    size_t count = self->column_count;
    uint8_t *out = self->lines;
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < count; i++) {
            if (i > 0) {
                memcpy(out, style->delimiter, sizeof style->delimiter);
                out += style->delimiter_length;
            }
            out = copy_cell(out, columns[i].cells.cells[row]);
        }
        memcpy(out, style->end, style->end_length);
        out += style->end_length;
    }
    self->rows = rows;
    self->size = (size_t)(out - self->lines);
}

/* ---- failures ---- */

/* Keep the reason why a row cannot be written, instead of that for a later row. */
static void
keep_failure(csv_table *self, csv_written result, size_t column)
{
    PyObject *raised = result == CSV_RAISED ? PyErr_GetRaisedException() : NULL;
    PyObject *earlier = self->raised;
    self->raised = raised;
    self->result = result;
    self->column = (Py_ssize_t)column;
    Py_XDECREF(earlier);
}

/* Find the first field that is not UTF-8: the lines before it stay. */
static void
find_undecodable(csv_table *self)
{
    size_t rows = self->rows;
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < self->column_count; i++) {
            csv_cell cell = self->columns[i].cells.cells[row];
            if (utf8_valid_prefix(cell.start, cell.length) < cell.length) {
                write_lines(self, row);
                Py_XDECREF(PyUnicode_DecodeUTF8((const char *)cell.start,
                                                (Py_ssize_t)cell.length, NULL));
                keep_failure(self, CSV_RAISED, i);
                return;
            }
        }
    }
}

static bool
is_utf8(const csv_table *self, const scan_kernel *kernel)
{
    size_t valid = kernel->utf8_blocks(self->lines, self->size);
    return valid + utf8_valid_prefix(self->lines + valid, self->size - valid) == self->size;
}

/* ---- writing ---- */

/* Let each column write its fields of up to `count` rows, and return how many rows all of them
   have written. */
static size_t
fill_columns(csv_table *self, size_t count)
{
    for (size_t i = 0; i < self->column_count && count > 0; i++) {
        csv_column *column = &self->columns[i];
        size_t written = csv_column_fill(column, self->next, count);
        if (written < count && column->cells.result != CSV_WRITTEN) {
            keep_failure(self, column->cells.result, i);
        }
        else if (written < count) {
            keep_failure(self, CSV_WRITTEN, i); /* the row that failed comes later */
        }
        count = written;
    }
    return count;
}

int
csv_table_write(csv_table *self, const scan_kernel *kernel)
{
    size_t most = self->column_count > 0 ? MOST_CELLS / self->column_count : MOST_ROWS;
    most = most < LEAST_ROWS ? LEAST_ROWS : most > MOST_ROWS ? MOST_ROWS : most;
    size_t count = self->slice < most ? self->slice : most;
    if ((int64_t)count > self->length - self->next) {
        count = (size_t)(self->length - self->next);
    }
    self->result = CSV_WRITTEN;
    self->rows = self->size = 0;
    size_t rows = fill_columns(self, count);
    self->slice = rows < count ? rows + 1 : 2 * self->slice < most ? 2 * self->slice : most;
    if (reserve_lines(self, rows) < 0) {
        return -1;
    }
    write_lines(self, rows);
    if (!is_utf8(self, kernel)) {
        find_undecodable(self);
    }
    self->next += (int64_t)self->rows;
    return 0;
}
