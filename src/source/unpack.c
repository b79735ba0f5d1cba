/* Compressed sources: see unpack.h.
 *
 * States: the first bytes are not known; plain, for ever; compressed, with an unpacker until
 * it is closed.  The unpackers are in native_generators/_unpack.py.  One is pushed: it gets
 * the bytes that data_source reads.  One that reads a path by itself has a thread, which never
 * touches this struct.
 *
 * Text is fed in pieces that a sink likes, one at a time, and only when it asks, whatever an
 * unpacker gave at once.
 *
 * User code runs in a file that an unpacker reads.  The stream is `running` meanwhile.
 */
#include "source/unpack.h"

#include <string.h>

#include "runtime/raising.h"

#define UNPACK_PIECE (128 * 1024) /* bytes that are fed at a time */

/* ---- options ---- */

int
unpack_read_options(unpack *self, PyObject *compression, PyObject *member)
{
    self->kind = PACKING_UNKNOWN;
    if (compression == Py_None) {
        self->kind = PACKING_NONE;
    }
    else if (compression != NULL) {
        if (!PyUnicode_Check(compression)) {
            PyErr_Format(PyExc_TypeError, "compression must be a str or None, not '%.200s'",
                         Py_TYPE(compression)->tp_name);
            return -1;
        }
        int kind = head_packing_by_name(compression);
        if (kind < 0) {
            PyErr_Format(PyExc_ValueError,
                         "compression must be 'infer', 'gzip', 'bz2', 'xz', 'zstd', 'zip' or "
                         "None, not %R",
                         compression);
            return -1;
        }
        self->kind = (packing)kind;
    }
    if (member == NULL || member == Py_None) {
        return 0;
    }
    if (!PyUnicode_Check(member)) {
        PyErr_Format(PyExc_TypeError, "member must be a str or None, not '%.200s'",
                     Py_TYPE(member)->tp_name);
        return -1;
    }
    if (self->kind != PACKING_UNKNOWN && self->kind != PACKING_ZIP) {
        PyErr_SetString(PyExc_ValueError, "member is of a zip file: compression must be "
                                          "'infer' or 'zip'");
        return -1;
    }
    PyObject *exact = PyUnicode_FromObject(member);
    Py_XSETREF(self->member, exact);
    return exact == NULL ? -1 : 0;
}

/* ---- unpackers ---- */

/* An exception of an unpacker is set.  If it is Damaged, it is raised as an error of the
   source, with its place.  -1. */
static int
unpack_raise(generators_state *state, const source_sink *sink)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *module = PyImport_ImportModule("native_generators._unpack");
    PyObject *type = module == NULL ? NULL : PyObject_GetAttrString(module, "Damaged");
    Py_XDECREF(module);
    if (type == NULL) {
        raising_chain(raised);
        return -1;
    }
    int is = PyObject_IsInstance(raised, type);
    Py_DECREF(type);
    if (is <= 0) {
        if (is == 0) {
            PyErr_SetRaisedException(raised);
        }
        else {
            raising_chain(raised);
        }
        return -1;
    }
    PyObject *arguments = PyObject_GetAttrString(raised, "args");
    PyObject *message = NULL;
    long long byte = 0;
    if (arguments != NULL && PyArg_ParseTuple(arguments, "UL", &message, &byte)) {
        Py_INCREF(message);
        PyObject *cause = PyException_GetCause(raised);
        Py_DECREF(raised);
        if (cause != NULL) {
            PyErr_SetRaisedException(cause);
        }
        sink->kind->raise(sink->target, state, message, byte);
        Py_DECREF(message);
    }
    else {
        raising_chain(raised);
    }
    Py_XDECREF(arguments);
    return -1;
}

