/* The steps of aemit(), adispatch(), arun() and aclose() of a Dispatcher.
 *
 * Each function goes on until something must be awaited, or to the end.  If all handlers are
 * sync, the coroutine ends in its first step.  A dispatch starts on the stack.  It moves to
 * the heap if something must be awaited.
 *
 * States: see event_coroutine_state.  A coroutine that is dropped or closed ends its dispatch,
 * or leaves the line.
 *
 * Owned: see the struct.
 *
 * User code: what is awaited, the source, and all that a dispatch runs.  The coroutine refuses
 * other steps meanwhile, so that only its own step changes its fields.
 *
 * Threads: see aio/coroutine.c for the object, dispatch.c for the dispatch.
 */
#include "events/event_coroutine_step.h"

#include "aio/await.h"
#include "aio/loop.h"
#include "events/deliver.h"
#include "events/dispatch_start.h"
#include "events/event_source.h"
#include "events/failure.h"
#include "events/queue_task.h"
#include "runtime/raising.h"

/* What the functions below return. */
typedef enum {
    NEXT_ERROR = -1,
    NEXT_DONE,
    NEXT_AWAIT, /* base.awaited or, if that is NULL, one iteration of the event loop */
} next_step;

/* ---- a dispatch ---- */

/* Move a dispatch to the heap.  False if there is no memory. */
static bool
step_keep_dispatch(event_coroutine *self, dispatch *run)
{
    if (self->dispatch != NULL) {
        return true;
    }
    self->dispatch = PyMem_Malloc(sizeof(dispatch));
    if (self->dispatch == NULL) {
        return false;
    }
    *self->dispatch = *run;
    return true;
}

static next_step
step_continue_dispatch(event_coroutine *self, dispatch *run)
{
    while (dispatch_run(run) > 0) {
        PyObject *awaited = run->awaited;
        run->awaited = NULL;
        if (step_keep_dispatch(self, run)) {
            self->base.awaited = awaited;
            self->state = STEP_DISPATCHING;
            return NEXT_AWAIT;
        }
        Py_DECREF(awaited);
        PyErr_NoMemory();
        deliver_awaited(run, NULL);
    }
    dispatch ended = *run;
    PyMem_Free(self->dispatch);
    self->dispatch = NULL;
    return dispatch_end(&ended) < 0 ? NEXT_ERROR : NEXT_DONE;
}

/* dispatch_start() returned `status`: not DISPATCH_WAITS. */
static next_step
step_take_status(event_coroutine *self, dispatch *run, dispatch_status status)
{
    int left = self->place.is_linked ? waiters_leave(self->owner, &self->place) : 0;
    self->handled = status > DISPATCH_NONE;
    if (left < 0 && status == DISPATCH_STARTED) {
        dispatch_abort(run, PyErr_GetRaisedException());
        left = 0;
    }
    return status == DISPATCH_STARTED             ? step_continue_dispatch(self, run)
           : status == DISPATCH_ERROR || left < 0 ? NEXT_ERROR
                                                  : NEXT_DONE;
}

/* Wait in the line, after DISPATCH_WAITS: NEXT_DONE if it need not wait any more. */
static next_step
step_wait(event_coroutine *self)
{
    int waits = waiters_wait(self->owner, &self->place, &self->base.awaited);
    if (waits == 0) {
        return NEXT_DONE;
    }
    self->state = STEP_WAITING;
    return waits < 0 ? NEXT_ERROR : NEXT_AWAIT;
}

static next_step
step_start_dispatch(event_coroutine *self)
{
    for (;;) {
        dispatch run;
        dispatch_status status =
            self->method == METHOD_ACLOSE
                ? dispatch_start_closing(&run, self->owner, &self->place)
            : self->method == METHOD_REPORT
                ? dispatch_start_report(&run, self->owner, self->data, &self->place)
                : dispatch_start(&run, self->owner, self->event, self->type, self->data,
                                 &self->place);
        if (status != DISPATCH_WAITS) {
            return step_take_status(self, &run, status);
        }
        next_step next = step_wait(self);
        if (next != NEXT_DONE) {
            return next;
        }
    }
}

