/* The arguments of DictReader and DictWriter: (f, ..., dialect='excel', *args, **kwds).  `f`,
 * `dialect` and the rest are passed on to the reader or the writer.
 */
#include "csv/module/call.h"

#include <string.h>

static int
refuse_repeated(const char *type, const char *name)
{
    PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%s'", type, name);
    return -1;
}

/* Move the argument of that name out of the keywords into *value.  0 or -1. */
static int
take_keyword(csv_call *call, const char *type, const char *name, PyObject **value)
{
    PyObject *key = PyUnicode_FromString(name);
    PyObject *found = key == NULL ? NULL : PyDict_GetItemWithError(call->keywords, key);
    int status = 0;
    if (found == NULL) {
        status = PyErr_Occurred() ? -1 : 0;
    }
    else if (*value != NULL) {
        status = refuse_repeated(type, name);
    }
    else {
        *value = Py_NewRef(found);
        status = PyDict_DelItem(call->keywords, key);
    }
    Py_XDECREF(key);
    return status;
}

int
csv_call_bind(csv_call *call, const char *type, const char *const *names, int required,
              PyObject *args, PyObject *kwargs)
{
    memset(call, 0, sizeof *call);
    call->keywords = kwargs == NULL ? PyDict_New() : PyDict_Copy(kwargs);
    if (call->keywords == NULL) {
        return -1;
    }
    Py_ssize_t given = PyTuple_GET_SIZE(args);
    Py_ssize_t own = 0;
    for (; names[own] != NULL; own++) {
        PyObject **value = &call->values[own];
        *value = own < given ? Py_NewRef(PyTuple_GET_ITEM(args, own)) : NULL;
        if (take_keyword(call, type, names[own], value) < 0) {
            goto error;
        }
        if (*value == NULL && own < required) {
            PyErr_Format(PyExc_TypeError, "%s() missing required argument: '%s'", type,
                         names[own]);
            goto error;
        }
    }
    call->rest = PyTuple_GetSlice(args, own, given);
    call->dialect = call->values[own - 1] == NULL ? PyUnicode_FromString("excel")
                                                  : Py_NewRef(call->values[own - 1]);
    if (call->rest != NULL && call->dialect != NULL) {
        return 0;
    }
error:
    csv_call_free(call);
    return -1;
}

PyObject *
csv_call_onward(const csv_call *call, PyObject *callable)
{
    PyObject *first = PyTuple_Pack(2, call->values[0], call->dialect);
    PyObject *args = first == NULL ? NULL : PySequence_Concat(first, call->rest);
    PyObject *result = args == NULL ? NULL : PyObject_Call(callable, args, call->keywords);
    Py_XDECREF(first);
    Py_XDECREF(args);
    return result;
}

void
csv_call_free(csv_call *call)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(call->values); i++) {
        Py_CLEAR(call->values[i]);
    }
    Py_CLEAR(call->dialect);
    Py_CLEAR(call->rest);
    Py_CLEAR(call->keywords);
}

PyObject *
csv_fieldnames(PyObject *given)
{
    if (given == NULL || given == Py_None) {
        return Py_NewRef(Py_None);
    }
    PyObject *iterator = PyObject_GetIter(given);
    if (iterator == NULL) {
        return NULL;
    }
    PyObject *names = iterator == given ? PySequence_List(given) : Py_NewRef(given);
    Py_DECREF(iterator);
    return names;
}
