/* A dispatch, up to what must be awaited.
 *
 * It gives the event to its handlers, closes the handlers that were removed meanwhile, gives
 * each failure to the 'error' handlers or keeps it, and takes the next event from the queue.
 * When the queue is empty it releases the dispatcher.  If a handler must be awaited it stops,
 * and its front end continues it later.  An exception that is no Exception (KeyboardInterrupt,
 * CancelledError) ends it at once.  Events that are still queued are then for queue_task.c.
 *
 * Owned: by the dispatch.
 *
 * User code: handlers, and __hash__() and __eq__() of types.
 *
 * Threads: see dispatch.c.
 */
#include "events/dispatch_advance.h"

#include "events/deliver.h"
#include "events/failure.h"
#include "events/waiters.h"

#define EVENTS_BETWEEN_CHECKS 1024 /* of signals: a handler need not run Python code */

/* ---- closing handlers ---- */

/* Whether the call is being closed, so that nothing more can be awaited. */
static bool
dispatch_is_closed(dispatch *self)
{
    return self->aborted != NULL &&
           PyErr_GivenExceptionMatches(self->aborted, PyExc_GeneratorExit);
}

/* Close the last handler of `to_close`: 1 if self->awaited must be awaited, else 0. */
static int
dispatch_close_next(dispatch *self)
{
    Py_ssize_t last = PyList_GET_SIZE(self->to_close) - 1;
    if (last < 0) {
        Py_CLEAR(self->to_close);
        return 0;
    }
    PyObject *item = Py_NewRef(PyList_GET_ITEM(self->to_close, last)), *closing;
    bool can_await = self->is_async && !dispatch_is_closed(self);
    int status = can_await ? deliver_wait_for_end(self, (handler *)item) : 0;
    if (status > 0) { /* it is closed after that */
        Py_DECREF(item);
        return status;
    }
    if (status < 0) {
        dispatch_fail(self, (handler *)item, PyErr_GetRaisedException());
    }
    status = PyList_SetSlice(self->to_close, last, last + 1, NULL);
    if (status == 0) {
        status = deliver_close(self, (handler *)item, can_await, &closing);
    }
    if (status < 0) {
        dispatch_fail(self, (handler *)item, PyErr_GetRaisedException());
        status = 0;
    }
    else if (status > 0) {
        status = deliver_await(self, (handler *)item, closing, AWAIT_CLOSING);
    }
    Py_DECREF(item);
    return status;
}

/* Take the handlers that were removed during the event.  False if there are none. */
static bool
dispatch_find_removed(dispatch *self)
{
    dispatcher *owner = self->owner;
    if (owner->removed == NULL) {
        return false;
    }
    Py_BEGIN_CRITICAL_SECTION(owner);
    self->to_close = owner->removed;
    owner->removed = NULL;
    Py_END_CRITICAL_SECTION();
    return self->to_close != NULL;
}

/* ---- the next handlers ---- */

/* Go to the 'error' handlers with the next failure.  A failure that they can't receive is
   raised at the end.  False if there is none left. */
static bool
dispatch_next_report(dispatch *self)
{
    dispatcher *owner = self->owner;
    while (self->failures != NULL && self->reported < PyList_GET_SIZE(self->failures)) {
        PyObject *failure = Py_NewRef(PyList_GET_ITEM(self->failures, self->reported));
        event_route route;
        int found;
        self->reported++;
        Py_BEGIN_CRITICAL_SECTION(owner);
        found = event_table_find_errors(&owner->table, &route);
        Py_END_CRITICAL_SECTION();
        if (found > 0 && self->aborted == NULL &&
            (self->is_async || !(route.flags & ROUTE_IS_ASYNC))) {
            self->is_error = true;
            dispatch_set_handlers(self, route.handlers, failure);
            return true;
        }
        dispatch_fail_unhandled(self, failure, Py_NewRef(PyTuple_GET_ITEM(failure, 2)));
        Py_XDECREF(route.handlers);
        Py_DECREF(failure);
    }
    self->reported = 0;
    Py_CLEAR(self->failures);
    return false;
}

