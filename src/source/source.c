/* csv_source: where the pieces come from.
 *
 * A path is opened here and closed here; a file object that was handed in stays
 * open.  An iterator is the stream's own source, which closes it if it is a
 * generator.  A buffer is held from the first piece to the end and copied piece by
 * piece with the GIL held, since its owner may write to it meanwhile.
 *
 * Only the standard library's own files are asked to read into the parser's
 * block: others might keep the memory that they are given.
 */
#include "source/source.h"

#include "csv/parse/error.h"
#include "csv/parse/parser.h"
#include "runtime/raising.h"
#include "runtime/attributes.h"

#include <string.h>

#define SUSPECTS 8 /* bytes items without a line end before that is an error */

/* ---- what a source is ---- */

static int
is_instance_of(PyObject *object, PyObject *module, const char *name)
{
    PyObject *type = PyObject_GetAttrString(module, name);
    int result = type == NULL ? -1 : PyObject_IsInstance(object, type);
    Py_XDECREF(type);
    return result;
}

static int
is_exactly(PyObject *object, PyObject *module, const char *name)
{
    PyObject *type = PyObject_GetAttrString(module, name);
    int result = type == NULL ? -1 : (PyObject *)Py_TYPE(object) == type;
    Py_XDECREF(type);
    return result;
}

/* A file that reads from a descriptor by code of the standard library alone. */
static int
is_plain_file(PyObject *file, PyObject *io)
{
    int plain = is_exactly(file, io, "FileIO");
    if (plain != 0) {
        return plain;
    }
    int buffered = is_exactly(file, io, "BufferedReader");
    if (buffered <= 0) {
        return buffered;
    }
    PyObject *raw = PyObject_GetAttrString(file, "raw");
    if (raw == NULL) {
        return -1;
    }
    plain = is_exactly(raw, io, "FileIO");
    Py_DECREF(raw);
    return plain;
}

/* ---- how much there is ---- */

static int
call_for_number(PyObject *object, const char *method, int64_t *number)
{
    PyObject *value = PyObject_CallMethod(object, method, NULL);
    if (value == NULL) {
        return -1;
    }
    *number = PyLong_AsLongLong(value);
    Py_DECREF(value);
    return *number == -1 && PyErr_Occurred() ? -1 : 0;
}

/* What is left to read of a regular file; CSV_SIZE_UNKNOWN for pipes and the
   like, which know neither size nor place.  0 or -1. */
static int
read_size_left(PyObject *file, uint64_t *left)
{
    *left = CSV_SIZE_UNKNOWN;
    int64_t descriptor, size, mode, at;
    PyObject *status = NULL, *value = NULL;
    PyObject *os = PyImport_ImportModule("os");
    if (os == NULL || call_for_number(file, "fileno", &descriptor) < 0) {
        goto done;
    }
    status = PyObject_CallMethod(os, "fstat", "L", (long long)descriptor);
    if (status == NULL) {
        goto done;
    }
    value = PyObject_GetAttrString(status, "st_mode");
    mode = value == NULL ? -1 : PyLong_AsLongLong(value);
    Py_XDECREF(value);
    value = PyErr_Occurred() ? NULL : PyObject_GetAttrString(status, "st_size");
    size = value == NULL ? -1 : PyLong_AsLongLong(value);
    Py_XDECREF(value);
    if (mode >= 0 && (mode & 0170000) == 0100000 && size > 0 &&
        call_for_number(file, "tell", &at) == 0 && at <= size) {
        *left = (uint64_t)(size - at);
    }
done:
    Py_XDECREF(os);
    Py_XDECREF(status);
    return PyErr_Occurred() ? raising_forgive_answer() : 0;
}

/* ---- opening ---- */

static int
use_file(csv_source *self, PyObject *file, csv_source_kind kind, const char *method)
{
    self->file = Py_NewRef(file);
    self->kind = kind;
    self->reader = PyObject_GetAttrString(file, method);
    return self->reader == NULL ? -1 : 0;
}

static int
open_path(csv_source *self, generators_state *state, PyObject *source, bool into,
          PyObject **path)
{
    PyObject *file = PyObject_CallMethod(state->io, "FileIO", "Os", source, "rb");
    if (file == NULL) {
        return -1;
    }
    self->owns_file = true;
    int status = into ? use_file(self, file, CSV_FROM_READINTO, "readinto")
                      : use_file(self, file, CSV_FROM_READ, "read");
    if (status == 0) {
        status = read_size_left(file, &self->total_bytes);
    }
    PyObject *fspath = status < 0 ? NULL : PyOS_FSPath(source);
    if (fspath == NULL || !PyUnicode_FSDecoder(fspath, path)) {
        status = -1;
    }
    Py_XDECREF(fspath);
    Py_DECREF(file);
    return status;
}

