/* What a file object tells about its file: how to read it, its size, position and time.
 *
 * All this is asked for by calling methods of the object, which may be user code.  What the
 * object can't answer is unknown.  Only MemoryError is raised, and exceptions that are not an
 * Exception, such as KeyboardInterrupt.
 */
#include "source/file.h"

#include "runtime/raising.h"

/* ---- numbers ---- */

/* The value of an integer attribute: -1 with an exception set.  If `object` is NULL, -1 and no
   other exception. */
static int64_t
file_number(PyObject *object, const char *name)
{
    PyObject *value = object == NULL ? NULL : PyObject_GetAttrString(object, name);
    int64_t number = value == NULL ? -1 : PyLong_AsLongLong(value);
    Py_XDECREF(value);
    return number;
}

/* The integer that a method without arguments returns: -1 with an exception set. */
static int64_t
file_call_number(PyObject *object, const char *method)
{
    PyObject *value = PyObject_CallMethod(object, method, NULL);
    int64_t number = value == NULL ? -1 : PyLong_AsLongLong(value);
    Py_XDECREF(value);
    return number;
}

/* 0 if the object did not answer, or -1. */
static int
file_forgive(void)
{
    return PyErr_Occurred() ? raising_forgive_answer() : 0;
}

/* ---- plain files ---- */

/* Find a method that the object's type implements in C and no attribute of the object
   replaces: 1 with *method set, 0, or -1. */
static int
file_own_method(PyObject *file, const char *name, PyObject **method)
{
    *method = PyObject_GetAttrString(file, name);
    if (*method == NULL) {
        return -1;
    }
    if (PyCFunction_Check(*method) && PyCFunction_GET_SELF(*method) == file) {
        return 1;
    }
    Py_CLEAR(*method);
    return 0;
}

/* Whether the object is of exactly this type of the io module: 1, 0 or -1. */
static int
file_is_exactly(PyObject *file, generators_state *state, const char *name)
{
    PyObject *type = PyObject_GetAttrString(state->io, name);
    int is = type == NULL ? -1 : (PyObject *)Py_TYPE(file) == type;
    Py_XDECREF(type);
    return is;
}

/* Whether a buffered reader reads from a plain FileIO: 1, 0 or -1. */
static int
file_has_plain_raw(PyObject *file, generators_state *state)
{
    PyObject *raw = PyObject_GetAttrString(file, "raw");
    if (raw == NULL) {
        return -1;
    }
    PyObject *readinto = NULL;
    int plain = file_is_exactly(raw, state, "FileIO");
    if (plain > 0) {
        plain = file_own_method(raw, "readinto", &readinto);
        Py_XDECREF(readinto);
    }
    Py_DECREF(raw);
    return plain;
}

int
file_plain_reader(PyObject *file, generators_state *state, bool into, PyObject **method)
{
    *method = NULL;
    int raw = file_is_exactly(file, state, "FileIO");
    if (raw < 0) {
        return -1;
    }
    if (!raw) {
        int plain = file_is_exactly(file, state, "BufferedReader");
        plain = plain > 0 ? file_has_plain_raw(file, state) : plain;
        if (plain <= 0) {
            return plain;
        }
    }
    /* One read of the descriptor at a time, so that a pipe's data is returned as soon as it is
       there. */
    return file_own_method(file,
                           into  ? raw ? "readinto" : "readinto1"
                           : raw ? "read"
                                 : "read1",
                           method);
}

/* ---- sizes ---- */

typedef struct {
    int64_t mode;
    int64_t size;
    int64_t mtime;
} file_status;

/* Get the result of fstat() for an open file: 1, 0 if unknown, or -1. */
static int
file_status_read(file_status *self, PyObject *file)
{
    PyObject *os = PyImport_ImportModule("os");
    int64_t descriptor = os == NULL ? -1 : file_call_number(file, "fileno");
    PyObject *answer =
        descriptor < 0 ? NULL : PyObject_CallMethod(os, "fstat", "L", (long long)descriptor);
    Py_XDECREF(os);
    if (answer == NULL) {
        return file_forgive();
    }
    self->mode = file_number(answer, "st_mode");
    self->size = PyErr_Occurred() ? -1 : file_number(answer, "st_size");
    self->mtime = PyErr_Occurred() ? -1 : file_number(answer, "st_mtime_ns");
    Py_DECREF(answer);
    return PyErr_Occurred() ? raising_forgive_answer() : 1;
}

int
file_size_left(PyObject *file, uint64_t *left)
{
    file_status status;
    *left = FILE_SIZE_UNKNOWN;
    int known = file_status_read(&status, file);
    if (known <= 0) {
        return known;
    }
    if ((status.mode & 0170000) != 0100000 || status.size <= 0) {
        return 0;
    }
    int64_t position = file_call_number(file, "tell");
    if (position >= 0 && position <= status.size) {
        *left = (uint64_t)(status.size - position);
    }
    return file_forgive();
}

/* The size of a BytesIO; -1 for another object, or with an exception set. */
static int64_t
file_memory_size(PyObject *file, generators_state *state)
{
    if (file_is_exactly(file, state, "BytesIO") <= 0) {
        return -1;
    }
    PyObject *view = PyObject_CallMethod(file, "getbuffer", NULL);
    int64_t size = view == NULL ? -1 : file_number(view, "nbytes");
    Py_XDECREF(view);
    return size;
}

int
file_origin_read(file_origin *self, generators_state *state, PyObject *file)
{
    *self = (file_origin){.base = -1, .size = -1, .mtime = -1, .end = -1};
    if (file == NULL) {
        return 0;
    }
    PyObject *answer = PyObject_CallMethod(file, "seekable", NULL);
    int seekable = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    if (seekable > 0) {
        self->base = file_call_number(file, "tell");
    }
    if (self->base < 0) {
        return file_forgive();
    }
    file_status status;
    int known = file_status_read(&status, file);
    if (known > 0) {
        self->size = status.size;
        self->mtime = status.mtime;
    }
    else if (known == 0) {
        self->size = file_memory_size(file, state);
        return file_forgive();
    }
    return known < 0 ? -1 : 0;
}

int
file_origin_measure(file_origin *self, PyObject *file)
{
    if (self->size >= 0) {
        return 0;
    }
    PyObject *answer = PyObject_CallMethod(file, "seek", "ii", 0, 2);
    self->size = answer == NULL ? -1 : file_call_number(file, "tell");
    Py_XDECREF(answer);
    return PyErr_Occurred() ? -1 : 0;
}
