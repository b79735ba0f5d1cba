/* The driver of to_sync(), as the coroutine
 *
 *     async def driver(source):
 *         if not hasattr(source, '__aiter__'):
 *             source = source()
 *         async with aclosing(aiter(source)) as iterator:
 *             async for item in iterator:
 *                 channel.put(item)
 *                 while channel.is_full():
 *                     await parking
 *
 * One task, on its loop's thread, does everything with the source: cancel scopes, context
 * variables and connections stay where they belong.  Items that are ready are put without a
 * pause, as long as the budget lasts.
 *
 * States: see driver_phase.  While its task runs, a driver owns a reference to itself, so that
 * neither is collected while the source is open.  It does not know the stream that reads from
 * it, so it is closed when that stream is dropped.
 *
 * Closing: a pending step of the source is cancelled, as asyncio cancels a task.  After that,
 * or between two steps, the source is closed.  If something else cancels the task (the loop
 * shuts down), the cancellation is thrown into the source and ends the task, and the reader
 * gets a RuntimeError.
 *
 * User code: that of the source, in the task, and the loop's methods.
 *
 * Threads: the base's `running` guards a step.  Everything that other threads use is in the
 * channel.
 */
#include "bridge/driver.h"

#include "aio/await.h"
#include "aio/loop.h"
#include "runtime/closing.h"
#include "runtime/raising.h"
#include "stream/astream.h"
#include "stream/refusal.h"

/* ---- errors ---- */

void
driver_record_error(driver *self)
{
    raising_convert(PyExc_StopIteration, "the source");
    raising_convert(PyExc_StopAsyncIteration, "the source");
    raising_chain(channel_get_error(&self->channel));
    channel_set_error(&self->channel, PyErr_GetRaisedException(),
                      self->phase == DRIVER_CLOSING);
}

/* The exception that is set is a cancellation by others.  The task ends with it, and the
   reader is told why there are no more items. */
static void
record_cancellation(driver *self)
{
    PyObject *cancellation = PyErr_GetRaisedException();
    if (!channel_is_closing(&self->channel)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the source was cancelled: its event loop is shutting down");
        PyObject *error = PyErr_GetRaisedException();
        PyException_SetContext(error, Py_NewRef(cancellation));
        PyException_SetCause(error, Py_NewRef(cancellation));
        PyErr_SetRaisedException(error);
        driver_record_error(self);
    }
    PyObject *earlier = self->cancellation;
    self->cancellation = cancellation;
    Py_XDECREF(earlier);
}

/* The cancellation that was meant to close the source has done its work, so what the task does
   next is not cancelled.  An exception that is set stays set. */
static void
uncancel(driver *self)
{
    PyObject *task = Py_XNewRef(self->task);
    if (task != NULL) {
        loop_uncancel(task);
        Py_DECREF(task);
    }
}

/* ---- what is awaited next ----
 *
 * Each of these functions begins to await something.  PYGEN_RETURN with *value: the awaited
 * object gave this value at once.  PYGEN_RETURN with NULL: there was nothing to await.
 */

static bool
is_async_iterable(PyObject *object)
{
    PyAsyncMethods *methods = Py_TYPE(object)->tp_as_async;
    return methods != NULL && methods->am_aiter != NULL;
}

static int
is_closed_at_end(driver *self, PyObject *iterator)
{
    return closing_is_due(iterator,
                          generators_state_of((PyObject *)self)->async_generator_abc);
}

int
driver_needs_closing(driver *self)
{
    PyObject *source = self->source;
    if (source == NULL) { /* at exit, a driver may be finalized before its stream */
        return 0;
    }
    return is_async_iterable(source) ? is_closed_at_end(self, source) : 0;
}

static PySendResult
open_source(driver *self)
{
    PyObject *source = self->source;
    PyObject *iterable =
        is_async_iterable(source) ? Py_NewRef(source) : PyObject_CallNoArgs(source);
    PyObject *iterator = iterable == NULL ? NULL : await_aiter(iterable);
    if (iterable != NULL && iterator == NULL && !is_async_iterable(iterable)) {
        refusal_add_hint("to_sync", iterable, true);
    }
    Py_XDECREF(iterable);
    if (iterator == NULL) {
        return PYGEN_ERROR;
    }
    int closes = is_closed_at_end(self, iterator);
    self->closes_source = closes > 0;
    self->iterator = iterator;
    self->source = NULL;
    Py_DECREF(source);
    return closes < 0 ? PYGEN_ERROR : PYGEN_RETURN;
}

