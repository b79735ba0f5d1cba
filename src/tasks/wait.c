/* Waiting for what a generator yields, and when a loop that answers keep from running
 * has its turn.
 *
 * Nothing here has a state; what is given out is owned by the caller.
 */
#include "core/clock.h"
#include "aio/await.h"
#include "aio/loop.h"
#include "runtime/raising.h"
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
    PyObject *wrapped = wrap_future(state, future);
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

/* ---- the loop's turn ---- */

wait_budget
wait_begin_budget(void)
{
    uint64_t now = clock_coarse();
    return (wait_budget){.until = now + BUDGET, .last = now, .every = 1, .left = 1};
}

bool
wait_look(generators_state *state, wait_budget *budget)
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
    if (!late) {
        return false;
    }
    PyObject *loop;
    int runs = loop_running(state, &loop);
    if (runs < 0) {
        raising_unraisable(NULL);
    }
    Py_XDECREF(loop);
    return runs > 0;
}
