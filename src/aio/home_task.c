/* The coroutine of a home task: see home_task.h.
 *
 * It waits for the future `parking`, which ends when the home is closed.  A cancellation that
 * arrives here is handed on: the future that the source waits for is cancelled, or the
 * exception is thrown in where the source stands between two items.
 *
 * User code runs in the source's steps and in the future's cancel().
 */
#include "aio/home_task.h"

#include "aio/await.h"
#include "aio/home_step.h"
#include "aio/home_wait.h"
#include "aio/loop.h"
#include "compat.h"
#include "runtime/raising.h"

/* ---- a cancellation ---- */

/* The task was cancelled with `thrown`, as asyncio hands it on: what the source waits for is
   cancelled.  Whether that will call back. */
static int
home_cancel_future(home *self, PyObject *thrown)
{
    PyObject *future = Py_XNewRef(self->future);
    if (future == NULL) {
        return 0;
    }
    PyObject *cancel = PyObject_GetAttrString(future, "cancel");
    PyObject *args = cancel == NULL ? NULL : PyObject_GetAttrString(thrown, "args");
    PyObject *done = NULL;
    if (args != NULL && PyTuple_Check(args) && PyTuple_GET_SIZE(args) > 0) {
        done = PyObject_CallOneArg(cancel, PyTuple_GET_ITEM(args, 0));
    }
    else if (args != NULL) {
        done = PyObject_CallNoArgs(cancel);
    }
    int waits = done == NULL ? -1 : PyObject_IsTrue(done);
    Py_DECREF(future);
    Py_XDECREF(cancel);
    Py_XDECREF(args);
    Py_XDECREF(done);
    return waits;
}

/* Throw into a source that stands between two items. */
static void
home_throw_between(home *self, PyObject *thrown)
{
    PyObject *step = NULL;
    if (self->closes_source) {
        PyObject *awaitable = PyObject_CallMethod(self->source, "athrow", "(O)", thrown);
        step = awaitable == NULL ? NULL : await_iterator(awaitable);
        Py_XDECREF(awaitable);
    }
    else {
        PyErr_SetRaisedException(Py_NewRef(thrown));
    }
    if (step != NULL) {
        self->step = step;
        home_run(self, NULL);
    }
    else if (home_step_came(self, NULL)) {
        home_run(self, NULL);
    }
}

static void
home_hand_on(home *self, PyObject *thrown)
{
    if (self->is_cancel_due) {
        self->is_cancel_due = false;
        if (self->phase != HOME_CANCELLING) {
            return; /* the step that was to be cancelled ended by itself */
        }
    }
    self->was_cancelled |= self->phase == HOME_READING;
    if (self->step != NULL) {
        self->is_cancelled_step = true;
        int waits = home_cancel_future(self, thrown);
        if (waits < 0) {
            raising_unraisable((PyObject *)self);
        }
        if (waits <= 0) {
            PyObject *earlier = self->cancellation;
            self->cancellation = Py_NewRef(thrown);
            Py_XDECREF(earlier);
        }
    }
    else if (self->phase == HOME_READING && !self->has_ended) {
        home_throw_between(self, thrown);
    }
    else if (self->phase == HOME_READING && home_begin_closing(self)) {
        home_run(self, NULL);
    }
}

/* ---- the coroutine ---- */

/* The task is destroyed: nothing can be waited for any more. */
static void
home_end_at_once(home *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    if (self->step != NULL) {
        home_leave_step(self);
    }
    if (self->closing_error != NULL) {
        PyErr_SetRaisedException(self->closing_error);
        self->closing_error = NULL;
        raising_unraisable((PyObject *)self);
    }
    self->has_ended = true;
    home_finish(self);
    PyErr_SetRaisedException(raised);
}

static PySendResult
home_park(home *self, PyObject **result)
{
    PyObject *future = loop_future(self->loop);
    if (future == NULL) {
        return PYGEN_ERROR;
    }
    self->parking = future;
    return coroutine_await(&self->base, await_iterator(future), result);
}

static PySendResult
home_step(coroutine *base, PyObject *value, PyObject *exception, PyObject **result)
{
    home *self = (home *)base;
    PySendResult sent = coroutine_resume_awaited(base, value, exception, result);
    if (sent == PYGEN_NEXT) {
        return sent;
    }
    PyObject *parking = self->parking;
    self->parking = NULL;
    if (sent == PYGEN_ERROR) {
        if (PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
            Py_XDECREF(parking);
            home_end_at_once(self);
            return PYGEN_ERROR;
        }
        PyObject *thrown = PyErr_GetRaisedException();
        self->is_in_task = true;
        home_hand_on(self, thrown);
        self->is_in_task = false;
        Py_DECREF(thrown);
        if (home_tell(self, false) < 0) {
            raising_unraisable((PyObject *)self);
        }
    }
    Py_XDECREF(parking);
    Py_CLEAR(*result);
    if (self->phase != HOME_CLOSED) {
        return home_park(self, result);
    }
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

static void
home_release(coroutine *base)
{
    home *self = (home *)base;
    Py_CLEAR(self->parking);
    Py_CLEAR(self->task);
}

static PyObject *
home_qualified_name(coroutine *base)
{
    home *self = (home *)base;
    return PyUnicode_FromFormat(
        "reader of %s", self->source == NULL ? "a source" : Py_TYPE(self->source)->tp_name);
}

const coroutine_kind home_kind = {
    .step = home_step,
    .release = home_release,
    .qualified_name = home_qualified_name,
    .is_internal = true,
};

/* ---- the task ---- */

PyObject *
home_new_task(home *self)
{
    PyObject *tasks = PyImport_ImportModule("asyncio.tasks");
    PyObject *type = tasks == NULL ? NULL : PyObject_GetAttrString(tasks, "Task");
    PyObject *args = type == NULL ? NULL : PyTuple_Pack(1, (PyObject *)self);
    PyObject *kwargs =
        args == NULL ? NULL
                     : Py_BuildValue("{sOsO}", "loop", self->loop, "context", self->context);
    PyObject *task = kwargs == NULL ? NULL : PyObject_Call(type, args, kwargs);
    Py_XDECREF(tasks);
    Py_XDECREF(type);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    /* The stream closes its source; a loop that goes away before is no fault of the task. */
    if (task != NULL &&
        PyObject_SetAttrString(task, COMPAT_LOG_DESTROY_PENDING, Py_False) < 0 &&
        raising_forgive(PyExc_AttributeError) < 0) {
        Py_CLEAR(task);
    }
    return task;
}