/* Release the dispatcher, and return false; or if it was closed, begin to close the handlers,
   and return true.  The caller holds the critical section. */
static bool
dispatch_finish_lock_held(dispatch *self, dispatcher *owner)
{
    if (owner->closing && !self->is_ending) {
        self->is_ending = true;
        self->to_close = event_table_list(&owner->table);
        PyObject *ending = owner->ending;
        owner->ending = NULL;
        if (self->to_close != NULL && ending != NULL) { /* they are closed first */
            Py_ssize_t count = PyList_GET_SIZE(self->to_close);
            if (PyList_SetSlice(self->to_close, count, count, ending) < 0) {
                failure_keep(&self->close_errors, PyErr_GetRaisedException());
            }
        }
        Py_XDECREF(ending);
        if (self->to_close == NULL) {
            failure_keep(&self->close_errors, PyErr_GetRaisedException());
        }
        return true;
    }
    if (self->is_ending) {
        owner->closed = true;
    }
    owner->busy = false;
    owner->token = NULL;
    return false;
}

/* Take the next queued event that has handlers: 1; 0 if there is none; or -1 with an
   exception, and that event is skipped. */
static int
dispatch_take_event_lock_held(dispatch *self, dispatcher *owner)
{
    while (event_queue_take(&owner->queue, &self->now)) {
        self->is_queued = !self->now.is_own;
        event_route route;
        int found = self->now.is_report
                        ? event_table_find_errors(&owner->table, &route)
                        : event_table_find(&owner->table, self->now.type, &route);
        if (found > 0 && !self->is_async &&
            dispatch_check_sync(owner, &route, self->now.type) < 0) {
            PyObject *raised = PyErr_GetRaisedException();
            Py_CLEAR(route.handlers);
            PyErr_SetRaisedException(raised);
            return -1;
        }
        if (found != 0) {
            return found < 0 || dispatch_set_event(self, &route) < 0 ? -1 : 1;
        }
        event_record_clear(&self->now);
    }
    return 0;
}

/* False if there is nothing more to do. */
static bool
dispatch_next_event(dispatch *self)
{
    dispatcher *owner = self->owner;
    int status;
    bool goes_on = true, closed, leaves_hold = false;
    event_record_clear(&self->now);
    Py_CLEAR(self->handlers);
    Py_CLEAR(self->argument);
    if (++self->count % EVENTS_BETWEEN_CHECKS == 0 && self->aborted == NULL &&
        PyErr_CheckSignals() < 0) {
        self->aborted = PyErr_GetRaisedException();
    }
    Py_BEGIN_CRITICAL_SECTION(owner);
    bool passes_over = self->aborted != NULL || self->is_ending || self->leaves_queue;
    status = passes_over ? 0 : dispatch_take_event_lock_held(self, owner);
    if (status == 0) {
        leaves_hold =
            passes_over && !self->is_ending && !self->leaves_queue && owner->queue.count > 0;
        goes_on = !leaves_hold && dispatch_finish_lock_held(self, owner);
    }
    closed = owner->closed;
    Py_END_CRITICAL_SECTION();
    if (status < 0) {
        dispatch_fail_unhandled(self, NULL, PyErr_GetRaisedException());
    }
    if (!goes_on && !leaves_hold) {
        self->owner = NULL;
        if (waiters_wake(owner, closed) < 0) {
            dispatch_abort(self, PyErr_GetRaisedException());
        }
    }
    return goes_on;
}

int
dispatch_advance(dispatch *self)
{
    if (self->awaited != NULL) { /* the first handler is awaited */
        return 1;
    }
    for (;;) {
        if (self->handlers != NULL && self->aborted == NULL &&
            self->next < PyTuple_GET_SIZE(self->handlers)) {
            handler *item = (handler *)PyTuple_GET_ITEM(self->handlers, self->next++);
            if (deliver_event(self, item) > 0) {
                return 1;
            }
        }
        else if (self->to_close != NULL || dispatch_find_removed(self)) {
            if (dispatch_close_next(self) > 0) {
                return 1;
            }
        }
        else if (!dispatch_next_report(self) && !dispatch_next_event(self)) {
            return 0;
        }
    }
}
