/* csv_lines: rows in, chunks of CSV text out.  The machine of csv_encode and acsv_encode.
 * Instead of rows, there may be Arrow batches: see batches.c.
 *
 * It writes each row with the encoder and feeds the bytes of the line to the chunks.  The byte
 * order mark and the header are written with the first row, or alone if there is no row.  They
 * are not written if the source fails before its first row.
 *
 * The names of the columns are those that were given, or that the cursor of a database tells
 * when it has a result, or those of the first row.  Where they are known, every row has as
 * many fields.
 *
 * It owns the columns, the labels, the formats, the encoder and the memory of the chunks,
 * until it is closed.  User code runs in rows, in str() and in codecs.  The front end is
 * `running` meanwhile, and locks.
 */
#include "csv/write/lines.h"

#include <string.h>

#include "csv/parse/dialect.h"
#include "csv/write/batches.h"
#include "csv/write/columns.h"
#include "csv/write/encode.h"
#include "csv/write/given.h"
#include "runtime/raising.h"
#include "source/codec.h"

static int
write_start_with_row(csv_lines *self)
{
    if (self->has_header && self->labels == NULL && self->columns.names == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "header=True needs `columns`, or a first row that has names");
        return -1;
    }
    return csv_lines_start(self);
}

/* ---- names that the source tells ---- */

/* Take the names of the columns from the source of the rows.  0 or -1. */
static int
adopt_names(csv_lines *self, PyObject *names)
{
    csv_columns *columns = &self->columns;
    if (self->chooses) {
        columns->ignores_extra |= self->extra_is_default;
        Py_XSETREF(columns->positions, Py_NewRef(names));
        return 0;
    }
    if (self->labels != NULL && PyTuple_GET_SIZE(self->labels) != PyTuple_GET_SIZE(names)) {
        PyErr_Format(PyExc_ValueError, "the header has %zd labels for %zd columns",
                     PyTuple_GET_SIZE(self->labels), PyTuple_GET_SIZE(names));
        return -1;
    }
    PyObject *earlier = columns->names;
    columns->names = Py_NewRef(names);
    Py_XDECREF(earlier);
    return 0;
}

/* Ask the cursor for names, for the last time: it has a result now, or never.  0 or -1. */
static int
ask_cursor(csv_lines *self)
{
    PyObject *cursor = self->cursor, *names;
    self->cursor = NULL;
    int found = csv_given_cursor_names(cursor, &names);
    int status = found > 0 ? adopt_names(self, names) : found;
    Py_DECREF(cursor);
    Py_XDECREF(names);
    return status;
}

/* Ask a cursor for names.  If it has no result yet, it is asked again later.  0 or -1. */
static int
open_cursor(csv_lines *self, PyObject *rows)
{
    PyObject *names = NULL;
    int found = self->columns.by_name ? csv_given_is_cursor(rows) : 0;
    if (found <= 0) {
        return found;
    }
    found = csv_given_cursor_names(rows, &names);
    if (found == 0) {
        self->cursor = Py_NewRef(rows);
    }
    int status = found > 0 ? adopt_names(self, names) : found;
    Py_XDECREF(names);
    return status;
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
        csv_lines_note_row(self, false, -1);
        return;
    }
    self->columns.fault = NULL;
    PyObject *error = PyErr_GetRaisedException();
    csv_lines_raise(self, false, fault, error);
    Py_DECREF(error);
    Py_DECREF(fault);
}

/* A mapping without names to read it by would be written as its keys.  0 or -1. */
static int
refuse_mapping(csv_lines *self, PyObject *row)
{
    int is = csv_columns_is_mapping(&self->columns, self->state, row);
    if (is > 0) {
        PyErr_Format(PyExc_ValueError,
                     "row %zd is a mapping ('%.200s'), whose keys would be written: pass "
                     "columns=[...] or header=True",
                     self->index, Py_TYPE(row)->tp_name);
    }
    return is == 0 ? 0 : -1;
}