static PySendResult
park(driver *self, PyObject **value)
{
    PyObject *parking = loop_future(self->loop);
    if (parking == NULL) {
        return PYGEN_ERROR;
    }
    if (!channel_park(&self->channel)) { /* there is room now */
        Py_DECREF(parking);
        return PYGEN_RETURN;
    }
    self->parking = parking;
    self->phase = DRIVER_PARKED;
    return coroutine_await(&self->base, await_iterator(parking), value);
}

/* A source that is a native stream is stopped in place of the driver, which reads it to its
   end.  1 where it was, 0, or -1. */
static int
pass_stop(driver *self)
{
    if (!self->passes_stop && self->iterator != NULL) {
        PyObject *iterator = Py_NewRef(self->iterator);
        int is_stopped = astream_stop_source(generators_state_of((PyObject *)self), iterator);
        Py_DECREF(iterator);
        if (is_stopped < 0) {
            return -1;
        }
        self->passes_stop = is_stopped > 0;
    }
    return self->passes_stop;
}

static PySendResult
read_source(driver *self, PyObject **value)
{
    int passes = channel_is_draining(&self->channel) ? pass_stop(self) : 1;
    if (passes < 0) {
        return PYGEN_ERROR;
    }
    if (passes == 0) {
        channel_set_cut(&self->channel);
    }
    if (passes == 0 || channel_is_closing(&self->channel)) {
        self->phase = DRIVER_CLOSING;
        return PYGEN_RETURN;
    }
    if (!channel_has_room(&self->channel)) {
        return park(self, value);
    }
    PyObject *iterator = Py_NewRef(self->iterator);
    PySendResult sent = coroutine_await(&self->base, await_anext(iterator), value);
    Py_DECREF(iterator);
    return sent;
}

/* The source was never read from.  Take it in place of its iterator: no iterator is made just
   to be closed. */
static int
take_unread_source(driver *self)
{
    int closes = driver_needs_closing(self);
    self->closes_source = closes > 0;
    self->iterator = self->source;
    self->source = NULL;
    return closes < 0 ? -1 : 0;
}

static PySendResult
close_source(driver *self, PyObject **value)
{
    if (self->source != NULL && take_unread_source(self) < 0) {
        return PYGEN_ERROR;
    }
    PyObject *iterator = self->iterator;
    self->iterator = NULL;
    if (iterator == NULL || !self->closes_source) {
        self->phase = DRIVER_CLOSED;
        Py_XDECREF(iterator);
        return PYGEN_RETURN;
    }
    PyObject *awaitable = PyObject_CallMethod(iterator, "aclose", NULL);
    Py_DECREF(iterator);
    if (awaitable == NULL) {
        return PYGEN_ERROR;
    }
    PySendResult sent = coroutine_await(&self->base, await_iterator(awaitable), value);
    Py_DECREF(awaitable);
    return sent;
}

static PySendResult
await_next(driver *self, PyObject **value)
{
    *value = NULL;
    switch (self->phase) {
    case DRIVER_NEW:
        self->phase = channel_is_closing(&self->channel) || channel_is_draining(&self->channel)
                          ? DRIVER_CLOSING
                          : DRIVER_READING;
        return self->phase == DRIVER_READING ? open_source(self) : PYGEN_RETURN;
    case DRIVER_CLOSING:
        return close_source(self, value);
    default:
        return read_source(self, value);
    }
}

/* ---- results ---- */

static void
drop_parking(driver *self)
{
    PyObject *parking = self->parking;
    self->parking = NULL;
    Py_XDECREF(parking);
}

/* `value` is stolen.  0 or -1. */
static int
take_value(driver *self, PyObject *value)
{
    driver_cancelled cancelled = self->cancelled;
    self->cancelled = DRIVER_NOT_CANCELLED;
    if (cancelled == DRIVER_CANCELLED_TO_CLOSE) {
        uncancel(self);
    }
    if (self->phase == DRIVER_READING) {
        self->pulled++;
        return channel_put(&self->channel, value);
    }
    self->phase = self->phase == DRIVER_PARKED ? DRIVER_READING : DRIVER_CLOSED;
    Py_DECREF(value);
    drop_parking(self);
    return 0;
}

/* An exception is set.  If it is not the end of the source, record it.  Only closing the
   source is left. */
