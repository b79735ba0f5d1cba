/* Taking a turn: who may dispatch now, what is queued, and who waits.
 *
 * A dispatch to sync handlers that all take their event, which is nearly every one, is
 * over here and needs no turn.  At the first thing that is out of the ordinary it goes on
 * as one from there.
 *
 * Threads: what is decided is decided in the dispatcher's critical section.  The handlers
 * run outside of it, while `busy` keeps everybody else away.
 */
#include "events/events.h"

#include "runtime/raising.h"

/* A sync dispatch can't wait for a handler, nor for one of 'error' that would have to
   be told.  0, or -1 with TypeError. */
int
turn_check_sync(dispatcher *owner, event_route *route, PyObject *type)
{
    if (!route->is_async && !owner->table.errors_are_async) {
        return 0;
    }
    if (route->is_async) {
        PyErr_Format(PyExc_TypeError,
                     "a handler of %R is async: await aemit(), adispatch() or arun()", type);
    }
    else {
        PyErr_SetString(PyExc_TypeError,
                        "a handler of 'error' is async: await aemit(), adispatch() or arun()");
    }
    return -1;
}

/* Whether it is called by an async handler that the turn awaits, or by a task that
   such a handler began: waiting for the turn would be waiting for itself. */
static bool
is_nested(dispatcher *owner)
{
    PyObject *value = NULL;
    if (owner->token == NULL) {
        return false;
    }
    if (PyContextVar_Get(owner->variable, NULL, &value) < 0) {
        raising_unraisable(owner->variable);
        return false;
    }
    Py_XDECREF(value);
    return value == owner->token;
}

/* Set out on an event, `now`, for which `route` (its handlers stolen) was found.  0 or
   -1. */
int
turn_start_event(turn *self, event_route *route)
{
    if (route->is_default && self->now.event == NULL) {
        self->now.event = PyObject_CallFunctionObjArgs(self->owner->state->event_class,
                                                       self->now.type, self->now.data, NULL);
        if (self->now.event == NULL) {
            Py_CLEAR(route->handlers);
            return -1;
        }
    }
    turn_set_handlers(self, route->handlers,
                      Py_NewRef(route->is_default ? self->now.event : self->now.data));
    route->handlers = NULL;
    self->is_error = route->is_error;
    return 0;
}

static turn_status
put_in_queue(dispatcher *owner, posted *now)
{
    posted item = {Py_XNewRef(now->event), Py_NewRef(now->type), Py_NewRef(now->data),
                   now->is_own};
    if (event_queue_put(&owner->queue, &item) < 0) {
        posted_clear(&item);
        return TURN_ERROR;
    }
    return TURN_QUEUED;
}

/* The dispatcher, if it is free for the call.  TURN_NOBODY where it is not, and the
   event must be queued. */
static turn_status
take_lock_held(turn *self, dispatcher *owner, event_waiter *waiter)
{
    if (waiter != NULL && !event_wait_is_free(owner, waiter)) {
        if (owner->busy && is_nested(owner)) {
            return TURN_NOBODY;
        }
        event_wait_link(owner, waiter);
        return TURN_WAIT;
    }
    if (owner->busy) {
        return TURN_NOBODY;
    }
    if (waiter != NULL) {
        event_wait_unlink(owner, waiter);
    }
    owner->busy = true;
    *self = (turn){.owner = owner, .is_async = waiter != NULL};
    return TURN_TAKEN;
}

/* A turn for an event whose handlers `route` has, or a place for it in the queue. */
static turn_status
take_for_event(turn *self, dispatcher *owner, event_route *route, posted *now,
               event_waiter *waiter)
{
    turn_status status = take_lock_held(self, owner, waiter);
    if (status == TURN_WAIT) {
        return status;
    }
    if (status == TURN_NOBODY) {
        return put_in_queue(owner, now);
    }
    if (owner->queue.count > 0) {
        /* Left by a turn that was aborted: those come first. */
        now->is_own = true;
        status = put_in_queue(owner, now);
    }
    else {
        self->now =
            (posted){Py_XNewRef(now->event), Py_NewRef(now->type), Py_NewRef(now->data), true};
        status = turn_start_event(self, route) < 0 ? TURN_ERROR : TURN_TAKEN;
    }
    if (status == TURN_ERROR) {
        turn_keep(&self->raised, PyErr_GetRaisedException());
    }
    return TURN_TAKEN;
}

/* TURN_DONE says that the dispatcher is held, and *route has the handlers to go to. */
static turn_status
begin_lock_held(turn *self, dispatcher *owner, posted *now, event_waiter *waiter,
                event_route *route)
{
    int found = owner->closing ? 0 : event_table_find(&owner->table, now->type, route);
    if (found < 0) {
        stream_note("while reading the handlers of events of type %R", now->type);
        return TURN_ERROR;
    }
    if (owner->closing) {
        dispatcher_refuse_closed();
        return TURN_ERROR;
    }
    if (found == 0) {
        return TURN_NOBODY;
    }
    if (waiter == NULL && turn_check_sync(owner, route, now->type) < 0) {
        return TURN_ERROR;
    }
    if (owner->busy || owner->waiting != NULL || owner->queue.count > 0 || route->is_async ||
        route->is_default) {
        return take_for_event(self, owner, route, now, waiter);
    }
    owner->busy = true;
    return TURN_DONE;
}

