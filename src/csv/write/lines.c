/* csv_lines: rows in, chunks of CSV text out.  The machine of csv_encode and acsv_encode.
 *
 * It writes each row with the encoder and feeds the bytes of the line to the chunks.  The byte
 * order mark and the header are written with the first row, or alone if there is no row.  They
 * are not written if the source fails before its first row.
 *
 * It owns the columns, the labels, the encoder and the memory of the chunks, until it is
 * closed.  User code runs in rows, in str() and in codecs.  The front end is `running`
 * meanwhile, and locks.
 */
#include "csv/write/lines.h"

#include <string.h>

#include "core/utf8.h"
#include "csv/parse/dialect.h"
#include "csv/parse/error.h"
#include "csv/write/columns.h"
#include "csv/write/encode.h"
#include "runtime/raising.h"
#include "source/codec.h"

/* ---- errors ---- */

/* The name of the column that failed, or its index: a new reference, or NULL. */
static PyObject *
column_of(csv_lines *self, Py_ssize_t index)
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
static void
raise_error(csv_lines *self, bool header, PyObject *column, PyObject *message)
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

static void
raise_written(csv_lines *self, bool header, csv_written result, PyObject *row,
              Py_ssize_t index)
{
    PyObject *message = csv_written_message(result, row);
    PyObject *column = result == CSV_NOT_ITERABLE ? NULL : column_of(self, index);
    if (message != NULL && !PyErr_Occurred()) {
        raise_error(self, header, column, message);
    }
    Py_XDECREF(message);
    Py_XDECREF(column);
}

/* Add a note to an exception of user code; the exception is not replaced. */
static void
note_row(csv_lines *self, bool header, Py_ssize_t index)
{
    if (header) {
        stream_note("while reading the header");
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *column = column_of(self, index);
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
    PyObject *column = PyErr_Occurred() ? NULL : column_of(self, index);
    if (!PyErr_Occurred()) {
        PyErr_SetRaisedException(Py_NewRef(cause));
        raise_error(self, header, column, cause);
    }
    Py_DECREF(cause);
    Py_XDECREF(column);
}

/* ---- lines ---- */

static int
feed_text(csv_lines *self, PyObject *text)
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
    int status = feed_text(self, text);
    Py_XDECREF(text);
    return status;
}

/* Write the values of a row, or the header.  0 or -1. */
static int
write_values(csv_lines *self, PyObject *values, bool header)
{
    csv_line line;
    csv_written result = csv_encode_row(self->encoder, &line, values);
    int status = -1;
    if (result == CSV_WRITTEN) {
        status = feed_line(self, &line);
        if (status < 0) {
            raise_unencodable(self, header, values);
        }
    }
    else if (result != CSV_RAISED) {
        raise_written(self, header, result, values, line.count);
    }
    else {
        note_row(self, header, line.count);
    }
    csv_line_end(self->encoder, &line);
    return status;
}

/* ---- the mark and the header ---- */

/* Write the mark and the header, once: before the first row, or at the end.  0 or -1. */
static int
write_start(csv_lines *self)
{
    self->begun = true;
    PyObject *labels = self->labels != NULL ? self->labels : self->columns.names;
    if (self->has_mark) {
        PyObject *mark = PyUnicode_FromOrdinal(0xFEFF);
        int status = feed_text(self, mark);
        Py_XDECREF(mark);
        if (status < 0) {
            return -1;
        }
    }
    if (!self->has_header || labels == NULL) {
        return 0;
    }
    labels = Py_NewRef(labels);
    int status = write_values(self, labels, true);
    Py_DECREF(labels);
    return status;
}

static int
write_start_with_row(csv_lines *self)
{
    if (self->has_header && self->labels == NULL && self->columns.names == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "header=True needs `columns`, or a first row that has names");
        return -1;
    }
    return write_start(self);
}

/* ---- rows ---- */

static int
refuse_text(csv_lines *self, PyObject *row)
{
    PyErr_Format(PyExc_TypeError,
                 "row %zd is '%.200s', not a sequence of fields: did you forget a list?",
                 self->index, Py_TYPE(row)->tp_name);
    return -1;
}

