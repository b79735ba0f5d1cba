/* The parts of csv_lines that rows and batches share: errors with their place, lines as bytes,
 * the byte order mark and the header.
 *
 * The front end is `running` while code here runs, and locks.  User code runs in codecs and in
 * the labels of the header.
 */
#include "csv/write/line_feed.h"

#include <string.h>

#include "core/utf8.h"
#include "csv/parse/error.h"
#include "runtime/raising.h"

/* ---- errors ---- */

/* The name of the column that failed, or its index: a new reference, or NULL. */
PyObject *
csv_lines_column(csv_lines *self, Py_ssize_t index)
{
    PyObject *names = self->columns.names;
    if (names != NULL && index >= 0 && index < PyTuple_GET_SIZE(names)) {
        return Py_NewRef(PyTuple_GET_ITEM(names, index));
    }
    return index < 0 ? NULL : PyLong_FromSsize_t(index);
}

/* "row 3" or "the header": a new reference. */
static PyObject *
name_of_row(csv_lines *self, bool header)
{
    return header ? PyUnicode_FromString("the header")
                  : PyUnicode_FromFormat("row %zd", self->index);
}

/* Raise CSVError, with the exception that is set (if any) as its cause. */
void
csv_lines_raise(csv_lines *self, bool header, PyObject *column, PyObject *message)
{
    PyObject *cause = PyErr_GetRaisedException();
    PyObject *where = name_of_row(self, header);
    data_place place = {.record = (int64_t)self->row_count + 1 + (self->has_header && !header),
                        .line = -1,
                        .byte = -1,
                        .column = column};
    if (where != NULL) {
        if (cause != NULL) {
            PyErr_SetRaisedException(cause);
            cause = NULL;
        }
        csv_raise(self->state, &place, "%U: %S", where, message);
    }
    Py_XDECREF(cause);
    Py_XDECREF(where);
}

void
csv_lines_raise_written(csv_lines *self, bool header, csv_written result, PyObject *row,
                        Py_ssize_t index)
{
    PyObject *message = csv_written_message(result, row);
    PyObject *column = result == CSV_NOT_ITERABLE ? NULL : csv_lines_column(self, index);
    if (message != NULL && !PyErr_Occurred()) {
        csv_lines_raise(self, header, column, message);
    }
    Py_XDECREF(message);
    Py_XDECREF(column);
}

/* Add a note to an exception of user code; the exception is not replaced. */
void
csv_lines_note_row(csv_lines *self, bool header, Py_ssize_t index)
{
    if (header) {
        stream_note("while reading the header");
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *column = csv_lines_column(self, index);
    PyErr_SetRaisedException(raised);
    if (column != NULL) {
        stream_note("while reading row %zd, column %R", self->index, column);
    }
    else {
        stream_note("while reading row %zd", self->index);
    }
    Py_XDECREF(column);
}

/* The index of the cell that cannot be encoded. -1 if it is not found, with an exception set
   if another one was raised. */
static Py_ssize_t
find_unencodable(csv_lines *self, PyObject *row)
{
    if (!PyList_CheckExact(row) && !PyTuple_CheckExact(row)) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(row); i++) {
        PyObject *cell = Py_NewRef(PySequence_Fast_GET_ITEM(row, i));
        PyObject *bytes = PyUnicode_CheckExact(cell) ? text_encode(&self->chunks.text, cell)
                                                     : Py_NewRef(cell);
        Py_DECREF(cell);
        if (bytes == NULL) { /* the caller raises the exception */
            return raising_forgive(PyExc_UnicodeError) < 0 ? -1 : i;
        }
        Py_DECREF(bytes);
    }
    return -1;
}

static void
raise_unencodable(csv_lines *self, bool header, PyObject *row)
{
    if (!PyErr_ExceptionMatches(PyExc_UnicodeError)) {
        return;
    }
    PyObject *cause = PyErr_GetRaisedException();
    Py_ssize_t index = find_unencodable(self, row);
    PyObject *column = PyErr_Occurred() ? NULL : csv_lines_column(self, index);
    if (!PyErr_Occurred()) {
        PyErr_SetRaisedException(Py_NewRef(cause));
        csv_lines_raise(self, header, column, cause);
    }
    Py_DECREF(cause);
    Py_XDECREF(column);
}

