/* The current task: see current_task.h.
 *
 * asyncio documents _enter_task() and _leave_task() for those who write tasks of their own.
 * _swap_current_task() of 3.12 does both in one call; 3.11 has the dict that those two change.
 * They are looked up once, when asyncio is imported already, since there is a loop.
 *
 * Nothing here runs user code but a loop's __hash__().
 */
#include "aio/current_task.h"

#include "aio/loop.h"

static PyObject *
find(generators_state *state, PyObject **place, const char *name)
{
    PyObject *function = generators_late(state, place);
    if (function != NULL) {
        return function;
    }
    PyObject *tasks = PyImport_ImportModule("asyncio.tasks");
    function = tasks == NULL ? NULL : PyObject_GetAttrString(tasks, name);
    Py_XDECREF(tasks);
    return function == NULL ? NULL : generators_set_late(state, place, function);
}

#ifdef COMPAT_SWAP_CURRENT_TASK

int
current_task_swap(generators_state *state, PyObject *loop, PyObject *task, PyObject **earlier)
{
    PyObject *swap = find(state, &state->asyncio_swap_task, COMPAT_SWAP_CURRENT_TASK);
    PyObject *arguments[] = {loop, task};
    *earlier = swap == NULL ? NULL : PyObject_Vectorcall(swap, arguments, 2, NULL);
    return *earlier == NULL ? -1 : 0;
}

#elif defined(COMPAT_CURRENT_TASKS)

int
current_task_swap(generators_state *state, PyObject *loop, PyObject *task, PyObject **earlier)
{
    PyObject *tasks = find(state, &state->asyncio_current_tasks, COMPAT_CURRENT_TASKS);
    *earlier = NULL;
    if (tasks == NULL) {
        return -1;
    }
    PyObject *current = Py_XNewRef(PyDict_GetItemWithError(tasks, loop));
    if (current == NULL && PyErr_Occurred()) {
        return -1;
    }
    int status = 0;
    if (task != Py_None) {
        status = PyDict_SetItem(tasks, loop, task);
    }
    else if (current != NULL) {
        status = PyDict_DelItem(tasks, loop);
    }
    if (status < 0) {
        Py_XDECREF(current);
        return -1;
    }
    *earlier = current == NULL ? Py_NewRef(Py_None) : current;
    return 0;
}

#else

static int
call(generators_state *state, PyObject **place, const char *name, PyObject *loop,
     PyObject *task)
{
    if (task == Py_None) {
        return 0;
    }
    PyObject *function = find(state, place, name);
    PyObject *arguments[] = {loop, task};
    PyObject *done =
        function == NULL ? NULL : PyObject_Vectorcall(function, arguments, 2, NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

int
current_task_swap(generators_state *state, PyObject *loop, PyObject *task, PyObject **earlier)
{
    if (loop_task(state, earlier) < 0) {
        return -1;
    }
    if (*earlier == NULL) {
        *earlier = Py_NewRef(Py_None);
    }
    if (call(state, &state->asyncio_leave_task, "_leave_task", loop, *earlier) < 0) {
        Py_CLEAR(*earlier);
        return -1;
    }
    if (call(state, &state->asyncio_enter_task, "_enter_task", loop, task) < 0) {
        PyObject *raised = PyErr_GetRaisedException();
        call(state, &state->asyncio_enter_task, "_enter_task", loop, *earlier);
        PyErr_SetRaisedException(raised);
        Py_CLEAR(*earlier);
        return -1;
    }
    return 0;
}

#endif
