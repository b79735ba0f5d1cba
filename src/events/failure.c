/* What goes wrong in a turn, and what it raises in the end.
 *
 * The failure of a handler is an ErrorEvent until the 'error' handlers have it.  What
 * nobody is told of, a failing 'error' handler's own exception, and what closing raises
 * are kept as they are; the first exception that is no Exception ends the turn.
 *
 * User code that runs: what makes exceptions and groups of them.
 */
#include "events/events.h"

#include "aio/loop.h"
#include "runtime/raising.h"

/* One exception is kept as it is, so that no memory is needed for it, and several in a
   list.  It is given away. */
void
turn_keep(PyObject **kept, PyObject *exception)
{
    if (*kept == NULL) {
        *kept = exception;
        return;
    }
    if (!PyList_CheckExact(*kept)) {
        PyObject *list = PyList_New(1);
        if (list != NULL) {
            PyList_SET_ITEM(list, 0, *kept);
            *kept = list;
        }
    }
    if (!PyList_CheckExact(*kept) || PyList_Append(*kept, exception) < 0) {
        raising_unraisable(exception); /* no memory to say more */
    }
    Py_DECREF(exception);
}

/* The event under way, as 'error' handlers are told of it: a new reference or NULL. */
static PyObject *
whole_event(turn *self)
{
    if (self->now.event != NULL) {
        return Py_NewRef(self->now.event);
    }
    return PyObject_CallFunctionObjArgs(self->owner->state->event_class, self->now.type,
                                        self->now.data, NULL);
}

void
turn_abort(turn *self, PyObject *exception)
{
    if (exception == NULL) {
        exception = PyErr_GetRaisedException();
    }
    if (self->aborted == NULL) {
        self->aborted = exception;
        return;
    }
    turn_keep(self->is_ending ? &self->torn : &self->raised, exception);
}

/* ---- the loop's exception handler ---- */

/* What the loop's exception handler is given: a new dict, or NULL. */
static PyObject *
describe_failure(PyObject *failure, PyObject *exception)
{
    PyObject *context = Py_BuildValue("{sssO}", "message",
                                      failure != NULL ? "A handler of a queued event failed"
                                                      : "A queued event failed",
                                      "exception", exception);
    if (context == NULL || failure == NULL) {
        return context;
    }
    static const char *const keys[] = {"event", "handler"};
    for (Py_ssize_t i = 0; i < 2; i++) {
        if (PyDict_SetItemString(context, keys[i], PyTuple_GET_ITEM(failure, i)) < 0) {
            Py_DECREF(context);
            return NULL;
        }
    }
    return context;
}

int
failure_tell_loop(dispatcher *owner, PyObject *failure, PyObject *exception)
{
    PyObject *loop;
    int running = loop_running(owner->state, &loop);
    if (running <= 0) {
        return running;
    }
    PyObject *context = describe_failure(failure, exception);
    PyObject *told = context == NULL
                         ? NULL
                         : PyObject_CallMethod(loop, "call_exception_handler", "(O)", context);
    Py_XDECREF(context);
    Py_DECREF(loop);
    Py_XDECREF(told);
    return told == NULL ? -1 : 1;
}

void
turn_fail_unhandled(turn *self, PyObject *failure, PyObject *exception)
{
    if (!self->is_queued) {
        turn_keep(&self->raised, exception);
        return;
    }
    int told = failure_tell_loop(self->owner, failure, exception);
    if (told > 0) {
        Py_DECREF(exception);
        return;
    }
    turn_keep(&self->raised, exception);
    if (told < 0) {
        bool is_urgent = !PyErr_ExceptionMatches(PyExc_Exception);
        PyObject *second = PyErr_GetRaisedException();
        if (is_urgent) {
            turn_abort(self, second);
        }
        else {
            turn_keep(&self->raised, second);
        }
    }
}

/* ---- handlers ---- */

/* Whether a cancellation that a handler of a queued event raised is its own affair, as it
   waited for what was cancelled: nobody cancels the task that dispatches. */