/* Make the unpacker of a source that begins with `data`.  0 or -1. */
static int
unpack_open(unpack *self, const unpack_file *from, PyObject *data)
{
    PyObject *module = PyImport_ImportModule("native_generators._unpack");
    if (module == NULL) {
        return -1;
    }
    const char *name = head_packing_name(self->kind);
    PyObject *member = self->member == NULL ? Py_None : self->member;
    PyObject *file = Py_XNewRef(from->file);
    PyObject *unpacker = NULL;
    bool pulls = file != NULL && (from->is_own || self->kind == PACKING_ZIP);
    if (pulls) {
        unpacker = PyObject_CallMethod(module, "pull", "sOOOO", name, member, file, data,
                                       from->reads_ahead ? Py_True : Py_False);
        if (unpacker == Py_None) {
            Py_CLEAR(unpacker);
            pulls = false;
        }
    }
    if (!pulls) {
        unpacker = PyObject_CallMethod(module, "push", "sO", name, member);
    }
    Py_XDECREF(file);
    Py_DECREF(module);
    self->pulls = pulls;
    Py_XSETREF(self->unpacker, unpacker);
    self->is_packed = true;
    return unpacker == NULL ? -1 : 0;
}

/* Give the unpacker bytes of the source, of which `data` is stolen and may be NULL.  0 or -1.
 */
static int
unpack_give(unpack *self, const unpack_file *from, PyObject *data)
{
    int status = data == NULL ? -1 : 0;
    if (status == 0 && self->unpacker == NULL) {
        status = unpack_open(self, from, data);
    }
    if (status == 0 && !self->pulls) {
        PyObject *unpacker = Py_NewRef(self->unpacker);
        PyObject *done = PyObject_CallMethod(unpacker, "push", "O", data);
        Py_DECREF(unpacker);
        Py_XDECREF(done);
        status = done == NULL ? -1 : 0;
    }
    Py_XDECREF(data);
    self->has_more = status == 0;
    return status;
}

/* The bytes of the head, and others: a new reference, or NULL. */
static PyObject *
unpack_join(unpack *self, const void *bytes, size_t count)
{
    PyObject *joined =
        PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(self->head_length + count));
    if (joined != NULL) {
        memcpy(PyBytes_AS_STRING(joined), self->head, self->head_length);
        if (count > 0) {
            memcpy(PyBytes_AS_STRING(joined) + self->head_length, bytes, count);
        }
    }
    self->head_length = 0;
    return joined;
}

/* Look at the first bytes.  False if more are needed to know what they are. */
static bool
unpack_find_kind(unpack *self, const uint8_t *bytes, size_t count)
{
    uint8_t head[HEAD_PACKED];
    size_t length = self->head_length;
    memcpy(head, self->head, length);
    while (length < HEAD_PACKED && count > 0) {
        head[length++] = *bytes++;
        count--;
    }
    bool is_open;
    const packing found = head_packing(head, length, &is_open);
    if (found == PACKING_NONE && is_open) {
        memcpy(self->head, head, length);
        self->head_length = length;
        return false;
    }
    self->kind = found;
    return true;
}

bool
unpack_takes_plain(unpack *self, const uint8_t *bytes, size_t count)
{
    bool is_open;
    if (self->kind != PACKING_UNKNOWN || self->head_length > 0 || count < HEAD_PACKED ||
        head_packing(bytes, count, &is_open) != PACKING_NONE) {
        return false;
    }
    self->kind = PACKING_NONE;
    return true;
}

int
unpack_push(unpack *self, generators_state *state, const source_sink *sink,
            const unpack_file *from, const void *bytes, size_t count)
{
    if (self->kind == PACKING_UNKNOWN) {
        if (count == 0 || !unpack_find_kind(self, bytes, count)) {
            return 0;
        }
        if (self->kind == PACKING_NONE && self->head_length > 0) {
            PyObject *joined = unpack_join(self, bytes, count);
            int status =
                joined == NULL
                    ? -1
                    : sink->kind->feed_bytes(sink->target, state, PyBytes_AS_STRING(joined),
                                             (size_t)PyBytes_GET_SIZE(joined));
            Py_XDECREF(joined);
            return status;
        }
    }
    if (self->kind == PACKING_NONE) {
        return sink->kind->feed_bytes(sink->target, state, bytes, count);
    }
    return count == 0 ? 0 : unpack_give(self, from, unpack_join(self, bytes, count));
}

