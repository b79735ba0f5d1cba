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
#include "events/events.h"

#include "core/clock.h"
#include "protocol/await.h"
#include "protocol/raising.h"
#include "protocol/loop.h"
#include "protocol/stop.h"

/* Events that are all ready are a busy loop, which must let the others run. */
#define TIME_BETWEEN_PAUSES (CLOCK_SECOND / 100)
#define EVENTS_BETWEEN_LOOKS 32 /* at the clock */

typedef enum {
    STATE_NEW,
    STATE_WAITING, /* in the line */
    STATE_TURN,
    STATE_SOURCE,
    STATE_PAUSE,
    STATE_ENDING, /* the source is being closed */
    STATE_OVER,
} call_state;

typedef struct {
    PyObject_HEAD
    dispatcher *owner;  /* owned */
    PyObject *event;    /* owned: to be dispatched; NULL for emit() */
    PyObject *type;     /* owned */
    PyObject *data;     /* owned */
    PyObject *source;   /* owned: of events, for arun(); its iterator when it has begun */
    PyObject *awaited;  /* owned: an iterator, or NULL */
    PyObject *failure;  /* owned: to be raised when the source is closed; or NULL */
    turn *turn;         /* owned: the one held while a handler is awaited, or NULL */
    event_waiter place; /* in the line */
    uint64_t since;     /* it has not let the others run */
    unsigned count;     /* of events since then */
    call_kind kind;
    call_state state;
    bool running; /* a step is under way */
    bool handled;
    bool is_async_source;
    bool closes_source;
    PyObject *weak_references;
} event_call;

/* What the steps below give: */
typedef enum {
    NEXT_ERROR = -1,
    NEXT_DONE,
    NEXT_AWAIT, /* self->awaited, or with none of that a pause */
} next_step;

static const char *
call_name(event_call *self)
{
    static const char *const names[] = {"aemit", "adispatch", "arun", "aclose", "__aenter__"};
    return names[self->kind];
}

/* ---- a turn ---- */

/* Move a turn that stops to the heap. */
static bool
keep_turn(event_call *self, turn *run)
{
    if (self->turn != NULL) {
        return true;
    }
    self->turn = PyMem_Malloc(sizeof(turn));
    if (self->turn == NULL) {
        return false;
    }
    *self->turn = *run;
    return true;
}

static next_step
go_on(event_call *self, turn *run)
{
    while (turn_go(run) > 0) {
        PyObject *awaited = run->awaited;
        run->awaited = NULL;
        if (keep_turn(self, run)) {
            self->awaited = awaited;
            self->state = STATE_TURN;
            return NEXT_AWAIT;
        }
        Py_DECREF(awaited);
        PyErr_NoMemory();
        turn_awaited(run, NULL);
    }
    turn ended = *run;
    PyMem_Free(self->turn);
    self->turn = NULL;
    return turn_end(&ended) < 0 ? NEXT_ERROR : NEXT_DONE;
}

static next_step
take_turn(event_call *self)
{
    for (;;) {
        turn run;
        turn_status status = self->kind == CALL_CLOSE
                                 ? turn_begin_closing(&run, self->owner, &self->place)
                                 : turn_begin(&run, self->owner, self->event, self->type,
                                              self->data, &self->place);
        if (status != TURN_WAIT) {
            if (self->place.is_linked) {
                event_wait_leave(self->owner, &self->place);
            }
            self->handled = status == TURN_TAKEN || status == TURN_QUEUED;
            return status == TURN_TAKEN   ? go_on(self, &run)
                   : status == TURN_ERROR ? NEXT_ERROR
                                          : NEXT_DONE;
        }
        int waits = event_wait_begin(self->owner, &self->place, &self->awaited);
        if (waits != 0) {
            self->state = STATE_WAITING;
            return waits < 0 ? NEXT_ERROR : NEXT_AWAIT;
        }
    }
}

/* Read type and data of self->event, and dispatch it. */
static next_step
take_event(event_call *self)
{
    dispatcher *owner = self->owner;
    Py_XSETREF(self->type, event_reader_read(&owner->key, self->event));
    if (self->type == NULL) {
        return NEXT_ERROR;
    }
    Py_XSETREF(self->data, event_reader_read(&owner->data, self->event));
    return self->data == NULL ? NEXT_ERROR : take_turn(self);
}

