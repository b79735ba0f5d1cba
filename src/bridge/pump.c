/* The pump of to_sync, as the coroutine
 *
 *     async def pump(source):
 *         if not hasattr(source, '__aiter__'):
 *             source = source()
 *         async with aclosing(aiter(source)) as iterator:
 *             async for item in iterator:
 *                 ring.put(item)
 *                 while ring.full():
 *                     await gate
 *
 * All that is done with the source is done by one task, on its loop's thread: cancel
 * scopes, context variables and connections stay where they belong.  Items that are
 * ready cross without a turn of the loop; it has one when PAUSE_AFTER is over.
 *
 * States: see pump_phase.  As long as its task runs a pump owns a reference to itself, so
 * that neither is taken for garbage while the source is open.  It does not know the
 * stream that reads from it, and so is closed when that is dropped.
 *
 * Closing: a source that is in a step of its own is cancelled, as asyncio cancels a task;
 * after that, or between two steps, it is closed.  A cancellation of somebody else's
 * (the loop is being shut down) is thrown into the source and ends the task; who reads
 * the items gets a RuntimeError.
 *
 * User code that runs: the source's, in the task; the loop's own methods.
 *
 * Threads: see pump.h for what belongs to which.  The reader waits for a lock that
 * stays taken, the bell; who clears `waiting` leaves it, exactly once.  The coroutine's
 * methods take its section, should another thread than the loop's call them.
 */
#include "bridge/pump.h"

#include "bridge/size.h"
#include "core/clock.h"
#include "aio/await.h"
#include "aio/loop.h"
#include "runtime/raising.h"
#include "runtime/lock.h"

#define PAUSE_AFTER (CLOCK_SECOND / 1000)
#define MOST_UNCHECKED 63 /* items, until the clock is looked at again */

/* ---- between the threads ---- */

/* Let the reader go on, if it can. */
static void
ring_bell_lock_held(pump *self)
{
    if (self->waiting && (self->ended || !ring_is_empty(&self->ring))) {
        self->waiting = false;
        PyThread_release_lock(self->bell);
    }
}

static void
ring_bell(pump *self)
{
    generators_lock_take(&self->lock);
    ring_bell_lock_held(self);
    generators_lock_leave(&self->lock);
}

static bool
is_closing(pump *self)
{
    generators_lock_take(&self->lock);
    bool closing = self->closing;
    generators_lock_leave(&self->lock);
    return closing;
}

static bool
has_room_lock_held(const pump *self)
{
    return !ring_is_full(&self->ring) || (self->asked && ring_is_empty(&self->ring));
}

/* ---- errors ---- */

void
pump_record_error(pump *self)
{
    raising_convert(PyExc_StopIteration, "the source");
    raising_convert(PyExc_StopAsyncIteration, "the source");
    if (self->error != NULL) {
        raising_chain(Py_NewRef(self->error));
    }
    PyObject *error = PyErr_GetRaisedException();
    generators_lock_take(&self->lock);
    PyObject *earlier = self->error;
    self->error = error;
    self->from_closing = self->closing || self->phase == PUMP_CLOSING;
    generators_lock_leave(&self->lock);
    Py_XDECREF(earlier);
}

/* The exception being raised is a cancellation, neither the stream's nor the source's. */
static void
record_cancellation(pump *self)
{
    PyObject *cancellation = PyErr_GetRaisedException();
    if (!is_closing(self)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the source was cancelled: its event loop is shutting down");
        PyObject *error = PyErr_GetRaisedException();
        PyException_SetContext(error, Py_NewRef(cancellation));
        PyException_SetCause(error, Py_NewRef(cancellation));
        PyErr_SetRaisedException(error);
        pump_record_error(self);
    }
    Py_XSETREF(self->cancellation, cancellation);
}

/* The cancellation that was meant to close has done its work: what comes next in the
   task is not cancelled.  What is being raised is kept. */
