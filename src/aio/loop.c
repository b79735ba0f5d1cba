/* The running event loop: see loop.h.
 *
 * What is asked of asyncio is looked up once, when its module is there, and held by
 * the module's state.
 */
#include "aio/loop.h"
#include "runtime/raising.h"

/* 1 where asyncio is imported, and its functions are in the state; 0 where it is not,
   so that none of its loops can be running; or -1. */
static int
find_asyncio(generators_state *state)
{
    if (generators_late(state, &state->asyncio_running_loop) != NULL) {
        return 1;
    }
    PyObject *modules = PyImport_GetModuleDict(); /* borrowed */
    PyObject *events = PyMapping_GetItemString(modules, "asyncio.events");
    if (events == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_KeyError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    PyObject *running = PyObject_GetAttrString(events, COMPAT_RUNNING_LOOP);
    Py_DECREF(events);
    if (running == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear(); /* it is being imported */
        return 0;
    }
    generators_set_late(state, &state->asyncio_running_loop, running);
    return 1;
}

int
loop_running(generators_state *state, PyObject **loop)
{
    *loop = NULL;
    int found = find_asyncio(state);
    if (found <= 0) {
        return found;
    }
    *loop = PyObject_CallNoArgs(state->asyncio_running_loop);
    if (*loop == NULL) {
        return raising_forgive(
            PyExc_RuntimeError); /* there is none: see COMPAT_RUNNING_LOOP */
    }
    if (*loop == Py_None) {
        Py_CLEAR(*loop);
        return 0;
    }
    return 1;
}

PyObject *
loop_needed(generators_state *state, const char *who)
{
    PyObject *loop;
    if (loop_running(state, &loop) == 0) {
        PyErr_Format(PyExc_RuntimeError,
                     "%s needs a running asyncio event loop, and none runs in this thread",
                     who);
    }
    return loop;
}

int
loop_task(generators_state *state, PyObject **task)
{
    *task = NULL;
    PyObject *loop;
    int running = loop_running(state, &loop);
    if (running <= 0) {
        return running;
    }
    PyObject *current = generators_late(state, &state->asyncio_current_task);
    if (current == NULL) {
        PyObject *tasks = PyImport_ImportModule("asyncio.tasks");
        current = tasks == NULL ? NULL : PyObject_GetAttrString(tasks, "current_task");
        Py_XDECREF(tasks);
        if (current == NULL) {
            Py_DECREF(loop);
            return -1;
        }
        current = generators_set_late(state, &state->asyncio_current_task, current);
    }
    *task = PyObject_CallOneArg(current, loop);
    Py_DECREF(loop);
    if (*task == Py_None) {
        Py_CLEAR(*task);
        return 0;
    }
    return *task == NULL ? -1 : 1;
}

PyObject *
loop_future(PyObject *loop)
{
    return PyObject_CallMethod(loop, "create_future", NULL);
}

static int
wake(PyObject *future)
{
    PyObject *done = PyObject_CallMethod(future, "done", NULL);
    int is_done = done == NULL ? -1 : PyObject_IsTrue(done);
    Py_XDECREF(done);
    if (is_done != 0) {
        return is_done < 0 ? -1 : 0;
    }
    PyObject *set = PyObject_CallMethod(future, "set_result", "O", Py_None);
    Py_XDECREF(set);
    return set == NULL ? -1 : 0;
}

/* Once more where memory lacked: who is not woken may wait for ever. */
int
loop_wake(PyObject *future)
{
    int status = wake(future);
    if (status < 0 && raising_forgive(PyExc_MemoryError) == 0) {
        status = wake(future);
    }
    return status;
}

static PyObject *
wake_here(PyObject *Py_UNUSED(module), PyObject *future)
{
    return loop_wake(future) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef wake_here_method = {"wake", wake_here, METH_O, NULL};

int
loop_wake_on(generators_state *state, PyObject *loop, PyObject *future)
{
    PyObject *here;
    if (loop_running(state, &here) < 0) {
        return -1;
    }
    bool is_here = here == loop;
    Py_XDECREF(here);
    if (is_here) {
        return loop_wake(future);
    }
    PyObject *callback = PyCFunction_New(&wake_here_method, NULL);
    PyObject *handle = callback == NULL ? NULL
                                        : PyObject_CallMethod(loop, "call_soon_threadsafe",
                                                              "(OO)", callback, future);
    int status = handle != NULL ? 0 : raising_forgive(PyExc_RuntimeError) < 0 ? -1 : 1;
    Py_XDECREF(callback);
    Py_XDECREF(handle);
    return status;
}

int
loop_wake_from_anywhere(generators_state *state, PyObject *future)
{
    PyObject *loop = PyObject_CallMethod(future, "get_loop", NULL);
    int status = loop == NULL ? -1 : loop_wake_on(state, loop, future);
    Py_XDECREF(loop);
    return status;
}

int
loop_is_being_cancelled(PyObject *task)
{
    PyObject *count = PyObject_CallMethod(task, "cancelling", NULL);
    if (count == NULL) {
        return raising_forgive(PyExc_AttributeError); /* a task of another library */
    }
    int is = PyObject_IsTrue(count);
    Py_DECREF(count);
    return is;
}

void
loop_uncancel(PyObject *task)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *left = PyObject_CallMethod(task, "uncancel", NULL);
    if (left == NULL && raising_forgive(PyExc_AttributeError) < 0) {
        raising_unraisable(task); /* it is no task of another library */
    }
    Py_XDECREF(left);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

int
loop_spawn(generators_state *state, PyObject *loop, PyObject *coroutine)
{
    PyObject *task = PyObject_CallMethod(loop, "create_task", "(O)", coroutine);
    if (task == NULL) {
        return -1;
    }
    int status = -1;
    PyObject *discard = NULL, *added = NULL;
    if (PySet_Add(state->spawned, task) == 0) {
        discard = PyObject_GetAttrString(state->spawned, "discard");
        added = discard == NULL
                    ? NULL
                    : PyObject_CallMethod(task, "add_done_callback", "(O)", discard);
        status = added == NULL ? -1 : 0;
    }
    Py_XDECREF(discard);
    Py_XDECREF(added);
    Py_DECREF(task);
    return status;
}

PyObject *
loop_cancelled_error(generators_state *state)
{
    PyObject *type = generators_late(state, &state->cancelled_error);
    if (type != NULL) {
        return type;
    }
    PyObject *exceptions = PyImport_ImportModule("asyncio.exceptions");
    if (exceptions != NULL) {
        type = PyObject_GetAttrString(exceptions, "CancelledError");
        Py_DECREF(exceptions);
    }
    return type == NULL ? NULL : generators_set_late(state, &state->cancelled_error, type);
}
