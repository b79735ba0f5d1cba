/* One dispatch, from an event to the last that was queued meanwhile.
 *
 * A turn holds the dispatcher.  It goes through the handlers of an event; closes
 * those that were taken off meanwhile; reports each failure to the 'error' handlers,
 * or keeps it to be raised; takes the next event from the queue; and when there is
 * none lets the dispatcher go.  Where a handler must be awaited it stops, and its
 * face goes on with it later.  An exception that is no Exception (KeyboardInterrupt,
 * CancelledError) ends it at once: events that are queued then stay so, and come
 * first in the next turn.
 *
 * Owned: see the struct.  While a handler runs anything may happen to the dispatcher
 * but a second turn: what is registered or taken off counts from the next event, for
 * the tuple gone through does not change; what is dispatched is queued; what is
 * closed is closed by the turn, at its end.
 *
 * Threads: a turn belongs to one call on one thread at a time.  What other calls change
 * too is looked at in the dispatcher's critical section.
 */
#include "events/events.h"

#include "aio/await.h"
#include "runtime/raising.h"

#define EVENTS_BETWEEN_CHECKS 1024 /* for signals: no handler need run any Python code */

void
turn_set_handlers(turn *self, PyObject *handlers, PyObject *argument)
{
    PyObject *earlier_handlers = self->handlers, *earlier_argument = self->argument;
    self->handlers = handlers;
    self->argument = argument;
    self->next = 0;
    Py_XDECREF(earlier_handlers);
    Py_XDECREF(earlier_argument);
}

/* ---- one handler ---- */

/* Take a handler that is over out of the table. */
static void
remove_handler(turn *self, handler *item)
{
    int status;
    Py_BEGIN_CRITICAL_SECTION(self->owner);
    status = event_table_remove(&self->owner->table, item);
    Py_END_CRITICAL_SECTION();
    if (status < 0) {
        turn_fail(self, item, PyErr_GetRaisedException());
    }
}

/* A handler raised what is set. */
static void
handle_failure(turn *self, handler *item)
{
    if (!PyErr_Occurred()) { /* CPython can lose one, where there is no memory for it */
        PyErr_SetString(PyExc_SystemError, "error return without exception set");
    }
    PyObject *exception = PyErr_GetRaisedException(), *second;
    bool was_active = generators_flag_get(&item->active);
    handler_failed(item, exception, &second);
    if (was_active && !generators_flag_get(&item->active)) {
        remove_handler(self, item);
    }
    turn_fail(self, item, exception);
    if (second != NULL) {
        turn_fail(self, item, second);
    }
}

static void
handle_return(turn *self, handler *item, PyObject *value)
{
    if (handler_returned(item, value)) {
        remove_handler(self, item);
    }
}

