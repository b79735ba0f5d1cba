/* Closing a source: see closing.h.
 *
 * Nothing here has a state.  User code runs in the source's close() and in
 * __instancecheck__(). No module state is needed, so that it can be used while an object is
 * torn down.
 */
#include "runtime/closing.h"

#include "runtime/raising.h"

int
closing_is_due(PyObject *iterator, PyObject *abc)
{
    if (PyGen_CheckExact(iterator) || PyAsyncGen_CheckExact(iterator)) {
        return 1;
    }
    return PyObject_IsInstance(iterator, abc);
}

int
closing_close(PyObject *iterator)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *closed = PyObject_CallMethod(iterator, "close", NULL);
    if (closed == NULL) {
        raising_chain(raised);
        return -1;
    }
    Py_DECREF(closed);
    if (raised == NULL) {
        return 0;
    }
    PyErr_SetRaisedException(raised);
    return -1;
}