/* ---- a source of events ---- */

static next_step
open_source(event_call *self)
{
    PyObject *source = self->source;
    PyAsyncMethods *methods = Py_TYPE(source)->tp_as_async;
    generators_state *state = self->owner->state;
    self->is_async_source = methods != NULL && methods->am_aiter != NULL;
    PyObject *iterator =
        self->is_async_source ? await_aiter(source) : PyObject_GetIter(source);
    if (iterator == NULL) {
        return NEXT_ERROR;
    }
    Py_SETREF(self->source, iterator);
    int closes = PyObject_IsInstance(
        iterator, self->is_async_source ? state->async_generator_abc : state->generator_abc);
    self->closes_source = closes > 0;
    self->since = clock_coarse();
    return closes < 0 ? NEXT_ERROR : NEXT_DONE;
}

/* Whether it is time to let the others run. */
static bool
must_pause(event_call *self)
{
    if (++self->count % EVENTS_BETWEEN_LOOKS != 0 ||
        clock_coarse() - self->since < TIME_BETWEEN_PAUSES) {
        return false;
    }
    PyObject *loop;
    int running = loop_running(self->owner->state, &loop);
    Py_XDECREF(loop);
    if (running < 0) {
        PyErr_Clear(); /* it is asked again, by what needs one */
    }
    return running > 0;
}

/* The next event, in self->event: NEXT_DONE; at the end it is NULL. */
static next_step
pull(event_call *self)
{
    Py_CLEAR(self->event);
    if (self->is_async_source) {
        self->awaited = await_anext(self->source);
        self->state = STATE_SOURCE;
        return self->awaited == NULL ? NEXT_ERROR : NEXT_AWAIT;
    }
    self->event = Py_TYPE(self->source)->tp_iternext(self->source);
    if (self->event == NULL && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
            return NEXT_ERROR;
        }
        PyErr_Clear();
    }
    return NEXT_DONE;
}

/* Dispatch events until one must be awaited. */
static next_step
run_source(event_call *self)
{
    while (!self->owner->closing) {
        if (must_pause(self)) {
            self->state = STATE_PAUSE;
            return NEXT_AWAIT;
        }
        next_step next = pull(self);
        if (next != NEXT_DONE || self->event == NULL) {
            return next;
        }
        next = take_event(self);
        if (next != NEXT_DONE) {
            return next;
        }
    }
    return NEXT_DONE;
}

/* arun() is at its end, with an exception set or without. */
static next_step
close_source(event_call *self)
{
    PyObject *source = self->source;
    self->source = NULL;
    self->state = STATE_ENDING;
    self->failure = PyErr_GetRaisedException();
    bool is_closed = self->failure != NULL &&
                     PyErr_GivenExceptionMatches(self->failure, PyExc_GeneratorExit);
    PyObject *closing = NULL;
    bool fails = false;
    if (source != NULL && self->closes_source && !(is_closed && self->is_async_source)) {
        closing =
            PyObject_CallMethod(source, self->is_async_source ? "aclose" : "close", NULL);
        fails = closing == NULL;
    }
    Py_XDECREF(source);
    if (closing != NULL && self->is_async_source) {
        self->awaited = await_iterator(closing);
        fails = self->awaited == NULL;
    }
    Py_XDECREF(closing);
    if (self->awaited != NULL) {
        return NEXT_AWAIT;
    }
    PyObject *failure = self->failure;
    self->failure = NULL;
    if (fails) {
        raising_chain(failure);
        return NEXT_ERROR;
    }
    if (failure != NULL) {
        PyErr_SetRaisedException(failure);
        return NEXT_ERROR;
    }
    return NEXT_DONE;
}

/* ---- steps ---- */

static next_step
begin(event_call *self)
{
    switch (self->kind) {
    case CALL_EMIT:
    case CALL_CLOSE:
        return take_turn(self);
    case CALL_DISPATCH:
        return take_event(self);
    case CALL_RUN:
        return open_source(self);
    default:
        return NEXT_DONE;
    }
}

