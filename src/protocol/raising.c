/* What is raised where a generator would raise it. */
#include "protocol/raising.h"

/* The exception that those arguments mean, as generators read them. */
static PyObject *
read_thrown(PyObject *type, PyObject *value, PyObject *traceback)
{
    if (traceback != NULL && traceback != Py_None && !PyTraceBack_Check(traceback)) {
        PyErr_SetString(PyExc_TypeError, "throw() third argument must be a traceback object");
        return NULL;
    }
    PyObject *exception;
    if (PyExceptionClass_Check(type)) {
        if (value == NULL || value == Py_None) {
            exception = PyObject_CallNoArgs(type);
        }
        else if (PyObject_TypeCheck(value, (PyTypeObject *)type)) {
            exception = Py_NewRef(value);
        }
        else if (PyTuple_Check(value)) {
            exception = PyObject_CallObject(type, value);
        }
        else {
            exception = PyObject_CallOneArg(type, value);
        }
        if (exception != NULL && !PyExceptionInstance_Check(exception)) {
            PyErr_Format(
                PyExc_TypeError,
                "calling %R should have returned an instance of BaseException, not %s", type,
                Py_TYPE(exception)->tp_name);
            Py_CLEAR(exception);
        }
    }
    else if (PyExceptionInstance_Check(type)) {
        if (value != NULL && value != Py_None) {
            PyErr_SetString(PyExc_TypeError,
                            "instance exception may not have a separate value");
            return NULL;
        }
        exception = Py_NewRef(type);
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "exceptions must be classes or instances deriving from BaseException, "
                     "not %s",
                     Py_TYPE(type)->tp_name);
        return NULL;
    }
    if (exception != NULL && traceback != NULL && traceback != Py_None &&
        PyException_SetTraceback(exception, traceback) < 0) {
        Py_CLEAR(exception);
    }
    return exception;
}

PyObject *
raising_thrown(PyObject *const *args, Py_ssize_t count)
{
    if (count < 1 || count > 3) {
        PyErr_Format(PyExc_TypeError, "throw expected 1 to 3 arguments, got %zd", count);
        return NULL;
    }
#if PY_VERSION_HEX >= 0x030C0000
    if (count > 1 && PyErr_WarnEx(PyExc_DeprecationWarning,
                                  "the (type, exc, tb) signature of throw() is deprecated, "
                                  "use the single-arg signature instead.",
                                  1) < 0) {
        return NULL;
    }
#endif
    return read_thrown(args[0], count > 1 ? args[1] : NULL, count > 2 ? args[2] : NULL);
}

void
raising_stop(PyObject *value)
{
    if (value == Py_None) {
        return;
    }
    if (!PyTuple_Check(value) && !PyExceptionInstance_Check(value)) {
        PyErr_SetObject(PyExc_StopIteration, value);
        return;
    }
    /* Those mean something else to PyErr_SetObject(). */
    PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, value);
    if (stop != NULL) {
        PyErr_SetRaisedException(stop);
    }
}

void
raising_convert(PyObject *stop, const char *who)
{
    if (!PyErr_ExceptionMatches(stop)) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyErr_Format(PyExc_RuntimeError, "%s raised %s", who, ((PyTypeObject *)stop)->tp_name);
    PyObject *error = PyErr_GetRaisedException();
    PyException_SetContext(error, Py_NewRef(raised));
    PyException_SetCause(error, raised);
    PyErr_SetRaisedException(error);
}
