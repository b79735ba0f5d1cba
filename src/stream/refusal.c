/* What to do about a source that a stream can't read: see refusal.h.
 *
 * A type and its async twin differ by an `a` before the name, but for map_threads() and
 * amap(). Nothing here has a state, and no user code runs.
 */
#include "stream/refusal.h"

#include <string.h>

#include "aio/await.h"

#define NAME_SIZE 40

static bool
refusal_is_iterable(PyObject *source)
{
    return Py_TYPE(source)->tp_iter != NULL || PySequence_Check(source);
}

static bool
refusal_is_async_iterable(PyObject *source)
{
    PyAsyncMethods *methods = Py_TYPE(source)->tp_as_async;
    return methods != NULL && methods->am_aiter != NULL;
}

static bool
refusal_is_awaitable(PyObject *source)
{
    PyAsyncMethods *methods = Py_TYPE(source)->tp_as_async;
    return methods != NULL && methods->am_await != NULL;
}

/* The name of the type that reads the other kind of source.  False if there is none. */
static bool
refusal_twin(const char *who, bool is_async, char *name)
{
    static const char *const alone[] = {"to_async", "to_sync", "amerge"};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(alone); i++) {
        if (strcmp(who, alone[i]) == 0) {
            return false;
        }
    }
    if (strcmp(who, "map_threads") == 0) {
        who = "aamap"; /* of which one is dropped below */
        is_async = true;
    }
    PyOS_snprintf(name, NAME_SIZE, is_async ? "%s" : "a%s", is_async ? who + 1 : who);
    return true;
}

/* Write what to do.  False where nothing is known. */
static bool
refusal_hint(const char *who, PyObject *source, bool wants_async, char *hint, size_t size)
{
    char twin[NAME_SIZE];
    if (refusal_is_awaitable(source)) {
        PyOS_snprintf(hint, size, "it is a coroutine: await it first, and pass what it gives");
        return true;
    }
    if (PyFunction_Check(source) || PyMethod_Check(source)) {
        PyOS_snprintf(hint, size, "it is a function: call it, and pass what it returns");
        return true;
    }
    if (wants_async ? !refusal_is_iterable(source) : !refusal_is_async_iterable(source)) {
        return false;
    }
    if (strcmp(who, "to_async") == 0) {
        PyOS_snprintf(hint, size,
                      "it is an async source already: use `async for`, or to_sync() in plain "
                      "code");
    }
    else if (strcmp(who, "to_sync") == 0) {
        PyOS_snprintf(hint, size,
                      "it is no async source: use `for`, or to_async() on an event loop");
    }
    else if (strcmp(who, "run") == 0) {
        PyOS_snprintf(hint, size, "await arun() for an async iterable");
    }
    else if (refusal_twin(who, wants_async, twin)) {
        PyOS_snprintf(hint, size,
                      wants_async ? "use %s(), or pass to_async(source)"
                                  : "use %s(), or pass to_sync(source)",
                      twin);
    }
    else {
        PyOS_snprintf(hint, size, "pass to_async(source)");
    }
    return true;
}

void
refusal_add_hint(const char *who, PyObject *source, bool wants_async)
{
    char hint[128];
    if (!PyErr_ExceptionMatches(PyExc_TypeError) ||
        !refusal_hint(who, source, wants_async, hint, sizeof(hint))) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    if (Py_IS_TYPE(raised, (PyTypeObject *)PyExc_TypeError)) {
        PyErr_Format(PyExc_TypeError, "%S: %s", raised, hint);
        Py_DECREF(raised);
    }
    else {
        PyErr_SetRaisedException(raised);
    }
}
