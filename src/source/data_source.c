/* data_source: where the bytes and the text of a stream come from.
 *
 * A path is opened and closed here.  The user's file object stays open.  An iterator belongs
 * to the stream, which closes it if it is a generator.  A buffer is held until the end and
 * given to the sink piece by piece.  The sink copies it with the GIL held, because the
 * buffer's owner may write to it.
 *
 * Only files of the standard library read into the sink's memory.  Other file objects might
 * keep a reference to that memory.
 *
 * Compressed bytes go to an unpacker first: see unpack.h.  It may give more than a sink takes
 * at once, and then nothing is read before the rest is fed.
 *
 * It owns the file and its method, or the buffer.  The owning stream locks, and is `running`
 * while it pulls, so nothing is closed meanwhile.  User code runs in the source and in the
 * sink.
 */
#include "source/data_source.h"

#include "core/threads.h"
#include "runtime/attributes.h"
#include "runtime/raising.h"
#include "runtime/frame.h"
#include "source/refused.h"
#include "stream/refusal.h"

#define DATA_SOURCE_AHEAD (256 * 1024) /* bytes of a file that a thread decompresses */

/* ---- opening ---- */

/* Choose the method that reads from a file: the best one for a plain file, or else read(). */
static int
data_source_use_file(data_source *self, generators_state *state, PyObject *file,
                     bool reads_into)
{
    int plain = file_plain_reader(file, state, reads_into, &self->reader);
    if (plain < 0) {
        return -1;
    }
    self->file = Py_NewRef(file);
    self->kind = plain && reads_into ? DATA_SOURCE_FROM_READINTO : DATA_SOURCE_FROM_READ;
    if (plain) {
        return file_size_left(file, &self->total_bytes);
    }
    int at_once = self->at_once ? attributes_has(file, "read1") : 0;
    if (at_once >= 0) {
        self->reader = PyObject_GetAttrString(file, at_once ? "read1" : "read");
    }
    return self->reader == NULL ? -1 : 0;
}

static int
data_source_open_path(data_source *self, generators_state *state, PyObject *source,
                      bool reads_into, PyObject **path)
{
    /* Called only once, because a second call might return another path. */
    PyObject *given = PyOS_FSPath(source);
    if (given != NULL && PyUnicode_Check(given)) {
        Py_SETREF(given, PyUnicode_FromObject(given)); /* exact */
    }
    PyObject *file =
        given == NULL ? NULL : PyObject_CallMethod(state->io, "FileIO", "Os", given, "rb");
    int status = -1;
    if (file == NULL && given != NULL && PyUnicode_Check(given)) {
        refused_explain_path(given);
    }
    if (file != NULL) {
        self->owns_file = true;
        status = data_source_use_file(self, state, file, reads_into);
        if (self->file == NULL) {
            self->file = Py_NewRef(file);
        }
    }
    if (status == 0 && !PyUnicode_FSDecoder(given, path)) {
        status = -1;
    }
    Py_XDECREF(given);
    Py_XDECREF(file);
    return status;
}

static int
data_source_open_file(data_source *self, generators_state *state, PyObject *file,
                      bool reads_into, PyObject **path)
{
    PyObject *name = PyObject_GetAttrString(file, "name");
    if (name == NULL) {
        if (raising_forgive_answer() < 0) {
            return -1;
        }
    }
    else {
        bool is_text = PyUnicode_Check(name);
        *path = is_text ? PyUnicode_FromObject(name) : NULL; /* exact */
        Py_DECREF(name);
        if (is_text && *path == NULL) {
            return -1;
        }
    }
    return data_source_use_file(self, state, file, reads_into);
}

