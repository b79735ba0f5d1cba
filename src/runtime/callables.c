/* Callables of the user: see callables.h. */
#include "runtime/callables.h"

#include <string.h>

#include "runtime/raising.h"

#define MOST_WRAPPERS 100 /* of one another, in a chain that may be endless */

/* Whether it is a plain function that must be awaited: 1, 0 or -1. */
static int
callables_is_async_function(PyObject *object)
{
    if (!PyFunction_Check(object)) {
        return 0;
    }
    long flags = compat_code_flags(PyFunction_GET_CODE(object));
    return flags < 0 ? -1 : (flags & (CO_COROUTINE | CO_ASYNC_GENERATOR)) != 0;
}

/* What a bound method or a partial calls, or the __call__ of another object: a new reference;
   NULL without an exception set if there is no more to look at. */
static PyObject *
callables_below(PyObject *object)
{
    if (PyMethod_Check(object)) {
        return Py_NewRef(PyMethod_GET_FUNCTION(object));
    }
    if (PyFunction_Check(object) || PyCFunction_Check(object) || PyType_Check(object)) {
        return NULL;
    }
    const bool partial = strcmp(Py_TYPE(object)->tp_name, "functools.partial") == 0;
    PyObject *below = partial
                          ? PyObject_GetAttrString(object, "func")
                          : PyObject_GetAttrString((PyObject *)Py_TYPE(object), "__call__");
    if (below == NULL) {
        raising_forgive(PyExc_AttributeError);
    }
    else if (!partial && !PyFunction_Check(below)) {
        Py_CLEAR(below); /* a slot of C */
    }
    return below;
}

int
callables_refuse_async(PyObject *callable, const char *parameter)
{
    PyObject *object = Py_NewRef(callable);
    int is = 0;
    for (int i = 0; i < MOST_WRAPPERS && (is = callables_is_async_function(object)) == 0;
         i++) {
        PyObject *below = callables_below(object);
        Py_DECREF(object);
        object = below;
        if (object == NULL) {
            return PyErr_Occurred() ? -1 : 0;
        }
    }
    Py_DECREF(object);
    if (is > 0) {
        PyErr_Format(PyExc_TypeError,
                     "%s: %R is asynchronous, and what it returns would never be awaited",
                     parameter, callable);
    }
    return is == 0 ? 0 : -1;
}
