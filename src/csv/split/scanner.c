/* csv_scanner: core/split for the Python code of csv_split and csv_scan, which does the I/O.
 *
 * States: made; a range was begun; it was ended, and another may begin.
 *
 * It owns all its memory.  Bytes are read with the GIL released, from a buffer that is held
 * meanwhile.  No user code runs but that of a buffer's owner.
 *
 * Threads: `running` is set during a call, and every other call is refused, so each thread
 * needs a scanner of its own.
 */
#include "csv/split/scanner.h"

#include <string.h>

#include "core/split.h"
#include "core/split_feed.h"
#include "csv/parse/checkpoint.h"

typedef struct {
    PyObject_HEAD
    split machine;
    bool bad_bytes[256];
    bool begun;
    bool running;
} csv_scanner;

static const char *const state_names[SPLIT_STATES] = {
    [SPLIT_RECORD] = "record",   [SPLIT_FIELD] = "field",
    [SPLIT_TEXT] = "text",       [SPLIT_QUOTED] = "quoted",
    [SPLIT_QUOTE] = "quote",     [SPLIT_ESCAPED] = "escaped",
    [SPLIT_SKIPPED] = "skipped", [SPLIT_ESCAPED_QUOTED] = "escaped quoted",
};

/* ---- arguments ---- */

/* The state of that name, or SPLIT_STATES for NULL.  -1 with ValueError. */
static int
scanner_state(const char *name)
{
    int state = 0;
    while (state < SPLIT_STATES && name != NULL && strcmp(name, state_names[state]) != 0) {
        state++;
    }
    if (name == NULL) {
        return SPLIT_STATES;
    }
    if (state == SPLIT_STATES) {
        PyErr_Format(PyExc_ValueError, "there is no state '%s'", name);
        return -1;
    }
    return state;
}

static int
scanner_encoding(const char *name, split_encoding *encoding)
{
    static const struct {
        const char *name;
        split_encoding encoding;
    } known[] = {
        {"utf-8", SPLIT_UTF8},
        {"ascii", SPLIT_ASCII},
        {"latin-1", SPLIT_ANY_BYTE},
        {"single", SPLIT_SINGLE_BYTE},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(known); i++) {
        if (strcmp(known[i].name, name) == 0) {
            *encoding = known[i].encoding;
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "there is no encoding '%s'", name);
    return -1;
}

/* ---- calls ---- */

/* Enter a call.  `begun`: whether a range must have begun.  0 or -1. */
static int
scanner_enter(csv_scanner *self, bool begun)
{
    bool running, fine;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    running = self->running;
    fine = !running && (self->begun || !begun);
    self->running |= fine;
    Py_END_CRITICAL_SECTION();
    if (!fine) {
        PyErr_SetString(PyExc_ValueError,
                        running ? "scanner already running" : "the scanner has no range");
    }
    return fine ? 0 : -1;
}

static void
scanner_leave(csv_scanner *self, bool begun)
{
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    self->begun = begun;
    self->running = false;
    Py_END_CRITICAL_SECTION();
}

static PyObject *
scanner_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"delimiter",   "quote",      "escape",
                               "doublequote", "skip_space", "strict",
                               "encoding",    "bad_bytes",  NULL};
    long long delimiter, quote, escape;
    int doublequote, skip_space, strict;
    const char *name;
    Py_buffer bad;
    split_encoding encoding;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "LLLpppsy*:csv_scanner", keywords,
                                     &delimiter, &quote, &escape, &doublequote, &skip_space,
                                     &strict, &name, &bad)) {
        return NULL;
    }
    csv_scanner *self = NULL;
    if (scanner_encoding(name, &encoding) == 0) {
        self = (csv_scanner *)type->tp_alloc(type, 0);
    }
    if (self != NULL) {
        const uint8_t *bytes = bad.buf;
        for (Py_ssize_t i = 0; i < bad.len; i++) {
            self->bad_bytes[bytes[i]] = true;
        }
        const fields_dialect dialect = {
            .set = {delimiter < 0 ? SCAN_ABSENT : (uint32_t)delimiter,
                    quote < 0 ? SCAN_ABSENT : (uint32_t)quote,
                    escape < 0 ? SCAN_ABSENT : (uint32_t)escape},
            .doublequote = doublequote,
            .skip_space = skip_space,
            .strict = strict,
        };
        if (!split_init(&self->machine, &dialect,
                        generators_state_of((PyObject *)self)->kernel, encoding,
                        bad.len > 0 ? self->bad_bytes : NULL)) {
            Py_CLEAR(self);
            PyErr_NoMemory();
        }
    }
    PyBuffer_Release(&bad);
    return (PyObject *)self;
}

PyDoc_STRVAR(begin_doc, "begin($self, start, before, state=None, /)\n"
                        "--\n\n"
                        "Begin a range at an offset, behind these bytes.");