static int
write_row(csv_lines *self, PyObject *row)
{
    if (PyUnicode_Check(row) || PyBytes_Check(row) || PyByteArray_Check(row)) {
        return refuse_text(self, row);
    }
    PyObject *values = row;
    if (self->cursor != NULL && ask_cursor(self) < 0) {
        return -1;
    }
    if (self->columns.by_name) {
        values = csv_columns_select(&self->columns, self->state, row);
        if (values == NULL) {
            raise_selection(self);
            return -1;
        }
    }
    else if (!PyList_CheckExact(row) && !PyTuple_CheckExact(row) &&
             refuse_mapping(self, row) < 0) {
        return -1;
    }
    else {
        Py_INCREF(values);
    }
    int status = self->begun ? 0 : write_start_with_row(self);
    if (status == 0) {
        PyObject *names = values == row && self->columns.by_name ? self->columns.names : NULL;
        status = csv_lines_write_values(self, values, false,
                                        names == NULL ? -1 : PyTuple_GET_SIZE(names));
    }
    Py_DECREF(values);
    self->row_count += status == 0;
    return status;
}

static int
lines_feed_item(chunks *base, generators_state *Py_UNUSED(state), PyObject *item,
                Py_ssize_t index)
{
    csv_lines *self = (csv_lines *)base;
    self->index = index;
    if (self->items != CSV_FROM_ROWS) {
        int taken = csv_batches_take(self, item);
        if (taken != 0) {
            return taken < 0 ? -1 : 0;
        }
        self->items = CSV_FROM_ROWS;
    }
    return write_row(self, item);
}

static int
lines_feed_more(chunks *base)
{
    return csv_batches_feed((csv_lines *)base);
}

static int
lines_end(chunks *base)
{
    csv_lines *self = (csv_lines *)base;
    if (self->cursor != NULL && ask_cursor(self) < 0) {
        return -1;
    }
    if (!self->begun && (self->labels != NULL || self->columns.names != NULL) &&
        csv_lines_start(self) < 0) {
        return -1;
    }
    return chunks_end(base);
}

const chunks_kind csv_lines_kind = {lines_feed_item, lines_end, false, lines_feed_more};

/* ---- lifetime ---- */

void
csv_lines_close(csv_lines *self)
{
    chunks_close(&self->chunks);
    csv_encoder *encoder = self->encoder;
    self->encoder = NULL;
    csv_encoder_free(encoder);
    csv_formats_close(&self->formats);
    csv_table_close(&self->table);
    csv_columns_close(&self->columns);
    buffer_free(&self->bytes);
    Py_CLEAR(self->labels);
    Py_CLEAR(self->cursor);
    Py_CLEAR(self->made);
}