static void
take_exception(driver *self)
{
    PyObject *cancelled_error = generators_state_of((PyObject *)self)->cancelled_error;
    driver_cancelled cancelled = self->cancelled;
    bool is_reading = self->phase == DRIVER_READING && self->source == NULL;
    bool is_cancellation =
        cancelled != DRIVER_NOT_CANCELLED && PyErr_ExceptionMatches(cancelled_error);
    self->cancelled = DRIVER_NOT_CANCELLED;
    if (cancelled == DRIVER_CANCELLED_TO_CLOSE) {
        uncancel(self);
    }
    if (is_cancellation && cancelled == DRIVER_CANCELLED_BY_OTHERS) {
        record_cancellation(self);
    }
    else if (is_cancellation) {
        PyErr_Clear();
    }
    else if (is_reading && raising_forgive(PyExc_StopAsyncIteration) == 0) {
        if (self->passes_stop && ((astream *)self->iterator)->was_cut) {
            channel_set_cut(&self->channel);
        }
    }
    else {
        if (is_reading) {
            stream_note("while reading item %zd", self->pulled);
        }
        driver_record_error(self);
    }
    drop_parking(self);
    self->phase = DRIVER_CLOSING;
}

/* ---- the coroutine ---- */

/* close(): close the awaited object, as at any `await`.  The source is left as it is. */
static PySendResult
exit_step(driver *self, PyObject *exception)
{
    if (coroutine_close_awaited(&self->base) < 0) {
        driver_record_error(self);
    }
    PyErr_SetString(PyExc_RuntimeError, "the task of the source was closed");
    driver_record_error(self);
    self->phase = DRIVER_CLOSED;
    PyErr_SetRaisedException(Py_NewRef(exception));
    return PYGEN_ERROR;
}

static PySendResult
run(driver *self, PyObject *thrown, PyObject **result)
{
    bool is_resumed = self->base.awaited != NULL || thrown != NULL;
    while (self->phase != DRIVER_CLOSED) {
        PyObject *value = NULL;
        PySendResult sent;
        if (is_resumed) {
            sent = coroutine_resume_awaited(&self->base, thrown == NULL ? Py_None : NULL,
                                            thrown, &value);
            thrown = NULL;
            is_resumed = false;
        }
        else if (budget_spend(&self->budget)) {
            return coroutine_pause(result);
        }
        else {
            sent = await_next(self, &value);
        }
        if (sent == PYGEN_NEXT) {
            *result = value;
            return PYGEN_NEXT;
        }
        if (sent == PYGEN_ERROR || (value != NULL && take_value(self, value) < 0)) {
            take_exception(self);
        }
    }
    if (self->cancellation != NULL) {
        PyObject *cancellation = self->cancellation;
        self->cancellation = NULL;
        PyErr_SetRaisedException(cancellation);
        return PYGEN_ERROR;
    }
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

static PySendResult
driver_step(coroutine *base, PyObject *value, PyObject *exception, PyObject **result)
{
    driver *self = (driver *)base;
    if (value == NULL && PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit)) {
        return exit_step(self, exception);
    }
    PyObject *cancelled_error = generators_state_of((PyObject *)self)->cancelled_error;
    if (value == NULL && PyErr_GivenExceptionMatches(exception, cancelled_error)) {
        self->cancelled =
            self->cancels ? DRIVER_CANCELLED_TO_CLOSE : DRIVER_CANCELLED_BY_OTHERS;
        self->cancels = false;
    }
    budget_start(&self->budget);
    PySendResult sent = run(self, value == NULL ? exception : NULL, result);
    if (sent == PYGEN_NEXT) {
        channel_wake(&self->channel);
    }
    return sent;
}

/* The end: drop everything except the items and the error. */
static void
driver_release(coroutine *base)
{
    driver *self = (driver *)base;
    PyObject *held[] = {self->parking, self->source, self->iterator, self->task};
    self->phase = DRIVER_CLOSED;
    self->parking = self->source = self->iterator = self->task = NULL;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(held); i++) {
        Py_XDECREF(held[i]);
    }
    PyObject *error = channel_end(&self->channel);
    if (error != NULL) {
        PyErr_SetRaisedException(error);
        raising_unraisable((PyObject *)self);
    }
    if (self->owns_itself) {
        self->owns_itself = false;
        Py_DECREF(self); /* the caller of the step has another reference */
    }
}

static PyObject *
driver_qualified_name(coroutine *Py_UNUSED(base))
{
    return PyUnicode_FromString("to_sync");
}

static const coroutine_kind driver_kind = {
    .step = driver_step,
    .release = driver_release,
    .qualified_name = driver_qualified_name,
    .is_internal = true,
};

