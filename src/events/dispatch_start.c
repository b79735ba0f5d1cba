/* Starting a dispatch: who may dispatch now, what is queued, and who waits.
 *
 * The fast path: most events go to sync handlers that all receive it, and nothing else
 * happens.  Such an event needs no `dispatch`.  At the first exception to that, one is made
 * and goes on from there.
 *
 * Owned: see the structs.
 *
 * User code: handlers, and __hash__() and __eq__() of types.
 *
 * Threads: decisions are made in the critical section of the dispatcher.  Handlers run outside
 * of it, while `busy` keeps other calls away.
 */
#include "events/dispatch_start.h"

#include "events/deliver.h"
#include "events/failure.h"
#include "events/waiters.h"
#include "runtime/raising.h"

/* ---- holding the dispatcher ---- */

static dispatch_status
dispatch_put_in_queue(dispatcher *owner, event_record *now)
{
    event_record item = {Py_XNewRef(now->event), Py_NewRef(now->type), Py_NewRef(now->data),
                         now->is_own, now->is_report};
    if (event_queue_put(&owner->queue, &item) < 0) {
        event_record_clear(&item);
        return DISPATCH_ERROR;
    }
    return DISPATCH_QUEUED;
}

/* Hold the dispatcher, if it is free for the call.  DISPATCH_NONE if it is not, and the event
   must be queued. */
static dispatch_status
dispatch_hold_lock_held(dispatch *self, dispatcher *owner, dispatch_waiter *waiter)
{
    if (waiter != NULL && !waiters_is_free(owner, waiter)) {
        dispatcher_caller caller = dispatcher_find_caller(owner);
        if (owner->busy && caller != CALLER_OUTSIDE) {
            return DISPATCH_NONE;
        }
        if (caller != CALLER_BACKGROUND) { /* it never waits: a dispatch may wait for it */
            waiters_link(owner, waiter);
            return DISPATCH_WAITS;
        }
    }
    if (owner->busy) {
        return DISPATCH_NONE;
    }
    if (waiter != NULL) {
        waiters_unlink(owner, waiter);
    }
    owner->busy = true;
    *self = (dispatch){.owner = owner, .is_async = waiter != NULL};
    return DISPATCH_STARTED;
}

/* Hold the dispatcher for an event whose handlers `route` has, or queue the event. */
static dispatch_status
dispatch_hold_for_event(dispatch *self, dispatcher *owner, event_route *route,
                        event_record *now, dispatch_waiter *waiter)
{
    dispatch_status status = dispatch_hold_lock_held(self, owner, waiter);
    if (status == DISPATCH_WAITS) {
        return status;
    }
    if (status == DISPATCH_NONE) {
        return dispatch_put_in_queue(owner, now);
    }
    if (owner->queue.count > 0) {
        /* An aborted dispatch left these events.  They come first. */
        now->is_own = true;
        status = dispatch_put_in_queue(owner, now);
    }
    else {
        self->now = (event_record){Py_XNewRef(now->event), Py_NewRef(now->type),
                                   Py_NewRef(now->data), true, now->is_report};
        status = dispatch_set_event(self, route) < 0 ? DISPATCH_ERROR : DISPATCH_STARTED;
    }
    if (status == DISPATCH_ERROR) {
        failure_keep(&self->raised, PyErr_GetRaisedException());
    }
    return DISPATCH_STARTED;
}

/* DISPATCH_DONE means that the dispatcher is held, and that the fast path can give the event
   to the handlers of *route. */
static dispatch_status
dispatch_start_lock_held(dispatch *self, dispatcher *owner, event_record *now,
                         dispatch_waiter *waiter, event_route *route)
{
    int found = owner->closing   ? 0
                : now->is_report ? event_table_find_errors(&owner->table, route)
                                 : event_table_find(&owner->table, now->type, route);
    if (found < 0) {
        stream_note("while reading the handlers of events of type %R", now->type);
        return DISPATCH_ERROR;
    }
    if (owner->closing) {
        dispatcher_refuse_closed();
        return DISPATCH_ERROR;
    }
    if (found == 0) {
        return DISPATCH_NONE;
    }
    if (waiter == NULL && dispatch_check_sync(owner, route, now->type) < 0) {
        return DISPATCH_ERROR;
    }
    if (owner->busy || owner->waiters != NULL || owner->queue.count > 0 ||
        (route->flags & (ROUTE_IS_ASYNC | ROUTE_IS_SPECIAL)) != 0) {
        return dispatch_hold_for_event(self, owner, route, now, waiter);
    }
    owner->busy = true;
    return DISPATCH_DONE;
}

/* ---- the fast path ---- */

/* The part of a dispatch that it needs. */
typedef struct {
    dispatcher *owner;
    event_record now;   /* borrowed from the caller */
    PyObject *handlers; /* owned */
    bool is_async;
    bool is_error;
} fast_dispatch;

/* Make a dispatch of it, which goes on with the handler at `next` and takes what is owned. */
static dispatch_status
fast_dispatch_go_on(dispatch *self, fast_dispatch *fast, Py_ssize_t next)
{
    event_record *now = &fast->now;
    *self = (dispatch){
        .owner = fast->owner,
        .now = {Py_XNewRef(now->event), Py_NewRef(now->type), Py_NewRef(now->data), true,
                now->is_report},
        .handlers = fast->handlers,
        .next = next,
        .argument = Py_NewRef(now->data),
        .is_async = fast->is_async,
        .is_error = fast->is_error,
    };
    return DISPATCH_STARTED;
}