static void
uncancel(pump *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *left = PyObject_CallMethod(self->task, "uncancel", NULL);
    if (left == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear(); /* a task of somebody's own making */
    }
    else if (left == NULL) {
        raising_unraisable(self->task);
    }
    Py_XDECREF(left);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

/* ---- the end ---- */

void
pump_finish(pump *self)
{
    self->phase = PUMP_ENDED;
    Py_CLEAR(self->step);
    Py_CLEAR(self->gate);
    Py_CLEAR(self->source);
    Py_CLEAR(self->iterator);
    Py_CLEAR(self->task);
    generators_lock_take(&self->lock);
    PyObject *unraisable = self->dropped && self->from_closing ? self->error : NULL;
    if (unraisable != NULL) {
        self->error = NULL;
    }
    self->ended = true;
    self->parked = false;
    ring_bell_lock_held(self);
    generators_lock_leave(&self->lock);
    if (unraisable != NULL) {
        PyErr_SetRaisedException(unraisable);
        raising_unraisable((PyObject *)self);
    }
    if (self->owns_itself) {
        self->owns_itself = false;
        Py_DECREF(self);
    }
}

/* ---- what is done next, when nothing is awaited ---- */

int
pump_is_async_generator(pump *self, PyObject *object)
{
    generators_state *state = generators_state_of((PyObject *)self);
    return PyAsyncGen_CheckExact(object) ||
           PyObject_IsInstance(object, state->async_generator_abc);
}

bool
pump_is_async_iterable(PyObject *object)
{
    PyAsyncMethods *methods = Py_TYPE(object)->tp_as_async;
    return methods != NULL && methods->am_aiter != NULL;
}

/* Take the async iterator of what was given.  0 or -1. */
static int
open_source(pump *self)
{
    PyObject *iterable = pump_is_async_iterable(self->source)
                             ? Py_NewRef(self->source)
                             : PyObject_CallNoArgs(self->source);
    if (iterable == NULL) {
        return -1;
    }
    PyObject *iterator = await_aiter(iterable);
    Py_DECREF(iterable);
    if (iterator == NULL) {
        return -1;
    }
    int closes = pump_is_async_generator(self, iterator);
    self->closes_source = closes > 0;
    self->iterator = iterator;
    Py_CLEAR(self->source);
    return closes < 0 ? -1 : 0;
}

static int
begin(pump *self)
{
    if (is_closing(self)) {
        self->phase = PUMP_CLOSING;
        return 0;
    }
    self->phase = PUMP_READING;
    return open_source(self);
}

/* Wait until there is room, unless there is some by now. */
static int
park(pump *self)
{
    self->gate = loop_future(self->loop);
    if (self->gate == NULL) {
        return -1;
    }
    generators_lock_take(&self->lock);
    self->parked = !self->closing && !has_room_lock_held(self);
    bool parked = self->parked;
    generators_lock_leave(&self->lock);
    if (!parked) {
        Py_CLEAR(self->gate);
        return 0;
    }
    self->phase = PUMP_PARKED;
    self->step = await_iterator(self->gate);
    return self->step == NULL ? -1 : 0;
}

static int
read_on(pump *self)
{
    generators_lock_take(&self->lock);
    bool closing = self->closing, room = has_room_lock_held(self);
    generators_lock_leave(&self->lock);
    if (closing) {
        self->phase = PUMP_CLOSING;
        return 0;
    }
    if (!room) {
        return park(self);
    }
    self->step = await_anext(self->iterator);
    return self->step == NULL ? -1 : 0;
}

/* What was given and never read from: no iterator is made of it, to be closed. */
static int
take_unread(pump *self)
{
    int closes = pump_needs_closing(self);
    self->closes_source = closes > 0;
    self->iterator = self->source;
    self->source = NULL;
    return closes < 0 ? -1 : 0;
}

static int
close_source(pump *self)
{
    if (self->source != NULL && take_unread(self) < 0) {
        return -1;
    }
    PyObject *source = self->iterator;
    self->iterator = NULL;
    if (source == NULL || !self->closes_source) {
        Py_XDECREF(source);
        pump_finish(self);
        return 0;
    }
    PyObject *awaitable = PyObject_CallMethod(source, "aclose", NULL);
    Py_DECREF(source);
    if (awaitable == NULL) {
        return -1;
    }
    self->step = await_iterator(awaitable);
    Py_DECREF(awaitable);
    return self->step == NULL ? -1 : 0;
}

static int
go_on(pump *self)
{
    switch (self->phase) {
    case PUMP_NEW:
        return begin(self);
    case PUMP_CLOSING:
        return close_source(self);
    default:
        return read_on(self);
    }
}

/* Whether others on the loop should have their turn before the next item.  Where items
   take nanoseconds the clock is looked at rarely. */
static bool
is_pause_due(pump *self)
{
    if (self->unchecked > 0) {
        self->unchecked--;
        return false;
    }
    uint64_t elapsed = clock_precise() - self->since;
    self->stride = elapsed > PAUSE_AFTER / 4       ? 0
                   : self->stride < MOST_UNCHECKED ? 2 * self->stride + 1
                                                   : MOST_UNCHECKED;
    self->unchecked = self->stride;
    return elapsed >= PAUSE_AFTER;
}

/* ---- what came of what was awaited ---- */

static int
hold_item(pump *self, PyObject *item)
{
    size_t size = item_size(item);
    self->pulled++;
    generators_lock_take(&self->lock);
    bool wanted = !self->closing;
    bool held = wanted && ring_put(&self->ring, item, size);
    self->asked &= !held;
    generators_lock_leave(&self->lock);
    if (held) {
        return 0;
    }
    Py_DECREF(item);
    if (wanted) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* `value` is given away.  0 or -1. */
static int
take_value(pump *self, PyObject *value)
{
    if (self->cancelled == PUMP_CANCELLED_TO_CLOSE) {
        uncancel(self);
    }
    self->cancelled = PUMP_NOT_CANCELLED;
    if (self->phase == PUMP_READING) {
        return hold_item(self, value);
    }
    Py_DECREF(value);
    if (self->phase == PUMP_PARKED) {
        Py_CLEAR(self->gate);
        self->phase = PUMP_READING;
    }
    else {
        pump_finish(self);
    }
    return 0;
}

/* An exception is set: the source's end, or one to be recorded.  All that is left to be
   done is to close the source. */
static void
take_exception(pump *self)
{
    generators_state *state = generators_state_of((PyObject *)self);
    pump_cancelled cancelled = self->cancelled;
    bool reading = self->phase == PUMP_READING && self->source == NULL;
    bool is_cancellation =
        cancelled != PUMP_NOT_CANCELLED && PyErr_ExceptionMatches(state->cancelled_error);
    if (cancelled == PUMP_CANCELLED_TO_CLOSE) {
        uncancel(self);
    }
    self->cancelled = PUMP_NOT_CANCELLED;
    if (is_cancellation && cancelled == PUMP_CANCELLED_BY_OTHERS) {
        record_cancellation(self);
    }
    else if (is_cancellation ||
             (reading && PyErr_ExceptionMatches(PyExc_StopAsyncIteration))) {
        PyErr_Clear();
    }
    else {
        if (reading) {
            stream_note("while reading item %zd", self->pulled);
        }
        pump_record_error(self);
    }
    Py_CLEAR(self->gate);
    self->phase = PUMP_CLOSING;
}

/* ---- the coroutine ---- */

/* One step of what is awaited, into which `thrown` (or NULL) is thrown. */
static PySendResult
drive(pump *self, PyObject *thrown, PyObject **value)
{
    PyObject *step = Py_XNewRef(self->step);
    PySendResult sent;
    *value = NULL;
    if (thrown == NULL) {
        sent = PyIter_Send(step, Py_None, value);
    }
    else if (step != NULL) {
        sent = await_throw(step, thrown, value);
    }
    else {
        PyErr_SetRaisedException(Py_NewRef(thrown));
        sent = PYGEN_ERROR;
    }
    Py_XDECREF(step);
    if (sent != PYGEN_NEXT) {
        Py_CLEAR(self->step);
    }
    return sent;
}

static PySendResult
run(pump *self, PyObject *thrown, PyObject **result)
{
    while (self->phase != PUMP_ENDED) {
        int status = 0;
        if (self->step == NULL && thrown == NULL) {
            if (is_pause_due(self)) {
                *result = Py_NewRef(Py_None);
                return PYGEN_NEXT;
            }
            status = go_on(self);
        }
        else {
            PyObject *value;
            PySendResult sent = drive(self, thrown, &value);
            thrown = NULL;
            if (sent == PYGEN_NEXT) {
                *result = value;
                return PYGEN_NEXT;
            }
            status = sent == PYGEN_ERROR ? -1 : take_value(self, value);
        }
        if (status < 0) {
            take_exception(self);
        }
    }
    if (self->cancellation != NULL) {
        PyErr_SetRaisedException(self->cancellation);
        self->cancellation = NULL;
        *result = NULL;
        return PYGEN_ERROR;
    }
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

static PySendResult
resume_lock_held(pump *self, PyObject *thrown, PyObject **result)
{
    *result = NULL;
    if (self->executing) {
        PyErr_SetString(PyExc_ValueError, "coroutine already executing");
        return PYGEN_ERROR;
    }
    if (self->phase == PUMP_ENDED) {
        PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
        return PYGEN_ERROR;
    }
    self->executing = true;
    self->since = clock_precise();
    self->stride = self->unchecked = 0;
    PySendResult sent = run(self, thrown, result);
    self->executing = false;
    if (sent == PYGEN_NEXT) {
        ring_bell(self);
    }
    return sent;
}

/* Throw `thrown` in; NULL only goes on. */
static PySendResult
resume(pump *self, PyObject *thrown, PyObject **result)
{
    generators_state *state = generators_state_of((PyObject *)self);
    PySendResult sent;
    Py_BEGIN_CRITICAL_SECTION(self);
    if (thrown != NULL && PyErr_GivenExceptionMatches(thrown, state->cancelled_error)) {
        self->cancelled = self->cancels ? PUMP_CANCELLED_TO_CLOSE : PUMP_CANCELLED_BY_OTHERS;
        self->cancels = false;
    }
    sent = resume_lock_held(self, thrown, result);
    Py_END_CRITICAL_SECTION();
    return sent;
}

static PySendResult
pump_am_send(PyObject *op, PyObject *Py_UNUSED(sent), PyObject **result)
{
    return resume((pump *)op, NULL, result);
}

/* What a method gives for a step's outcome. */
static PyObject *
method_result(PySendResult sent, PyObject *result)
{
    if (sent == PYGEN_RETURN) {
        Py_DECREF(result);
        PyErr_SetNone(PyExc_StopIteration); /* it returns None */
        return NULL;
    }
    return result;
}

static PyObject *
pump_send(PyObject *op, PyObject *Py_UNUSED(value))
{
    PyObject *result;
    PySendResult sent = resume((pump *)op, NULL, &result);
    return method_result(sent, result);
}

static PyObject *
pump_iternext(PyObject *op)
{
    return pump_send(op, Py_None);
}

static PyObject *
pump_throw(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    PyObject *thrown = raising_thrown("throw", args, count);
    if (thrown == NULL) {
        return NULL;
    }
    PyObject *result;
    PySendResult sent = resume((pump *)op, thrown, &result);
    Py_DECREF(thrown);
    return method_result(sent, result);
}

static int
close_lock_held(pump *self)
{
    if (self->executing) {
        PyErr_SetString(PyExc_ValueError, "coroutine already executing");
        return -1;
    }
    if (self->phase != PUMP_ENDED) {
        PyErr_SetString(PyExc_RuntimeError, "the task of the source was closed");
        pump_record_error(self);
        pump_finish(self);
    }
    return 0;
}

/* As a coroutine that is closed while it waits: the source is left in its step. */
static PyObject *
pump_close_method(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    int status;
    Py_BEGIN_CRITICAL_SECTION(op);
    status = close_lock_held((pump *)op);
    Py_END_CRITICAL_SECTION();
    if (status < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- on the loop's thread, called by the loop ---- */

static int
create_task(pump *self)
{
    PyObject *create = PyObject_GetAttrString(self->loop, "create_task");
    PyObject *args = PyTuple_Pack(1, (PyObject *)self);
    PyObject *kwargs =
        Py_BuildValue("{s:O,s:s}", "context", self->context, "name", "generators.to_sync");
    PyObject *task = NULL;
    if (create != NULL && args != NULL && kwargs != NULL) {
        task = PyObject_Call(create, args, kwargs);
    }
    Py_XDECREF(create);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    if (task == NULL) {
        return -1;
    }
    if (self->phase == PUMP_ENDED) { /* an eager task */
        Py_DECREF(task);
    }
    else {
        self->task = task;
    }
    return 0;
}

/* Do what the reader has asked for: start, go on or close. */
static int
woken_lock_held(pump *self)
{
    int status = 0;
    if (self->phase == PUMP_NEW && self->task == NULL && !self->owns_itself) {
        Py_INCREF(self);
        self->owns_itself = true;
        if (create_task(self) < 0) {
            pump_record_error(self);
            pump_finish(self);
        }
    }
    else if (self->phase == PUMP_PARKED) {
        status = loop_wake(self->gate);
    }
    else if (self->phase == PUMP_READING && self->step != NULL && !self->cancels &&
             self->cancelled == PUMP_NOT_CANCELLED && self->task != NULL && is_closing(self)) {
        self->cancels = true;
        PyObject *done = PyObject_CallMethod(self->task, "cancel", NULL);
        status = done == NULL ? -1 : 0;
        Py_XDECREF(done);
    }
    return status;
}

static PyObject *
pump_woken(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    int status;
    Py_BEGIN_CRITICAL_SECTION(op);
    status = woken_lock_held((pump *)op);
    Py_END_CRITICAL_SECTION();
    if (status < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- memory ---- */

pump *
pump_new(generators_state *state, PyObject *source, size_t max_items, size_t max_bytes)
{
    pump *self = (pump *)state->pump_type->tp_alloc(state->pump_type, 0);
    if (self == NULL) {
        return NULL;
    }
    ring_init(&self->ring, max_items, max_bytes);
    self->source = Py_NewRef(source);
    self->context = PyContext_CopyCurrent();
    self->bell = lock_new_taken();
    if (self->context == NULL || self->bell == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return self;
}

static int
pump_traverse(PyObject *op, visitproc visit, void *arg)
{
    pump *self = (pump *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->context);
    Py_VISIT(self->loop);
    Py_VISIT(self->source);
    Py_VISIT(self->iterator);
    Py_VISIT(self->step);
    Py_VISIT(self->gate);
    Py_VISIT(self->task);
    Py_VISIT(self->cancellation);
    Py_VISIT(self->error);
    for (size_t i = 0; i < self->ring.count; i++) {
        Py_VISIT((PyObject *)ring_at(&self->ring, i));
    }
    return 0;
}

static int
pump_clear(PyObject *op)
{
    pump *self = (pump *)op;
    Py_CLEAR(self->context);
    Py_CLEAR(self->loop);
    Py_CLEAR(self->source);
    Py_CLEAR(self->iterator);
    Py_CLEAR(self->step);
    Py_CLEAR(self->gate);
    Py_CLEAR(self->task);
    Py_CLEAR(self->cancellation);
    Py_CLEAR(self->error);
    pump_drop_items(self);
    return 0;
}

static void
pump_dealloc(PyObject *op)
{
    pump *self = (pump *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    pump_clear(op);
    ring_free(&self->ring);
    if (self->bell != NULL) {
        PyThread_release_lock(self->bell); /* on some systems it may not be freed taken */
        PyThread_free_lock(self->bell);
    }
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef pump_methods[] = {
    {"send", pump_send, METH_O, NULL},
    {"throw", (PyCFunction)(void (*)(void))pump_throw, METH_FASTCALL, NULL},
    {"close", pump_close_method, METH_NOARGS, NULL},
    {"_woken", pump_woken, METH_NOARGS, NULL},
    {NULL},
};

static PyType_Slot pump_slots[] = {
    {Py_tp_doc, (char *)"The coroutine that reads the source of a to_sync."},
    {Py_tp_traverse, pump_traverse},
    {Py_tp_clear, pump_clear},
    {Py_tp_dealloc, pump_dealloc},
    {Py_tp_iternext, pump_iternext},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, pump_am_send},
    {Py_tp_methods, pump_methods},
    {0, NULL},
};

PyType_Spec pump_spec = {
    .name = "generators._native._Pump",
    .basicsize = sizeof(pump),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = pump_slots,
};