/* ---- a dispatch without a turn ---- */

/* What such a dispatch has of a turn. */
typedef struct {
    dispatcher *owner;
    posted now;         /* borrowed from the caller */
    PyObject *handlers; /* owned */
    bool is_async;
    bool is_error;
} plain_dispatch;

/* Go on with a turn, which takes over what is owned. */
static turn_status
adopt(turn *self, plain_dispatch *plain, Py_ssize_t next)
{
    posted *now = &plain->now;
    *self = (turn){
        .owner = plain->owner,
        .now = {Py_XNewRef(now->event), Py_NewRef(now->type), Py_NewRef(now->data), true},
        .handlers = plain->handlers,
        .next = next,
        .argument = Py_NewRef(now->data),
        .is_async = plain->is_async,
        .is_error = plain->is_error,
    };
    return TURN_TAKEN;
}

/* Give the event to the handlers: TURN_DONE when they all have it, TURN_TAKEN where one
   returned, failed, or must be awaited. */
static turn_status
deliver_all(turn *self, plain_dispatch *plain)
{
    PyObject *handlers = plain->handlers, *data = plain->now.data;
    Py_ssize_t count = PyTuple_GET_SIZE(handlers);
    for (Py_ssize_t i = 0; i < count; i++) {
        /* Nobody changes the target while the dispatcher is held. */
        handler *item = (handler *)PyTuple_GET_ITEM(handlers, i);
        PyObject *result;
        if (item->kind == HANDLER_GENERATOR && item->target != NULL) {
            PySendResult status = item->send(item->target, data, &result);
            if (status != PYGEN_NEXT) {
                adopt(self, plain, i + 1);
                turn_sent(self, item, status, result);
                return TURN_TAKEN;
            }
        }
        else if (item->kind == HANDLER_CALLABLE && item->target != NULL) {
            result = PyObject_CallOneArg(item->target, data);
            if (result != Py_None) {
                adopt(self, plain, i + 1);
                turn_called(self, item, result);
                return TURN_TAKEN;
            }
        }
        else {
            return adopt(self, plain, i);
        }
        Py_DECREF(result);
    }
    return TURN_DONE;
}

/* Let the dispatcher go, unless there is something left to do: 1, 0, or -1 where it was let
   go and that raised. */
static int
let_go(dispatcher *owner)
{
    bool is_over, is_waited_for;
    Py_BEGIN_CRITICAL_SECTION(owner);
    is_over = owner->queue.count == 0 && owner->leaving == NULL && !owner->closing;
    if (is_over) {
        owner->busy = false;
    }
    is_waited_for = owner->waiting != NULL;
    Py_END_CRITICAL_SECTION();
    if (is_over && is_waited_for && event_wait_wake(owner, false) < 0) {
        return -1;
    }
    return is_over;
}

turn_status
turn_begin(turn *self, dispatcher *owner, PyObject *event, PyObject *type, PyObject *data,
           event_waiter *waiter)
{
    plain_dispatch plain = {
        .owner = owner, .now = {event, type, data, false}, .is_async = waiter != NULL};
    event_route route = {.handlers = NULL};
    turn_status status;
    Py_BEGIN_CRITICAL_SECTION(owner);
    status = begin_lock_held(self, owner, &plain.now, waiter, &route);
    Py_END_CRITICAL_SECTION();
    if (status != TURN_DONE) {
        PyObject *raised = status == TURN_ERROR ? PyErr_GetRaisedException() : NULL;
        Py_XDECREF(route.handlers);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
        if (status == TURN_ERROR) {
            (void)event_wait_wake(owner, false); /* what it raises is raised here */
        }
        return status;
    }
    plain.handlers = route.handlers;
    plain.is_error = route.is_error;
    status = deliver_all(self, &plain);
    if (status == TURN_DONE) {
        int is_over = let_go(owner);
        if (is_over == 0) {
            return adopt(self, &plain, PyTuple_GET_SIZE(plain.handlers));
        }
        status = is_over < 0 ? TURN_ERROR : TURN_DONE;
        Py_DECREF(plain.handlers);
    }
    return status;
}

/* ---- closing ---- */

static turn_status
begin_closing_lock_held(turn *self, dispatcher *owner, event_waiter *waiter)
{
    if (owner->closing) {
        if (waiter != NULL && !owner->closed && !is_nested(owner)) {
            event_wait_link(owner, waiter);
            return TURN_WAIT;
        }
        return TURN_NOBODY;
    }
    turn_status status = take_lock_held(self, owner, waiter);
    if (status != TURN_WAIT) {
        owner->closing = true;
    }
    return status == TURN_NOBODY ? TURN_QUEUED : status;
}

turn_status
turn_begin_closing(turn *self, dispatcher *owner, event_waiter *waiter)
{
    turn_status status;
    Py_BEGIN_CRITICAL_SECTION(owner);
    status = begin_closing_lock_held(self, owner, waiter);
    Py_END_CRITICAL_SECTION();
    return status;
}
