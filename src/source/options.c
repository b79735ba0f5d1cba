/* Arguments that the readers of all formats share: see options.h. */
#include "source/options.h"

#include <string.h>

#include "runtime/callables.h"

int
options_read_limit(PyObject *value, const char *name, size_t *limit)
{
    if (value == NULL) {
        return 0;
    }
    if (value == Py_None) {
        *limit = SIZE_MAX;
        return 0;
    }
    PyObject *index = PyNumber_Index(value);
    if (index == NULL) {
        return -1;
    }
    Py_ssize_t number = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    if (number < 0) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError, "%s must not be negative", name);
        }
        return -1;
    }
    *limit = (size_t)number;
    return 0;
}

int
options_read_items(const char *name, data_source_items *items)
{
    static const char *const names[] = {"auto", "lines", "chunks"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(name, names[i]) == 0) {
            *items = (data_source_items)i;
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "items must be 'auto', 'lines' or 'chunks', not '%s'",
                 name);
    return -1;
}

int
options_read_opening(const options_opening *self, data_source *source)
{
    return unpack_read_options(&source->unpack, self->compression, self->member);
}

int
options_read_on_error(PyObject *value, PyObject **callable)
{
    if (value == NULL ||
        (PyUnicode_Check(value) && PyUnicode_CompareWithASCIIString(value, "raise") == 0)) {
        return 0;
    }
    if (PyUnicode_Check(value) && PyUnicode_CompareWithASCIIString(value, "skip") == 0) {
        *callable = Py_NewRef(Py_None);
        return 0;
    }
    if (!PyCallable_Check(value)) {
        PyErr_Format(PyUnicode_Check(value) ? PyExc_ValueError : PyExc_TypeError,
                     "on_error must be 'raise', 'skip' or a callable, not %R", value);
        return -1;
    }
    if (callables_refuse_async(value, "on_error") < 0) {
        return -1;
    }
    *callable = Py_NewRef(value);
    return 0;
}
