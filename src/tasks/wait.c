/* Waiting for what a generator yields: see wait.h.
 *
 * Nothing here has a state.  User code runs in __await__() and in the methods of a Future; the
 * caller holds the value.
 */
#include "tasks/wait.h"

#include "aio/await.h"
#include "aio/loop.h"
#include "runtime/raising.h"

/* ---- awaitables ---- */

/* Refuse a coroutine that is being awaited already, as `await` does. */
static int
check_coroutine(PyObject *coroutine)
{
    PyObject *awaited = PyObject_GetAttrString(coroutine, "cr_await");
    if (awaited == NULL) {
        return -1;
    }
    Py_DECREF(awaited);
    if (awaited != Py_None) {
        PyErr_SetString(PyExc_RuntimeError, "coroutine is being awaited already");
        return -1;
    }
    return 0;
}

/* ---- futures of concurrent.futures ---- */

/* concurrent.futures.Future, borrowed.  NULL with an exception set; or without one where it is
   not imported, so that it has no instance. */
static PyTypeObject *
executor_future_type(generators_state *state)
{
    PyObject *type = generators_late(state, &state->executor_future);
    if (type != NULL) {
        return (PyTypeObject *)type;
    }
    PyObject *name = PyUnicode_FromString("concurrent.futures._base");
    PyObject *module = name == NULL ? NULL : PyImport_GetModule(name);
    Py_XDECREF(name);
    if (module == NULL) {
        return NULL;
    }
    type = PyObject_GetAttrString(module, "Future");
    Py_DECREF(module);
    if (type != NULL) {
        return (PyTypeObject *)generators_set_late(state, &state->executor_future, type);
    }
    raising_forgive(PyExc_AttributeError); /* it is being imported */
    return NULL;
}

/* Whether its method returns something true: 1, 0, or -1 with an exception set. */
static int
ask_future(PyObject *future, const char *method)
{
    PyObject *said = PyObject_CallMethod(future, method, NULL);
    int truth = said == NULL ? -1 : PyObject_IsTrue(said);
    Py_XDECREF(said);
    return truth;
}

/* asyncio.wrap_future(): cancelling one of the two cancels the other. */
static PyObject *
wrap_future(generators_state *state, PyObject *future)
{
    PyObject *loop = loop_needed(state, "waiting for a concurrent.futures.Future");
    if (loop == NULL) {
        return NULL;
    }
    PyObject *asyncio = PyImport_ImportModule("asyncio"), *wrapped = NULL;
    PyObject *wrap = asyncio == NULL ? NULL : PyObject_GetAttrString(asyncio, "wrap_future");
    PyObject *arguments = wrap == NULL ? NULL : PyTuple_Pack(1, future);
    PyObject *keywords = arguments == NULL ? NULL : Py_BuildValue("{sO}", "loop", loop);
    if (keywords != NULL) {
        wrapped = PyObject_Call(wrap, arguments, keywords);
    }
    Py_XDECREF(keywords);
    Py_XDECREF(arguments);
    Py_XDECREF(wrap);
    Py_XDECREF(asyncio);
    Py_DECREF(loop);
    return wrapped;
}

/* One that was cancelled is waited for as a pending one is: asyncio raises its own exception
   for it. */
static wait_status
open_executor_future(generators_state *state, PyObject *future, PyObject **result)
{
    int done = ask_future(future, "done");
    int cancelled = done > 0 ? ask_future(future, "cancelled") : 0;
    if (done < 0 || cancelled < 0) {
        return WAIT_FAILED;
    }
    if (done && !cancelled) {
        *result = PyObject_CallMethod(future, "result", NULL);
        return *result == NULL ? WAIT_FAILED : WAIT_ANSWERED;
    }
    PyObject *wrapped = wrap_future(state, future);
    if (wrapped == NULL) {
        return WAIT_FAILED;
    }
    wait_status status = wait_open(state, wrapped, result);
    Py_DECREF(wrapped);
    return status;
}

/* ---- any value ---- */

wait_status
wait_open(generators_state *state, PyObject *value, PyObject **result)
{
    *result = NULL;
    if (PyCoro_CheckExact(value) && check_coroutine(value) < 0) {
        return WAIT_FAILED;
    }
    if (await_is_possible(value)) {
        *result = await_iterator(value);
        return *result == NULL ? WAIT_FAILED : WAIT_BEGUN;
    }
    if (Py_TYPE(value)->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        PyTypeObject *type = executor_future_type(state);
        if (type != NULL && PyObject_TypeCheck(value, type)) {
            return open_executor_future(state, value, result);
        }
        if (PyErr_Occurred()) {
            return WAIT_FAILED;
        }
    }
    *result = Py_NewRef(value);
    return WAIT_ANSWERED;
}
