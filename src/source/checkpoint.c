/* What the checkpoints of all readers share: see checkpoint.h.
 *
 * A checkpoint is a dict that JSON can store.  User code runs in the mapping that is given as
 * one.
 */
#include "source/checkpoint.h"

#include <string.h>

#include "runtime/raising.h"

int
checkpoint_malformed(void)
{
    if (!PyErr_Occurred() || raising_forgive(PyExc_LookupError) == 0 ||
        raising_forgive(PyExc_TypeError) == 0 || raising_forgive(PyExc_OverflowError) == 0) {
        PyErr_SetString(PyExc_ValueError, "start is not a checkpoint of this version");
    }
    return -1;
}

int
checkpoint_number(PyObject *start, const char *key, int64_t *number)
{
    PyObject *value = PyMapping_GetItemString(start, key);
    if (value == NULL) {
        return -1;
    }
    *number = PyLong_AsLongLong(value);
    Py_DECREF(value);
    return *number == -1 && PyErr_Occurred() ? -1 : 0;
}

int
checkpoint_counter(PyObject *start, const char *key, int64_t *number)
{
    if (checkpoint_number(start, key, number) < 0) {
        return -1;
    }
    if (*number < 0) {
        PyErr_Format(PyExc_ValueError, "the checkpoint's '%s' is negative: %lld", key,
                     (long long)*number);
        return -1;
    }
    return 0;
}

int
checkpoint_compare(PyObject *start, const char *key, PyObject *mine, const char *what)
{
    if (mine == NULL) {
        return -1;
    }
    PyObject *theirs = PyMapping_GetItemString(start, key);
    if (theirs == NULL) {
        Py_DECREF(mine);
        return checkpoint_malformed();
    }
    int same = PyObject_RichCompareBool(theirs, mine, Py_EQ);
    Py_DECREF(theirs);
    Py_DECREF(mine);
    if (same == 0) {
        PyErr_Format(PyExc_ValueError, "the checkpoint is of another %s", what);
    }
    return same > 0 ? 0 : -1;
}

int
checkpoint_read_changed(PyObject *value, checkpoint_changed *changed)
{
    *changed = CHECKPOINT_REFUSE;
    if (value == NULL ||
        (PyUnicode_Check(value) && PyUnicode_CompareWithASCIIString(value, "error") == 0)) {
        return 0;
    }
    if (PyUnicode_Check(value) && PyUnicode_CompareWithASCIIString(value, "append") == 0) {
        *changed = CHECKPOINT_APPEND;
        return 0;
    }
    PyErr_Format(PyUnicode_Check(value) ? PyExc_ValueError : PyExc_TypeError,
                 "changed must be 'error' or 'append', not %R", value);
    return -1;
}

int
checkpoint_check_file(PyObject *start, const file_origin *origin, checkpoint_changed changed)
{
    int64_t size, mtime;
    if (checkpoint_number(start, "size", &size) < 0 ||
        checkpoint_number(start, "mtime", &mtime) < 0) {
        return checkpoint_malformed();
    }
    if (size == origin->size && mtime == origin->mtime) {
        return 0;
    }
    if (changed == CHECKPOINT_REFUSE) {
        PyErr_SetString(PyExc_ValueError, "the file has changed since the checkpoint");
        return -1;
    }
    if (size > origin->size) {
        PyErr_Format(PyExc_ValueError,
                     "the file has shrunk since the checkpoint: from %lld bytes to %lld",
                     (long long)size, (long long)origin->size);
        return -1;
    }
    return 1;
}

int
checkpoint_check_end(PyObject *file, int64_t base, int64_t offset, const void *ends,
                     size_t count)
{
    if (offset == 0) {
        return 0;
    }
    PyObject *done = PyObject_CallMethod(file, "seek", "L", (long long)(base + offset - 1));
    PyObject *last = done == NULL ? NULL : PyObject_CallMethod(file, "read", "i", 1);
    Py_XDECREF(done);
    if (last == NULL) {
        return -1;
    }
    bool found = false;
    if (PyBytes_Check(last) && PyBytes_GET_SIZE(last) == 1) {
        const unsigned char c = (unsigned char)PyBytes_AS_STRING(last)[0];
        bool mark = offset == 3 && c == 0xBF; /* a byte order mark */
        found = mark || memchr(ends, c, count) != NULL;
    }
    Py_DECREF(last);
    if (!found) {
        PyErr_SetString(PyExc_ValueError,
                        "the file has changed since the checkpoint, and not only grown "
                        "behind a line end");
        return -1;
    }
    return 0;
}

void
checkpoint_refuse(generators_state *state, const char *message)
{
    PyObject *error = PyObject_GetAttrString(state->io, "UnsupportedOperation");
    if (error != NULL) {
        PyErr_SetString(error, message);
        Py_DECREF(error);
    }
}

int
checkpoint_check_source(generators_state *state, const data_source *source)
{
    if (source->unpack.is_packed) {
        checkpoint_refuse(state,
                          "a compressed source has no checkpoints: decompress it first");
        return -1;
    }
    return 0;
}