/* What lets a turn's async handlers be told from other tasks.  0 or -1. */
static int
make_token(turn *self)
{
    dispatcher *owner = self->owner;
    PyObject *variable = NULL, *token;
    if (owner->variable == NULL) {
        variable = PyContextVar_New("generators.Dispatcher", NULL);
        if (variable == NULL) {
            return -1;
        }
    }
    uint64_t serial;
    Py_BEGIN_CRITICAL_SECTION(owner);
    serial = ++owner->serial;
    if (owner->variable == NULL) {
        owner->variable = variable;
        variable = NULL;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(variable);
    token = PyLong_FromUnsignedLongLong(serial);
    if (token == NULL) {
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(owner);
    self->token = owner->token = token;
    Py_END_CRITICAL_SECTION();
    return 0;
}

/* Close what will not be awaited, so that nobody is told that it was not.  The exception that
   is set says what is wrong, and stays; it becomes the context of one that must pass. */
static void
abandon(PyObject *awaitable)
{
    PyObject *raised = PyErr_GetRaisedException();
    if (await_close(awaitable) < 0 && raising_forgive_answer() < 0) {
        raising_chain(raised);
        return;
    }
    PyErr_SetRaisedException(raised);
}

/* `awaitable` (given away, or NULL with an exception) is to be awaited for a handler:
   1, or 0 where it failed. */
static int
await_handler(turn *self, handler *item, PyObject *awaitable, turn_await why)
{
    if (awaitable != NULL && (self->token != NULL || make_token(self) == 0)) {
        self->awaited = await_iterator(awaitable);
    }
    if (awaitable != NULL && self->awaited == NULL) {
        abandon(awaitable);
    }
    Py_XDECREF(awaitable);
    if (self->awaited == NULL) {
        handle_failure(self, item);
        return 0;
    }
    self->awaiting = why;
    self->current = (handler *)Py_NewRef((PyObject *)item); /* there was none */
    return 1;
}

static int
send_async(turn *self, handler *item)
{
    turn_await why = item->primed ? AWAIT_SENDING : AWAIT_PRIMING;
    PyObject *target = Py_NewRef(item->target);
    item->primed = true;
    PyObject *awaitable = PyObject_CallMethod(target, "asend", "(O)",
                                              why == AWAIT_SENDING ? self->argument : Py_None);
    Py_DECREF(target);
    return await_handler(self, item, awaitable, why);
}

/* What a plain callable gave, which is given away.  A coroutine must be awaited, and a
   generator would never run. */
static int
take_result(turn *self, handler *item, PyObject *result)
{
    bool is_generator = PyGen_CheckExact(result);
    int is_coroutine = PyCoro_CheckExact(result);
    PyAsyncMethods *methods = Py_TYPE(result)->tp_as_async;
    if (!is_generator && !is_coroutine && methods != NULL && methods->am_await != NULL) {
        is_coroutine = PyObject_IsInstance(result, self->owner->state->coroutine_abc);
    }
    if (is_coroutine > 0 && self->is_async) {
        return await_handler(self, item, result, AWAIT_CALL);
    }
    if (is_coroutine != 0 || is_generator) {
        if (is_coroutine >= 0) {
            PyErr_Format(PyExc_TypeError,
                         is_generator ? "handler %R returned a generator, which nobody runs: "
                                        "register the generator, or its function"
                                      : "handler %R returned a coroutine, which a sync "
                                        "dispatch can't await",
                         item->object);
        }
        handle_failure(self, item);
        PyObject *closed = PyObject_CallMethod(result, "close", NULL);
        if (closed == NULL) {
            handle_failure(self, item);
        }
        Py_XDECREF(closed);
    }
    Py_DECREF(result);
    return 0;
}

int
turn_called(turn *self, handler *item, PyObject *result)
{
    if (result == NULL) {
        raising_convert(PyExc_StopIteration, "the handler");
        raising_convert(PyExc_StopAsyncIteration, "the handler");
        handle_failure(self, item);
        return 0;
    }
    if (item->kind == HANDLER_COROUTINE) {
        return await_handler(self, item, result, AWAIT_CALL);
    }
    if (result == Py_None) {
        Py_DECREF(result);
        return 0;
    }
    return take_result(self, item, result);
}

void
turn_sent(turn *self, handler *item, PySendResult status, PyObject *result)
{
    if (status == PYGEN_ERROR) {
        handle_failure(self, item);
        return;
    }
    if (status == PYGEN_RETURN) {
        handle_return(self, item, result);
    }
    Py_DECREF(result);
}

/* 1 where it is to be awaited, 0 where it has the event, or failed. */
static int
deliver(turn *self, handler *item)
{
    if (item->target == NULL) { /* over, by the report before */
        return 0;
    }
    if (item->kind == HANDLER_ASYNCGEN) {
        return send_async(self, item);
    }
    int awaits = 0;
    PyObject *target = Py_NewRef(item->target), *result;
    if (item->kind == HANDLER_GENERATOR) {
        PySendResult status = item->send(target, self->argument, &result);
        turn_sent(self, item, status, result);
    }
    else {
        awaits = turn_called(self, item, PyObject_CallOneArg(target, self->argument));
    }
    Py_DECREF(target);
    return awaits;
}

static void
awaited_failed(turn *self, handler *item)
{
    if (item->kind == HANDLER_ASYNCGEN && self->awaiting != AWAIT_CLOSING &&
        raising_forgive(PyExc_StopAsyncIteration) == 0) {
        handle_return(self, item, Py_None);
        return;
    }
    raising_convert(PyExc_StopIteration, "the handler");
    raising_convert(PyExc_StopAsyncIteration, "the handler");
    if (self->awaiting == AWAIT_CLOSING) {
        turn_fail(self, item, PyErr_GetRaisedException());
        return;
    }
    handle_failure(self, item);
}

void
turn_awaited(turn *self, PyObject *result)
{
    handler *item = self->current;
    self->current = NULL;
    if (result == NULL) {
        awaited_failed(self, item);
    }
    else if (self->awaiting == AWAIT_PRIMING && item->target != NULL) {
        self->next--; /* again, now that it can be sent to */
    }
    Py_XDECREF(result);
    Py_DECREF(item);
}

/* ---- one event ---- */

/* Whether the call is being closed, and must await nothing. */
static bool
is_closed(turn *self)
{
    return self->aborted != NULL &&
           PyErr_GivenExceptionMatches(self->aborted, PyExc_GeneratorExit);
}

/* Close the last of `unclosed`: 1 where that is to be awaited, 0. */
static int
close_next(turn *self)
{
    Py_ssize_t last = PyList_GET_SIZE(self->unclosed) - 1;
    if (last < 0) {
        Py_CLEAR(self->unclosed);
        return 0;
    }
    PyObject *item = Py_NewRef(PyList_GET_ITEM(self->unclosed, last)), *closing;
    int status = PyList_SetSlice(self->unclosed, last, last + 1, NULL);
    if (status == 0) {
        bool can_await = self->is_async && !is_closed(self);
        status = handler_close((handler *)item, can_await, &closing);
    }
    if (status < 0) {
        turn_fail(self, (handler *)item, PyErr_GetRaisedException());
        status = 0;
    }
    else if (status > 0) {
        status = await_handler(self, (handler *)item, closing, AWAIT_CLOSING);
    }
    Py_DECREF(item);
    return status;
}

/* Handlers that were taken off while the event was under way. */
static bool
find_leaving(turn *self)
{
    dispatcher *owner = self->owner;
    if (owner->leaving == NULL) {
        return false;
    }
    Py_BEGIN_CRITICAL_SECTION(owner);
    self->unclosed = owner->leaving;
    owner->leaving = NULL;
    Py_END_CRITICAL_SECTION();
    return self->unclosed != NULL;
}

/* The next failure is up for the 'error' handlers; what can't be reported will be
   raised. */
static bool
next_report(turn *self)
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
        if (found > 0 && self->aborted == NULL && (self->is_async || !route.is_async)) {
            self->is_error = true;
            turn_set_handlers(self, route.handlers, failure);
            return true;
        }
        turn_fail_unhandled(self, failure, Py_NewRef(PyTuple_GET_ITEM(failure, 2)));
        Py_XDECREF(route.handlers);
        Py_DECREF(failure);
    }
    self->reported = 0;
    Py_CLEAR(self->failures);
    return false;
}

