/* Waiting for what a generator yields: the iterators of awaitables, and when a loop
 * that answers keep from running has its turn.
 *
 * Nothing here has a state; what is given out is owned by the caller.
 */
#include "core/clock.h"
#include "protocol/raising.h"
#include "tasks/tasks.h"

#define BUDGET (CLOCK_SECOND / 100) /* for which a loop that runs may stand still */
#define LONG (CLOCK_SECOND / 1000)  /* between two looks at the clock */
#define MOST_BETWEEN_LOOKS 64

/* ---- awaitables ---- */

/* As `await` does, refuse a coroutine that another awaits already. */
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

/* Whether it is a generator that types.coroutine made awaitable. */
static bool
is_generator_coroutine(PyObject *value)
{
    if (!PyGen_CheckExact(value)) {
        return false;
    }
#if PY_VERSION_HEX >= 0x030C0000
    PyCodeObject *code = PyGen_GetCode((PyGenObject *)value);
#else
    PyCodeObject *code = (PyCodeObject *)Py_NewRef(((PyGenObject *)value)->gi_code);
#endif
    bool found = (code->co_flags & CO_ITERABLE_COROUTINE) != 0;
    Py_DECREF(code);
    return found;
}

static wait_status
open_awaitable(PyObject *value, unaryfunc await, PyObject **iterator)
{
    *iterator = await(value);
    if (*iterator == NULL) {
        return WAIT_FAILED;
    }
    if (PyCoro_CheckExact(*iterator) || is_generator_coroutine(*iterator)) {
        PyErr_SetString(PyExc_TypeError, "__await__() returned a coroutine");
        Py_CLEAR(*iterator);
        return WAIT_FAILED;
    }
    if (!PyIter_Check(*iterator)) {
        PyErr_Format(PyExc_TypeError, "__await__() returned non-iterator of type '%.100s'",
                     Py_TYPE(*iterator)->tp_name);
        Py_CLEAR(*iterator);
        return WAIT_FAILED;
    }
    return WAIT_BEGUN;
}

/* ---- futures of concurrent.futures ---- */

/* concurrent.futures.Future, borrowed: NULL where it is not imported, so that there is
   no instance of it, or with an exception set. */
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
    if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear(); /* it is being imported */
    }
    return NULL;
}

/* 1 where the method says so, 0, or -1 with an exception set. */
static int
ask(PyObject *future, const char *method)
{
    PyObject *said = PyObject_CallMethod(future, method, NULL);
    int truth = said == NULL ? -1 : PyObject_IsTrue(said);
    Py_XDECREF(said);
    return truth;
}

/* asyncio.wrap_future(), which cancels the one with the other. */
static PyObject *
wrap_future(PyObject *future)
{
    PyObject *asyncio = PyImport_ImportModule("asyncio");
    PyObject *wrap = NULL, *loop = NULL, *wrapped = NULL;
    if (asyncio != NULL) {
        loop = PyObject_CallMethod(asyncio, "get_running_loop", NULL);
    }
    if (loop != NULL) {
        wrap = PyObject_GetAttrString(asyncio, "wrap_future");
    }
    PyObject *arguments = wrap == NULL ? NULL : PyTuple_Pack(1, future);
    PyObject *keywords = arguments == NULL ? NULL : Py_BuildValue("{sO}", "loop", loop);
    if (keywords != NULL) {
        wrapped = PyObject_Call(wrap, arguments, keywords);
    }
    Py_XDECREF(keywords);
    Py_XDECREF(arguments);
    Py_XDECREF(wrap);
    Py_XDECREF(loop);
    Py_XDECREF(asyncio);
    return wrapped;
}

/* A cancelled one is waited for like a pending one: asyncio has its own exception
   for that. */
