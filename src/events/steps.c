/* What an async call of a Dispatcher does in its steps.
 *
 * Each function goes on until something must be awaited, or to the end.  What is ready does
 * not stop it: where all handlers are sync the call ends in its first step.  A turn begins on
 * the stack, and moves to the heap when it stops.
 *
 * User code runs in what is awaited, in the source and in all that a turn runs.  The coroutine
 * refuses other steps meanwhile, so that no field of the call changes but by its own step.
 *
 * Dropped or closed: its turn ends, or it leaves the line.
 */
#include "events/steps.h"

#include "aio/await.h"
#include "aio/loop.h"
#include "events/queue_task.h"
#include "runtime/closing.h"
#include "runtime/raising.h"

/* What the functions below give. */
typedef enum {
    NEXT_ERROR = -1,
    NEXT_DONE,
    NEXT_AWAIT, /* base.awaited, or the loop's next turn if that is NULL */
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
continue_turn(event_call *self, turn *run)
{
    while (turn_run(run) > 0) {
        PyObject *awaited = run->awaited;
        run->awaited = NULL;
        if (keep_turn(self, run)) {
            self->base.awaited = awaited;
            self->state = CALL_IN_TURN;
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
            int left = self->place.is_linked ? event_wait_leave(self->owner, &self->place) : 0;
            self->handled = status > TURN_NOBODY;
            if (left < 0 && status == TURN_TAKEN) {
                turn_abort(&run, PyErr_GetRaisedException());
                left = 0;
            }
            return status == TURN_TAKEN               ? continue_turn(self, &run)
                   : status == TURN_ERROR || left < 0 ? NEXT_ERROR
                                                      : NEXT_DONE;
        }
        int waits = event_wait_begin(self->owner, &self->place, &self->base.awaited);
        if (waits != 0) {
            self->state = CALL_WAITING;
            return waits < 0 ? NEXT_ERROR : NEXT_AWAIT;
        }
    }
}

/* A handler gave `result` (stolen), or NULL with an exception. */
static next_step
resume_turn(event_call *self, PyObject *result)
{
    turn_awaited(self->turn, result);
    if (self->is_closing) {
        turn_abort(self->turn, PyObject_CallNoArgs(PyExc_GeneratorExit));
    }
    return continue_turn(self, self->turn);
}

void
event_call_leave(event_call *self)
{
    if (self->turn != NULL) {
        self->is_closing = true;
        PyErr_SetNone(PyExc_GeneratorExit);
        next_step next = resume_turn(self, NULL);
        if (next == NEXT_ERROR && raising_forgive(PyExc_GeneratorExit) < 0) {
            raising_unraisable((PyObject *)self->owner);
        }
    }
    if (self->place.is_linked && event_wait_leave(self->owner, &self->place) < 0) {
        raising_unraisable((PyObject *)self->owner);
    }
}

/* Read type and data of self->event, and dispatch it. */
static next_step
take_event(event_call *self)
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
    return take_turn(self);
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
    self->source = iterator;
    Py_DECREF(source);
    int closes = closing_is_due(iterator, self->is_async_source ? state->async_generator_abc
                                                                : state->generator_abc);
    self->closes_source = closes > 0;
    return closes < 0 ? NEXT_ERROR : NEXT_DONE;
}

/* Whether the loop must have its turn: 1, 0 or -1. */
static int
must_pause(event_call *self)
{
    if (!budget_spend(&self->budget)) {
        return 0;
    }
    PyObject *loop;
    int running = loop_running(self->owner->state, &loop);
    Py_XDECREF(loop);
    return running;
}

/* The next event, in self->event: NEXT_DONE; at the end it is NULL. */
static next_step
pull(event_call *self)
{
    PyObject *earlier = self->event;
    self->event = NULL;
    Py_XDECREF(earlier);
    if (self->is_async_source) {
        self->base.awaited = await_anext(self->source);
        self->state = CALL_AT_SOURCE;
        return self->base.awaited == NULL ? NEXT_ERROR : NEXT_AWAIT;
    }
    return event_source_next(self->source, &self->event) < 0 ? NEXT_ERROR : NEXT_DONE;
}

