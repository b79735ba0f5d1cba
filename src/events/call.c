/* _EventCall: the coroutines that a Dispatcher gives.
 *
 * What it does in its steps is in steps.c; making, dropping and using it again is here.
 *
 * Owned: the dispatcher, its arguments and what it awaits, until it has ended.
 *
 * An emit to sync handlers ends soon, and making its coroutine would be most of the work: so
 * one that has ended, and that nobody refers to, is kept for the next call.
 *
 * Threads: see aio/coroutine.c for the object, dispatcher.c for the dispatcher.
 */
#include "events/call.h"

#include "aio/stop.h"

/* ---- the kinds of call ---- */

static PyObject *
call_qualified_name(coroutine *self)
{
    static const char *const names[] = {"aemit", "adispatch", "arun", "aclose", "__aenter__"};
    return PyUnicode_FromFormat("Dispatcher.%s", names[((event_call *)self)->kind]);
}

static void
clear_arguments(event_call *self)
{
    PyObject *held[] = {self->event, self->type, self->data, self->source, self->failure};
    self->event = self->type = self->data = self->source = self->failure = NULL;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(held); i++) {
        Py_XDECREF(held[i]);
    }
}

static void
call_release(coroutine *op)
{
    event_call *self = (event_call *)op;
    if (self->turn != NULL || self->place.is_linked) {
        event_call_leave(self);
    }
    clear_arguments(self);
}

/* ---- one that has ended is kept ---- */

#if !defined(Py_GIL_DISABLED) && !defined(Py_TRACE_REFS)

static bool
call_recycle(coroutine *op)
{
    event_call *self = (event_call *)op;
    dispatcher *owner = self->owner;
    generators_state *state = owner == NULL ? NULL : owner->state;
    if (state == NULL || state->kept_call != NULL || state->event_call_type == NULL) {
        return false;
    }
    Py_INCREF(self); /* the state's */
    state->kept_call = (PyObject *)self;
    self->owner = NULL;
    Py_DECREF((PyObject *)owner); /* last: it may take the call that was kept */
    return true;
}

/* The one that is kept, or NULL. */
static event_call *
take_kept(generators_state *state)
{
    event_call *self = (event_call *)state->kept_call;
    if (self == NULL) {
        return NULL;
    }
    state->kept_call = NULL;
    /* gc.get_objects() may have given it to someone, who may have closed it or kept it. */
    if (!generators_is_unique((PyObject *)self) || self->base.weak_references != NULL ||
        PyObject_GC_IsFinalized((PyObject *)self)) {
        Py_DECREF(self);
        return NULL;
    }
    self->state = CALL_NEW;
    self->handled = self->is_async_source = self->closes_source = self->is_closing = false;
    return self;
}

#else

#define call_recycle NULL

static event_call *
take_kept(generators_state *Py_UNUSED(state))
{
    return NULL;
}

#endif

static const coroutine_kind event_call_coroutine = {
    .step = event_call_step,
    .release = call_release,
    .qualified_name = call_qualified_name,
    .recycle = call_recycle,
};

/* ---- making one ---- */

PyObject *
event_call_new(dispatcher *owner, event_call_kind kind, PyObject *first, PyObject *second)
{
    PyTypeObject *type = owner->state->event_call_type;
    if (type == NULL) { /* the module is being unloaded */
        dispatcher_refuse_closed();
        return NULL;
    }
    event_call *self = take_kept(owner->state);
    if (self == NULL) {
        self = (event_call *)type->tp_alloc(type, 0);
        if (self == NULL) {
            return NULL;
        }
    }
    self->owner = (dispatcher *)Py_NewRef((PyObject *)owner);
    self->kind = kind;
    if (coroutine_init(&self->base, &event_call_coroutine, true) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    *(kind == CALL_EMIT       ? &self->type
      : kind == CALL_DISPATCH ? &self->event
                              : &self->source) = Py_XNewRef(first);
    self->data = Py_XNewRef(second);
    return (PyObject *)self;
}

/* ---- memory ---- */

static int
call_traverse(PyObject *op, visitproc visit, void *arg)
{
    event_call *self = (event_call *)op;
    Py_VISIT((PyObject *)self->owner);
    Py_VISIT(self->event);
    Py_VISIT(self->type);
    Py_VISIT(self->data);
    Py_VISIT(self->source);
    Py_VISIT(self->failure);
    Py_VISIT(self->place.future);
    Py_VISIT(self->place.loop);
    int status = self->turn == NULL ? 0 : turn_traverse(self->turn, visit, arg);
    return status != 0 ? status : coroutine_traverse(op, visit, arg);
}

static int
call_clear(PyObject *op)
{
    event_call *self = (event_call *)op;
    dispatcher *owner = self->owner;
    self->owner = NULL;
    clear_arguments(self);
    int status = coroutine_clear(op);
    Py_XDECREF((PyObject *)owner);
    return status;
}

/* ---- slots ---- */

#ifndef Py_GIL_DISABLED

/* The first step of aemit(), without what is needed only where it can be refused.  Its
   recursion is bounded by the frames of handlers. */
static PySendResult
call_send_first(event_call *self, PyObject **result)
{
    self->base.running = true;
    PySendResult sent = event_call_step(&self->base, Py_None, NULL, result);
    if (sent != PYGEN_RETURN) {
        return coroutine_stepped(&self->base, sent);
    }
    PyObject *type = self->type, *data = self->data;
    self->type = self->data = NULL;
    Py_XDECREF(type);
    Py_XDECREF(data);
    self->base.state = COROUTINE_ENDED;
    self->base.running = false;
    return PYGEN_RETURN;
}

#endif

static PySendResult
call_am_send(PyObject *op, PyObject *value, PyObject **result)
{
    event_call *self = (event_call *)op;
#ifndef Py_GIL_DISABLED /* there `running` is set in a critical section */
    if (self->base.state == COROUTINE_NEW && value == Py_None && self->kind == CALL_EMIT &&
        !self->base.running && self->base.kind != NULL) {
        *result = NULL;
        return call_send_first(self, result);
    }
#endif
    return coroutine_resume(&self->base, value, NULL, result);
}

/* As coroutine_iternext(). */
static PyObject *
call_iternext(PyObject *op)
{
    bool is_unseen = ((event_call *)op)->base.is_awaited_by_it;
    PyObject *result;
    PySendResult sent = call_am_send(op, Py_None, &result);
    if (sent == PYGEN_RETURN && is_unseen) {
        stop_raise(generators_state_of(op), result);
        return NULL;
    }
    return coroutine_method_result(sent, result);
}

/* ---- the type ---- */

static PyType_Slot call_slots[] = {
    {Py_tp_doc, (char *)"A coroutine of a Dispatcher."},
    {Py_tp_traverse, call_traverse},
    {Py_tp_clear, call_clear},
    {Py_tp_finalize, coroutine_finalize},
    {Py_tp_dealloc, coroutine_dealloc},
    {Py_tp_iternext, call_iternext},
    {Py_am_await, coroutine_am_await},
    {Py_am_send, call_am_send},
    {0, NULL},
};

PyType_Spec event_call_spec = {
    .name = "generators._native._EventCall",
    .basicsize = sizeof(event_call),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = call_slots,
};
