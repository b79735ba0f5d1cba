/* What an async call does between two stops: see call.c.
 *
 * Each function goes on until something must be awaited, or to the end.  A turn begins on
 * the stack and moves to the heap when it stops.
 */
#include "events/call.h"

#include "core/clock.h"
#include "aio/await.h"
#include "aio/loop.h"
#include "runtime/raising.h"

/* Events that are all ready are a busy loop, which must let the others run. */
#define TIME_BETWEEN_PAUSES (CLOCK_SECOND / 100)
#define EVENTS_BETWEEN_LOOKS 32 /* at the clock */

/* What the steps below give: */
typedef enum {
    NEXT_ERROR = -1,
    NEXT_DONE,
    NEXT_AWAIT, /* self->awaited, or with none of that a pause */
} next_step;

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
            self->handled = status > TURN_NOBODY;
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
    while (!dispatcher_is_closing(self->owner)) {
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
            turn_abandon(awaited);
            *result = NULL;
            return PYGEN_ERROR;
        }
    }
    PySendResult status = exception != NULL ? await_throw(awaited, exception, result)
                                            : PyIter_Send(awaited, value, result);
    if (mark != NULL) {
        PyObject *raised = status == PYGEN_ERROR ? PyErr_GetRaisedException() : NULL;
        if (PyContextVar_Reset(variable, mark) < 0) {
            raising_unraisable(variable);
        }
        Py_DECREF(mark);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
    }
    return status;
}

PySendResult
event_call_step(event_call *self, PyObject *value, PyObject *exception, PyObject **result)
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
