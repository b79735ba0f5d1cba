/* Functions called at the interpreter's end and after forks: see watch.h.
 *
 * Both lists keep what is in them for ever.  So a function is bound to a weak reference to
 * the module, which goes all the same when nobody uses it any more; where a thread of ours
 * runs, that holds its type, and with it the module.
 */
#include "runtime/watch.h"

/* The function, bound to a weak reference to the module. */
static PyObject *
bind(PyObject *module, PyMethodDef *function)
{
    PyObject *reference = PyWeakref_NewRef(module, NULL);
    PyObject *bound = reference == NULL ? NULL : PyCFunction_New(function, reference);
    Py_XDECREF(reference);
    return bound;
}

int
watch_forks(PyObject *module, PyMethodDef *function)
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
    PyObject *callback = bind(module, function);
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

int
watch_exit(PyObject *module, PyMethodDef *function)
{
    PyObject *callback = bind(module, function);
    int status = callback == NULL ? -1 : compat_watch_exit(callback);
    Py_XDECREF(callback);
    return status;
}

generators_state *
watch_state(PyObject *reference, PyObject **module)
{
    *module = PyObject_CallNoArgs(reference);
    if (*module == Py_None) {
        Py_CLEAR(*module);
    }
    return *module == NULL ? NULL : PyModule_GetState(*module);
}