/* A handler returned `result`, which is stolen; or it is NULL and an exception is set. */
static next_step
step_resume_dispatch(event_coroutine *self, PyObject *result)
{
    deliver_awaited(self->dispatch, result);
    if (self->is_closing) {
        dispatch_abort(self->dispatch, PyObject_CallNoArgs(PyExc_GeneratorExit));
    }
    return step_continue_dispatch(self, self->dispatch);
}

void
event_coroutine_leave(event_coroutine *self)
{
    if (self->dispatch != NULL) {
        self->is_closing = true;
        PyErr_SetNone(PyExc_GeneratorExit);
        next_step next = step_resume_dispatch(self, NULL);
        if (next == NEXT_ERROR && raising_forgive(PyExc_GeneratorExit) < 0) {
            raising_unraisable((PyObject *)self->owner);
        }
    }
    if (self->place.is_linked && waiters_leave(self->owner, &self->place) < 0) {
        raising_unraisable((PyObject *)self->owner);
    }
}

/* Read the type and the data of self->event, and dispatch it. */
static next_step
step_dispatch_event(event_coroutine *self)
{
    dispatcher *owner = self->owner;
    PyObject *type = event_reader_read(&owner->key, self->event);
    PyObject *data = type == NULL ? NULL : event_reader_read(&owner->data, self->event);
    if (data == NULL) {
        Py_XDECREF(type);
        return NEXT_ERROR;
    }
    PyObject *earlier_type = self->type, *earlier_data = self->data;
    self->type = type;
    self->data = data;
    Py_XDECREF(earlier_type);
    Py_XDECREF(earlier_data);
    return step_start_dispatch(self);
}

/* ---- a source of events ---- */

static next_step
step_open_source(event_coroutine *self)
{
    PyObject *source = self->source.source;
    if (dispatcher_keep_loop(self->owner) < 0) {
        return NEXT_ERROR;
    }
    if (!arun_source_is_async(source) && !event_source_is_iterable(source)) {
        event_source_refuse(source);
        return NEXT_ERROR;
    }
    return arun_source_open(&self->source, self->owner->state) < 0 ? NEXT_ERROR : NEXT_DONE;
}

/* Whether the event loop must run now: 1, 0 or -1. */
static int
step_must_pause(event_coroutine *self)
{
    if (!budget_spend(&self->budget)) {
        return 0;
    }
    PyObject *loop;
    int running = loop_running(self->owner->state, &loop);
    Py_XDECREF(loop);
    return running;
}

/* Get the next event, in self->event.  It is NULL at the end. */
static next_step
step_pull_event(event_coroutine *self)
{
    PyObject *earlier = self->event;
    self->event = NULL;
    Py_XDECREF(earlier);
    if (self->source.is_async) {
        self->base.awaited = await_anext(self->source.source);
        self->state = STEP_AT_SOURCE;
        return self->base.awaited == NULL ? NEXT_ERROR : NEXT_AWAIT;
    }
    return event_source_next(self->source.source, &self->event) < 0 ? NEXT_ERROR : NEXT_DONE;
}

/* Dispatch events until something must be awaited. */
static next_step
step_run_source(event_coroutine *self)
{
    while (!dispatcher_is_closing(self->owner)) {
        int pauses = step_must_pause(self);
        if (pauses != 0) {
            self->state = STEP_PAUSED;
            return pauses < 0 ? NEXT_ERROR : NEXT_AWAIT;
        }
        next_step next = step_pull_event(self);
        if (next != NEXT_DONE || self->event == NULL) {
            return next;
        }
        next = step_dispatch_event(self);
        if (next != NEXT_DONE) {
            return next;
        }
    }
    return NEXT_DONE;
}

/* The source is closed; `fails` if that raised the exception that is set. */
static next_step
step_end_source(event_coroutine *self, bool fails)
{
    return arun_source_end(&self->source, fails) < 0 ? NEXT_ERROR : NEXT_DONE;
}

/* arun() is at its end, with or without an exception. */
static next_step
step_close_source(event_coroutine *self)
{
    self->state = STEP_ENDING;
    int status = arun_source_close(&self->source, &self->base, !self->is_closing);
    return status > 0 ? NEXT_AWAIT : step_end_source(self, status < 0);
}

/* The source returned `event`, which is stolen; or it is NULL and an exception is set. */
static next_step
step_take_pulled(event_coroutine *self, PyObject *event)
{
    self->event = event;
    if (event != NULL) {
        return step_dispatch_event(self);
    }
    if (raising_forgive(PyExc_StopAsyncIteration) == 0) {
        self->state = STEP_ENDING;
        return NEXT_DONE;
    }
    return NEXT_ERROR;
}

