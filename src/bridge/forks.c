/* What a process must do when it was forked: see forks.h. */
#include "bridge/forks.h"

int
forks_watch(PyObject *module, PyMethodDef *function)
{
    PyObject *os = PyImport_ImportModule("os");
    PyObject *watch = os == NULL ? NULL : PyObject_GetAttrString(os, "register_at_fork");
    Py_XDECREF(os);
    if (watch == NULL) {
        if (os == NULL || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    PyObject *callback = PyCFunction_NewEx(function, module, NULL);
    PyObject *kwargs =
        callback == NULL ? NULL : Py_BuildValue("{s:N}", "after_in_child", callback);
    PyObject *empty = PyTuple_New(0);
    PyObject *done =
        kwargs == NULL || empty == NULL ? NULL : PyObject_Call(watch, empty, kwargs);
    Py_DECREF(watch);
    Py_XDECREF(kwargs);
    Py_XDECREF(empty);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}
