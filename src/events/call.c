/* What aemit(), adispatch(), arun() and aclose() give: a coroutine, and the async face
 * of a turn.
 *
 * States: new; then, while something is awaited, which of these: the line for a turn, a
 * handler of the turn that it holds, the source's next event, a pause, the source's
 * closing; over.  What is ready does not stop it: where all handlers are sync it ends
 * in its first step.
 *
 * Owned: the dispatcher, its arguments and what it awaits, until it is over.  A turn is
 * made on the stack and moves to the heap if it stops.
 *
 * User code runs in what is awaited, and in all that a turn runs; `running` refuses
 * another step meanwhile.  What is dropped is closed as a coroutine is, and lets go of
 * its turn or its place in the line.
 *
 * Threads: see dispatcher.c; the object itself is guarded by `running`.
 */
#include "events/call.h"

#include "aio/steps_old.h"
#include "runtime/raising.h"
#include "aio/stop.h"
#include "runtime/attributes.h"

static const char *
call_name(event_call *self)
{
    static const char *const names[] = {"aemit", "adispatch", "arun", "aclose", "__aenter__"};
    return names[self->kind];
}

static int
call_clear(PyObject *op)
{
    event_call *self = (event_call *)op;
    Py_CLEAR(self->event);
    Py_CLEAR(self->type);
    Py_CLEAR(self->data);
    Py_CLEAR(self->source);
    Py_CLEAR(self->awaited);
    Py_CLEAR(self->failure);
    return 0;
}

static void
release(event_call *self)
{
    if (self->place.is_linked) {
        event_wait_leave(self->owner, &self->place);
    }
    self->state = STATE_OVER;
    call_clear((PyObject *)self);
}

static PyObject *
call_value(event_call *self)
{
    switch (self->kind) {
    case CALL_EMIT:
    case CALL_DISPATCH:
        return PyBool_FromLong(self->handled);
    case CALL_ENTER:
        return Py_NewRef((PyObject *)self->owner);
    default:
        Py_RETURN_NONE;
    }
}

/* ---- the protocol of coroutines ---- */

/* 0, or -1 with the exception of a coroutine that can't be resumed. */
static int
begin_step(event_call *self, PyObject *value)
{
    const char *refusal = NULL;
    PyObject *class = PyExc_RuntimeError;
    Py_BEGIN_CRITICAL_SECTION(self);
    if (self->running) {
        refusal = "coroutine already executing";
        class = PyExc_ValueError;
    }
    else if (self->state == STATE_OVER) {
        refusal = "cannot reuse already awaited coroutine";
    }
    else if (self->state == STATE_NEW && value != Py_None) {
        refusal = "can't send non-None value to a just-started coroutine";
        class = PyExc_TypeError;
    }
    else {
        self->running = true;
    }
    Py_END_CRITICAL_SECTION();
    if (refusal != NULL) {
        PyErr_SetString(class, refusal);
        return -1;
    }
    return 0;
}

static PySendResult
resume(PyObject *op, PyObject *value, PyObject *exception, PyObject **result)
{
    event_call *self = (event_call *)op;
    *result = NULL;
    if (begin_step(self, exception == NULL ? value : Py_None) < 0) {
        return PYGEN_ERROR;
    }
    PySendResult status;
    if (self->state == STATE_NEW && exception != NULL) {
        PyErr_SetRaisedException(Py_NewRef(exception));
        status = PYGEN_ERROR;
    }
    else {
        status = event_call_step(self, value, exception, result);
    }
    if (status == PYGEN_RETURN) {
        *result = call_value(self);
    }
    if (status != PYGEN_NEXT) {
        release(self);
    }
    Py_BEGIN_CRITICAL_SECTION(self);
    self->running = false;
    Py_END_CRITICAL_SECTION();
    return status;
}

static PySendResult
call_am_send(PyObject *op, PyObject *value, PyObject **result)
{
    return resume(op, value, NULL, result);
}

static PyObject *
call_iternext(PyObject *op)
{
    PyObject *result;
    if (resume(op, Py_None, NULL, &result) == PYGEN_RETURN) {
        stop_raise(generators_state_of(op), result);
        return NULL;
    }
    return result;
}

PyDoc_STRVAR(send_doc, "send($self, value, /)\n--\n\nAs the send() of a coroutine.");

static PyObject *
call_send(PyObject *op, PyObject *value)
{
    PyObject *result;
    PySendResult status = resume(op, value, NULL, &result);
    return old_coroutine_stepped(status, result);
}

PyDoc_STRVAR(throw_doc, "throw($self, type, value=None, traceback=None, /)\n"
                        "--\n\n"
                        "As the throw() of a coroutine: into the handler that is awaited.");

static PyObject *
call_throw(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    return old_coroutine_throw(op, resume, args, count);
}

/* 0, or -1. */
static int
close_call(event_call *self)
{
    bool is_over;
    Py_BEGIN_CRITICAL_SECTION(self);
    is_over = !self->running && self->state == STATE_OVER;
    Py_END_CRITICAL_SECTION();
    if (is_over) {
        return 0;
    }
    return old_coroutine_close((PyObject *)self, resume);
}

PyDoc_STRVAR(close_doc, "close($self, /)\n--\n\nAs the close() of a coroutine.");