static PyObject *
scanner_begin(PyObject *op, PyObject *args)
{
    csv_scanner *self = (csv_scanner *)op;
    unsigned long long start;
    Py_buffer before;
    const char *name = NULL;
    if (!PyArg_ParseTuple(args, "Ky*|z:begin", &start, &before, &name)) {
        return NULL;
    }
    const int only = scanner_state(name);
    const bool entered = only >= 0 && scanner_enter(self, false) == 0;
    if (entered) {
        split_begin(&self->machine, start, before.buf, (size_t)before.len, (split_state)only);
        scanner_leave(self, true);
    }
    PyBuffer_Release(&before);
    return entered ? Py_NewRef(Py_None) : NULL;
}

PyDoc_STRVAR(feed_doc, "feed($self, data, /)\n"
                       "--\n\n"
                       "The next bytes of the range.");

static PyObject *
scanner_feed(PyObject *op, PyObject *data)
{
    csv_scanner *self = (csv_scanner *)op;
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    const bool entered = scanner_enter(self, true) == 0;
    if (entered) {
        Py_BEGIN_ALLOW_THREADS
        split_feed(&self->machine, view.buf, (size_t)view.len);
        Py_END_ALLOW_THREADS
        scanner_leave(self, true);
    }
    PyBuffer_Release(&view);
    return entered ? Py_NewRef(Py_None) : NULL;
}

/* ---- the result ---- */

static PyObject *
scanner_place(uint64_t place)
{
    return place == SPLIT_NOWHERE ? Py_NewRef(Py_None) : PyLong_FromUnsignedLongLong(place);
}

static PyObject *
scanner_span(const split_span *span)
{
    /* Bounds below the floor are not exact. */
    const uint64_t floor = SPLIT_FIELD_FLOOR;
    const uint64_t field = span->longest_field > floor ? span->longest_field : floor;
    const uint64_t record = span->longest_record > floor ? span->longest_record : floor;
    return Py_BuildValue(
        "{sssKsKsNsKsNsKsOsKsKsKsK}", "end", state_names[span->end], "lines",
        (unsigned long long)span->lines, "records", (unsigned long long)span->records, "first",
        scanner_place(span->first), "first_line", (unsigned long long)span->first_lines,
        "last", scanner_place(span->last), "last_line", (unsigned long long)span->last_lines,
        "field_ends", span->field_ends ? Py_True : Py_False, "head_field",
        (unsigned long long)span->head_field, "longest_field", (unsigned long long)field,
        "tail_field", (unsigned long long)span->tail_field, "longest_record",
        (unsigned long long)record);
}

/* By state: a new dict, or NULL. */
static PyObject *
scanner_spans(const split *machine)
{
    PyObject *spans = PyDict_New();
    for (int state = 0; spans != NULL && state < SPLIT_STATES; state++) {
        split_span span;
        if (split_result(machine, (split_state)state, &span)) {
            PyObject *value = scanner_span(&span);
            if (value == NULL || PyDict_SetItemString(spans, state_names[state], value) < 0) {
                Py_CLEAR(spans);
            }
            Py_XDECREF(value);
        }
    }
    return spans;
}

PyDoc_STRVAR(end_doc,
             "end($self, after, /)\n"
             "--\n\n"
             "The range is over, and these bytes follow.  Returns whether all bytes\n"
             "are text of the encoding, and a dict: by the state before the range, what\n"
             "a reader passes in it.");

static PyObject *
scanner_end(PyObject *op, PyObject *after)
{
    csv_scanner *self = (csv_scanner *)op;
    Py_buffer view;
    if (PyObject_GetBuffer(after, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (scanner_enter(self, true) == 0) {
        split_end(&self->machine, view.buf, (size_t)view.len);
        PyObject *spans = scanner_spans(&self->machine);
        if (spans != NULL) {
            result = Py_BuildValue("ON", self->machine.unreadable ? Py_False : Py_True, spans);
        }
        scanner_leave(self, false);
    }
    PyBuffer_Release(&view);
    return result;
}

PyDoc_STRVAR(check_doc, "check(part, /)\n"
                        "--\n\n"
                        "The checksum of a part.");

static PyObject *
scanner_check(PyObject *Py_UNUSED(type), PyObject *part)
{
    return csv_part_check(part);
}

static void
scanner_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef scanner_methods[] = {
    {"begin", scanner_begin, METH_VARARGS, begin_doc},
    {"feed", scanner_feed, METH_O, feed_doc},
    {"end", scanner_end, METH_O, end_doc},
    {"check", scanner_check, METH_O | METH_STATIC, check_doc},
    {NULL},
};

PyDoc_STRVAR(
    scanner_doc,
    "csv_scanner(delimiter, quote, escape, doublequote, skip_space, strict, encoding,\n"
    "             bad_bytes)\n"
    "--\n\n"
    "The scanner of csv_scan().");

static PyType_Slot scanner_slots[] = {
    {Py_tp_doc, (char *)scanner_doc},
    {Py_tp_new, scanner_new},
    {Py_tp_dealloc, scanner_dealloc},
    {Py_tp_methods, scanner_methods},
    {0, NULL},
};

PyType_Spec csv_scanner_spec = {
    .name = "native_generators._split.csv_scanner",
    .basicsize = sizeof(csv_scanner),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = scanner_slots,
};
