/* What goes wrong in a turn, and what it raises in the end.
 *
 * The failure of a handler is an ErrorEvent until the 'error' handlers have it.  What
 * nobody is told of, a failing 'error' handler's own exception, and what closing raises
 * are kept as they are; the first exception that is no Exception ends the turn.
 *
 * User code that runs: what makes exceptions and groups of them.
 */
#include "events/events.h"

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

/* A handler raised that, which is given away. */
void
turn_fail(turn *self, handler *item, PyObject *exception)
{
    if (!PyErr_GivenExceptionMatches(exception, PyExc_Exception)) {
        if (self->aborted == NULL) {
            self->aborted = exception;
            return;
        }
        turn_keep(self->is_ending ? &self->torn : &self->raised, exception);
        return;
    }
    if (self->is_ending || self->is_error) {
        turn_keep(self->is_ending ? &self->torn : &self->raised, exception);
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
        turn_keep(&self->raised, PyErr_GetRaisedException());
        turn_keep(&self->raised, exception);
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
    PyErr_SetRaisedException(aborted);
    if (exception != NULL) {
        raising_chain(exception);
    }
    return -1;
}