/* ---- steps ---- */

static next_step
step_begin(event_coroutine *self)
{
    switch (self->method) {
    case METHOD_AEMIT:
    case METHOD_REPORT:
    case METHOD_ACLOSE:
        return step_start_dispatch(self);
    case METHOD_ADISPATCH:
        return step_dispatch_event(self);
    case METHOD_ARUN:
        return step_open_source(self);
    default: /* __aenter__() */
        return dispatcher_keep_loop(self->owner) < 0 ? NEXT_ERROR : NEXT_DONE;
    }
}

/* What was awaited ended with `result`, which is stolen; or it is NULL and an exception is
   set. */
static next_step
step_advance_state(event_coroutine *self, PyObject *result)
{
    if (self->state == STEP_DISPATCHING) {
        return step_resume_dispatch(self, result);
    }
    if (self->state == STEP_AT_SOURCE) {
        return step_take_pulled(self, result);
    }
    if (result == NULL) {
        return NEXT_ERROR;
    }
    Py_DECREF(result);
    switch (self->state) {
    case STEP_NEW:
        return step_begin(self);
    case STEP_WAITING:
        return step_start_dispatch(self);
    default:
        return NEXT_DONE;
    }
}

/* The same, and go on until something must be awaited. */
static next_step
step_advance(event_coroutine *self, PyObject *result)
{
    if (self->state == STEP_ENDING) {
        Py_XDECREF(result);
        return step_end_source(self, result == NULL);
    }
    next_step next = step_advance_state(self, result);
    if (self->method != METHOD_ARUN || next == NEXT_AWAIT) {
        return next;
    }
    if (next == NEXT_DONE && self->state != STEP_ENDING) {
        next = step_run_source(self);
    }
    return next == NEXT_AWAIT ? next : step_close_source(self);
}

/* The result of the coroutine: a new reference. */
static PyObject *
step_value(event_coroutine *self)
{
    switch (self->method) {
    case METHOD_AEMIT:
    case METHOD_REPORT:
    case METHOD_ADISPATCH:
        return PyBool_FromLong(self->handled);
    case METHOD_AENTER:
        return Py_NewRef((PyObject *)self->owner);
    default:
        Py_RETURN_NONE;
    }
}

PySendResult
event_coroutine_step(coroutine *op, PyObject *value, PyObject *exception, PyObject **result)
{
    event_coroutine *self = (event_coroutine *)op;
    if (self->method == METHOD_ARUN) {
        budget_stop(&self->budget);
    }
    self->is_closing |=
        exception != NULL && PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit);
    for (;;) {
        PyObject *given;
        PySendResult sent =
            self->state == STEP_DISPATCHING
                ? deliver_resume_awaited(self->dispatch, op, value, exception, &given)
                : coroutine_resume_awaited(op, value, exception, &given);
        if (sent == PYGEN_NEXT) {
            *result = given;
            return sent;
        }
        next_step next = step_advance(self, given);
        value = Py_None;
        exception = NULL;
        if (next == NEXT_ERROR) {
            return PYGEN_ERROR;
        }
        if (next == NEXT_DONE) {
            *result = step_value(self);
            return PYGEN_RETURN;
        }
        if (op->awaited == NULL) {
            return coroutine_pause(result);
        }
    }
}

PySendResult
event_coroutine_first_step(event_coroutine *self, PyObject **result)
{
    dispatch run;
    dispatch_status status =
        dispatch_start(&run, self->owner, NULL, self->type, self->data, &self->place);
    if (status == DISPATCH_DONE) {
        *result = Py_NewRef(Py_True);
        return PYGEN_RETURN;
    }
    next_step next =
        status == DISPATCH_WAITS ? step_wait(self) : step_take_status(self, &run, status);
    if (status == DISPATCH_WAITS && next == NEXT_DONE) {
        next = step_start_dispatch(self);
    }
    switch (next) {
    case NEXT_ERROR:
        return PYGEN_ERROR;
    case NEXT_DONE:
        *result = PyBool_FromLong(self->handled);
        return PYGEN_RETURN;
    default:
        return event_coroutine_step(&self->base, Py_None, NULL, result);
    }
}