/* An unknown or missing name becomes a CSVError; any other exception gets a note. */
static void
raise_selection(csv_lines *self)
{
    PyObject *fault = self->columns.fault;
    if (fault == NULL) {
        note_row(self, false, -1);
        return;
    }
    self->columns.fault = NULL;
    PyObject *error = PyErr_GetRaisedException();
    raise_error(self, false, fault, error);
    Py_DECREF(error);
    Py_DECREF(fault);
}

static int
write_row(csv_lines *self, PyObject *row)
{
    if (PyUnicode_Check(row) || PyBytes_Check(row) || PyByteArray_Check(row)) {
        return refuse_text(self, row);
    }
    PyObject *values = row;
    if (self->columns.by_name) {
        values = csv_columns_select(&self->columns, self->state, row);
        if (values == NULL) {
            raise_selection(self);
            return -1;
        }
    }
    else {
        Py_INCREF(values);
    }
    int status = self->begun ? 0 : write_start_with_row(self);
    if (status == 0) {
        status = write_values(self, values, false);
    }
    Py_DECREF(values);
    self->row_count += status == 0;
    return status;
}

static int
lines_feed_row(chunks *base, generators_state *Py_UNUSED(state), PyObject *row,
               Py_ssize_t index)
{
    csv_lines *self = (csv_lines *)base;
    self->index = index;
    return write_row(self, row);
}

static int
lines_end(chunks *base)
{
    csv_lines *self = (csv_lines *)base;
    if (!self->begun && (self->labels != NULL || self->columns.names != NULL) &&
        write_start(self) < 0) {
        return -1;
    }
    return chunks_end(base);
}

const chunks_kind csv_lines_kind = {lines_feed_row, lines_end, false};

/* ---- lifetime ---- */

void
csv_lines_close(csv_lines *self)
{
    chunks_close(&self->chunks);
    csv_encoder *encoder = self->encoder;
    self->encoder = NULL;
    csv_encoder_free(encoder);
    csv_columns_close(&self->columns);
    buffer_free(&self->bytes);
    Py_CLEAR(self->labels);
}

int
csv_lines_traverse(csv_lines *self, visitproc visit, void *arg)
{
    Py_VISIT(self->labels);
    int status = csv_columns_traverse(&self->columns, visit, arg);
    return status != 0 ? status : chunks_traverse(&self->chunks, visit, arg);
}

/* ---- making one ---- */

void
csv_lines_init(csv_lines *self)
{
    buffer_init(&self->bytes);
}

/* Read `columns`, or the labels of `header`: a new tuple, or NULL. */
static PyObject *
read_names(PyObject *names, const char *what)
{
    if (PyUnicode_Check(names) || PyBytes_Check(names)) {
        PyErr_Format(PyExc_TypeError, "%s must be an iterable of names, not '%.200s'", what,
                     Py_TYPE(names)->tp_name);
        return NULL;
    }
    return PySequence_Tuple(names);
}

static int
read_columns(csv_columns *columns, PyObject *given, const char *extra, PyObject *missing)
{
    if (strcmp(extra, "ignore") == 0) {
        columns->ignores_extra = true;
    }
    else if (strcmp(extra, "raise") != 0) {
        PyErr_Format(PyExc_ValueError, "extra must be 'raise' or 'ignore', not '%s'", extra);
        return -1;
    }
    columns->missing = Py_XNewRef(missing);
    if (given != NULL && given != Py_None) {
        columns->by_name = true;
        columns->names = read_names(given, "columns");
        return columns->names == NULL ? -1 : 0;
    }
    return 0;
}

