/* The size of an item: see size.h.
 *
 * This is an estimate.  It is right for the items that matter, the pieces and rows that fill
 * memory.  Another thread may change a list or dict meanwhile, so each is read in its own
 * critical section.
 */
#include "bridge/size.h"

static size_t
flat_size(PyObject *item)
{
    if (PyBytes_Check(item)) {
        return SIZE_OF_ANY + (size_t)PyBytes_GET_SIZE(item);
    }
    if (PyUnicode_Check(item) && PyUnicode_IS_READY(item)) {
        return SIZE_OF_ANY + (size_t)PyUnicode_GET_LENGTH(item) * PyUnicode_KIND(item);
    }
    if (PyByteArray_Check(item)) {
        return SIZE_OF_ANY + (size_t)PyByteArray_GET_SIZE(item);
    }
    if (PyMemoryView_Check(item)) {
        return SIZE_OF_ANY + (size_t)PyMemoryView_GET_BUFFER(item)->len;
    }
    return SIZE_OF_ANY;
}

static size_t
sum_sizes(PyObject *const *items, Py_ssize_t count)
{
    size_t sum = SIZE_OF_ANY;
    for (Py_ssize_t i = 0; i < count; i++) {
        sum += flat_size(items[i]);
    }
    return sum;
}

static size_t
sum_dict(PyObject *dict)
{
    size_t sum = SIZE_OF_ANY;
    Py_ssize_t at = 0;
    PyObject *value;
    while (PyDict_Next(dict, &at, NULL, &value)) {
        sum += flat_size(value);
    }
    return sum;
}

/* Whether the item is of a type that has no size, such as a number.  A bytearray and a
   memoryview are buffers. */
static inline bool
is_small(PyObject *item)
{
    const unsigned long sized = Py_TPFLAGS_TUPLE_SUBCLASS | Py_TPFLAGS_LIST_SUBCLASS |
                                Py_TPFLAGS_DICT_SUBCLASS | Py_TPFLAGS_BYTES_SUBCLASS |
                                Py_TPFLAGS_UNICODE_SUBCLASS;
    return !PyType_HasFeature(Py_TYPE(item), sized) && Py_TYPE(item)->tp_as_buffer == NULL;
}

size_t
item_size(PyObject *item)
{
    size_t size;
    if (is_small(item)) {
        return SIZE_OF_ANY;
    }
    if (PyTuple_Check(item)) {
        size = sum_sizes(PySequence_Fast_ITEMS(item), PyTuple_GET_SIZE(item));
    }
    else if (PyList_Check(item)) {
        Py_BEGIN_CRITICAL_SECTION(item);
        size = sum_sizes(PySequence_Fast_ITEMS(item), PyList_GET_SIZE(item));
        Py_END_CRITICAL_SECTION();
    }
    else if (PyDict_Check(item)) {
        Py_BEGIN_CRITICAL_SECTION(item);
        size = sum_dict(item);
        Py_END_CRITICAL_SECTION();
    }
    else {
        size = flat_size(item);
    }
    return size;
}
