/* csv_lines: rows in, chunks of CSV text out.  The machine of csv_encode and acsv_encode.
 * Instead of rows, there may be Arrow batches: see batches.c.
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

#include "csv/parse/dialect.h"
#include "csv/write/batches.h"
#include "csv/write/columns.h"
#include "csv/write/encode.h"
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
        status = csv_lines_write_values(self, values, false);
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
    csv_table_close(&self->table);
    csv_columns_close(&self->columns);
    buffer_free(&self->bytes);
    Py_CLEAR(self->labels);
}

int
csv_lines_traverse(csv_lines *self, visitproc visit, void *arg)
{
    Py_VISIT(self->labels);
    int status = csv_columns_traverse(&self->columns, visit, arg);
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
    const char *extra = NULL, *errors = "strict";
    int bom = 0, escape_formulas = 0;
    csv_parameters given = {NULL};
    char format[64];

    self->state = state;
    PyOS_snprintf(format, sizeof format, "O|$OOzOOOOOOOOOOOOUspp%s:%s",
                  close_with_task == NULL ? "" : "p", name);
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, format, keywords, rows, &columns, &header, &extra, &missing, &size,
            &max_delay, &given.dialect, &given.delimiter, &given.quotechar, &given.escapechar,
            &given.doublequote, &given.skipinitialspace, &given.lineterminator, &given.quoting,
            &given.strict, &encoding, &errors, &bom, &escape_formulas, close_with_task) ||
        read_columns(self, columns, extra, missing) < 0 || read_header(self, header) < 0 ||
        chunks_open(&self->chunks, size, max_delay) < 0 ||
        open_encoder(self, state, &given, escape_formulas) < 0 ||
        text_encoder_open(&self->chunks.text, encoding, errors) < 0 ||
        (bom && read_mark(self, encoding) < 0)) {
        return -1;
    }
    int offers = close_with_task == NULL ? arrow_source_offers(*rows) : 0;
    if (offers != 0) {
        PyObject *source = *rows;
        *rows = state->empty_tuple;
        return offers < 0 ? -1 : csv_batches_open(self, source);
    }
    if (PyUnicode_Check(*rows) || PyObject_CheckBuffer(*rows) || PyDict_Check(*rows)) {
        PyErr_Format(PyExc_TypeError, "rows must be an iterable of rows, not '%.200s'",
                     Py_TYPE(*rows)->tp_name);
        return -1;
    }
    return 0;
}
