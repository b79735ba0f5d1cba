/* _EventCoroutine: the coroutines of a Dispatcher.
 *
 * Here they are made, freed and reused.  Their steps are in event_coroutine_step.c.
 *
 * States: see event_coroutine_step.c.  aemit() to sync handlers takes little time, and making
 * its coroutine would be most of it.  So one coroutine that has ended, and that nobody refers
 * to, is kept and used for the next call.
 *
 * Owned: the dispatcher, the arguments and what is awaited, until it has ended.
 *
 * User code: that of its steps, and of objects that are dropped.
 *
 * Threads: see aio/coroutine.c for the object, dispatch.c for the dispatch.
 */
#include "events/event_coroutine.h"

#include "aio/stop.h"

/* ---- the kind of coroutine ---- */

static PyObject *
event_coroutine_qualified_name(coroutine *self)
{
    static const char *const names[] = {"aemit",  "adispatch", "arun",
                                        "aclose", "report",    "__aenter__"};
    return PyUnicode_FromFormat("Dispatcher.%s", names[((event_coroutine *)self)->method]);
}

static void
event_coroutine_clear_arguments(event_coroutine *self)
{
    PyObject *held[] = {self->event, self->type, self->data};
    self->event = self->type = self->data = NULL;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(held); i++) {
        Py_XDECREF(held[i]);
    }
    arun_source_clear(&self->source);
}

static void
event_coroutine_release(coroutine *op)
{
    event_coroutine *self = (event_coroutine *)op;
    if (self->dispatch != NULL || self->place.is_linked) {
        event_coroutine_leave(self);
    }
    event_coroutine_clear_arguments(self);
}

/* ---- reuse ---- */

#if !defined(Py_GIL_DISABLED) && !defined(Py_TRACE_REFS)

static bool
event_coroutine_recycle(coroutine *op)
{
    event_coroutine *self = (event_coroutine *)op;
    dispatcher *owner = self->owner;
    generators_state *state = owner == NULL ? NULL : owner->state;
    if (state == NULL || state->kept_coroutine != NULL ||
        state->event_coroutine_type == NULL) {
        return false;
    }
    compat_incref_whole((PyObject *)self); /* the state owns it */
    state->kept_coroutine = (PyObject *)self;
    self->owner = NULL;
    Py_DECREF((PyObject *)owner); /* last: user code may take the kept coroutine */
    return true;
}

/* The coroutine that was kept, or NULL. */
static event_coroutine *
event_coroutine_take_kept(generators_state *state)
{
    event_coroutine *self = (event_coroutine *)state->kept_coroutine;
    if (self == NULL) {
        return NULL;
    }
    state->kept_coroutine = NULL;
    /* gc.get_objects() may have returned it to code that closed it or still holds it. */
    if (!generators_is_unique((PyObject *)self) || self->base.weak_references != NULL ||
        self->base.finalized) {
        Py_DECREF(self);
        return NULL;
    }
    self->state = STEP_NEW;
    self->handled = self->is_closing = false;
    return self;
}

#else

#define event_coroutine_recycle NULL

static event_coroutine *
event_coroutine_take_kept(generators_state *Py_UNUSED(state))
{
    return NULL;
}

#endif

static const coroutine_kind event_coroutine_kind = {
    .step = event_coroutine_step,
    .release = event_coroutine_release,
    .qualified_name = event_coroutine_qualified_name,
    .recycle = event_coroutine_recycle,
};

/* ---- making one ---- */

PyObject *
event_coroutine_new(dispatcher *owner, event_coroutine_method method, PyObject *first,
                    PyObject *second)
{
    PyTypeObject *type = owner->state->event_coroutine_type;
    if (type == NULL) { /* the module is being unloaded */
        dispatcher_refuse_closed();
        return NULL;
    }
    event_coroutine *self = event_coroutine_take_kept(owner->state);
    if (self == NULL) {
        self = (event_coroutine *)type->tp_alloc(type, 0);
        if (self == NULL) {
            return NULL;
        }
    }
    self->owner = (dispatcher *)Py_NewRef((PyObject *)owner);
    self->method = method;
    if (coroutine_init(&self->base, &event_coroutine_kind, true) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    *(method == METHOD_AEMIT       ? &self->type
      : method == METHOD_ADISPATCH ? &self->event
                                   : &self->source.source) = Py_XNewRef(first);
    self->data = Py_XNewRef(second);
    return (PyObject *)self;
}

/* ---- memory ---- */

static int
event_coroutine_traverse(PyObject *op, visitproc visit, void *arg)
{
    event_coroutine *self = (event_coroutine *)op;
    Py_VISIT((PyObject *)self->owner);
    Py_VISIT(self->event);
    Py_VISIT(self->type);
    Py_VISIT(self->data);
    Py_VISIT(self->place.future);
    Py_VISIT(self->place.loop);
    int status = arun_source_traverse(&self->source, visit, arg);
    if (status == 0 && self->dispatch != NULL) {
        status = dispatch_traverse(self->dispatch, visit, arg);
    }
    return status != 0 ? status : coroutine_traverse(op, visit, arg);
}

static int
event_coroutine_clear(PyObject *op)
{
    event_coroutine *self = (event_coroutine *)op;
    dispatcher *owner = self->owner;
    self->owner = NULL;
    event_coroutine_clear_arguments(self);
    int status = coroutine_clear(op);
    Py_XDECREF((PyObject *)owner);
    return status;
}

/* ---- slots ---- */

#ifndef Py_GIL_DISABLED

/* The first step of aemit(), without the checks that it does not need.  Its recursion is
   limited by that of the handlers. */
static PySendResult
event_coroutine_send_first(event_coroutine *self, PyObject **result)
{
    self->base.running = true;
    PySendResult sent = event_coroutine_first_step(self, result);
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
event_coroutine_am_send(PyObject *op, PyObject *value, PyObject **result)
{
    event_coroutine *self = (event_coroutine *)op;
#ifndef Py_GIL_DISABLED /* without the GIL, `running` needs a critical section */
    if (self->base.state == COROUTINE_NEW && value == Py_None &&
        self->method == METHOD_AEMIT && !self->base.running && self->base.kind != NULL) {
        *result = NULL;
        return event_coroutine_send_first(self, result);
    }
#endif
    return coroutine_resume(&self->base, value, NULL, result);
}

/* As coroutine_iternext(). */
static PyObject *
event_coroutine_iternext(PyObject *op)
{
    event_coroutine *self = (event_coroutine *)op;
    bool is_unseen = self->base.is_awaited_by_it;
    PyObject *result;
    PySendResult sent = event_coroutine_am_send(op, Py_None, &result);
    if (sent == PYGEN_RETURN && is_unseen) {
        stop_raise(self->owner->state, result);
        return NULL;
    }
    return coroutine_method_result(sent, result);
}

/* ---- the type ---- */

static PyType_Slot event_coroutine_slots[] = {
    {Py_tp_doc, (char *)"A coroutine of a Dispatcher."},
    {Py_tp_traverse, event_coroutine_traverse},
    {Py_tp_clear, event_coroutine_clear},
    {Py_tp_finalize, coroutine_finalize},
    {Py_tp_dealloc, coroutine_dealloc},
    {Py_tp_iternext, event_coroutine_iternext},
    {Py_am_await, coroutine_am_await},
    {Py_am_send, event_coroutine_am_send},
    {0, NULL},
};

PyType_Spec event_coroutine_spec = {
    .name = "native_generators._native._EventCoroutine",
    .basicsize = sizeof(event_coroutine),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = event_coroutine_slots,
};
