/* The size of an item: see size.h.
 *
 * This is an estimate.  It is right for the items that matter, the pieces and rows that fill
 * memory.  A container is walked to a depth of four.  When so many objects were looked at, the
 * rest of each container that is being walked counts as much as its first part.
 *
 * Another thread may change a list, set or dict meanwhile, so each is read in its own critical
 * section, and what is looked at is held: a section is suspended while another is entered.
 */
#include "bridge/size.h"

#include "runtime/raising.h"

#define DEEPEST 4
#define MOST_OBJECTS 10000

typedef struct {
    Py_ssize_t left; /* objects to be looked at */
} walk;

static size_t size_of(walk *self, PyObject *item, int depth);

static inline size_t
size_add(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

static size_t
size_flat(PyObject *item)
{
    size_t length = 0;
    if (PyBytes_Check(item)) {
        length = (size_t)PyBytes_GET_SIZE(item);
    }
    else if (PyUnicode_Check(item) && PyUnicode_IS_READY(item)) {
        length = (size_t)PyUnicode_GET_LENGTH(item) * PyUnicode_KIND(item);
    }
    else if (PyByteArray_Check(item)) {
        length = (size_t)PyByteArray_GET_SIZE(item);
    }
    else if (PyMemoryView_Check(item)) {
        length = (size_t)PyMemoryView_GET_BUFFER(item)->len;
    }
    return size_add(SIZE_OF_ANY, length);
}

/* What `seen` of `count` elements take, extended to all of them. */
static size_t
size_extend(size_t sum, Py_ssize_t seen, Py_ssize_t count)
{
    if (seen >= count) {
        return sum;
    }
    if (seen == 0) {
        return size_add(sum, (size_t)count * SIZE_OF_ANY);
    }
    double whole = (double)sum / (double)seen * (double)count;
    return whole < (double)SIZE_MAX ? (size_t)whole : SIZE_MAX;
}

static size_t
size_of_tuple(walk *self, PyObject *items, int depth)
{
    Py_ssize_t count = PyTuple_GET_SIZE(items), i = 0;
    size_t sum = 0;
    for (; i < count && self->left > 0; i++) {
        sum = size_add(sum, size_of(self, PyTuple_GET_ITEM(items, i), depth));
    }
    return size_extend(sum, i, count);
}

static size_t
size_of_list(walk *self, PyObject *items, int depth)
{
    Py_ssize_t i = 0;
    size_t sum = 0;
    for (; i < PyList_GET_SIZE(items) && self->left > 0; i++) {
        PyObject *item = Py_NewRef(PyList_GET_ITEM(items, i));
        sum = size_add(sum, size_of(self, item, depth));
        Py_DECREF(item);
    }
    return size_extend(sum, i, PyList_GET_SIZE(items));
}

static size_t
size_of_dict(walk *self, PyObject *dict, int depth)
{
    Py_ssize_t at = 0, seen = 0;
    PyObject *key, *value;
    size_t sum = 0;
    for (; self->left > 0 && PyDict_Next(dict, &at, &key, &value); seen++) {
        Py_INCREF(key);
        Py_INCREF(value);
        sum = size_add(sum, size_of(self, key, depth));
        sum = size_add(sum, size_of(self, value, depth));
        Py_DECREF(key);
        Py_DECREF(value);
    }
    return self->left > 0 ? sum : size_extend(sum, seen, PyDict_GET_SIZE(dict));
}

/* One that is changed meanwhile counts as far as it was read. */
static size_t
size_of_set(walk *self, PyObject *set, int depth)
{
    PyObject *iterator = PyObject_GetIter(set), *item;
    Py_ssize_t seen = 0;
    size_t sum = 0;
    while (iterator != NULL && self->left > 0 &&
           (item = Py_TYPE(iterator)->tp_iternext(iterator)) != NULL) {
        sum = size_add(sum, size_of(self, item, depth));
        Py_DECREF(item);
        seen++;
    }
    Py_XDECREF(iterator);
    if (PyErr_Occurred() && raising_forgive(PyExc_Exception) < 0) {
        raising_unraisable(set);
    }
    return self->left > 0 ? sum : size_extend(sum, seen, PySet_GET_SIZE(set));
}

/* Whether the item holds others that are counted. */
static inline bool
size_is_container(PyObject *item)
{
    return PyTuple_Check(item) || PyList_Check(item) || PyDict_Check(item) ||
           PyFrozenSet_CheckExact(item) || PySet_CheckExact(item);
}

static size_t
size_of(walk *self, PyObject *item, int depth)
{
    self->left--;
    if (depth == 0 || !size_is_container(item)) {
        return size_flat(item);
    }
    size_t size;
    if (PyTuple_Check(item)) {
        size = size_of_tuple(self, item, depth - 1);
    }
    else {
        Py_BEGIN_CRITICAL_SECTION(item);
        size = PyList_Check(item)   ? size_of_list(self, item, depth - 1)
               : PyDict_Check(item) ? size_of_dict(self, item, depth - 1)
                                    : size_of_set(self, item, depth - 1);
        Py_END_CRITICAL_SECTION();
    }
    return size_add(SIZE_OF_ANY, size);
}

/* Whether the item is of a type that has no size, such as a number.  A bytearray and a
   memoryview are buffers. */
static inline bool
size_is_small(PyObject *item)
{
    const unsigned long sized = Py_TPFLAGS_TUPLE_SUBCLASS | Py_TPFLAGS_LIST_SUBCLASS |
                                Py_TPFLAGS_DICT_SUBCLASS | Py_TPFLAGS_BYTES_SUBCLASS |
                                Py_TPFLAGS_UNICODE_SUBCLASS;
    return !PyType_HasFeature(Py_TYPE(item), sized) && Py_TYPE(item)->tp_as_buffer == NULL &&
           !PyAnySet_CheckExact(item);
}

size_t
item_size(PyObject *item)
{
    if (size_is_small(item)) {
        return SIZE_OF_ANY;
    }
    walk self = {MOST_OBJECTS};
    return size_of(&self, item, DEEPEST);
}

/* ---- the user's function ---- */

int
size_set_function(PyObject **place, PyObject *function)
{
    if (function == Py_None) {
        return 0;
    }
    if (!PyCallable_Check(function)) {
        PyErr_Format(PyExc_TypeError, "sizeof must be callable or None, not '%.200s'",
                     Py_TYPE(function)->tp_name);
        return -1;
    }
    *place = Py_NewRef(function);
    return 0;
}

static int
size_read(PyObject *given, size_t *bytes)
{
    if (!PyLong_Check(given)) {
        PyErr_Format(PyExc_TypeError, "sizeof must return a number of bytes, not '%.200s'",
                     Py_TYPE(given)->tp_name);
        return -1;
    }
    *bytes = PyLong_AsSize_t(given);
    if (*bytes != (size_t)-1 || !PyErr_Occurred()) {
        return 0;
    }
    if (raising_forgive(PyExc_OverflowError) == 0) {
        PyErr_Format(PyExc_ValueError, "sizeof must return a number of bytes, not %R", given);
    }
    return -1;
}

int
size_measure(PyObject *function, PyObject *item, size_t *bytes)
{
    if (function == NULL) {
        *bytes = item_size(item);
        return 0;
    }
    PyObject *given = PyObject_CallOneArg(function, item);
    if (given == NULL) {
        raising_convert(PyExc_StopIteration, "sizeof()");
        raising_convert(PyExc_StopAsyncIteration, "sizeof()");
        return -1;
    }
    int status = size_read(given, bytes);
    PyObject *raised = PyErr_GetRaisedException();
    Py_DECREF(given);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return status;
}
