/* What a dispatch holds.
 *
 * A dispatch holds the dispatcher (its flag `busy`) from an event to the last event that was
 * queued meanwhile.  dispatch_start.c makes one, dispatch_advance.c runs it, and
 * dispatch_end() of failure.c raises what it has to raise.
 *
 * Owned: see the struct.
 *
 * User code: a handler may do anything to the dispatcher but start a second dispatch.  What it
 * registers or removes counts from the next event, since the tuple of handlers is never
 * changed.  What it dispatches is queued.  If it closes the dispatcher, this dispatch closes
 * the handlers at its end.
 *
 * Threads: a dispatch belongs to one call on one thread at a time.  What other calls change
 * too is read in the critical section of the dispatcher.
 */
#include "events/dispatch.h"

int
dispatch_check_sync(dispatcher *owner, event_route *route, PyObject *type)
{
    bool is_async = (route->flags & ROUTE_IS_ASYNC) != 0;
    if (!is_async && !owner->table.errors_are_async) {
        return 0;
    }
    if (is_async) {
        PyErr_Format(PyExc_TypeError,
                     "a handler of %R is async: await aemit(), adispatch() or arun()", type);
    }
    else {
        PyErr_SetString(PyExc_TypeError,
                        "a handler of 'error' is async: await aemit(), adispatch() or arun()");
    }
    return -1;
}

int
dispatch_set_event(dispatch *self, event_route *route)
{
    if ((route->flags & ROUTE_IS_WHOLE) != 0 && self->now.event == NULL) {
        self->now.event = PyObject_CallFunctionObjArgs(self->owner->state->event_class,
                                                       self->now.type, self->now.data, NULL);
        if (self->now.event == NULL) {
            Py_CLEAR(route->handlers);
            return -1;
        }
    }
    dispatch_set_handlers(self, route->handlers, Py_NewRef(self->now.data));
    route->handlers = NULL;
    self->is_error = (route->flags & ROUTE_IS_ERROR) != 0;
    return 0;
}

void
dispatch_set_handlers(dispatch *self, PyObject *handlers, PyObject *argument)
{
    PyObject *earlier_handlers = self->handlers, *earlier_argument = self->argument;
    self->handlers = handlers;
    self->argument = argument;
    self->next = 0;
    Py_XDECREF(earlier_handlers);
    Py_XDECREF(earlier_argument);
}

void
dispatch_move_hold(dispatch *self, dispatch *other)
{
    dispatcher *owner = self->owner;
    Py_BEGIN_CRITICAL_SECTION(owner);
    owner->token = NULL; /* owned by `self` */
    Py_END_CRITICAL_SECTION();
    self->owner = NULL;
    other->owner = owner;
}

/* ---- memory ---- */

int
dispatch_traverse(dispatch *self, visitproc visit, void *arg)
{
    Py_VISIT(self->now.event);
    Py_VISIT(self->now.type);
    Py_VISIT(self->now.data);
    Py_VISIT(self->handlers);
    Py_VISIT(self->argument);
    Py_VISIT(self->current);
    Py_VISIT(self->awaited);
    Py_VISIT(self->token);
    Py_VISIT(self->failures);
    Py_VISIT(self->raised);
    Py_VISIT(self->to_close);
    Py_VISIT(self->close_errors);
    Py_VISIT(self->aborted);
    return 0;
}

void
dispatch_clear(dispatch *self)
{
    event_record_clear(&self->now);
    Py_CLEAR(self->handlers);
    Py_CLEAR(self->argument);
    Py_CLEAR(self->current);
    Py_CLEAR(self->awaited);
    Py_CLEAR(self->token);
    Py_CLEAR(self->failures);
    Py_CLEAR(self->raised);
    Py_CLEAR(self->to_close);
    Py_CLEAR(self->close_errors);
    Py_CLEAR(self->aborted);
}