static int
open_file(csv_source *self, generators_state *state, PyObject *file, bool into,
          PyObject **path)
{
    PyObject *name = PyObject_GetAttrString(file, "name");
    if (name == NULL) {
        if (raising_forgive_answer() < 0) {
            return -1;
        }
    }
    else if (PyUnicode_Check(name)) {
        *path = Py_NewRef(name);
    }
    Py_XDECREF(name);
    int plain = is_plain_file(file, state->io);
    if (plain < 0) {
        return -1;
    }
    if (plain) {
        if (read_size_left(file, &self->total_bytes) < 0) {
            return -1;
        }
        /* One read of the descriptor, so that a pipe's data is had at once. */
        bool raw = is_exactly(file, state->io, "FileIO") > 0;
        if (into) {
            return use_file(self, file, CSV_FROM_READINTO, raw ? "readinto" : "readinto1");
        }
        return use_file(self, file, CSV_FROM_READ, raw ? "read" : "read1");
    }
    return use_file(self, file, CSV_FROM_READ, "read");
}

static int
open_buffer(csv_source *self, PyObject *source)
{
    if (PyObject_GetBuffer(source, &self->view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    self->kind = CSV_FROM_BUFFER;
    self->total_bytes = (uint64_t)self->view.len;
    return 0;
}

void
csv_source_open_items(csv_source *self, csv_items items)
{
    self->kind = CSV_FROM_ITERATOR;
    self->items = items;
    self->total_bytes = CSV_SIZE_UNKNOWN;
    self->suspicious = items == CSV_ITEMS_AUTO;
}

static int
open_iterable(csv_source *self, generators_state *state, stream *face, PyObject *source)
{
    csv_source_open_items(self, self->items);
    if (Py_TYPE(source)->tp_iter == NULL && !PySequence_Check(source)) {
        PyErr_Format(PyExc_TypeError,
                     "source must be a path, a file object, bytes or another buffer, or an "
                     "iterable of str or bytes, not '%.200s'",
                     Py_TYPE(source)->tp_name);
        return -1;
    }
    return stream_open(face, state, source);
}

/* A path, bytes, a file or an iterable: the first that it is. */
int
csv_source_open(csv_source *self, generators_state *state, stream *face, PyObject *source,
                csv_items items, bool into, PyObject **path)
{
    *path = NULL;
    self->items = items;
    self->total_bytes = CSV_SIZE_UNKNOWN;
    if (PyUnicode_Check(source)) {
        return open_path(self, state, source, into, path);
    }
    if (PyObject_CheckBuffer(source)) {
        return open_buffer(self, source);
    }
    int found = attributes_has(source, "__fspath__");
    if (found != 0) {
        return found < 0 ? -1 : open_path(self, state, source, into, path);
    }
    if (items == CSV_ITEMS_AUTO) {
        found = attributes_has(source, "read");
        if (found > 0) {
            int text = is_instance_of(source, state->io, "TextIOBase");
            if (text == 0) {
                return open_file(self, state, source, into, path);
            }
            found = text < 0 ? -1 : 0;
        }
        if (found < 0) {
            return -1;
        }
    }
    return open_iterable(self, state, face, source);
}

int
csv_source_close(csv_source *self)
{
    PyObject *file = self->file;
    self->file = NULL;
    Py_CLEAR(self->reader);
    if (self->view.obj != NULL) {
        PyBuffer_Release(&self->view);
    }
    int status = 0;
    if (self->owns_file) {
        self->owns_file = false;
        PyObject *closed = PyObject_CallMethod(file, "close", NULL);
        status = closed == NULL ? -1 : 0;
        Py_XDECREF(closed);
    }
    Py_XDECREF(file);
    return status;
}

int
csv_source_traverse(csv_source *self, visitproc visit, void *arg)
{
    Py_VISIT(self->file);
    Py_VISIT(self->reader);
    Py_VISIT(self->view.obj);
    return 0;
}

/* ---- pulling ---- */

static int
end_of_source(csv_source *self, generators_state *state, csv_parser *parser)
{
    bool known = self->total_bytes != CSV_SIZE_UNKNOWN && self->kind != CSV_FROM_ITERATOR;
    if (known && self->bytes_read < self->total_bytes) {
        csv_place place = {parser->path, -1, -1, (int64_t)self->bytes_read, NULL, NULL};
        csv_raise(state, &place, "the file shrank while it was read: %llu of %llu bytes",
                  (unsigned long long)self->bytes_read, (unsigned long long)self->total_bytes);
        return -1;
    }
    return csv_parser_finish(parser, state);
}

static int
pull_buffer(csv_source *self, generators_state *state, csv_parser *parser)
{
    Py_ssize_t left = self->view.len - self->offset;
    Py_ssize_t count = left < CSV_BLOCK ? left : CSV_BLOCK;
    if (count == 0) {
        return end_of_source(self, state, parser);
    }
    const char *bytes = (const char *)self->view.buf + self->offset;
    self->offset += count;
    self->bytes_read += (uint64_t)count;
    return csv_parser_feed_bytes(parser, state, bytes, (size_t)count);
}

static int
would_block(csv_source *self)
{
    PyErr_Format(PyExc_BlockingIOError, "%R has no data yet: it is not blocking", self->file);
    return -1;
}

static void
note_file_error(csv_source *self)
{
    stream_note("while reading from byte %llu", (unsigned long long)self->bytes_read);
}

/* Feed a bytes-like object. */
static int
feed_object(csv_source *self, generators_state *state, csv_parser *parser, PyObject *object)
{
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    self->bytes_read += (uint64_t)view.len;
    int status = csv_parser_feed_bytes(parser, state, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return status;
}

int
csv_source_feed_read(csv_source *self, generators_state *state, csv_parser *parser,
                     PyObject *data)
{
    if (data == Py_None) {
        return would_block(self);
    }
    if (PyUnicode_Check(data)) {
        return PyUnicode_GET_LENGTH(data) == 0 ? end_of_source(self, state, parser)
                                               : csv_parser_feed_text(parser, state, data);
    }
    if (!PyObject_CheckBuffer(data)) {
        PyErr_Format(PyExc_TypeError, "read() should have returned bytes or str, not '%.200s'",
                     Py_TYPE(data)->tp_name);
        return -1;
    }
    uint64_t before = self->bytes_read;
    int status = feed_object(self, state, parser, data);
    return status == 0 && self->bytes_read == before ? end_of_source(self, state, parser)
                                                     : status;
}

static int
pull_read(csv_source *self, generators_state *state, csv_parser *parser)
{
    PyObject *data = PyObject_CallFunction(self->reader, "n", (Py_ssize_t)CSV_BLOCK);
    if (data == NULL) {
        note_file_error(self);
        return -1;
    }
    int status = csv_source_feed_read(self, state, parser, data);
    Py_DECREF(data);
    return status;
}

static int
pull_readinto(csv_source *self, generators_state *state, csv_parser *parser)
{
    uint8_t *room = csv_parser_room(parser, state, CSV_BLOCK);
    if (room == NULL) {
        return -1;
    }
    PyObject *memory = PyMemoryView_FromMemory((char *)room, CSV_BLOCK, PyBUF_WRITE);
    if (memory == NULL) {
        return -1;
    }
    PyObject *result = PyObject_CallOneArg(self->reader, memory);
    Py_DECREF(memory);
    if (result == NULL) {
        note_file_error(self);
        return -1;
    }
    if (result == Py_None) {
        Py_DECREF(result);
        return would_block(self);
    }
    Py_ssize_t count = PyLong_AsSsize_t(result);
    Py_DECREF(result);
    if (count < 0) {
        return -1;
    }
    if (count == 0) {
        return end_of_source(self, state, parser);
    }
    self->bytes_read += (uint64_t)count;
    return csv_parser_filled(parser, state, (size_t)count);
}

/* ---- items ---- */

static void
wrong_item(generators_state *state, csv_parser *parser, PyObject *item, Py_ssize_t index)
{
    const char *wanted = "str or bytes";
    if (parser->started || parser->held != NULL) {
        wanted = parser->from_text ? "str, as the items before it"
                                   : "bytes, as the items before it";
    }
    csv_place place = {
        .path = parser->path,
        .record = (int64_t)parser->record_count + 1,
        .line = parser->machine.mode == FIELDS_LINES ? (int64_t)parser->lines_fed : -1,
        .byte = -1,
    };
    csv_raise(state, &place, "iterator should return %s, not %.200s (item %zd)", wanted,
              Py_TYPE(item)->tp_name, index);
}

/* Lines that lost their ends would run together if they were read as chunks. */
static int
suspect(csv_source *self, csv_parser *parser, const void *bytes, size_t count)
{
    uint32_t delimiter = parser->dialect.fields.set.delimiter;
    if (count == 0) {
        return 0;
    }
    if (delimiter > 0x7F || memchr(bytes, (int)delimiter, count) == NULL ||
        memchr(bytes, '\n', count) != NULL || memchr(bytes, '\r', count) != NULL) {
        self->suspicious = false;
        return 0;
    }
    if (++self->suspects == SUSPECTS) {
        PyErr_Format(PyExc_ValueError,
                     "the first %d items each hold a delimiter and none a line end: pass "
                     "items='lines' if they are lines, or items='chunks' if they are not",
                     SUSPECTS);
        return -1;
    }
    return 0;
}

static int
feed_bytes_item(csv_source *self, generators_state *state, csv_parser *parser, PyObject *item)
{
    if (!self->suspicious) {
        return feed_object(self, state, parser, item);
    }
    Py_buffer view;
    if (PyObject_GetBuffer(item, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    int status = suspect(self, parser, view.buf, (size_t)view.len);
    if (status == 0) {
        self->bytes_read += (uint64_t)view.len;
        status = csv_parser_feed_bytes(parser, state, view.buf, (size_t)view.len);
    }
    PyBuffer_Release(&view);
    return status;
}

/* items='lines': give the line the end that was cut off. */
static int
feed_cut_line(generators_state *state, csv_parser *parser, PyObject *line)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(line);
    Py_UCS4 last = length > 0 ? PyUnicode_READ_CHAR(line, length - 1) : 0;
    if (last == '\n' || last == '\r') {
        return csv_parser_feed_line(parser, state, line);
    }
    PyObject *whole = PyUnicode_Concat(line, state->latin1['\n']);
    int status = whole == NULL ? -1 : csv_parser_feed_line(parser, state, whole);
    Py_XDECREF(whole);
    return status;
}

static int
feed_bytes_line(csv_source *self, generators_state *state, csv_parser *parser, PyObject *item)
{
    PyObject *bytes = PyBytes_FromObject(item);
    if (bytes == NULL) {
        return -1;
    }
    self->bytes_read += (uint64_t)PyBytes_GET_SIZE(bytes);
    PyObject *line = csv_parser_decode_line(parser, state, bytes);
    Py_DECREF(bytes);
    if (line == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int status = feed_cut_line(state, parser, line);
    Py_DECREF(line);
    return status;
}

int
csv_source_feed(csv_source *self, generators_state *state, csv_parser *parser, PyObject *item,
                Py_ssize_t index)
{
    bool first = !parser->started && parser->byte_count == 0;
    bool text = PyUnicode_Check(item);
    if (first && text) {
        parser->from_text = true;
    }
    if (text != parser->from_text || !(text || PyObject_CheckBuffer(item))) {
        wrong_item(state, parser, item, index);
        return -1;
    }
    if (!text) {
        return self->items == CSV_ITEMS_LINES ? feed_bytes_line(self, state, parser, item)
                                              : feed_bytes_item(self, state, parser, item);
    }
    if (PyUnicode_READY(item) < 0) {
        return -1;
    }
    switch (self->items) {
    case CSV_ITEMS_LINES:
        return feed_cut_line(state, parser, item);
    case CSV_ITEMS_CHUNKS:
        return csv_parser_feed_text(parser, state, item);
    default:
        return csv_parser_feed_line(parser, state, item);
    }
}

static int
pull_item(csv_source *self, generators_state *state, stream *face, csv_parser *parser)
{
    PyObject *item;
    int status = stream_pull(face, &item);
    if (status <= 0) {
        return status < 0 ? -1 : csv_parser_finish(parser, state);
    }
    status = csv_source_feed(self, state, parser, item, face->pulled - 1);
    Py_DECREF(item);
    return status;
}

int
csv_source_pull(csv_source *self, generators_state *state, stream *face, csv_parser *parser)
{
    /* list(rows) may run no Python code at all: Ctrl-C is seen between two blocks. */
    if (self->kind != CSV_FROM_ITERATOR && PyErr_CheckSignals() < 0) {
        return -1;
    }
    switch (self->kind) {
    case CSV_FROM_ITERATOR:
        return pull_item(self, state, face, parser);
    case CSV_FROM_BUFFER:
        return pull_buffer(self, state, parser);
    case CSV_FROM_READ:
        return pull_read(self, state, parser);
    default:
        return pull_readinto(self, state, parser);
    }
}
