#include "chunks/chunks.h"

#include "chunks/delay.h"

#define DEFAULT_SIZE 65536
#define DEFAULT_DELAY (CLOCK_SECOND / 10)

static int
read_size(PyObject *given, size_t *size)
{
    *size = DEFAULT_SIZE;
    if (given == NULL) {
        return 0;
    }
    Py_ssize_t number = PyNumber_AsSsize_t(given, PyExc_OverflowError);
    if (number == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (number < 1) {
        PyErr_Format(PyExc_ValueError, "size must be at least 1, not %zd", number);
        return -1;
    }
    *size = (size_t)number;
    return 0;
}

int
chunks_open(chunks *self, PyObject *size, PyObject *max_delay)
{
    size_t bytes;
    uint64_t most = size == NULL ? DEFAULT_DELAY : SECONDS_FOREVER;
    if (read_size(size, &bytes) < 0 || (max_delay != NULL && max_delay != Py_Ellipsis &&
                                        seconds_read(max_delay, "max_delay", &most) < 0)) {
        return -1;
    }
    coalescer_init(&self->machine, bytes, most);
    self->clock = delay_clock(most);
    return 0;
}

void
chunks_close(chunks *self)
{
    self->finished = true;
    coalescer_free(&self->machine);
    Py_CLEAR(self->piece);
    Py_CLEAR(self->failure);
    text_encoder_close(&self->text);
}

int
chunks_traverse(chunks *self, visitproc visit, void *arg)
{
    Py_VISIT(self->piece);
    Py_VISIT(self->failure);
    return text_encoder_traverse(&self->text, visit, arg);
}

PyObject *
chunks_take(chunks *self)
{
    const uint8_t *chunk;
    size_t count = coalescer_next(&self->machine, &chunk);
    if (count == 0) {
        PyObject *failure = self->failure;
        self->failure = NULL;
        Py_CLEAR(self->piece);
        if (failure != NULL) {
            PyErr_SetRaisedException(failure);
        }
        return NULL;
    }
    PyObject *piece = self->piece;
    if (piece != NULL && PyBytes_CheckExact(piece) &&
        chunk == (const uint8_t *)PyBytes_AS_STRING(piece) &&
        count == (size_t)PyBytes_GET_SIZE(piece)) {
        return Py_NewRef(piece);
    }
    return PyBytes_FromStringAndSize((const char *)chunk, (Py_ssize_t)count);
}

/* Join the rest of the last piece and these bytes: a new reference, or NULL. */
static PyObject *
copy_after_rest(const coalescer *machine, const void *bytes, size_t count)
{
    size_t rest = machine->rest_length;
    if (count > SIZE_MAX / 2 - rest) {
        return PyErr_NoMemory();
    }
    PyObject *copy = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(rest + count));
    if (copy != NULL) {
        char *start = PyBytes_AS_STRING(copy);
        if (rest > 0) {
            memcpy(start, machine->rest, rest);
        }
        memcpy(start + rest, bytes, count);
    }
    return copy;
}

int
chunks_feed(chunks *self, PyObject *owner, const void *bytes, size_t count)
{
    coalescer *machine = &self->machine;
    PyObject *copy = NULL;
    if (machine->rest_length > 0 ||
        (owner == NULL && count >= machine->size - machine->length)) {
        copy = copy_after_rest(machine, bytes, count);
        if (copy == NULL) {
            return -1;
        }
        owner = copy;
        bytes = PyBytes_AS_STRING(copy);
        count = (size_t)PyBytes_GET_SIZE(copy);
    }
    int status = 0;
    if (!coalescer_feed(machine, bytes, count)) {
        PyErr_NoMemory();
        status = -1;
    }
    else if (machine->rest_length > 0) {
        Py_INCREF(owner);
        Py_XSETREF(self->piece, owner);
    }
    Py_XDECREF(copy);
    return status;
}

/* Feed `bytes`, which is stolen, and may be NULL with or without an exception set.  0 or -1.
 */
static int
feed_encoded(chunks *self, PyObject *bytes)
{
    if (bytes == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int status =
        chunks_feed(self, bytes, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return status;
}

int
chunks_feed_text(chunks *self, PyObject *text)
{
    return feed_encoded(self, text_encode(&self->text, text));
}

/* Flush the machine, and end. */
static void
finish(chunks *self)
{
    self->finished = true;
    coalescer_flush(&self->machine);
}

int
chunks_end(chunks *self)
{
    if (feed_encoded(self, text_encode_end(&self->text)) < 0) {
        return -1;
    }
    finish(self);
    return 0;
}

bool
chunks_fail(chunks *self)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        return false;
    }
    PyObject *failure = PyErr_GetRaisedException();
    Py_XSETREF(self->failure, failure);
    finish(self);
    return true;
}
