/* The arguments of lines, jsonl_rows and their async faces: which ones are allowed, and what
 * is set up from them.
 */
#include "text/line_options.h"

#include <string.h>

#include "source/options.h"

#define DEFAULT_MAX_LINE ((size_t)64 << 20)
#define SUSPICIOUS_ITEMS                                               \
    8 /* consecutive items that look like JSON lines without line ends \
       */

static PyObject *
options_not_none(PyObject *value)
{
    return value == Py_None ? NULL : value;
}

static int
options_read_encoding(PyObject *encoding, line_reader_options *reader)
{
    reader->encoding = options_not_none(encoding);
    if (reader->encoding != NULL && !PyUnicode_Check(encoding)) {
        PyErr_Format(PyExc_TypeError, "encoding must be None or a str, not '%.200s'",
                     Py_TYPE(encoding)->tp_name);
        return -1;
    }
    return 0;
}

/* The last arguments are others for each kind of front end. */
static int
options_read_last(line_options *self, PyObject *last, PyObject *changed)
{
    if (self->is_async) {
        self->close_with_task = last == NULL ? 0 : PyObject_IsTrue(last);
        return self->close_with_task < 0 ? -1 : 0;
    }
    self->start = options_not_none(last);
    return checkpoint_read_changed(changed, &self->changed);
}

/* ---- lines ---- */

/* An item that lacks its line end is given LF. */
static int
options_check_newline(const line_reader_options *reader)
{
    PyObject *newline = reader->newline;
    bool is_feed =
        newline == NULL ||
        (PyUnicode_Check(newline) ? PyUnicode_CompareWithASCIIString(newline, "\n") == 0
                                  : PyBytes_Check(newline) && PyBytes_GET_SIZE(newline) == 1 &&
                                        PyBytes_AS_STRING(newline)[0] == '\n');
    if (!is_feed) {
        PyErr_SetString(PyExc_ValueError,
                        "items='lines' requires newline=None or newline='\\n'");
        return -1;
    }
    return 0;
}

int
line_options_read_lines(line_options *self, const char *name, PyObject *args, PyObject *kwargs,
                        line_rows *rows)
{
    char *keywords[] = {"source",
                        "newline",
                        "keepends",
                        "encoding",
                        "errors",
                        "max_line",
                        "items",
                        "compression",
                        "member",
                        "complete",
                        self->is_async ? "close_with_task" : "start",
                        self->is_async ? NULL : "changed",
                        NULL};
    PyObject *newline = Py_None, *encoding = Py_None, *max_line = NULL, *last = NULL;
    PyObject *changed = NULL;
    const char *items = "auto";
    int keepends = 0;
    char format[64];
    line_reader_options reader = {.errors = "strict", .max_line = DEFAULT_MAX_LINE};

    PyOS_snprintf(format, sizeof format, "O|$OpOsOsOOpO%s:%s", self->is_async ? "" : "O",
                  name);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, keywords, &self->source, &newline,
                                     &keepends, &encoding, &reader.errors, &max_line, &items,
                                     &self->opening.compression, &self->opening.member,
                                     &self->opening.complete, &last, &changed) ||
        options_read_items(items, &self->items) < 0 ||
        options_read_limit(max_line, "max_line", &reader.max_line) < 0 ||
        options_read_encoding(encoding, &reader) < 0 ||
        options_read_last(self, last, changed) < 0) {
        return -1;
    }
    reader.newline = options_not_none(newline);
    reader.keeps_ends = keepends;
    rows->reader.has_item_lines = self->items == DATA_SOURCE_LINES;
    rows->reader.ends_complete = self->opening.complete != 0;
    if (rows->reader.has_item_lines && options_check_newline(&reader) < 0) {
        return -1;
    }
    return line_reader_open(&rows->reader, rows->state, &reader);
}

/* ---- jsonl_rows ---- */