static int
data_source_open_buffer(data_source *self, PyObject *source)
{
    if (PyObject_GetBuffer(source, &self->view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    self->kind = DATA_SOURCE_FROM_BUFFER;
    self->total_bytes = (uint64_t)self->view.len;
    return 0;
}

void
data_source_open_items(data_source *self, data_source_items items)
{
    self->kind = DATA_SOURCE_FROM_ITERATOR;
    self->items = items;
    self->total_bytes = FILE_SIZE_UNKNOWN;
    self->checks_items = items == DATA_SOURCE_AUTO;
}

static int
data_source_open_iterable(data_source *self, generators_state *state, stream *owner,
                          PyObject *source)
{
    data_source_open_items(self, self->items);
    if (Py_TYPE(source)->tp_iter == NULL && !PySequence_Check(source)) {
        PyErr_Format(PyExc_TypeError,
                     "source must be a path, a file object, bytes or another buffer, or an "
                     "iterable of str or bytes, not '%.200s'",
                     Py_TYPE(source)->tp_name);
        refusal_add_hint(frame_type_name((PyObject *)owner), source, false);
        return -1;
    }
    return stream_open(owner, state, source);
}

static int
data_source_is_text_file(generators_state *state, PyObject *file)
{
    PyObject *type = PyObject_GetAttrString(state->io, "TextIOBase");
    int is = type == NULL ? -1 : PyObject_IsInstance(file, type);
    Py_XDECREF(type);
    return is;
}

/* `source` is opened as the first of these that it is: a path, a buffer, a file or an
   iterable. */
int
data_source_open(data_source *self, generators_state *state, stream *owner, PyObject *source,
                 data_source_items items, bool reads_into, PyObject **path)
{
    *path = NULL;
    self->items = items;
    self->total_bytes = self->end = FILE_SIZE_UNKNOWN;
    if (PyUnicode_Check(source)) {
        return data_source_open_path(self, state, source, reads_into, path);
    }
    if (PyObject_CheckBuffer(source)) {
        return data_source_open_buffer(self, source);
    }
    int found = attributes_has(source, "__fspath__");
    if (found != 0) {
        return found < 0 ? -1 : data_source_open_path(self, state, source, reads_into, path);
    }
    if (items == DATA_SOURCE_AUTO) {
        found = attributes_has(source, "read");
        int text = found <= 0 ? found : data_source_is_text_file(state, source);
        if (text < 0) {
            return -1;
        }
        if (!text && refused_check_response(source, false) < 0) {
            return -1;
        }
        if (found && !text) {
            return data_source_open_file(self, state, source, reads_into, path);
        }
    }
    return data_source_open_iterable(self, state, owner, source);
}

int
data_source_seek(data_source *self, file_origin *origin, int64_t base, int64_t offset)
{
    PyObject *file = Py_NewRef(self->file);
    PyObject *done = PyObject_CallMethod(file, "seek", "L", (long long)(base + offset));
    Py_DECREF(file);
    if (done == NULL) {
        return -1;
    }
    Py_DECREF(done);
    if (offset > 0 && unpack_skip_head(&self->unpack) < 0) {
        return -1;
    }
    if (self->total_bytes != FILE_SIZE_UNKNOWN) {
        self->total_bytes = (uint64_t)((int64_t)self->total_bytes + origin->base - base);
    }
    if (origin->end >= 0) {
        self->total_bytes = self->end = (uint64_t)origin->end;
    }
    self->bytes_read = (uint64_t)offset;
    origin->base = base;
    return 0;
}

int
data_source_close(data_source *self)
{
    PyObject *file = self->file, *reader = self->reader;
    bool closes = self->owns_file && file != NULL;
    Py_buffer view = self->view;
    self->file = NULL;
    self->reader = NULL;
    self->owns_file = false;
    self->view.obj = NULL;
    if (view.obj != NULL) {
        PyBuffer_Release(&view);
    }
    Py_XDECREF(reader);
    int status = unpack_close(&self->unpack); /* its thread reads the file */
    if (closes) {
        PyObject *raised = PyErr_GetRaisedException();
        PyObject *closed = PyObject_CallMethod(file, "close", NULL);
        status = closed == NULL ? -1 : status;
        if (closed == NULL) {
            raising_chain(raised);
        }
        else if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
        Py_XDECREF(closed);
    }
    Py_XDECREF(file);
    return status;
}

int
data_source_traverse(data_source *self, visitproc visit, void *arg)
{
    Py_VISIT(self->file);
    Py_VISIT(self->reader);
    Py_VISIT(self->view.obj);
    return unpack_traverse(&self->unpack, visit, arg);
}

/* ---- compressed sources ---- */

/* Give bytes to the sink, or to what decompresses them.  0 or -1. */
static int
data_source_give(data_source *self, generators_state *state, const source_sink *sink,
                 const void *bytes, size_t count)
{
    if (unpack_is_plain(&self->unpack)) {
        return sink->kind->feed_bytes(sink->target, state, bytes, count);
    }
    const unpack_file from = {
        .file = self->kind == DATA_SOURCE_FROM_BUFFER ? self->view.obj : self->file,
        .is_own = self->owns_file,
        .reads_ahead = self->owns_file && !self->at_once &&
                       self->total_bytes != FILE_SIZE_UNKNOWN &&
                       self->total_bytes >= DATA_SOURCE_AHEAD && threads_available() > 1,
    };
    return unpack_push(&self->unpack, state, sink, &from, bytes, count);
}

/* ---- buffers and files ---- */

/* A response of HTTP may have given less than its Content-Length.  0 or -1. */
static int
data_source_check_response(data_source *self, generators_state *state, const source_sink *sink)
{
    PyObject *file = Py_XNewRef(self->file);
    const int64_t missing = file == NULL ? 0 : refused_missing_bytes(file);
    Py_XDECREF(file);
    if (missing > 0) {
        PyObject *message =
            PyUnicode_FromFormat("the response ended early: %lld bytes of its Content-Length "
                                 "are missing",
                                 (long long)missing);
        if (message != NULL) {
            sink->kind->raise(sink->target, state, message, (int64_t)self->bytes_read);
            Py_DECREF(message);
        }
    }
    return missing == 0 ? 0 : -1;
}

static int
data_source_finish(data_source *self, generators_state *state, const source_sink *sink)
{
    if (!self->owns_file && self->kind == DATA_SOURCE_FROM_READ &&
        data_source_check_response(self, state, sink) < 0) {
        return -1;
    }
    bool known = self->total_bytes != FILE_SIZE_UNKNOWN;
    if (known && self->bytes_read < self->total_bytes) {
        PyObject *message = PyUnicode_FromFormat(
            "the file shrank while it was read: %llu of %llu bytes",
            (unsigned long long)self->bytes_read, (unsigned long long)self->total_bytes);
        if (message != NULL) {
            sink->kind->raise(sink->target, state, message, (int64_t)self->bytes_read);
            Py_DECREF(message);
        }
        return -1;
    }
    return unpack_finish(&self->unpack, state, sink) < 0
               ? -1
               : sink->kind->finish(sink->target, state);
}

int
data_source_feed_output(data_source *self, generators_state *state, const source_sink *sink)
{
    int status = unpack_feed(&self->unpack, state, sink, &self->bytes_read);
    if (status < 0) {
        return -1;
    }
    return status == 0 && self->unpack.pulls ? data_source_finish(self, state, sink) : 0;
}

static int
data_source_pull_buffer(data_source *self, generators_state *state, const source_sink *sink)
{
    Py_ssize_t left = self->view.len - self->offset;
    Py_ssize_t count = left < DATA_SOURCE_BLOCK ? left : DATA_SOURCE_BLOCK;
    if (count == 0) {
        return data_source_finish(self, state, sink);
    }
    const char *bytes = (const char *)self->view.buf + self->offset;
    self->offset += count;
    self->bytes_read += (uint64_t)count;
    return data_source_give(self, state, sink, bytes, (size_t)count);
}

static int
data_source_would_block(const data_source *self)
{
    PyObject *file = Py_XNewRef(self->file);
    if (file == NULL) {
        PyErr_SetString(PyExc_BlockingIOError, "read() returned None: no data is available");
    }
    else {
        PyErr_Format(PyExc_BlockingIOError, "%R is non-blocking and has no data available",
                     file);
        Py_DECREF(file);
    }
    return -1;
}

static void
data_source_note_error(const data_source *self)
{
    stream_note("while reading from byte %llu", (unsigned long long)self->bytes_read);
}

/* Feed an object that has a buffer.  *empty is set if the buffer is empty. */
static int
data_source_feed_object(data_source *self, generators_state *state, const source_sink *sink,
                        PyObject *object, bool *empty)
{
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    *empty = view.len == 0;
    self->gave_bytes |= view.len > 0;
    self->bytes_read += (uint64_t)view.len;
    int status = data_source_give(self, state, sink, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return status;
}

/* read() returned something other than bytes or str, or not the type that it returned
   before. */
static int
data_source_wrong_data(const data_source *self, PyObject *data)
{
    const char *wanted = self->gave_bytes  ? "bytes, as before"
                         : self->gave_text ? "str, as before"
                                           : "bytes or str";
    PyErr_Format(PyExc_TypeError, "read() should have returned %s, not '%.200s'", wanted,
                 Py_TYPE(data)->tp_name);
    return -1;
}

int
data_source_feed_read(data_source *self, generators_state *state, const source_sink *sink,
                      PyObject *data)
{
    if (data == Py_None) {
        return data_source_would_block(self);
    }
    if (PyUnicode_Check(data)) {
        if (PyUnicode_READY(data) < 0) {
            return -1;
        }
        if (PyUnicode_GET_LENGTH(data) == 0) {
            return data_source_finish(self, state, sink);
        }
        if (self->gave_bytes) {
            return data_source_wrong_data(self, data);
        }
        self->gave_text = true;
        return sink->kind->feed_text(sink->target, state, data);
    }
    if (!PyObject_CheckBuffer(data) || self->gave_text) {
        return data_source_wrong_data(self, data);
    }
    bool empty;
    int status = data_source_feed_object(self, state, sink, data, &empty);
    return status == 0 && empty ? data_source_finish(self, state, sink) : status;
}

/* How many bytes of a file are read next.  0 at the end of a part. */
static Py_ssize_t
data_source_next_size(const data_source *self)
{
    const uint64_t left = self->end - self->bytes_read;
    return left < DATA_SOURCE_BLOCK ? (Py_ssize_t)left : DATA_SOURCE_BLOCK;
}

static int
data_source_pull_read(data_source *self, generators_state *state, stream *owner,
                      const source_sink *sink)
{
    const Py_ssize_t size = data_source_next_size(self);
    if (size == 0) {
        return data_source_finish(self, state, sink);
    }
    PyObject *reader = Py_NewRef(self->reader);
    PyObject *data = PyObject_CallFunction(reader, "n", size);
    Py_DECREF(reader);
    if (data == NULL) {
        data_source_note_error(self);
        return -1;
    }
    int status = 0;
    if (PyCoro_CheckExact(data)) {
        refused_raise_coroutine(data, frame_type_name((PyObject *)owner));
        status = -1;
    }
    else if (self->end != FILE_SIZE_UNKNOWN && PyBytes_Check(data) &&
             PyBytes_GET_SIZE(data) > size) {
        PyErr_Format(PyExc_OSError,
                     "read() returned too much data (%zd bytes requested, %zd "
                     "returned)",
                     size, PyBytes_GET_SIZE(data));
        status = -1;
    }
    else {
        status = data_source_feed_read(self, state, sink, data);
    }
    Py_DECREF(data);
    return status;
}

static int
data_source_pull_readinto(data_source *self, generators_state *state, const source_sink *sink)
{
    const Py_ssize_t size = data_source_next_size(self);
    if (size == 0) {
        return data_source_finish(self, state, sink);
    }
    uint8_t *room = sink->kind->room(sink->target, state, (size_t)size);
    if (room == NULL) {
        return -1;
    }
    PyObject *memory = PyMemoryView_FromMemory((char *)room, size, PyBUF_WRITE);
    if (memory == NULL) {
        return -1;
    }
    PyObject *reader = Py_NewRef(self->reader);
    PyObject *result = PyObject_CallOneArg(reader, memory);
    Py_DECREF(reader);
    Py_DECREF(memory);
    if (result == NULL) {
        data_source_note_error(self);
        return -1;
    }
    if (result == Py_None) {
        Py_DECREF(result);
        return data_source_would_block(self);
    }
    Py_ssize_t count = PyLong_AsSsize_t(result);
    Py_DECREF(result);
    if (count < 0 || count > size) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_OSError, "readinto() returned invalid length %zd", count);
        }
        return -1;
    }
    if (count == 0) {
        return data_source_finish(self, state, sink);
    }
    self->bytes_read += (uint64_t)count;
    if (unpack_is_plain(&self->unpack) ||
        unpack_takes_plain(&self->unpack, room, (size_t)count)) {
        return sink->kind->filled(sink->target, state, (size_t)count);
    }
    /* The room belongs to the sink, and changes when it is fed. */
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)room, count);
    int status = bytes == NULL ? -1
                               : data_source_give(self, state, sink, PyBytes_AS_STRING(bytes),
                                                  (size_t)count);
    Py_XDECREF(bytes);
    return status;
}

