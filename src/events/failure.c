/* What goes wrong in a turn, and what it raises in the end.
 *
 * The failure of a handler is an ErrorEvent until the 'error' handlers have it.  What
 * nobody is told of, a failing 'error' handler's own exception, and what closing raises
 * are kept as they are; the first exception that is no Exception ends the turn.  Where
 * memory lacks for one of these, the caller is told all the same: of the exceptions met,
 * as the context of one another, or of the MemoryError with them as its context.
 *
 * User code that runs: what makes exceptions and groups of them.
 */
#include "events/events.h"

#include "protocol/raising.h"

/* An exception that nobody is told of is raised in the end.  It is given away. */
void
turn_keep(kept_exceptions *kept, PyObject *exception)
{
    if (kept->first == NULL) {
        kept->first = exception;
        return;
    }
    if (kept->more == NULL) {
        kept->more = PyList_New(0);
    }
    if (kept->more != NULL && PyList_Append(kept->more, exception) == 0) {
        Py_DECREF(exception);
        return;
    }
    /* No memory to keep it beside the first one: beneath that it needs none. */
    PyErr_SetRaisedException(kept->first);
    raising_chain(exception);
    kept->first = PyErr_GetRaisedException();
}

void
kept_clear(kept_exceptions *kept)
{
    Py_CLEAR(kept->first);
    Py_CLEAR(kept->more);
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

/* Those that are kept, in a new list, or NULL. */
static PyObject *
list_kept(const kept_exceptions *kept)
{
    PyObject *list = PyList_New(1);
    if (list == NULL) {
        return NULL;
    }
    PyList_SET_ITEM(list, 0, Py_NewRef(kept->first));
    if (kept->more != NULL && PyList_SetSlice(list, 1, 1, kept->more) < 0) {
        Py_CLEAR(list);
    }
    return list;
}

/* One exception for those that are kept, which are given away: itself where there is one
   and it may be alone.  Where a group can't be made, the reason, with the first of them as
   its context. */
static PyObject *
gather(kept_exceptions *kept, const char *format, bool alone)
{
    if (alone && kept->more == NULL) {
        return kept->first;
    }
    PyObject *list = list_kept(kept), *group = NULL;
    PyObject *message =
        list == NULL ? NULL : PyUnicode_FromFormat(format, PyList_GET_SIZE(list));
    if (message != NULL) {
        group = PyObject_CallFunctionObjArgs(PyExc_BaseExceptionGroup, message, list, NULL);
        Py_DECREF(message);
    }
    Py_XDECREF(list);
    if (group == NULL) {
        raising_chain(Py_NewRef(kept->first));
        group = PyErr_GetRaisedException();
    }
    kept_clear(kept);
    return group;
}

int
turn_end(turn *self)
{
    kept_exceptions raised = self->raised, torn = self->torn;
    PyObject *aborted = self->aborted, *exception = NULL;
    self->raised = self->torn = (kept_exceptions){0};
    self->aborted = NULL;
    turn_clear(self);
    if (torn.first != NULL) {
        exception = gather(&torn, "closing %zd handlers failed", false);
        if (raised.first != NULL) {
            turn_keep(&raised, exception);
        }
    }
    if (raised.first != NULL) {
        exception = gather(&raised, "%zd handlers failed", true);
    }
    if (aborted == NULL) {
        if (exception == NULL) {
            return 0;
        }
        PyErr_SetRaisedException(exception);
        return -1;
    }
    PyErr_SetRaisedException(aborted);
    if (exception != NULL) {
        raising_chain(exception);
    }
    return -1;
}