static PyObject *
call_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    if (close_call((event_call *)op) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- memory ---- */

static int
call_traverse(PyObject *op, visitproc visit, void *arg)
{
    event_call *self = (event_call *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT((PyObject *)self->owner);
    Py_VISIT(self->event);
    Py_VISIT(self->type);
    Py_VISIT(self->data);
    Py_VISIT(self->source);
    Py_VISIT(self->awaited);
    Py_VISIT(self->failure);
    Py_VISIT(self->place.future);
    Py_VISIT(self->place.loop);
    return self->turn == NULL ? 0 : turn_traverse(self->turn, visit, arg);
}

/* What is dropped is closed; what was never awaited is told, as of a coroutine. */
static void
call_finalize(PyObject *op)
{
    event_call *self = (event_call *)op;
    self->is_finalized = true;
    if (self->state == STATE_OVER || self->running || self->owner == NULL) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    int status;
    if (self->state == STATE_NEW) {
        status =
            PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                             "coroutine 'Dispatcher.%s' was never awaited", call_name(self));
        release(self);
    }
    else {
        status = close_call(self);
    }
    if (status < 0) {
        raising_unraisable(op);
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

/* An emit to sync handlers is over soon, and making its coroutine would be most of it: so
   one that is over, and has nothing left, is kept for the next. */
#if !defined(Py_GIL_DISABLED) && !defined(Py_TRACE_REFS)

static bool
keep(event_call *self)
{
    generators_state *state = self->owner == NULL ? NULL : self->owner->state;
    if (state == NULL || state->kept_call != NULL || state->event_call_type == NULL ||
        self->state != STATE_OVER || self->turn != NULL || self->is_finalized) {
        return false;
    }
    Py_INCREF(self); /* the state's */
    state->kept_call = (PyObject *)self;
    PyObject *owner = (PyObject *)self->owner;
    self->owner = NULL;
    Py_DECREF(owner);
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
    if (!generators_is_unique((PyObject *)self)) { /* gc.get_objects() has given it */
        Py_DECREF(self);
        return NULL;
    }
    self->state = STATE_NEW;
    self->handled = self->is_async_source = self->closes_source = false;
    return self;
}

#else

static bool
keep(event_call *Py_UNUSED(self))
{
    return false;
}

static event_call *
take_kept(generators_state *Py_UNUSED(state))
{
    return NULL;
}

#endif

static void
call_dealloc(PyObject *op)
{
    event_call *self = (event_call *)op;
    PyTypeObject *type = Py_TYPE(op);
    if (self->state != STATE_OVER && PyObject_CallFinalizerFromDealloc(op) < 0) {
        return;
    }
    if (self->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    if (keep(self)) {
        return;
    }
    PyObject_GC_UnTrack(op);
    call_clear(op);
    if (self->turn != NULL) { /* it could not be closed */
        turn_clear(self->turn);
        PyMem_Free(self->turn);
    }
    Py_XDECREF((PyObject *)self->owner);
    type->tp_free(op);
    Py_DECREF(type);
}

PyObject *
event_call_new(dispatcher *owner, call_kind kind, PyObject *first, PyObject *second)
{
    event_call *self = take_kept(owner->state);
    if (self == NULL) {
        PyTypeObject *type = owner->state->event_call_type;
        self = (event_call *)type->tp_alloc(type, 0);
        if (self == NULL) {
            return NULL;
        }
    }
    self->owner = (dispatcher *)Py_NewRef((PyObject *)owner);
    self->kind = kind;
    *(kind == CALL_EMIT       ? &self->type
      : kind == CALL_DISPATCH ? &self->event
                              : &self->source) = Py_XNewRef(first);
    self->data = Py_XNewRef(second);
    return (PyObject *)self;
}

/* ---- the type ---- */

static PyObject *
get_name(PyObject *op, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(call_name((event_call *)op));
}

static PyObject *
get_qualified_name(PyObject *op, void *Py_UNUSED(closure))
{
    return PyUnicode_FromFormat("Dispatcher.%s", call_name((event_call *)op));
}

/* None while a step runs, as a coroutine of the interpreter answers: the step's thread
   changes it. */
static PyObject *
get_awaited(PyObject *op, void *Py_UNUSED(closure))
{
    event_call *self = (event_call *)op;
    PyObject *awaited;
    Py_BEGIN_CRITICAL_SECTION(op);
    awaited = self->running ? NULL : Py_XNewRef(self->awaited);
    Py_END_CRITICAL_SECTION();
    return awaited != NULL ? awaited : Py_NewRef(Py_None);
}

static PyObject *
call_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<coroutine Dispatcher.%s at %p>", call_name((event_call *)op),
                                op);
}

static PyGetSetDef call_getters[] = {
    {"__name__", get_name, NULL, NULL, NULL},
    {"__qualname__", get_qualified_name, NULL, NULL, NULL},
    {"cr_await", get_awaited, NULL, "What it awaits, or None.", NULL},
    {"cr_running", attributes_get_flag, NULL, NULL, (void *)offsetof(event_call, running)},
    {NULL},
};

static PyMemberDef call_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(event_call, weak_references), Py_READONLY,
     NULL},
    {NULL},
};

static PyMethodDef call_methods[] = {
    {"send", call_send, METH_O, send_doc},
    {"throw", (PyCFunction)(void (*)(void))call_throw, METH_FASTCALL, throw_doc},
    {"close", call_close, METH_NOARGS, close_doc},
    {NULL},
};

static PyType_Slot call_slots[] = {
    {Py_tp_doc, (char *)"A coroutine of a Dispatcher."},
    {Py_tp_traverse, call_traverse},
    {Py_tp_clear, call_clear},
    {Py_tp_finalize, call_finalize},
    {Py_tp_dealloc, call_dealloc},
    {Py_tp_repr, call_repr},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, call_am_send},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, call_iternext},
    {Py_tp_methods, call_methods},
    {Py_tp_members, call_members},
    {Py_tp_getset, call_getters},
    {0, NULL},
};

PyType_Spec event_call_spec = {
    .name = "generators._native._EventCall",
    .basicsize = sizeof(event_call),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = call_slots,
};