/* ---- items ---- */

static int
data_source_wrong_item(const data_source *self, generators_state *state,
                       const source_sink *sink, PyObject *item, Py_ssize_t index)
{
    const char *wanted = self->gave_bytes  ? "bytes, as the items before it"
                         : self->gave_text ? "str, as the items before it"
                                           : "str or bytes";
    PyObject *message =
        PyUnicode_FromFormat("iterator should return %s, not %.200s (item %zd)", wanted,
                             Py_TYPE(item)->tp_name, index);
    if (message != NULL) {
        sink->kind->raise(sink->target, state, message, -1);
        Py_DECREF(message);
    }
    return -1;
}

/* Let the sink check an item; this is done for the first ones.  0 or -1. */
static int
data_source_check_item(data_source *self, const source_sink *sink, PyObject *item)
{
    Py_buffer view;
    if (sink->kind->check_item == NULL) {
        self->checks_items = false;
        return 0;
    }
    if (PyObject_GetBuffer(item, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    int suspicious = 1;
    if (view.len > 0) {
        suspicious = sink->kind->check_item(sink->target, view.buf, (size_t)view.len,
                                            self->suspicious++);
    }
    PyBuffer_Release(&view);
    self->checks_items = suspicious > 0;
    return suspicious < 0 ? -1 : 0;
}

PyObject *
data_source_whole_line(generators_state *state, PyObject *line)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(line);
    Py_UCS4 last = length > 0 ? PyUnicode_READ_CHAR(line, length - 1) : 0;
    return last == '\n' || last == '\r' ? Py_NewRef(line)
                                        : PyUnicode_Concat(line, state->latin1['\n']);
}

static int
data_source_feed_cut_line(generators_state *state, const source_sink *sink, PyObject *line)
{
    PyObject *whole = data_source_whole_line(state, line);
    int status = whole == NULL ? -1 : sink->kind->feed_line(sink->target, state, whole);
    Py_XDECREF(whole);
    return status;
}

static int
data_source_feed_bytes_line(data_source *self, generators_state *state,
                            const source_sink *sink, PyObject *item)
{
    PyObject *line = PyBytes_FromObject(item);
    if (line == NULL) {
        return -1;
    }
    self->gave_bytes = true;
    self->bytes_read += (uint64_t)PyBytes_GET_SIZE(line);
    int status = sink->kind->feed_bytes_line(sink->target, state, line);
    Py_DECREF(line);
    return status;
}

static int
data_source_feed_bytes_item(data_source *self, generators_state *state,
                            const source_sink *sink, PyObject *item)
{
    bool empty;
    if (self->items == DATA_SOURCE_LINES) {
        return data_source_feed_bytes_line(self, state, sink, item);
    }
    if (data_source_feed_object(self, state, sink, item, &empty) < 0) {
        return -1;
    }
    self->bytes_items += !empty && self->bytes_items < 2;
    /* Only now is it known whether they are compressed. */
    return self->checks_items && unpack_is_plain(&self->unpack)
               ? data_source_check_item(self, sink, item)
               : 0;
}

static int
data_source_feed_text_item(data_source *self, generators_state *state, const source_sink *sink,
                           PyObject *item)
{
    if (PyUnicode_READY(item) < 0) {
        return -1;
    }
    self->gave_text = true;
    switch (self->items) {
    case DATA_SOURCE_LINES:
        return data_source_feed_cut_line(state, sink, item);
    case DATA_SOURCE_CHUNKS:
        return sink->kind->feed_text(sink->target, state, item);
    default:
        return sink->kind->feed_line(sink->target, state, item);
    }
}

int
data_source_feed_item(data_source *self, generators_state *state, const source_sink *sink,
                      PyObject *item, Py_ssize_t index)
{
    if (PyUnicode_Check(item) && !self->gave_bytes) {
        return data_source_feed_text_item(self, state, sink, item);
    }
    if (PyObject_CheckBuffer(item) && !self->gave_text) {
        return data_source_feed_bytes_item(self, state, sink, item);
    }
    return data_source_wrong_item(self, state, sink, item, index);
}

int
data_source_finish_items(data_source *self, generators_state *state, const source_sink *sink)
{
    if (unpack_finish(&self->unpack, state, sink) < 0) {
        return -1;
    }
    /* Lines that lost their line ends run together. */
    if (self->items == DATA_SOURCE_AUTO && self->bytes_items > 1 && !self->unpack.is_packed &&
        sink->kind->is_one != NULL && sink->kind->is_one(sink->target)) {
        PyErr_SetString(PyExc_ValueError,
                        "several items of bytes came, and no line ended in them: pass "
                        "items='lines' if they are lines, or items='chunks' if they are not");
        return -1;
    }
    return sink->kind->finish(sink->target, state);
}

static int
data_source_pull_item(data_source *self, generators_state *state, stream *owner,
                      const source_sink *sink)
{
    PyObject *item;
    int status = stream_pull(owner, &item);
    if (status <= 0) {
        return status < 0 ? -1 : data_source_finish_items(self, state, sink);
    }
    status = data_source_feed_item(self, state, sink, item, owner->pulled - 1);
    Py_DECREF(item);
    return status;
}

int
data_source_pull(data_source *self, generators_state *state, stream *owner,
                 const source_sink *sink)
{
    /* list(rows) may run no Python code at all, so Ctrl-C is noticed between two blocks. */
    if (self->kind != DATA_SOURCE_FROM_ITERATOR && PyErr_CheckSignals() < 0) {
        return -1;
    }
    if (unpack_has_output(&self->unpack)) {
        return data_source_feed_output(self, state, sink);
    }
    switch (self->kind) {
    case DATA_SOURCE_FROM_ITERATOR:
        return data_source_pull_item(self, state, owner, sink);
    case DATA_SOURCE_FROM_BUFFER:
        return data_source_pull_buffer(self, state, sink);
    case DATA_SOURCE_FROM_READ:
        return data_source_pull_read(self, state, owner, sink);
    default:
        return data_source_pull_readinto(self, state, sink);
    }
}
