/* What goes wrong in a dispatch, and what it raises at the end.
 *
 * The exception of a handler is put into an ErrorEvent for the 'error' handlers.  Exceptions
 * that no handler receives, those of 'error' handlers, and those raised by closing handlers
 * are kept to be raised at the end.  The first one that is no Exception ends the dispatch at
 * once.
 *
 * Owned: the exceptions, by the dispatch.
 *
 * User code: the classes of ErrorEvents and groups, and methods of the event loop.
 *
 * Threads: see dispatch.c.
 */
#include "events/failure.h"

#include "aio/loop.h"
#include "runtime/raising.h"

/* A single exception is kept without a list, so that no memory is needed for it. */
void
failure_keep(PyObject **kept, PyObject *exception)
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
        raising_unraisable(exception); /* there is no memory to keep it */
    }
    Py_DECREF(exception);
}

void
dispatch_abort(dispatch *self, PyObject *exception)
{
    if (exception == NULL) {
        exception = PyErr_GetRaisedException();
    }
    if (self->aborted == NULL) {
        self->aborted = exception;
        return;
    }
    failure_keep(self->is_ending ? &self->close_errors : &self->raised, exception);
}

/* ---- the loop's exception handler ---- */

/* The context for the loop's exception handler: a new dict, or NULL. */
static PyObject *
failure_describe(PyObject *failure, PyObject *exception)
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
    PyObject *context = failure_describe(failure, exception);
    PyObject *told = context == NULL
                         ? NULL
                         : PyObject_CallMethod(loop, "call_exception_handler", "(O)", context);
    Py_XDECREF(context);
    Py_DECREF(loop);
    Py_XDECREF(told);
    return told == NULL ? -1 : 1;
}

/* ---- failures of handlers ---- */

/* Keep the exception that is set; end the dispatch at once if it is no Exception. */
static void
dispatch_keep_raised(dispatch *self)
{
    bool is_urgent = !PyErr_ExceptionMatches(PyExc_Exception);
    PyObject *exception = PyErr_GetRaisedException();
    if (is_urgent) {
        dispatch_abort(self, exception);
    }
    else {
        failure_keep(&self->raised, exception);
    }
}

void
dispatch_fail_unhandled(dispatch *self, PyObject *failure, PyObject *exception)
{
    if (!self->is_queued) {
        failure_keep(&self->raised, exception);
        return;
    }
    int told = failure_tell_loop(self->owner, failure, exception);
    if (told > 0) {
        Py_DECREF(exception);
        return;
    }
    failure_keep(&self->raised, exception);
    if (told < 0) {
        dispatch_keep_raised(self);
    }
}

/* The current event for an ErrorEvent: a new reference, or NULL. */
static PyObject *
dispatch_whole_event(dispatch *self)
{
    if (self->now.event != NULL) {
        return Py_NewRef(self->now.event);
    }
    return PyObject_CallFunctionObjArgs(self->owner->state->event_class, self->now.type,
                                        self->now.data, NULL);
}

/* Whether a handler of a queued event raised CancelledError by itself, since it awaited
   something that was cancelled, and nobody cancels the task that dispatches. */
static bool
failure_is_own_cancellation(dispatch *self, PyObject *exception)
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

void
dispatch_fail(dispatch *self, handler *item, PyObject *exception)
{
    if (!PyErr_GivenExceptionMatches(exception, PyExc_Exception) &&
        !failure_is_own_cancellation(self, exception)) {
        dispatch_abort(self, exception);
        return;
    }
    if (self->is_ending) {
        failure_keep(&self->close_errors, exception);
        return;
    }
    if (self->is_error) {
        dispatch_fail_unhandled(self, NULL, exception);
        return;
    }
    PyObject *event = dispatch_whole_event(self), *failure = NULL;
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
        PyObject *second = PyErr_GetRaisedException();
        dispatch_fail_unhandled(self, NULL, exception);
        PyErr_SetRaisedException(second);
        dispatch_keep_raised(self);
        exception = NULL;
    }
    Py_XDECREF(failure);
    Py_XDECREF(exception);
}

/* ---- the end ---- */

/* Make one exception of those that were kept, which are stolen: the exception itself if there
   is only one and it may be raised `alone`, else a group with this message.  NULL with an
   exception if it can't be made. */
static PyObject *
failure_gather(PyObject *kept, const char *format, bool alone)
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
dispatch_end(dispatch *self)
{
    PyObject *raised = self->raised, *close_errors = self->close_errors,
             *aborted = self->aborted;
    self->raised = self->close_errors = self->aborted = NULL;
    dispatch_clear(self);
    if (raised == NULL && close_errors == NULL && aborted == NULL) {
        return 0;
    }
    PyObject *exception = NULL;
    if (close_errors != NULL) {
        exception = failure_gather(close_errors, "closing %zd handlers failed", false);
        if (exception == NULL) {
            exception = PyErr_GetRaisedException();
        }
        if (raised != NULL) {
            failure_keep(&raised, exception);
        }
    }
    if (raised != NULL) {
        exception = failure_gather(raised, "%zd handlers failed", true);
        if (exception == NULL) {
            exception = PyErr_GetRaisedException();
        }
    }
    if (aborted == NULL) {
        PyErr_SetRaisedException(exception);
        return -1;
    }
    if (exception != NULL && PyErr_GivenExceptionMatches(aborted, PyExc_GeneratorExit)) {
        PyErr_SetRaisedException(exception); /* as if a coroutine fails when it is closed */
        raising_chain(aborted);
        return -1;
    }
    PyErr_SetRaisedException(aborted);
    if (exception != NULL) {
        raising_chain(exception);
    }
    return -1;
}