/* With the critical section: let the dispatcher go, or close its handlers first if that
   was asked for. */
static bool
finish_lock_held(turn *self, dispatcher *owner)
{
    if (owner->closing && !self->is_ending) {
        self->is_ending = true;
        self->unclosed = event_table_list(&owner->table);
        if (self->unclosed == NULL) {
            turn_keep(&self->torn, PyErr_GetRaisedException());
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

/* The next event that waits and that someone gets: 1; 0 where there is none; -1 with
   an exception that it met, and it is passed over. */
static int
take_event_lock_held(turn *self, dispatcher *owner)
{
    while (event_queue_take(&owner->queue, &self->now)) {
        self->is_queued = !self->now.is_own;
        event_route route;
        int found = event_table_find(&owner->table, self->now.type, &route);
        if (found > 0 && !self->is_async &&
            turn_check_sync(owner, &route, self->now.type) < 0) {
            PyObject *raised = PyErr_GetRaisedException();
            Py_CLEAR(route.handlers);
            PyErr_SetRaisedException(raised);
            return -1;
        }
        if (found != 0) {
            return found < 0 || turn_start_event(self, &route) < 0 ? -1 : 1;
        }
        posted_clear(&self->now);
    }
    return 0;
}

static bool
next_event(turn *self)
{
    dispatcher *owner = self->owner;
    int status;
    bool goes_on = true, closed, leaves_hold = false;
    posted_clear(&self->now);
    Py_CLEAR(self->handlers);
    Py_CLEAR(self->argument);
    if (++self->count % EVENTS_BETWEEN_CHECKS == 0 && self->aborted == NULL &&
        PyErr_CheckSignals() < 0) {
        self->aborted = PyErr_GetRaisedException();
    }
    Py_BEGIN_CRITICAL_SECTION(owner);
    bool passes_over = self->aborted != NULL || self->is_ending || self->leaves_queue;
    status = passes_over ? 0 : take_event_lock_held(self, owner);
    if (status == 0) {
        leaves_hold =
            passes_over && !self->is_ending && !self->leaves_queue && owner->queue.count > 0;
        goes_on = !leaves_hold && finish_lock_held(self, owner);
    }
    closed = owner->closed;
    Py_END_CRITICAL_SECTION();
    if (status < 0) {
        turn_fail_unhandled(self, NULL, PyErr_GetRaisedException());
    }
    if (!goes_on && !leaves_hold) {
        self->owner = NULL;
        if (event_wait_wake(owner, closed) < 0) {
            turn_abort(self, PyErr_GetRaisedException());
        }
    }
    return goes_on;
}

int
turn_go(turn *self)
{
    if (self->awaited != NULL) { /* it began with that */
        return 1;
    }
    for (;;) {
        if (self->handlers != NULL && self->aborted == NULL &&
            self->next < PyTuple_GET_SIZE(self->handlers)) {
            handler *item = (handler *)PyTuple_GET_ITEM(self->handlers, self->next++);
            if (deliver(self, item) > 0) {
                return 1;
            }
        }
        else if (self->unclosed != NULL || find_leaving(self)) {
            if (close_next(self) > 0) {
                return 1;
            }
        }
        else if (!next_report(self) && !next_event(self)) {
            return 0;
        }
    }
}

void
turn_move_hold(turn *self, turn *other)
{
    dispatcher *owner = self->owner;
    Py_BEGIN_CRITICAL_SECTION(owner);
    owner->token = NULL; /* it goes with this turn */
    Py_END_CRITICAL_SECTION();
    self->owner = NULL;
    other->owner = owner;
}

/* ---- memory ---- */

int
turn_traverse(turn *self, visitproc visit, void *arg)
{
    Py_VISIT(self->now.event);
    Py_VISIT(self->now.type);
    Py_VISIT(self->now.data);
    Py_VISIT(self->handlers);
    Py_VISIT(self->argument);
    Py_VISIT(self->current);
    Py_VISIT(self->awaited);
    Py_VISIT(self->failures);
    Py_VISIT(self->raised);
    Py_VISIT(self->unclosed);
    Py_VISIT(self->torn);
    Py_VISIT(self->aborted);
    return 0;
}

void
turn_clear(turn *self)
{
    posted_clear(&self->now);
    Py_CLEAR(self->handlers);
    Py_CLEAR(self->argument);
    Py_CLEAR(self->current);
    Py_CLEAR(self->awaited);
    Py_CLEAR(self->token);
    Py_CLEAR(self->failures);
    Py_CLEAR(self->raised);
    Py_CLEAR(self->unclosed);
    Py_CLEAR(self->torn);
    Py_CLEAR(self->aborted);
}
