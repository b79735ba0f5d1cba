/* `await` from C: what the interpreter does for `await`, `async for` and for a
 * coroutine that is thrown into, in its words.  CPython has no public functions for
 * these.
 *
 * Nothing here holds state.  All of it runs user code.
 */
#include "aio/await.h"

#if PY_VERSION_HEX >= 0x030E0000
#define NOT_AWAITABLE "'%.100s' object can't be awaited"
#define NOT_AN_ITERATOR "__await__() must return an iterator, not %.100s"
#else
#define NOT_AWAITABLE "object %.100s can't be used in 'await' expression"
#define NOT_AN_ITERATOR "__await__() returned non-iterator of type '%.100s'"
#endif

/* Made by types.coroutine() of a generator function. */
static bool
is_generator_coroutine(PyObject *object)
{
    return PyGen_CheckExact(object) &&
           (compat_generator_flags(object) & CO_ITERABLE_COROUTINE) != 0;
}

static bool
has_await(PyObject *object)
{
    PyAsyncMethods *methods = Py_TYPE(object)->tp_as_async;
    return methods != NULL && methods->am_await != NULL;
}

bool
await_is_possible(PyObject *object)
{
    return PyCoro_CheckExact(object) || has_await(object) || is_generator_coroutine(object);
}

PyObject *
await_iterator(PyObject *object)
{
    if (PyCoro_CheckExact(object) || is_generator_coroutine(object)) {
        return Py_NewRef(object);
    }
    PyTypeObject *type = Py_TYPE(object);
    if (!has_await(object)) {
        PyErr_Format(PyExc_TypeError, NOT_AWAITABLE, type->tp_name);
        return NULL;
    }
    PyObject *iterator = type->tp_as_async->am_await(object);
    if (iterator == NULL) {
        return NULL;
    }
    if (PyCoro_CheckExact(iterator) || is_generator_coroutine(iterator)) {
        PyErr_SetString(PyExc_TypeError, "__await__() returned a coroutine");
        Py_CLEAR(iterator);
    }
    else if (!PyIter_Check(iterator)) {
        PyErr_Format(PyExc_TypeError, NOT_AN_ITERATOR, Py_TYPE(iterator)->tp_name);
        Py_CLEAR(iterator);
    }
    return iterator;
}

PyObject *
await_anext(PyObject *source)
{
    PyAsyncMethods *methods = Py_TYPE(source)->tp_as_async;
    if (methods == NULL || methods->am_anext == NULL) { /* its class has changed */
        PyErr_Format(PyExc_TypeError,
                     "'async for' requires an iterator with __anext__ method, got %.100s",
                     Py_TYPE(source)->tp_name);
        return NULL;
    }
    PyObject *awaitable = methods->am_anext(source);
    if (awaitable == NULL) {
        return NULL;
    }
    PyObject *iterator = await_iterator(awaitable);
    /* As `async for` has it, but Ctrl-C stays what it is. */
    if (iterator == NULL && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyObject *cause = PyErr_GetRaisedException();
        PyErr_Format(PyExc_TypeError,
                     "'async for' received an invalid object from __anext__: %.100s",
                     Py_TYPE(awaitable)->tp_name);
        PyObject *error = PyErr_GetRaisedException();
        PyException_SetContext(error, Py_NewRef(cause));
        PyException_SetCause(error, cause);
        PyErr_SetRaisedException(error);
    }
    Py_DECREF(awaitable);
    return iterator;
}

PyObject *
await_read(PyObject *read, Py_ssize_t size)
{
    Py_INCREF(read);
    PyObject *awaitable = PyObject_CallFunction(read, "n", size);
    PyObject *iterator = awaitable == NULL ? NULL : await_iterator(awaitable);
    Py_DECREF(read);
    Py_XDECREF(awaitable);
    return iterator;
}

PyObject *
await_aiter(PyObject *object)
{
    PyAsyncMethods *methods = Py_TYPE(object)->tp_as_async;
    if (methods == NULL || methods->am_aiter == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "'async for' requires an object with __aiter__ method, got %.100s",
                     Py_TYPE(object)->tp_name);
        return NULL;
    }
    PyObject *iterator = methods->am_aiter(object);
    if (iterator == NULL) {
        return NULL;
    }
    methods = Py_TYPE(iterator)->tp_as_async;
    if (methods == NULL || methods->am_anext == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "'async for' received an object from __aiter__ that does not implement "
                     "__anext__: %.100s",
                     Py_TYPE(iterator)->tp_name);
        Py_CLEAR(iterator);
    }
    return iterator;
}

/* The method, 1; 0 where there is none; or -1. */
static int
find_method(PyObject *object, const char *name, PyObject **method)
{
    *method = PyObject_GetAttrString(object, name);
    if (*method != NULL) {
        return 1;
    }
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return -1;
    }
    PyErr_Clear();
    return 0;
}

int
await_close(PyObject *iterator)
{
    PyObject *close;
    int found = find_method(iterator, "close", &close);
    if (found <= 0) {
        return found;
    }
    PyObject *closed = PyObject_CallNoArgs(close);
    Py_DECREF(close);
    Py_XDECREF(closed);
    return closed == NULL ? -1 : 0;
}

/* What a StopIteration being raised carries. */
static PyObject *
take_stop_value(void)
{
    PyObject *stop = PyErr_GetRaisedException();
    PyObject *value = compat_stop_value(stop);
    Py_DECREF(stop);
    return value;
}

PySendResult
await_throw(PyObject *iterator, PyObject *exception, PyObject **result)
{
    *result = NULL;
    if (PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit)) {
        if (await_close(iterator) == 0) {
            PyErr_SetRaisedException(Py_NewRef(exception));
        }
        return PYGEN_ERROR;
    }
    return await_throw_in(iterator, exception, result);
}

PySendResult
await_throw_in(PyObject *iterator, PyObject *exception, PyObject **result)
{
    *result = NULL;
    PyObject *method;
    int found = find_method(iterator, "throw", &method);
    if (found < 0) {
        return PYGEN_ERROR;
    }
    if (found == 0) {
        PyErr_SetRaisedException(Py_NewRef(exception));
        return PYGEN_ERROR;
    }
    *result = PyObject_CallOneArg(method, exception);
    Py_DECREF(method);
    if (*result != NULL) {
        return PYGEN_NEXT;
    }
    if (!PyErr_Occurred()) {
        *result = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        *result = take_stop_value();
        return PYGEN_RETURN;
    }
    return PYGEN_ERROR;
}