/* The source gave `event`, or NULL with an exception. */
static next_step
take_pulled(event_call *self, PyObject *event)
{
    if (event != NULL) {
        self->event = Py_NewRef(event);
        return take_event(self);
    }
    if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) {
        PyErr_Clear();
        self->state = STATE_ENDING;
        return NEXT_DONE;
    }
    return NEXT_ERROR;
}

/* What was awaited gave `result`, or NULL with an exception: go on to the next that
   must be awaited. */
static next_step
advance_state(event_call *self, PyObject *result)
{
    switch (self->state) {
    case STATE_NEW:
        return begin(self);
    case STATE_WAITING:
        return result == NULL ? NEXT_ERROR : take_turn(self);
    case STATE_TURN:
        if (result == NULL && PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
            self->turn->cannot_await = true;
        }
        turn_awaited(self->turn, Py_XNewRef(result));
        return go_on(self, self->turn);
    case STATE_SOURCE:
        return take_pulled(self, result);
    default:
        return result == NULL ? NEXT_ERROR : NEXT_DONE;
    }
}

static next_step
advance(event_call *self, PyObject *result)
{
    if (self->state == STATE_ENDING) {
        PyObject *failure = self->failure;
        self->failure = NULL;
        if (result == NULL) {
            raising_chain(failure);
            return NEXT_ERROR;
        }
        if (failure != NULL) {
            PyErr_SetRaisedException(failure);
            return NEXT_ERROR;
        }
        return NEXT_DONE;
    }
    next_step next = advance_state(self, result);
    if (self->kind != CALL_RUN || next == NEXT_AWAIT) {
        return next;
    }
    if (next == NEXT_DONE && self->state != STATE_ENDING) {
        next = run_source(self);
    }
    return next == NEXT_AWAIT ? next : close_source(self);
}

/* Step what is awaited.  Handlers run with the turn's token in their context. */
static PySendResult
step_awaited(event_call *self, PyObject *value, PyObject *exception, PyObject **result)
{
    PyObject *variable = NULL, *mark = NULL, *awaited = self->awaited;
    if (self->state == STATE_TURN && self->turn->token != NULL) {
        variable = self->owner->variable;
        mark = PyContextVar_Set(variable, self->turn->token);
        if (mark == NULL) {
            *result = NULL;
            return PYGEN_ERROR;
        }
    }
    PySendResult status = exception != NULL ? await_throw(awaited, exception, result)
                                            : PyIter_Send(awaited, value, result);
    if (mark != NULL) {
        PyObject *raised = status == PYGEN_ERROR ? PyErr_GetRaisedException() : NULL;
        if (PyContextVar_Reset(variable, mark) < 0) {
            PyErr_WriteUnraisable(variable);
        }
        Py_DECREF(mark);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
    }
    return status;
}

/* Send `value`, or throw `exception`, into what is awaited and go on from there. */
static PySendResult
step(event_call *self, PyObject *value, PyObject *exception, PyObject **result)
{
    self->count = 0;
    if (self->kind == CALL_RUN) {
        self->since = clock_coarse();
    }
    for (;;) {
        *result = NULL;
        if (self->awaited != NULL) {
            PySendResult status = step_awaited(self, value, exception, result);
            if (status == PYGEN_NEXT) {
                return status;
            }
            Py_CLEAR(self->awaited);
        }
        else if (exception != NULL) {
            PyErr_SetRaisedException(Py_NewRef(exception));
        }
        else {
            *result = Py_NewRef(Py_None);
        }
        PyObject *given = *result;
        next_step next = advance(self, given);
        Py_XDECREF(given);
        *result = NULL;
        value = Py_None;
        exception = NULL;
        if (next == NEXT_ERROR) {
            return PYGEN_ERROR;
        }
        if (next == NEXT_DONE) {
            return PYGEN_RETURN;
        }
        if (self->awaited == NULL) {
            *result = Py_NewRef(Py_None); /* a pause: one turn of the loop */
            return PYGEN_NEXT;
        }
    }
}

