/* The methods of a native coroutine: see coroutine.h.
 *
 * Nothing here has a state.  A step runs user code, and takes what critical section its
 * object needs.
 */
#include "aio/steps_old.h"

#include "runtime/raising.h"

PyObject *
old_coroutine_stepped(PySendResult status, PyObject *result)
{
    if (status != PYGEN_RETURN) {
        return result;
    }
    raising_stop(result);
    if (!PyErr_Occurred()) {
        PyErr_SetNone(PyExc_StopIteration);
    }
    Py_DECREF(result);
    return NULL;
}

PyObject *
old_coroutine_throw(PyObject *op, old_coroutine_step step, PyObject *const *args,
                    Py_ssize_t count)
{
    PyObject *exception = raising_thrown("throw", args, count);
    if (exception == NULL) {
        return NULL;
    }
    PyObject *result;
    PySendResult status = step(op, NULL, exception, &result);
    Py_DECREF(exception);
    return old_coroutine_stepped(status, result);
}

PySendResult
old_coroutine_refuse(bool running)
{
    PyErr_SetString(running ? PyExc_ValueError : PyExc_RuntimeError,
                    running ? "coroutine already executing"
                            : "cannot reuse already awaited coroutine");
    return PYGEN_ERROR;
}

int
old_coroutine_close(PyObject *op, old_coroutine_step step)
{
    PyObject *exit = PyObject_CallNoArgs(PyExc_GeneratorExit);
    if (exit == NULL) {
        return -1;
    }
    PyObject *result;
    PySendResult status = step(op, NULL, exit, &result);
    Py_DECREF(exit);
    if (status == PYGEN_ERROR) {
        return raising_forgive(PyExc_GeneratorExit);
    }
    Py_DECREF(result);
    if (status == PYGEN_NEXT) {
        PyErr_SetString(PyExc_RuntimeError, "coroutine ignored GeneratorExit");
        return -1;
    }
    return 0;
}