static int
read_header(csv_lines *self, PyObject *header)
{
    csv_columns *columns = &self->columns;
    if (header == NULL || header == Py_False || header == Py_None) {
        return 0;
    }
    self->has_header = true;
    columns->by_name = true;
    if (header == Py_True) {
        return 0;
    }
    self->labels = read_names(header, "header");
    if (self->labels == NULL) {
        return -1;
    }
    if (columns->names == NULL) {
        columns->names = Py_NewRef(self->labels);
    }
    else if (PyTuple_GET_SIZE(columns->names) != PyTuple_GET_SIZE(self->labels)) {
        PyErr_Format(PyExc_ValueError, "the header has %zd labels for %zd columns",
                     PyTuple_GET_SIZE(self->labels), PyTuple_GET_SIZE(columns->names));
        return -1;
    }
    return 0;
}

/* Find out whether U+FEFF must be written.  Some codecs write it themselves.  0 or -1. */
static int
read_mark(csv_lines *self, PyObject *encoding)
{
    self->has_mark = self->chunks.text.encoding == TEXT_UTF8;
    if (self->has_mark) {
        return 0;
    }
    PyObject *name = codec_name(encoding);
    const char *codec = name == NULL ? NULL : PyUnicode_AsUTF8(name);
    int status = codec == NULL ? -1 : 0;
    if (codec != NULL && strncmp(codec, "utf-", 4) != 0) {
        PyErr_Format(PyExc_ValueError, "bom=True needs a UTF encoding, not %R", encoding);
        status = -1;
    }
    self->has_mark =
        status == 0 && (strstr(codec, "le") != NULL || strstr(codec, "be") != NULL);
    Py_XDECREF(name);
    return status;
}

static int
open_encoder(csv_lines *self, generators_state *state, const csv_parameters *given,
             bool escape_formulas)
{
    csv_dialect dialect = {.quoting = 0};
    PyObject *standard = csv_dialect_make(&dialect, state, given);
    if (standard == NULL) {
        return -1;
    }
    self->encoder = csv_encoder_new(state, &dialect, standard, escape_formulas);
    Py_DECREF(standard);
    return self->encoder == NULL ? -1 : 0;
}

int
csv_lines_open(csv_lines *self, generators_state *state, const char *name, PyObject *args,
               PyObject *kwargs, PyObject **rows, int *close_with_task)
{
    char *keywords[] = {
        "rows",
        "columns",
        "header",
        "extra",
        "missing",
        "size",
        "max_delay",
        "dialect",
        "delimiter",
        "quotechar",
        "escapechar",
        "doublequote",
        "skipinitialspace",
        "lineterminator",
        "quoting",
        "strict",
        "encoding",
        "errors",
        "bom",
        "escape_formulas",
        close_with_task == NULL ? NULL : "close_with_task",
        NULL,
    };
    PyObject *columns = NULL, *header = NULL, *missing = NULL, *size = NULL;
    PyObject *max_delay = NULL, *encoding = NULL;
    const char *extra = "raise", *errors = "strict";
    int bom = 0, escape_formulas = 0;
    csv_parameters given = {NULL};
    char format[64];

    self->state = state;
    PyOS_snprintf(format, sizeof format, "O|$OOsOOOOOOOOOOOOUspp%s:%s",
                  close_with_task == NULL ? "" : "p", name);
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, format, keywords, rows, &columns, &header, &extra, &missing, &size,
            &max_delay, &given.dialect, &given.delimiter, &given.quotechar, &given.escapechar,
            &given.doublequote, &given.skipinitialspace, &given.lineterminator, &given.quoting,
            &given.strict, &encoding, &errors, &bom, &escape_formulas, close_with_task) ||
        read_columns(&self->columns, columns, extra, missing) < 0 ||
        read_header(self, header) < 0 || chunks_open(&self->chunks, size, max_delay) < 0 ||
        open_encoder(self, state, &given, escape_formulas) < 0 ||
        text_encoder_open(&self->chunks.text, encoding, errors) < 0 ||
        (bom && read_mark(self, encoding) < 0)) {
        return -1;
    }
    if (PyUnicode_Check(*rows) || PyObject_CheckBuffer(*rows) || PyDict_Check(*rows)) {
        PyErr_Format(PyExc_TypeError, "rows must be an iterable of rows, not '%.200s'",
                     Py_TYPE(*rows)->tp_name);
        return -1;
    }
    return 0;
}