int
csv_lines_traverse(csv_lines *self, visitproc visit, void *arg)
{
    Py_VISIT(self->labels);
    Py_VISIT(self->cursor);
    Py_VISIT(self->made);
    int status = csv_columns_traverse(&self->columns, visit, arg);
    if (status == 0) {
        status = csv_formats_traverse(&self->formats, visit, arg);
    }
    if (status == 0) {
        status = csv_table_traverse(&self->table, visit, arg);
    }
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
read_columns(csv_lines *self, PyObject *given, const char *extra, PyObject *missing)
{
    csv_columns *columns = &self->columns;
    self->extra_is_default = extra == NULL;
    if (extra == NULL) {
        extra = "raise";
    }
    if (strcmp(extra, "ignore") == 0) {
        columns->ignores_extra = true;
    }
    else if (strcmp(extra, "raise") != 0) {
        PyErr_Format(PyExc_ValueError, "extra must be 'raise' or 'ignore', not '%s'", extra);
        return -1;
    }
    columns->missing = missing == Py_Ellipsis ? NULL : Py_XNewRef(missing);
    if (given != NULL && given != Py_None) {
        columns->by_name = self->chooses = true;
        columns->names = read_names(given, "columns");
        return columns->names == NULL ? -1 : 0;
    }
    return 0;
}

static int
read_header(csv_lines *self, PyObject *header)
{
    csv_columns *columns = &self->columns;
    self->header_is_default = header == NULL || header == Py_None;
    if (self->header_is_default || header == Py_False) {
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
    self->encoder =
        csv_encoder_new(state, &dialect, standard, &self->formats, escape_formulas);
    Py_DECREF(standard);
    return self->encoder == NULL ? -1 : 0;
}

/* Take the rows of an array or a frame in place of it.  0 or -1. */
static int
open_table(csv_lines *self, csv_given_kind kind, PyObject **rows)
{
    PyObject *table = *rows, *names;
    int status = csv_given_open(table, kind, &self->made, &names);
    *rows = self->made;
    if (status == 0 && kind == CSV_GIVEN_FRAME) {
        self->formats.nan_is_null = true;
        csv_encoder_set_formats(self->encoder, &self->formats);
    }
    if (names != NULL && kind == CSV_GIVEN_FRAME && self->header_is_default) {
        self->has_header = self->columns.by_name = true;
    }
    if (names != NULL && self->columns.by_name) {
        status = adopt_names(self, names);
    }
    Py_XDECREF(names);
    return status;
}

/* Open Arrow data: 1, 0 if there are none, or -1.  A frame that cannot offer them after all,
   because pyarrow is missing or a column has objects of several types, has none. */
static int
open_arrow(csv_lines *self, PyObject *source, csv_given_kind kind)
{
    int offers = arrow_source_offers(source);
    if (offers <= 0 || csv_batches_open(self, source) == 0) {
        return offers;
    }
    if (kind != CSV_GIVEN_FRAME || PyErr_ExceptionMatches(PyExc_MemoryError)) {
        return -1;
    }
    csv_batches_forget(self);
    return raising_forgive(PyExc_Exception);
}

/* Find out what the rows are, which may be replaced by a borrowed reference.  0 or -1. */
static int
open_rows(csv_lines *self, PyObject **rows)
{
    csv_given_kind kind;
    if (csv_given_kind_of(*rows, &kind) < 0) {
        return -1;
    }
    int opened = open_arrow(self, *rows, kind);
    if (opened != 0) {
        *rows = self->state->empty_tuple;
        return opened < 0 ? -1 : 0;
    }
    if (kind != CSV_GIVEN_ROWS) {
        return open_table(self, kind, rows);
    }
    if (PyUnicode_Check(*rows) || PyObject_CheckBuffer(*rows) || PyDict_Check(*rows)) {
        PyErr_Format(PyExc_TypeError, "rows must be an iterable of rows, not '%.200s'",
                     Py_TYPE(*rows)->tp_name);
        return -1;
    }
    return open_cursor(self, *rows);
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
        "null",
        "true",
        "false",
        "float_format",
        "datetime_format",
        "decimal",
        close_with_task == NULL ? NULL : "close_with_task",
        NULL,
    };
    PyObject *columns = NULL, *header = NULL, *missing = NULL, *size = NULL;
    PyObject *max_delay = NULL, *encoding = NULL;
    const char *extra = NULL, *errors = "strict";
    int bom = 0, escape_formulas = 0;
    csv_parameters given = {NULL};
    csv_given_formats formats = {NULL};
    char format[64];

    self->state = state;
    PyOS_snprintf(format, sizeof format, "O|$OOzOOOOOOOOOOOOUsppOOOOOO%s:%s",
                  close_with_task == NULL ? "" : "p", name);
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, format, keywords, rows, &columns, &header, &extra, &missing, &size,
            &max_delay, &given.dialect, &given.delimiter, &given.quotechar, &given.escapechar,
            &given.doublequote, &given.skipinitialspace, &given.lineterminator, &given.quoting,
            &given.strict, &encoding, &errors, &bom, &escape_formulas, &formats.null,
            &formats.yes, &formats.no, &formats.float_format, &formats.datetime_format,
            &formats.decimal, close_with_task) ||
        read_columns(self, columns, extra, missing) < 0 || read_header(self, header) < 0 ||
        chunks_open(&self->chunks, size, max_delay) < 0 ||
        csv_formats_open(&self->formats, &formats) < 0 ||
        open_encoder(self, state, &given, escape_formulas) < 0 ||
        text_encoder_open(&self->chunks.text, encoding, errors) < 0 ||
        (bom && read_mark(self, encoding) < 0)) {
        return -1;
    }
    return close_with_task == NULL ? open_rows(self, rows) : open_cursor(self, *rows);
}