static void
release(event_call *self)
{
    if (self->place.is_linked) {
        event_wait_leave(self->owner, &self->place);
    }
    self->state = STATE_OVER;
    Py_CLEAR(self->event);
    Py_CLEAR(self->type);
    Py_CLEAR(self->data);
    Py_CLEAR(self->source);
    Py_CLEAR(self->failure);
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
resume(event_call *self, PyObject *value, PyObject *exception, PyObject **result)
{
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
        status = step(self, value, exception, result);
    }
    if (status == PYGEN_RETURN) {
        *result = call_value(self);
    }
    if (status != PYGEN_NEXT) {
        release(self);
    }
    self->running = false;
    return status;
}

static PySendResult
call_am_send(PyObject *op, PyObject *value, PyObject **result)
{
    return resume((event_call *)op, value, NULL, result);
}

static PyObject *
call_iternext(PyObject *op)
{
    PyObject *result;
    if (resume((event_call *)op, Py_None, NULL, &result) == PYGEN_RETURN) {
        stop_raise(generators_state_of(op), result);
        return NULL;
    }
    return result;
}

/* For send() and throw(), which are methods: StopIteration is always set. */
static PyObject *
as_iterator(PyObject *op, PySendResult status, PyObject *result)
{
    if (status != PYGEN_RETURN) {
        return result;
    }
    if (result == Py_None) {
        PyErr_SetNone(PyExc_StopIteration);
        Py_DECREF(result);
    }
    else {
        stop_raise(generators_state_of(op), result);
    }
    return NULL;
}

PyDoc_STRVAR(send_doc, "send($self, value, /)\n--\n\nAs the send() of a coroutine.");

static PyObject *
call_send(PyObject *op, PyObject *value)
{
    PyObject *result;
    PySendResult status = resume((event_call *)op, value, NULL, &result);
    return as_iterator(op, status, result);
}

PyDoc_STRVAR(throw_doc, "throw($self, type, value=None, traceback=None, /)\n"
                        "--\n\n"
                        "As the throw() of a coroutine: into the handler that is awaited.");

static PyObject *
call_throw(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    PyObject *exception = raising_thrown("throw", args, count), *result;
    if (exception == NULL) {
        return NULL;
    }
    PySendResult status = resume((event_call *)op, NULL, exception, &result);
    Py_DECREF(exception);
    return as_iterator(op, status, result);
}

/* 0, or -1. */
static int
close_call(event_call *self)
{
    if (self->state == STATE_OVER && !self->running) {
        return 0;
    }
    PyObject *exit = PyObject_CallNoArgs(PyExc_GeneratorExit), *result;
    if (exit == NULL) {
        return -1;
    }
    PySendResult status = resume(self, NULL, exit, &result);
    Py_DECREF(exit);
    Py_XDECREF(result);
    if (status == PYGEN_NEXT) {
        PyErr_SetString(PyExc_RuntimeError, "coroutine ignored GeneratorExit");
        return -1;
    }
    if (status == PYGEN_ERROR) {
        if (!PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
            return -1;
        }
        PyErr_Clear();
    }
    return 0;
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

/* What is dropped is closed; what was never awaited is told, as of a coroutine. */
static void
call_finalize(PyObject *op)
{
    event_call *self = (event_call *)op;
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
        PyErr_WriteUnraisable(op);
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

static void
call_dealloc(PyObject *op)
{
    event_call *self = (event_call *)op;
    PyTypeObject *type = Py_TYPE(op);
    if (self->state != STATE_OVER && PyObject_CallFinalizerFromDealloc(op) < 0) {
        return;
    }
    PyObject_GC_UnTrack(op);
    if (self->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
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
    PyTypeObject *type = owner->state->event_call_type;
    event_call *self = (event_call *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
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

static PyObject *
get_awaited(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *awaited = ((event_call *)op)->awaited;
    return Py_NewRef(awaited == NULL ? Py_None : awaited);
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
    {NULL},
};

static PyMemberDef call_members[] = {
    {"cr_running", Py_T_BOOL, offsetof(event_call, running), Py_READONLY, NULL},
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
