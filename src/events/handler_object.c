/* What an object is that is registered as a handler.
 *
 * Nothing is owned.
 *
 * User code: attributes of the object and of its class, and what inspect asks of it.
 *
 * Threads: no state.
 */
#include "events/handler_object.h"

/* ---- generators ---- */

/* 1, 0 or -1. */
static int
attribute_is_true(PyObject *object, const char *name)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    int is = value == NULL ? -1 : PyObject_IsTrue(value);
    Py_XDECREF(value);
    return is;
}

int
generator_stage(PyObject *generator)
{
    bool is_async = PyAsyncGen_CheckExact(generator);
    if (!is_async && !PyGen_CheckExact(generator)) {
        return GENERATOR_NEW;
    }
    int is = attribute_is_true(generator, is_async ? "ag_running" : "gi_running");
    if (is != 0) {
        return is < 0 ? -1 : GENERATOR_RUNNING;
    }
    is = attribute_is_true(generator, is_async ? "ag_frame" : "gi_frame");
    if (is <= 0) {
        return is < 0 ? -1 : GENERATOR_OVER;
    }
    is = is_async ? compat_asyncgen_is_suspended(generator)
                  : attribute_is_true(generator, "gi_suspended");
    return is < 0 ? -1 : is ? GENERATOR_SUSPENDED : GENERATOR_NEW;
}

/* ---- callables ---- */

/* Ask inspect about a callable that is no plain function.  Return one of FUNCTION_FLAGS, 0,
   or -1. */
static int
callable_ask_inspect(PyObject *object)
{
    static const struct {
        const char *name;
        int flag;
    } questions[] = {
        {"iscoroutinefunction", CO_COROUTINE},
        {"isasyncgenfunction", CO_ASYNC_GENERATOR},
        {"isgeneratorfunction", CO_GENERATOR},
    };
    PyObject *inspect = PyImport_ImportModule("inspect");
    if (inspect == NULL) {
        return -1;
    }
    int flags = 0;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(questions) && flags == 0; i++) {
        PyObject *answer = PyObject_CallMethod(inspect, questions[i].name, "(O)", object);
        int is = answer == NULL ? -1 : PyObject_IsTrue(answer);
        Py_XDECREF(answer);
        if (is != 0) {
            flags = is < 0 ? -1 : questions[i].flag;
        }
    }
    Py_DECREF(inspect);
    return flags;
}

/* The flags of a function's code, of FUNCTION_FLAGS, or -1. */
static int
function_flags(PyObject *function)
{
    long flags = compat_code_flags(PyFunction_GET_CODE(function));
    return flags < 0 ? -1 : (int)(flags & FUNCTION_FLAGS);
}

int
callable_flags(PyObject *object)
{
    PyObject *function = PyMethod_Check(object) ? PyMethod_GET_FUNCTION(object) : object;
    if (PyFunction_Check(function)) {
        int flags = function_flags(function);
        if (flags != 0) {
            return flags;
        }
    }
    if (PyCFunction_Check(object) || PyType_Check(object)) {
        return 0;
    }
    int flags = callable_ask_inspect(object);
    if (flags != 0 || PyFunction_Check(function)) {
        return flags;
    }
    PyObject *call = PyObject_GetAttrString((PyObject *)Py_TYPE(object), "__call__");
    if (call == NULL) {
        return -1;
    }
    if (PyFunction_Check(call)) {
        flags = function_flags(call);
    }
    Py_DECREF(call);
    return flags;
}
