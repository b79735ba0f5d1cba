/* Rows in, chunks of JSON lines out: see json_lines.h.
 *
 * `dumps` makes the line of each row.  A line is checked before any of it is fed, so that what
 * comes out is whole lines.
 *
 * It owns `dumps` and the memory of the chunks, until it is closed.  User code runs in `dumps`
 * and in buffers.  The front end is `running` meanwhile, and locks.
 */
#include "text/json_lines.h"

#include <string.h>

#include "runtime/raising.h"
#include "source/data_error.h"

/* ---- errors ---- */

/* Raise DataError for a row; an exception that is set becomes the cause.  -1. */
static int
refuse_row(generators_state *state, Py_ssize_t index, const char *what)
{
    data_place place = {.record = (int64_t)index + 1, .line = -1, .byte = -1};
    data_error_raise(state->data_error, &place, "row %zd: %s", index, what);
    return -1;
}

/* ---- lines ---- */

/* Feed bytes and a LF. */
static int
feed_line(json_lines *self, const char *bytes, size_t count)
{
    if (coalescer_put(&self->chunks.machine, bytes, count)) {
        return coalescer_put(&self->chunks.machine, "\n", 1)
                   ? 0
                   : chunks_feed(&self->chunks, NULL, "\n", 1);
    }
    PyObject *line = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)count + 1);
    if (line == NULL) {
        return -1;
    }
    memcpy(PyBytes_AS_STRING(line), bytes, count);
    PyBytes_AS_STRING(line)[count] = '\n';
    int status = chunks_feed(&self->chunks, line, PyBytes_AS_STRING(line), count + 1);
    Py_DECREF(line);
    return status;
}

/* Check what `dumps` returned, and feed it. */
static int
feed_checked(json_lines *self, generators_state *state, Py_ssize_t index, const char *bytes,
             size_t count)
{
    if (count == 0) {
        return refuse_row(state, index, "dumps() returned nothing, which is no JSON");
    }
    if (memchr(bytes, '\n', count) != NULL || memchr(bytes, '\r', count) != NULL) {
        return refuse_row(state, index, "dumps() returned a line end within the line");
    }
    return feed_line(self, bytes, count);
}

static int
feed_text(json_lines *self, generators_state *state, Py_ssize_t index, PyObject *text)
{
    if (PyUnicode_READY(text) < 0) {
        return -1;
    }
    if (PyUnicode_IS_ASCII(text)) {
        return feed_checked(self, state, index, PyUnicode_DATA(text),
                            (size_t)PyUnicode_GET_LENGTH(text));
    }
    PyObject *bytes = PyUnicode_AsUTF8String(text);
    if (bytes == NULL) {
        return PyErr_ExceptionMatches(PyExc_UnicodeError)
                   ? refuse_row(state, index,
                                "dumps() returned text that cannot be encoded as UTF-8")
                   : -1;
    }
    int status = feed_checked(self, state, index, PyBytes_AS_STRING(bytes),
                              (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return status;
}

static int
feed_buffer(json_lines *self, generators_state *state, Py_ssize_t index, PyObject *object)
{
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    int status = feed_checked(self, state, index, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return status;
}

static int
feed_result(json_lines *self, generators_state *state, Py_ssize_t index, PyObject *result)
{
    if (PyBytes_CheckExact(result)) {
        return feed_checked(self, state, index, PyBytes_AS_STRING(result),
                            (size_t)PyBytes_GET_SIZE(result));
    }
    if (PyUnicode_Check(result)) {
        return feed_text(self, state, index, result);
    }
    if (PyObject_CheckBuffer(result)) {
        return feed_buffer(self, state, index, result);
    }
    PyErr_Format(PyExc_TypeError,
                 "row %zd: dumps() should return str or bytes-like, not '%.200s'", index,
                 Py_TYPE(result)->tp_name);
    return -1;
}

static int
json_lines_take(chunks *base, generators_state *state, PyObject *row, Py_ssize_t index)
{
    json_lines *self = (json_lines *)base;
    PyObject *dumps = Py_NewRef(self->dumps);
    PyObject *result = PyObject_CallOneArg(dumps, row);
    Py_DECREF(dumps);
    if (result == NULL) {
        stream_note("while reading row %zd", index);
        return -1;
    }
    int status = feed_result(self, state, index, result);
    Py_DECREF(result);
    self->row_count += status == 0;
    return status;
}

const chunks_kind json_lines_kind = {json_lines_take, chunks_end, false, NULL};

/* ---- lifetime ---- */

void
json_lines_close(json_lines *self)
{
    chunks_close(&self->chunks);
    Py_CLEAR(self->dumps);
}

int
json_lines_traverse(json_lines *self, visitproc visit, void *arg)
{
    Py_VISIT(self->dumps);
    return chunks_traverse(&self->chunks, visit, arg);
}

/* ---- making one ---- */

static int
read_dumps(json_lines *self, PyObject *dumps)
{
    if (dumps == NULL || dumps == Py_None) {
        PyObject *module = PyImport_ImportModule("native_generators._json");
        self->dumps = module == NULL ? NULL : PyObject_GetAttrString(module, "dumps");
        Py_XDECREF(module);
        return self->dumps == NULL ? -1 : 0;
    }
    if (!PyCallable_Check(dumps)) {
        PyErr_Format(PyExc_TypeError, "dumps must be a callable, not '%.200s'",
                     Py_TYPE(dumps)->tp_name);
        return -1;
    }
    self->dumps = Py_NewRef(dumps);
    return 0;
}

int
json_lines_open(json_lines *self, const char *name, PyObject *args, PyObject *kwargs,
                PyObject **rows, int *close_with_task)
{
    char *keywords[] = {
        "rows",
        "dumps",
        "size",
        "max_delay",
        close_with_task == NULL ? NULL : "close_with_task",
        NULL,
    };
    PyObject *dumps = NULL, *size = NULL, *max_delay = NULL;
    char format[64];

    PyOS_snprintf(format, sizeof format, "O|$OOO%s:%s", close_with_task == NULL ? "" : "p",
                  name);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, keywords, rows, &dumps, &size,
                                     &max_delay, close_with_task) ||
        read_dumps(self, dumps) < 0 || chunks_open(&self->chunks, size, max_delay) < 0 ||
        text_encoder_open(&self->chunks.text, NULL, "strict") < 0) {
        return -1;
    }
    if (PyUnicode_Check(*rows) || PyObject_CheckBuffer(*rows) || PyDict_Check(*rows)) {
        PyErr_Format(PyExc_TypeError, "rows must be an iterable of rows, not '%.200s'",
                     Py_TYPE(*rows)->tp_name);
        return -1;
    }
    return 0;
}