/* Values without line ends would become one line if they were read as chunks. */
static int
options_check_json_item(const void *bytes, size_t count, int earlier)
{
    const char *text = bytes;
    bool whole = count > 1 && ((text[0] == '{' && text[count - 1] == '}') ||
                               (text[0] == '[' && text[count - 1] == ']'));
    if (!whole || memchr(text, '\n', count) != NULL) {
        return 0;
    }
    if (earlier + 1 < SUSPICIOUS_ITEMS) {
        return 1;
    }
    PyErr_Format(PyExc_ValueError,
                 "the first %d items are JSON values without a line end: pass items='lines' "
                 "if they are lines, or items='chunks' if they are not",
                 SUSPICIOUS_ITEMS);
    return -1;
}

static int
options_read_blank(const char *blank, line_rows *rows)
{
    rows->refuses_blank = strcmp(blank, "error") == 0;
    if (!rows->refuses_blank && strcmp(blank, "skip") != 0) {
        PyErr_Format(PyExc_ValueError, "blank must be 'skip' or 'error', not '%s'", blank);
        return -1;
    }
    return 0;
}

static int
options_read_loads(PyObject *loads, line_rows *rows)
{
    rows->is_json = true;
    if (loads == NULL || loads == Py_None) {
        PyObject *json = PyImport_ImportModule("json");
        rows->loads = json == NULL ? NULL : PyObject_GetAttrString(json, "loads");
        Py_XDECREF(json);
        return rows->loads == NULL ? -1 : 0;
    }
    if (!PyCallable_Check(loads)) {
        PyErr_Format(PyExc_TypeError, "loads must be a callable, not '%.200s'",
                     Py_TYPE(loads)->tp_name);
        return -1;
    }
    rows->loads = Py_NewRef(loads);
    return 0;
}

int
line_options_read_jsonl(line_options *self, const char *name, PyObject *args, PyObject *kwargs,
                        line_rows *rows)
{
    char *keywords[] = {"source",
                        "loads",
                        "blank",
                        "on_error",
                        "max_line",
                        "encoding",
                        "items",
                        "compression",
                        "member",
                        "complete",
                        self->is_async ? "close_with_task" : "start",
                        self->is_async ? NULL : "changed",
                        NULL};
    PyObject *loads = NULL, *on_error = NULL, *max_line = NULL, *encoding = NULL, *last = NULL;
    PyObject *changed = NULL;
    const char *blank = "skip", *items = "auto";
    char format[64];
    line_reader_options reader = {.errors = "strict", .max_line = DEFAULT_MAX_LINE};

    PyOS_snprintf(format, sizeof format, "O|$OsOOUsOOpO%s:%s", self->is_async ? "" : "O",
                  name);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, keywords, &self->source, &loads,
                                     &blank, &on_error, &max_line, &encoding, &items,
                                     &self->opening.compression, &self->opening.member,
                                     &self->opening.complete, &last, &changed) ||
        options_read_items(items, &self->items) < 0 ||
        options_read_limit(max_line, "max_line", &reader.max_line) < 0 ||
        options_read_blank(blank, rows) < 0 || options_read_loads(loads, rows) < 0 ||
        options_read_on_error(on_error, &rows->on_error) < 0 ||
        options_read_last(self, last, changed) < 0) {
        return -1;
    }
    rows->reader.is_utf8_only = true;
    rows->reader.has_item_lines = self->items == DATA_SOURCE_LINES;
    rows->reader.ends_complete = self->opening.complete != 0;
    if (self->items == DATA_SOURCE_AUTO) {
        rows->reader.check_item = options_check_json_item;
    }
    PyObject *feed = Py_NewRef(rows->state->latin1['\n']);
    PyObject *utf8 = encoding != NULL ? Py_NewRef(encoding) : PyUnicode_FromString("utf-8");
    reader.newline = feed;
    reader.encoding = utf8;
    int status = utf8 == NULL ? -1 : line_reader_open(&rows->reader, rows->state, &reader);
    Py_DECREF(feed);
    Py_XDECREF(utf8);
    return status;
}