/* ---- lines ---- */

int
csv_lines_feed_text(csv_lines *self, PyObject *text)
{
    return text == NULL ? -1 : chunks_feed_text(&self->chunks, text);
}

static int
feed_bytes(csv_lines *self, const void *bytes, size_t count)
{
    return coalescer_put(&self->chunks.machine, bytes, count)
               ? 0
               : chunks_feed(&self->chunks, NULL, bytes, count);
}

/* Feed a line as UTF-8: 1, 0 if it contains a surrogate, or -1. */
static int
feed_utf8(csv_lines *self, const void *units, size_t count, int width)
{
    buffer_cut(&self->bytes, 0);
    buffer_status status = count > BUFFER_LIMIT / 4
                               ? BUFFER_TOO_LONG
                               : buffer_reserve(&self->bytes, 4 * count, 1);
    if (status != BUFFER_OK) {
        return status == BUFFER_TOO_LONG ? 0 : (PyErr_NoMemory(), -1);
    }
    size_t length;
    if (!utf8_encode(units, width, count, self->bytes.data, &length)) {
        return 0;
    }
    return feed_bytes(self, self->bytes.data, length) < 0 ? -1 : 1;
}

static int
feed_line(csv_lines *self, const csv_line *line)
{
    size_t count;
    int width;
    const void *units = csv_line_units(self->encoder, line, &count, &width);
    text_encoding encoding = self->chunks.text.encoding;
    bool bytes =
        width == 1 && (line->ascii ? encoding != TEXT_CODEC : encoding == TEXT_LATIN1);
    if (bytes) {
        return feed_bytes(self, units, count);
    }
    if (encoding == TEXT_UTF8) {
        int status = feed_utf8(self, units, count, width);
        if (status != 0) {
            return status < 0 ? -1 : 0;
        }
    }
    PyObject *text = csv_line_text(self->encoder, line);
    int status = csv_lines_feed_text(self, text);
    Py_XDECREF(text);
    return status;
}

/* A row has fewer or more fields than there are columns: raise CSVError. */
static void
raise_width(csv_lines *self, Py_ssize_t count, Py_ssize_t width)
{
    PyObject *message =
        PyUnicode_FromFormat("%zd field%s for %zd column%s", count, count == 1 ? "" : "s",
                             width, width == 1 ? "" : "s");
    if (message != NULL) {
        csv_lines_raise(self, false, NULL, message);
        Py_DECREF(message);
    }
}

int
csv_lines_write_values(csv_lines *self, PyObject *values, bool header, Py_ssize_t width)
{
    csv_line line;
    csv_written result = csv_encode_row(self->encoder, &line, values);
    int status = -1;
    if (result == CSV_WRITTEN && width >= 0 && line.count != width) {
        raise_width(self, line.count, width);
    }
    else if (result == CSV_WRITTEN) {
        status = feed_line(self, &line);
        if (status < 0) {
            raise_unencodable(self, header, values);
        }
    }
    else if (result != CSV_RAISED) {
        csv_lines_raise_written(self, header, result, values, line.count);
    }
    else {
        csv_lines_note_row(self, header, line.count);
    }
    csv_line_end(self->encoder, &line);
    return status;
}

/* ---- the mark and the header ---- */

/* Write the mark and the header, once: before the first row, or at the end.  0 or -1. */
int
csv_lines_start(csv_lines *self)
{
    self->begun = true;
    PyObject *labels = self->labels != NULL ? self->labels : self->columns.names;
    if (self->has_mark) {
        PyObject *mark = PyUnicode_FromOrdinal(0xFEFF);
        int status = csv_lines_feed_text(self, mark);
        Py_XDECREF(mark);
        if (status < 0) {
            return -1;
        }
    }
    if (!self->has_header || labels == NULL) {
        return 0;
    }
    labels = Py_NewRef(labels);
    int status = csv_lines_write_values(self, labels, true, -1);
    Py_DECREF(labels);
    return status;
}