static wait_status
open_executor_future(generators_state *state, PyObject *future, PyObject **result)
{
    int done = ask(future, "done");
    int cancelled = done > 0 ? ask(future, "cancelled") : 0;
    if (done < 0 || cancelled < 0) {
        return WAIT_FAILED;
    }
    if (done && !cancelled) {
        *result = PyObject_CallMethod(future, "result", NULL);
        return *result == NULL ? WAIT_FAILED : WAIT_ANSWERED;
    }
    PyObject *wrapped = wrap_future(future);
    if (wrapped == NULL) {
        return WAIT_FAILED;
    }
    wait_status status = wait_open(state, wrapped, result);
    Py_DECREF(wrapped);
    return status;
}

/* ---- what is shared ---- */

wait_status
wait_open(generators_state *state, PyObject *value, PyObject **result)
{
    *result = NULL;
    if (PyCoro_CheckExact(value)) {
        if (check_coroutine(value) < 0) {
            return WAIT_FAILED;
        }
        *result = Py_NewRef(value);
        return WAIT_BEGUN;
    }
    PyAsyncMethods *async = Py_TYPE(value)->tp_as_async;
    if (async != NULL && async->am_await != NULL) {
        return open_awaitable(value, async->am_await, result);
    }
    if (is_generator_coroutine(value)) {
        *result = Py_NewRef(value);
        return WAIT_BEGUN;
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

/* What a method that resumes an iterator returned, or raised. */
static PySendResult
resumed(PyObject *value, PyObject **result)
{
    *result = value;
    if (value != NULL) {
        return PYGEN_NEXT;
    }
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
        return PYGEN_ERROR;
    }
    PyObject *stop = PyErr_GetRaisedException();
    PyObject *returned = ((PyStopIterationObject *)stop)->value;
    *result = Py_NewRef(returned == NULL ? Py_None : returned);
    Py_DECREF(stop);
    return PYGEN_RETURN;
}

/* The method, or NULL: without an exception where there is none. */
static PyObject *
find_method(PyObject *op, const char *name)
{
    PyObject *method = PyObject_GetAttrString(op, name);
    if (method == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
    }
    return method;
}

PySendResult
wait_throw(PyObject *iterator, PyObject **result)
{
    *result = NULL;
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *throw = find_method(iterator, "throw");
    if (throw == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetRaisedException(exception);
        }
        else {
            Py_DECREF(exception);
        }
        return PYGEN_ERROR;
    }
    PyObject *value = PyObject_CallOneArg(throw, exception);
    Py_DECREF(throw);
    Py_DECREF(exception);
    return resumed(value, result);
}

int
wait_close(PyObject *iterator)
{
    PyObject *close = find_method(iterator, "close");
    if (close == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *done = PyObject_CallNoArgs(close);
    Py_DECREF(close);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* ---- the loop's turn ---- */

/* Whether a loop of asyncio runs in this thread; nothing is raised. */
static bool
loop_runs(void)
{
    PyObject *name = PyUnicode_FromString("asyncio.events");
    PyObject *events = name == NULL ? NULL : PyImport_GetModule(name);
    PyObject *loop = NULL;
    if (events != NULL) {
        loop = PyObject_CallMethod(events, "_get_running_loop", NULL);
    }
    bool runs = loop != NULL && loop != Py_None;
    if (PyErr_Occurred()) {
        raising_unraisable(events);
    }
    Py_XDECREF(name);
    Py_XDECREF(events);
    Py_XDECREF(loop);
    return runs;
}

wait_budget
wait_begin_budget(void)
{
    uint64_t now = clock_coarse();
    return (wait_budget){.until = now + BUDGET, .last = now, .every = 1, .left = 1};
}

bool
wait_look(wait_budget *budget)
{
    uint64_t now = clock_coarse();
    bool slow = now - budget->last >= LONG;
    bool late = now >= budget->until;
    if (late) {
        budget->until = now + BUDGET;
    }
    budget->last = now;
    budget->every = slow ? 1 : Py_MIN(2 * budget->every, MOST_BETWEEN_LOOKS);
    budget->left = budget->every;
    return late && loop_runs();
}