void
driver_give_up(driver *self)
{
    Py_INCREF(self);
    coroutine_give_up(&self->base);
    PyObject *error = channel_end(&self->channel); /* also if a step still runs */
    if (error != NULL) {
        PyErr_SetRaisedException(error);
        raising_unraisable((PyObject *)self);
    }
    Py_DECREF(self);
}

/* ---- called by the loop ---- */

static int
create_task(driver *self)
{
    PyObject *create = PyObject_GetAttrString(self->loop, "create_task");
    PyObject *args = PyTuple_Pack(1, (PyObject *)self);
    PyObject *kwargs =
        Py_BuildValue("{s:O,s:s}", "context", self->context, "name", "generators.to_sync");
    PyObject *task = create == NULL || args == NULL || kwargs == NULL
                         ? NULL
                         : PyObject_Call(create, args, kwargs);
    Py_XDECREF(create);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    if (task == NULL) {
        return -1;
    }
    if (self->base.state == COROUTINE_ENDED) { /* it was an eager task */
        Py_DECREF(task);
    }
    else {
        self->task = task;
    }
    return 0;
}

static void
start(driver *self)
{
    self->owns_itself = true;
    Py_INCREF(self);
    if (create_task(self) < 0) {
        driver_record_error(self);
        driver_give_up(self);
    }
}

/* Cancel the source's step in progress, once. */
static int
cancel_step(driver *self)
{
    PyObject *task = Py_NewRef(self->task);
    self->cancels = true;
    PyObject *done = PyObject_CallMethod(task, "cancel", NULL);
    Py_DECREF(task);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Do what the reader asked for: start, continue, or close. */
static PyObject *
driver_wake(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    driver *self = (driver *)op;
    int status = 0;
    if (self->phase == DRIVER_NEW && self->task == NULL && !self->owns_itself) {
        start(self);
    }
    else if (self->phase == DRIVER_PARKED && self->parking != NULL) {
        PyObject *parking = Py_NewRef(self->parking);
        status = loop_wake(parking);
        Py_DECREF(parking);
    }
    else if (self->phase == DRIVER_READING && self->base.awaited != NULL && !self->cancels &&
             self->cancelled == DRIVER_NOT_CANCELLED && self->task != NULL &&
             channel_is_closing(&self->channel)) {
        status = cancel_step(self);
    }
    else if (self->phase == DRIVER_READING && self->iterator != NULL &&
             channel_is_draining(&self->channel)) {
        status = pass_stop(self);
    }
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- memory ---- */

driver *
driver_new(generators_state *state, PyObject *source, size_t max_items, size_t max_bytes)
{
    driver *self = (driver *)state->driver_type->tp_alloc(state->driver_type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->source = Py_NewRef(source);
    self->name = measures_source_name(source);
    self->context = PyContext_CopyCurrent();
    if (self->context == NULL || self->name == NULL ||
        channel_init(&self->channel, max_items, max_bytes) < 0 ||
        coroutine_init(&self->base, &driver_kind, false) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return self;
}

static int
driver_traverse(PyObject *op, visitproc visit, void *arg)
{
    driver *self = (driver *)op;
    Py_VISIT(self->context);
    Py_VISIT(self->loop);
    Py_VISIT(self->source);
    Py_VISIT(self->iterator);
    Py_VISIT(self->parking);
    Py_VISIT(self->task);
    Py_VISIT(self->cancellation);
    int status = channel_traverse(&self->channel, visit, arg);
    return status != 0 ? status : coroutine_traverse(op, visit, arg);
}

static int
driver_clear(PyObject *op)
{
    driver *self = (driver *)op;
    Py_CLEAR(self->context);
    Py_CLEAR(self->loop);
    Py_CLEAR(self->source);
    Py_CLEAR(self->iterator);
    Py_CLEAR(self->parking);
    Py_CLEAR(self->task);
    Py_CLEAR(self->cancellation);
    Py_CLEAR(self->name);
    channel_clear(&self->channel);
    return coroutine_clear(op);
}

static PyMethodDef driver_methods[] = {
    {"_wake", driver_wake, METH_NOARGS, NULL},
    {NULL},
};

static PyType_Slot driver_slots[] = {
    {Py_tp_doc, (char *)"The coroutine that reads the source of a to_sync()."},
    {Py_tp_traverse, driver_traverse},
    {Py_tp_clear, driver_clear},
    {Py_tp_methods, driver_methods},
    COROUTINE_SLOTS,
    {0, NULL},
};

PyType_Spec driver_spec = {
    .name = "native_generators._native._Driver",
    .basicsize = sizeof(driver),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = driver_slots,
};