/* Give the event to the handlers.  DISPATCH_DONE if all have received it; DISPATCH_STARTED if
   one returned, failed, or must be awaited. */
static dispatch_status
fast_dispatch_deliver(dispatch *self, fast_dispatch *fast)
{
    PyObject *handlers = fast->handlers, *data = fast->now.data;
    Py_ssize_t count = PyTuple_GET_SIZE(handlers);
    for (Py_ssize_t i = 0; i < count; i++) {
        /* The target does not change while the dispatcher is held. */
        handler *item = (handler *)PyTuple_GET_ITEM(handlers, i);
        PyObject *result;
        generators_count_add(&item->calls);
        if (item->kind == HANDLER_GENERATOR && item->target != NULL) {
            PySendResult status = item->send(item->target, data, &result);
            if (status != PYGEN_NEXT) {
                fast_dispatch_go_on(self, fast, i + 1);
                deliver_sent(self, item, status, result);
                return DISPATCH_STARTED;
            }
        }
        else if (item->kind == HANDLER_CALLABLE && item->target != NULL) {
            result = PyObject_CallOneArg(item->target, data);
            if (result != Py_None) {
                fast_dispatch_go_on(self, fast, i + 1);
                deliver_called(self, item, result);
                return DISPATCH_STARTED;
            }
        }
        else { /* it has ended since this event began */
            continue;
        }
        Py_DECREF(result);
    }
    return DISPATCH_DONE;
}

/* Release the dispatcher, unless there is something left to do: 1, 0, or -1 if it was released
   and that raised an exception. */
static int
fast_dispatch_release(dispatcher *owner)
{
    bool is_over, is_waited_for;
    Py_BEGIN_CRITICAL_SECTION(owner);
    is_over = owner->queue.count == 0 && owner->removed == NULL && !owner->closing;
    if (is_over) {
        owner->busy = false;
    }
    is_waited_for = owner->waiters != NULL;
    Py_END_CRITICAL_SECTION();
    if (is_over && is_waited_for && waiters_wake(owner, false) < 0) {
        return -1;
    }
    return is_over;
}

static inline dispatch_status
dispatch_start_event(dispatch *self, dispatcher *owner, PyObject *event, PyObject *type,
                     PyObject *data, dispatch_waiter *waiter, bool is_report)
{
    fast_dispatch fast = {
        .owner = owner,
        .now = {event, type, data, false, is_report},
        .is_async = waiter != NULL,
    };
    event_route route = {.handlers = NULL};
    dispatch_status status;
    Py_BEGIN_CRITICAL_SECTION(owner);
    status = dispatch_start_lock_held(self, owner, &fast.now, waiter, &route);
    Py_END_CRITICAL_SECTION();
    if (status != DISPATCH_DONE) {
        PyObject *raised = status == DISPATCH_ERROR ? PyErr_GetRaisedException() : NULL;
        Py_XDECREF(route.handlers);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
        if (status == DISPATCH_ERROR) {
            (void)waiters_wake(owner, false); /* an exception is raised here */
        }
        return status;
    }
    fast.handlers = route.handlers;
    fast.is_error = (route.flags & ROUTE_IS_ERROR) != 0;
    status = fast_dispatch_deliver(self, &fast);
    if (status == DISPATCH_DONE) {
        int is_over = fast_dispatch_release(owner);
        if (is_over == 0) {
            return fast_dispatch_go_on(self, &fast, PyTuple_GET_SIZE(fast.handlers));
        }
        status = is_over < 0 ? DISPATCH_ERROR : DISPATCH_DONE;
        Py_DECREF(fast.handlers);
    }
    return status;
}

dispatch_status
dispatch_start(dispatch *self, dispatcher *owner, PyObject *event, PyObject *type,
               PyObject *data, dispatch_waiter *waiter)
{
    return dispatch_start_event(self, owner, event, type, data, waiter, false);
}

dispatch_status
dispatch_start_report(dispatch *self, dispatcher *owner, PyObject *failure,
                      dispatch_waiter *waiter)
{
    return dispatch_start_event(self, owner, NULL, owner->state->str_error, failure, waiter,
                                true);
}

/* ---- closing ---- */

static dispatch_status
dispatch_start_closing_lock_held(dispatch *self, dispatcher *owner, dispatch_waiter *waiter)
{
    if (owner->closing) {
        if (waiter != NULL && !owner->closed &&
            dispatcher_find_caller(owner) == CALLER_OUTSIDE) {
            waiters_link(owner, waiter);
            return DISPATCH_WAITS;
        }
        return DISPATCH_NONE;
    }
    dispatch_status status = dispatch_hold_lock_held(self, owner, waiter);
    if (status != DISPATCH_WAITS) {
        owner->closing = true;
    }
    return status == DISPATCH_NONE ? DISPATCH_QUEUED : status;
}

dispatch_status
dispatch_start_closing(dispatch *self, dispatcher *owner, dispatch_waiter *waiter)
{
    dispatch_status status;
    Py_BEGIN_CRITICAL_SECTION(owner);
    status = dispatch_start_closing_lock_held(self, owner, waiter);
    Py_END_CRITICAL_SECTION();
    return status;
}
