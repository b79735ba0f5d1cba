/* How the home task becomes the current one: see home_enter.h.
 *
 * The loop knows one current task.  The home task stands in its place while the source runs,
 * and the home's context is entered.
 *
 * User code that runs: the loop's own, where it is no loop of asyncio.
 */
#include "aio/home_enter.h"

#include "aio/current_task.h"
#include "runtime/raising.h"

int
home_enter(home *self)
{
    if (self->depth++ > 0 || self->task == NULL || self->is_in_task) {
        return 0;
    }
    if (PyContext_Enter(self->context) < 0) {
        self->depth--;
        return -1;
    }
    if (current_task_swap(self->state, self->loop, self->task, &self->earlier) == 0) {
        self->is_alone = self->earlier == Py_None;
        return 0;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyContext_Exit(self->context);
    PyErr_SetRaisedException(raised);
    self->depth--;
    return -1;
}

void
home_leave(home *self)
{
    if (--self->depth > 0 || self->earlier == NULL) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *earlier = self->earlier, *task;
    self->earlier = NULL;
    int status = current_task_swap(self->state, self->loop, earlier, &task);
    if (status < 0 && raising_forgive(PyExc_MemoryError) == 0) {
        status = current_task_swap(self->state, self->loop, earlier, &task);
    }
    if (status == 0) {
        Py_DECREF(task);
    }
    if (PyErr_Occurred()) {
        raising_unraisable((PyObject *)self);
    }
    if (PyContext_Exit(self->context) < 0) {
        raising_unraisable((PyObject *)self);
    }
    Py_DECREF(earlier);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}