/* Ask the unpacker for more.  1, 0 if there is none, or -1. */
static int
unpack_refill(unpack *self, generators_state *state, const source_sink *sink,
              uint64_t *bytes_read)
{
    PyObject *unpacker = Py_NewRef(self->unpacker);
    PyObject *output = PyObject_CallMethod(unpacker, "next", NULL);
    PyObject *position =
        output != NULL && self->pulls ? PyObject_GetAttrString(unpacker, "position") : NULL;
    Py_DECREF(unpacker);
    if (output == NULL) {
        return unpack_raise(state, sink);
    }
    if (self->pulls) {
        unsigned long long number =
            position == NULL ? (unsigned long long)-1 : PyLong_AsUnsignedLongLong(position);
        Py_XDECREF(position);
        if (number == (unsigned long long)-1 && PyErr_Occurred()) {
            Py_DECREF(output);
            return -1;
        }
        *bytes_read = number;
    }
    if (output == Py_None) {
        Py_DECREF(output);
        self->has_more = false;
        return 0;
    }
    if (!PyBytes_Check(output)) { /* a package that is installed beside this one */
        PyErr_Format(PyExc_TypeError,
                     "a decompressor should have returned bytes, not '%.200s'",
                     Py_TYPE(output)->tp_name);
        Py_DECREF(output);
        return -1;
    }
    Py_XSETREF(self->output, output);
    self->at = 0;
    return 1;
}

int
unpack_feed(unpack *self, generators_state *state, const source_sink *sink,
            uint64_t *bytes_read)
{
    if (self->output == NULL) {
        int status = unpack_refill(self, state, sink, bytes_read);
        if (status <= 0) {
            return status;
        }
    }
    PyObject *output = self->output;
    const char *bytes = PyBytes_AS_STRING(output) + self->at;
    Py_ssize_t count = PyBytes_GET_SIZE(output) - self->at;
    if (count > UNPACK_PIECE) {
        count = UNPACK_PIECE;
        self->at += count;
        Py_INCREF(output);
    }
    else {
        self->output = NULL;
    }
    int status = sink->kind->feed_bytes(sink->target, state, bytes, (size_t)count);
    Py_DECREF(output);
    return status < 0 ? -1 : 1;
}

int
unpack_finish(unpack *self, generators_state *state, const source_sink *sink)
{
    if (self->kind == PACKING_UNKNOWN) {
        const size_t count = self->head_length; /* no record or line ends within them */
        self->kind = PACKING_NONE;
        self->head_length = 0;
        return count == 0 ? 0 : sink->kind->feed_bytes(sink->target, state, self->head, count);
    }
    if (self->kind == PACKING_NONE || self->pulls) {
        return 0;
    }
    if (self->unpacker == NULL) {
        PyObject *message = PyUnicode_FromFormat("the %s data ends early: there is none",
                                                 head_packing_name(self->kind));
        if (message != NULL) {
            sink->kind->raise(sink->target, state, message, 0);
            Py_DECREF(message);
        }
        return -1;
    }
    PyObject *unpacker = Py_NewRef(self->unpacker);
    PyObject *done = PyObject_CallMethod(unpacker, "finish", NULL);
    Py_DECREF(unpacker);
    if (done == NULL) {
        return unpack_raise(state, sink);
    }
    Py_DECREF(done);
    return 0;
}

/* ---- lifetime ---- */

int
unpack_skip_head(unpack *self)
{
    if (self->kind > PACKING_NONE) {
        PyErr_SetString(PyExc_ValueError, "a compressed source has no checkpoints: `start` "
                                          "needs compression='infer' or None");
        return -1;
    }
    self->kind = PACKING_NONE;
    return 0;
}

int
unpack_close(unpack *self)
{
    PyObject *unpacker = self->unpacker, *output = self->output, *member = self->member;
    self->unpacker = self->output = self->member = NULL;
    self->has_more = false;
    Py_XDECREF(output);
    Py_XDECREF(member);
    if (unpacker == NULL) {
        return 0;
    }
    PyObject *done = PyObject_CallMethod(unpacker, "close", NULL);
    Py_XDECREF(done);
    Py_DECREF(unpacker);
    return done == NULL ? -1 : 0;
}

int
unpack_traverse(unpack *self, visitproc visit, void *arg)
{
    Py_VISIT(self->member);
    Py_VISIT(self->unpacker);
    return 0;
}