/* Dispatch events until one must be awaited. */
static next_step
run_source(event_call *self)
{
    while (!dispatcher_is_closing(self->owner)) {
        int pauses = must_pause(self);
        if (pauses != 0) {
            self->state = CALL_PAUSED;
            return pauses < 0 ? NEXT_ERROR : NEXT_AWAIT;
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

/* Raise the failure that was put aside, if there is one; its context is what is raised by
   closing the source, where that `fails`. */
static next_step
end_source(event_call *self, bool fails)
{
    PyObject *failure = self->failure;
    self->failure = NULL;
    if (fails) {
        raising_chain(failure);
        return NEXT_ERROR;
    }
    if (failure == NULL) {
        return NEXT_DONE;
    }
    PyErr_SetRaisedException(failure);
    return NEXT_ERROR;
}

/* arun() is at its end, with an exception set or without. */
static next_step
close_source(event_call *self)
{
    PyObject *source = self->source;
    self->source = NULL;
    self->state = CALL_ENDING;
    self->failure = PyErr_GetRaisedException();
    bool fails = false;
    if (source != NULL && self->closes_source && !self->is_async_source) {
        fails = closing_close(source) < 0;
    }
    else if (source != NULL && self->closes_source && !self->is_closing) {
        PyObject *closing = PyObject_CallMethod(source, "aclose", NULL);
        self->base.awaited = closing == NULL ? NULL : await_iterator(closing);
        Py_XDECREF(closing);
        fails = self->base.awaited == NULL;
    }
    PyObject *raised = fails ? PyErr_GetRaisedException() : NULL;
    Py_XDECREF(source);
    if (self->base.awaited != NULL) {
        return NEXT_AWAIT;
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return end_source(self, fails);
}

/* The source gave `event` (stolen), or NULL with an exception. */
static next_step
take_pulled(event_call *self, PyObject *event)
{
    self->event = event;
    if (event != NULL) {
        return take_event(self);
    }
    if (raising_forgive(PyExc_StopAsyncIteration) == 0) {
        self->state = CALL_ENDING;
        return NEXT_DONE;
    }
    return NEXT_ERROR;
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

/* What was awaited gave `result` (stolen), or NULL with an exception. */
static next_step
advance_state(event_call *self, PyObject *result)
{
    if (self->state == CALL_IN_TURN) {
        return resume_turn(self, result);
    }
    if (self->state == CALL_AT_SOURCE) {
        return take_pulled(self, result);
    }
    if (result == NULL) {
        return NEXT_ERROR;
    }
    Py_DECREF(result);
    switch (self->state) {
    case CALL_NEW:
        return begin(self);
    case CALL_WAITING:
        return take_turn(self);
    default:
        return NEXT_DONE;
    }
}

/* The same, and go on to the next that must be awaited. */
static next_step
advance(event_call *self, PyObject *result)
{
    if (self->state == CALL_ENDING) {
        Py_XDECREF(result);
        return end_source(self, result == NULL);
    }
    next_step next = advance_state(self, result);
    if (self->kind != CALL_RUN || next == NEXT_AWAIT) {
        return next;
    }
    if (next == NEXT_DONE && self->state != CALL_ENDING) {
        next = run_source(self);
    }
    return next == NEXT_AWAIT ? next : close_source(self);
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

PySendResult
event_call_step(coroutine *op, PyObject *value, PyObject *exception, PyObject **result)
{
    event_call *self = (event_call *)op;
    if (self->kind == CALL_RUN) {
        budget_stop(&self->budget);
    }
    self->is_closing |=
        exception != NULL && PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit);
    for (;;) {
        next_step next;
        if (self->state == CALL_NEW && exception == NULL && self->kind == CALL_EMIT) {
            next = take_turn(self); /* most calls are over here */
        }
        else {
            PyObject *given;
            PySendResult sent =
                self->state == CALL_IN_TURN
                    ? turn_resume_awaited(self->turn, op, value, exception, &given)
                    : coroutine_resume_awaited(op, value, exception, &given);
            if (sent == PYGEN_NEXT) {
                *result = given;
                return sent;
            }
            next = advance(self, given);
        }
        value = Py_None;
        exception = NULL;
        if (next == NEXT_ERROR) {
            return PYGEN_ERROR;
        }
        if (next == NEXT_DONE) {
            *result = call_value(self);
            return PYGEN_RETURN;
        }
        if (op->awaited == NULL) {
            return coroutine_pause(result);
        }
    }
}