static bool
is_strange_cancellation(turn *self, PyObject *exception)
{
    generators_state *state = self->owner->state;
    PyObject *cancelled = self->is_queued ? loop_cancelled_error(state) : NULL, *task;
    bool is = false;
    if (cancelled != NULL && PyErr_GivenExceptionMatches(exception, cancelled) &&
        loop_task(state, &task) > 0) {
        PyObject *count = PyObject_CallMethod(task, "cancelling", NULL);
        is = count != NULL && PyObject_Not(count) == 1;
        Py_XDECREF(count);
        Py_DECREF(task);
    }
    if (PyErr_Occurred()) {
        raising_unraisable((PyObject *)self->owner);
    }
    return is;
}

/* A handler raised that, which is given away. */
void
turn_fail(turn *self, handler *item, PyObject *exception)
{
    if (!PyErr_GivenExceptionMatches(exception, PyExc_Exception) &&
        !is_strange_cancellation(self, exception)) {
        turn_abort(self, exception);
        return;
    }
    if (self->is_ending) {
        turn_keep(&self->torn, exception);
        return;
    }
    if (self->is_error) {
        turn_fail_unhandled(self, NULL, exception);
        return;
    }
    PyObject *event = whole_event(self), *failure = NULL;
    if (event != NULL) {
        failure = PyObject_CallFunctionObjArgs(self->owner->state->error_event_class, event,
                                               item->object, exception, NULL);
        Py_DECREF(event);
    }
    if (self->failures == NULL) {
        self->failures = PyList_New(0);
    }
    if (failure == NULL || self->failures == NULL ||
        PyList_Append(self->failures, failure) < 0) {
        bool is_urgent = !PyErr_ExceptionMatches(PyExc_Exception);
        PyObject *second = PyErr_GetRaisedException();
        turn_fail_unhandled(self, NULL, exception);
        if (is_urgent) {
            turn_abort(self, second);
        }
        else {
            turn_keep(&self->raised, second);
        }
        exception = NULL;
    }
    Py_XDECREF(failure);
    Py_XDECREF(exception);
}

/* One exception for those that are kept (given away): itself where there is one and it
   may be alone, else a group with that message.  NULL, with an exception set, where it
   can't be made. */
static PyObject *
gather(PyObject *kept, const char *format, bool alone)
{
    if (!PyList_CheckExact(kept)) {
        if (alone) {
            return kept;
        }
        PyObject *exception = kept;
        kept = PyList_New(1);
        if (kept == NULL) {
            Py_DECREF(exception);
            return NULL;
        }
        PyList_SET_ITEM(kept, 0, exception);
    }
    PyObject *group = NULL, *message = PyUnicode_FromFormat(format, PyList_GET_SIZE(kept));
    if (message != NULL) {
        group = PyObject_CallFunctionObjArgs(PyExc_BaseExceptionGroup, message, kept, NULL);
        Py_DECREF(message);
    }
    Py_DECREF(kept);
    return group;
}

int
turn_end(turn *self)
{
    PyObject *raised = self->raised, *torn = self->torn, *aborted = self->aborted;
    self->raised = self->torn = self->aborted = NULL;
    turn_clear(self);
    if (raised == NULL && torn == NULL && aborted == NULL) {
        return 0;
    }
    PyObject *exception = NULL;
    if (torn != NULL) {
        exception = gather(torn, "closing %zd handlers failed", false);
        if (exception == NULL) {
            exception = PyErr_GetRaisedException();
        }
        if (raised != NULL) {
            turn_keep(&raised, exception);
        }
    }
    if (raised != NULL) {
        exception = gather(raised, "%zd handlers failed", true);
        if (exception == NULL) {
            exception = PyErr_GetRaisedException();
        }
    }
    if (aborted == NULL) {
        PyErr_SetRaisedException(exception);
        return -1;
    }
    if (exception != NULL && PyErr_GivenExceptionMatches(aborted, PyExc_GeneratorExit)) {
        PyErr_SetRaisedException(exception); /* as a coroutine that fails when it is closed */
        raising_chain(aborted);
        return -1;
    }
    PyErr_SetRaisedException(aborted);
    if (exception != NULL) {
        raising_chain(exception);
    }
    return -1;
}
