/* _AsyncStep: the awaitable of one call to an async stream: anext(), asend(), athrow(),
 * aclose(), aprime() or `async with`.  A native coroutine (aio/coroutine.h).
 *
 * States: new -> under way -> ended.  One that is under way is its stream's `current`, and the
 * stream is `running`.  An error made by a wrong use of one that is new ends it, too.  A new
 * one that is thrown into or closed does nothing to its stream.
 *
 * aclose() and athrow() do not wait for a step of another task that waits: they interrupt it.
 * It ends with StopAsyncIteration when it is resumed, and what its task waits for is ended, so
 * that this is soon.  Where another is closing the stream already they wait for that.
 *
 * Who throws into a step that waits (a task that is cancelled) leaves it: nothing of the
 * stream or its source is touched, but for a source that is stepped in place without an event
 * loop, which is thrown into.  While a stream is closed that has tasks of its own, a
 * cancellation is postponed until they have ended (ASTREAM_FINISH).
 *
 * Owned: its stream, until it has ended; what asend() sends and athrow() throws.  An ended one
 * is stashed by its stream to be used for the next step, when nobody else holds it; it does
 * not own the stream then.
 *
 * Threads: `running` of the base guards its fields, its stream's section the stream's.
 */
#include "stream/astep.h"

#include "aio/await.h"
#include "aio/home_step.h"
#include "aio/home_wait.h"
#include "aio/loop.h"
#include "aio/stop.h"
#include "runtime/frame.h"
#include "runtime/raising.h"
#include "stream/aphase.h"
#include "stream/take_over.h"

/* ---- errors ---- */

static bool
astep_is_closing(const astep *step)
{
    return step->call == ASTEP_ACLOSE || step->call == ASTEP_ABANDON;
}

static void
astep_refuse(coroutine *base)
{
    astep *step = (astep *)base;
    if (base->running) {
        PyErr_SetString(PyExc_ValueError, "async generator already executing");
        return;
    }
    const char *what = "__anext__()/asend()";
    if (step->call == ASTEP_ATHROW || astep_is_closing(step)) {
        what = "aclose()/athrow()";
    }
    else if (step->call == ASTEP_APRIME || step->call == ASTEP_AENTER) {
        what = step->call == ASTEP_APRIME ? "aprime()" : "__aenter__()";
    }
    PyErr_Format(PyExc_RuntimeError, "cannot reuse already awaited %s", what);
}

/* ---- the end of a step ---- */

static void
astep_release(coroutine *base)
{
    astep *step = (astep *)base;
    astream *self = step->stream;
    step->stream = NULL;
    Py_CLEAR(step->argument);
    if (self == NULL) {
        return;
    }
    PyObject *future = NULL, *yielded = NULL;
    bool is_free = false;
    Py_BEGIN_CRITICAL_SECTION(self);
    if (self->current == base) {
        if (self->home != NULL) {
            home_schedule_turn(self->home);
        }
        future = self->future;
        yielded = self->yielded;
        self->future = self->yielded = NULL;
        self->current = NULL;
        self->running = self->executing = self->waiting = self->finishing = false;
        self->waits_for_home = false;
        is_free = true;
    }
    if (self->idle == NULL && !self->is_finalized && base->weak_references == NULL &&
        base->origin == NULL && !PyObject_GC_IsFinalized((PyObject *)step)) {
        self->idle = Py_NewRef((PyObject *)step);
    }
    if (is_free) {
        astep_wake_closers(self);
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(future);
    Py_XDECREF(yielded);
    Py_DECREF(self);
}

/* ---- what a step comes to ---- */

/* The cancellation that was postponed is raised, with what else is its context. */
static void
astep_raise_postponed(astream *self)
{
    PyObject *postponed = self->postponed, *raised = self->raised;
    self->postponed = self->raised = NULL;
    PyErr_SetRaisedException(postponed);
    raising_chain(raised);
}

/* What a call gives when the stream has ended. */
static PySendResult
astep_give_end(astep *step, astream *self, PyObject **result)
{
    if (self->postponed != NULL) {
        astep_raise_postponed(self);
        return PYGEN_ERROR;
    }
    PyObject *raised = self->raised;
    self->raised = NULL;
    if (raised != NULL) {
        self->failures += !astep_is_closing(step) && step->call != ASTEP_ATHROW;
        PyErr_SetRaisedException(raised);
        raising_convert(PyExc_StopIteration, "async generator");
        raising_convert(PyExc_StopAsyncIteration, "async generator");
        if (!astep_is_closing(step) || raising_forgive(PyExc_GeneratorExit) < 0) {
            return PYGEN_ERROR;
        }
    }
    if (step->call == ASTEP_ANEXT || step->call == ASTEP_ASEND) {
        PyErr_SetNone(PyExc_StopAsyncIteration);
        return PYGEN_ERROR;
    }
    *result = Py_NewRef(step->call == ASTEP_APRIME ? (PyObject *)self : Py_None);
    return PYGEN_RETURN;
}

static PySendResult
astep_give_item(astep *step, astream *self, PyObject *item, PyObject **result)
{
    if (step->call == ASTEP_APRIME) {
        self->first = item;
        *result = Py_NewRef((PyObject *)self);
        return PYGEN_RETURN;
    }
    self->given++;
    *result = item;
    return PYGEN_RETURN;
}

/* Let others run, if it is time: 1, 0 or -1. */
static int
astep_pause_if_due(astream *self, PyObject **result)
{
    if (!self->is_due && !budget_spend(&self->budget)) {
        return 0;
    }
    self->is_due = false;
    int due = astream_is_turn_over(self);
    if (due > 0) {
        *result = Py_NewRef(Py_None);
    }
    return due;
}

/* Wait for a future (stolen, or NULL with an exception set).  PYGEN_RETURN where it has ended
   already. */
static PySendResult
astep_wait_for(astep *step, astream *self, PyObject *future, PyObject **result)
{
    if (future == NULL) {
        return PYGEN_ERROR;
    }
    PySendResult sent = coroutine_await(&step->base, await_iterator(future), result);
    if (sent == PYGEN_NEXT) {
        PyObject *earlier = self->future;
        self->future = future;
        self->waiting = true;
        Py_XDECREF(earlier);
        return sent;
    }
    Py_DECREF(future);
    Py_CLEAR(*result);
    return sent;
}

/* What the step awaits in place has yielded.  Where that is a native stream's it is a future
   that may be ended, as those of this one. */
static void
astep_pass_on(astream *self, PyObject *yielded)
{
    PyObject *earlier = self->future;
    self->future = self->pulling && self->source_is_stream && yielded != Py_None
                       ? Py_NewRef(yielded)
                       : NULL;
    Py_XDECREF(earlier);
}

/* What `outcome` means for the step: whether *sent and *result say how it is left. */
static bool
astep_is_left(astep *step, astream *self, astream_outcome outcome, PyObject *value,
              PySendResult *sent, PyObject **result)
{
    *sent = PYGEN_NEXT;
    if (outcome == ASTREAM_AWAIT && self->waits_for_home && self->home->needs_turn) {
        self->waits_for_home = false;
        *result = Py_NewRef(Py_None); /* a pause, after which the turn has come */
        return true;
    }
    if (outcome == ASTREAM_WAIT || outcome == ASTREAM_FINISH ||
        (outcome == ASTREAM_AWAIT && self->waits_for_home)) {
        self->finishing = outcome == ASTREAM_FINISH;
        PyObject *future = outcome == ASTREAM_AWAIT ? home_wait(self->home) : value;
        PySendResult begun = astep_wait_for(step, self, future, result);
        if (begun == PYGEN_NEXT) {
            return true;
        }
        self->finishing = self->waits_for_home = false;
        outcome = begun == PYGEN_RETURN ? ASTREAM_AGAIN : ASTREAM_ERROR;
    }
    if (outcome == ASTREAM_AGAIN) {
        int paused = PyErr_CheckSignals() < 0 ? -1 : astep_pause_if_due(self, result);
        if (paused >= 0) {
            return paused > 0;
        }
        outcome = ASTREAM_ERROR;
    }
    switch (outcome) {
    case ASTREAM_ITEM:
        *sent = astep_give_item(step, self, value, result);
        return true;
    case ASTREAM_REFUSE:
        *sent = PYGEN_ERROR;
        return true;
    case ASTREAM_AWAIT:
        *result = self->yielded;
        self->yielded = NULL;
        astep_pass_on(self, *result);
        return true;
    default:
        aphase_next(self, outcome);
        return false;
    }
}

/* Go on with the step under way, which came to `outcome`, until it must wait or is done. */
static PySendResult
astep_advance_from(astep *step, astream *self, astream_outcome outcome, PyObject *value,
                   PyObject **result)
{
    PySendResult sent;
    while (!astep_is_left(step, self, outcome, value, &sent, result)) {
        if (self->phase == ASTREAM_IS_ENDED) {
            sent = astep_give_end(step, self, result);
            break;
        }
        value = NULL;
        outcome = aphase_step(self, ASTREAM_ASKED, &value);
    }
    self->executing = false;
    if (sent == PYGEN_NEXT) {
        budget_stop(&self->budget);
    }
    return sent;
}

static PySendResult
astep_advance(astep *step, astream *self, astream_answer answer, PyObject *value,
              PyObject **result)
{
    self->executing = true;
    astream_outcome outcome = aphase_step(self, answer, &value);
    return astep_advance_from(step, self, outcome, value, result);
}

/* ---- beginning ---- */

/* A step whose item is ready goes through here only. */
static inline PySendResult
astep_begin_item(astep *step, astream *self, PyObject **result)
{
    if (self->first != NULL) {
        *result = self->first;
        self->first = NULL;
        self->started = true;
        self->given++;
        return PYGEN_RETURN;
    }
    if (self->phase != ASTREAM_STEPPING) {
        PyErr_SetNone(PyExc_StopAsyncIteration);
        return PYGEN_ERROR;
    }
    self->started = true;
    astep_set_under_way(step, self); /* what asks for the loop may let others in */
    int paused = astep_pause_if_due(self, result);
    if (paused != 0) {
        self->executing = false;
        return paused < 0 ? PYGEN_ERROR : PYGEN_NEXT;
    }
    PyObject *value = NULL;
    astream_outcome outcome = self->kind->step(self, ASTREAM_ASKED, &value);
    if (outcome == ASTREAM_ITEM) {
        self->executing = false;
        self->given++;
        *result = value;
        return PYGEN_RETURN;
    }
    return astep_advance_from(step, self, outcome, value, result);
}

/* A non-None value sent into a new step counts as what asend() sends. */
static bool
astep_is_sent_too_early(const astep *step, const astream *self, PyObject *value)
{
    bool sent = value != Py_None || (step->argument != NULL && step->argument != Py_None);
    return sent && !self->started && self->phase == ASTREAM_STEPPING;
}

static PySendResult
astep_begin_closing(astep *step, astream *self, PyObject **result)
{
    if (self->running) {
        PySendResult sent = astep_take_over(step, self, result);
        if (sent != PYGEN_RETURN || *result != NULL) {
            return sent;
        }
    }
    if (self->phase == ASTREAM_IS_ENDED) { /* athrow(), too, as for an async generator */
        *result = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    astep_set_under_way(step, self);
    if (step->call == ASTEP_ATHROW) {
        PyErr_SetRaisedException(Py_NewRef(step->argument));
        aphase_add_error(self);
    }
    if (self->phase == ASTREAM_STEPPING) {
        PyObject *stashed = self->stashed;
        self->stashed = NULL;
        aphase_next(self, ASTREAM_END);
        Py_XDECREF(stashed);
    }
    return astep_advance(step, self, ASTREAM_ASKED, NULL, result);
}

static PySendResult
astep_begin(astep *step, astream *self, PyObject *value, PyObject **result)
{
    switch (step->call) {
    case ASTEP_AENTER:
        *result = Py_NewRef((PyObject *)self);
        return PYGEN_RETURN;
    case ASTEP_ATHROW:
    case ASTEP_ACLOSE:
    case ASTEP_ABANDON:
        if (value != Py_None) {
            PyErr_SetString(PyExc_RuntimeError,
                            "can't send non-None value to a just-started coroutine");
            return PYGEN_ERROR;
        }
        return astep_begin_closing(step, self, result);
    default:
        break;
    }
    if (self->running) {
        return astep_refuse_overlap(step);
    }
    if (step->call == ASTEP_APRIME) {
        if (self->started || self->first != NULL || self->phase != ASTREAM_STEPPING) {
            *result = Py_NewRef((PyObject *)self);
            return PYGEN_RETURN;
        }
        astep_set_under_way(step, self);
        return astep_advance(step, self, ASTREAM_ASKED, NULL, result);
    }
    if (astep_is_sent_too_early(step, self, value)) {
        PyErr_SetString(PyExc_TypeError,
                        "can't send non-None value to a just-started async generator");
        return PYGEN_ERROR;
    }
    return astep_begin_item(step, self, result);
}

/* ---- going on ---- */

/* The wait is left, with what is raised. */
static PySendResult
astep_leave(astream *self)
{
    raising_chain(self->raised);
    self->raised = NULL;
    return PYGEN_ERROR;
}

/* Whether what is raised is put off until the stream has ended. */
static bool
astep_postpone(astream *self)
{
    if (!self->finishing) {
        return false;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *type = loop_cancelled_error(generators_state_of((PyObject *)self));
    if (type == NULL || !PyErr_GivenExceptionMatches(raised, type)) {
        if (type == NULL) {
            raising_unraisable((PyObject *)self);
        }
        PyErr_SetRaisedException(raised);
        return false;
    }
    PyObject *earlier = self->postponed;
    self->postponed = raised;
    Py_XDECREF(earlier);
    return true;
}

/* The future that was waited for has ended, or the wait is left with what is raised. */
static PySendResult
astep_wait_ended(astep *step, astream *self, PySendResult sent, PyObject **result)
{
    PyObject *future = self->future, *value = NULL;
    bool is_home = self->waits_for_home;
    PyObject *raised = sent == PYGEN_ERROR ? PyErr_GetRaisedException() : NULL;
    self->future = NULL;
    self->waiting = self->waits_for_home = false;
    Py_XDECREF(future);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    if (sent == PYGEN_ERROR && !astep_postpone(self)) {
        return astep_leave(self);
    }
    self->finishing = false;
    if (!is_home) {
        return astep_advance(step, self, ASTREAM_ASKED, NULL, result);
    }
    self->executing = true;
    astream_answer answer = astream_pull_home(self, &value);
    astream_outcome outcome =
        answer == ASTREAM_PENDING ? ASTREAM_AWAIT : aphase_step(self, answer, &value);
    return astep_advance_from(step, self, outcome, value, result);
}

/* What was awaited in place came to something other than a further wait. */
static PySendResult
astep_await_ended(astep *step, astream *self, PySendResult sent, PyObject *value,
                  PyObject **result)
{
    astream_answer answer = sent == PYGEN_RETURN ? ASTREAM_GAVE : ASTREAM_FAILED;
    if (self->pulling && self->phase == ASTREAM_STEPPING) {
        answer = astream_pulled(self, answer, &value);
    }
    return astep_advance(step, self, answer, value, result);
}

/* Whether what is raised is `exception`, which was thrown into a step of a native stream: it
   has left its wait, and has lost nothing. */
static bool
astep_has_left_source(astream *self, PyObject *exception)
{
    if (exception == NULL || !self->pulling || !self->source_is_stream ||
        self->phase != ASTREAM_STEPPING) {
        return false;
    }
    PyObject *raised = PyErr_GetRaisedException();
    bool is_same = raised == exception;
    PyErr_SetRaisedException(raised);
    return is_same;
}

static PySendResult
astep_resume(astep *step, astream *self, PyObject *value, PyObject *exception,
             PyObject **result)
{
    PyObject *given;
    bool waiting = self->waiting;
    if (waiting && exception != NULL) {
        PyObject *awaited = step->base.awaited;
        step->base.awaited = NULL;
        Py_XDECREF(awaited);
        PyErr_SetRaisedException(Py_NewRef(exception));
        return astep_wait_ended(step, self, PYGEN_ERROR, result);
    }
    if (step->base.awaited == NULL) { /* a pause */
        if (exception != NULL) {
            PyErr_SetRaisedException(Py_NewRef(exception));
            return astep_leave(self);
        }
        budget_start(&self->budget);
        return astep_advance(step, self, ASTREAM_ASKED, NULL, result);
    }
    self->executing = true;
    PySendResult sent = coroutine_resume_awaited(&step->base, value, exception, &given);
    self->executing = false;
    if (sent == PYGEN_NEXT) {
        *result = given;
        if (!waiting) {
            astep_pass_on(self, given);
        }
        return sent;
    }
    if (waiting) {
        Py_XDECREF(given);
        return astep_wait_ended(step, self, sent, result);
    }
    if (sent == PYGEN_ERROR && astep_has_left_source(self, exception)) {
        return astep_leave(self);
    }
    return astep_await_ended(step, self, sent, given, result);
}

/* Another has closed the stream meanwhile. */
static PySendResult
astep_end_interrupted(astep *step, astream *self, PyObject *exception, PyObject **result)
{
    if (exception != NULL) {
        PyErr_SetRaisedException(Py_NewRef(exception));
        return PYGEN_ERROR;
    }
    if (step->call == ASTEP_APRIME) {
        *result = Py_NewRef((PyObject *)self);
        return PYGEN_RETURN;
    }
    PyErr_SetNone(PyExc_StopAsyncIteration);
    return PYGEN_ERROR;
}

/* The one who closes the stream has ended, or the wait for it is left. */
static PySendResult
astep_resume_closer(astep *step, astream *self, PyObject *value, PyObject *exception,
                    PyObject **result)
{
    PyObject *given;
    PySendResult sent = coroutine_resume_awaited(&step->base, value, exception, &given);
    if (sent != PYGEN_RETURN) {
        *result = given;
        return sent;
    }
    Py_XDECREF(given);
    step->is_closer = false;
    return astep_begin_closing(step, self, result);
}

static PySendResult
astep_step_lock_held(astep *step, astream *self, PyObject *value, PyObject *exception,
                     PyObject **result)
{
    if (step->base.state == COROUTINE_NEW) {
        if (exception == NULL) {
            return astep_begin(step, self, value, result);
        }
        PyErr_SetRaisedException(Py_NewRef(exception));
        return PYGEN_ERROR;
    }
    if (step->is_interrupted) {
        return astep_end_interrupted(step, self, exception, result);
    }
    if (step->is_closer) {
        return astep_resume_closer(step, self, value, exception, result);
    }
    return astep_resume(step, self, value, exception, result);
}

static PySendResult
astep_step(coroutine *base, PyObject *value, PyObject *exception, PyObject **result)
{
    astep *step = (astep *)base;
    astream *self = step->stream; /* stays until the step has ended */
    PySendResult sent;
    Py_BEGIN_CRITICAL_SECTION(self);
    sent = astep_step_lock_held(step, self, value, exception, result);
    Py_END_CRITICAL_SECTION();
    return sent;
}

/* ---- the short way ---- */

/* Where the GIL is the lock, the step of `async for` in the midst of a stream takes a
   shorter way, which does all that coroutine_resume() and astep_begin_item() do. */
#ifdef Py_GIL_DISABLED
#define TAKES_SHORT_WAY(step, value) false
#else
#define TAKES_SHORT_WAY(step, value) astep_takes_short_way(step, value)
#endif

static inline bool
astep_takes_short_way(const astep *step, PyObject *value)
{
    const astream *self = step->stream; /* NULL when it has ended */
    return self != NULL && !self->running && step->base.state == COROUTINE_NEW &&
           step->call == ASTEP_ANEXT && value == Py_None && self->phase == ASTREAM_STEPPING &&
           self->budget.unchecked > 0 && self->first == NULL && !step->base.running;
}

static inline PySendResult
astep_send_the_short_way(astep *step, PyObject **result)
{
    astream *self = step->stream;
    self->budget.unchecked--;
    self->started = true;
    step->base.running = true;
    astep_set_under_way(step, self);
    PyObject *value = NULL;
    astream_outcome outcome = self->kind->step(self, ASTREAM_ASKED, &value);
    if (outcome != ASTREAM_ITEM) {
        PySendResult sent = astep_advance_from(step, self, outcome, value, result);
        return coroutine_stepped(&step->base, sent);
    }
    self->running = self->executing = false;
    self->given++;
    self->current = NULL;
    step->stream = NULL;
    step->base.state = COROUTINE_ENDED;
    step->base.running = false;
    if (self->idle == NULL && !self->is_finalized && step->base.weak_references == NULL) {
        self->idle = Py_NewRef((PyObject *)step);
    }
    *result = value;
    Py_DECREF(self); /* the step's */
    return PYGEN_RETURN;
}

static PySendResult
astep_am_send(PyObject *op, PyObject *value, PyObject **result)
{
    astep *step = (astep *)op;
    *result = NULL;
    if (TAKES_SHORT_WAY(step, value)) {
        return astep_send_the_short_way(step, result);
    }
    return coroutine_resume(&step->base, value, NULL, result);
}

/* As coroutine_iternext(). */
static PyObject *
astep_iternext(PyObject *op)
{
    bool is_unseen = ((astep *)op)->base.is_awaited_by_it;
    PyObject *result;
    PySendResult sent = astep_am_send(op, Py_None, &result);
    if (sent == PYGEN_RETURN && is_unseen) {
        stop_raise(generators_state_of(op), result);
        return NULL;
    }
    return coroutine_method_result(sent, result);
}

/* ---- making one ---- */

static PyObject *
astep_qualified_name(coroutine *base)
{
    astep *step = (astep *)base;
    const char *type =
        step->stream == NULL ? "AsyncStream" : frame_type_name((PyObject *)step->stream);
    return PyUnicode_FromFormat(
        "%s.%s", type, step->call == ASTEP_ASEND ? "asend" : astep_call_name(step->call));
}

static const coroutine_kind astep_kind = {
    .step = astep_step,
    .release = astep_release,
    .qualified_name = astep_qualified_name,
    .refuse = astep_refuse,
    .takes_a_value = true,
};

/* The one that is stashed, if it can be used again; or NULL. */
static inline astep *
astep_pop_idle(astream *self)
{
    PyObject *idle = self->idle;
    if (idle == NULL) {
        return NULL;
    }
    self->idle = NULL;
    if (generators_is_unique(idle) && !PyObject_GC_IsFinalized(idle) &&
        ((coroutine *)idle)->state == COROUTINE_ENDED &&
        ((coroutine *)idle)->weak_references == NULL) {
        return (astep *)idle;
    }
    Py_DECREF(idle);
    return NULL;
}

PyObject *
astep_new(astream *self, astep_call call, PyObject *argument)
{
    astep *step = astep_pop_idle(self);
    if (step == NULL) {
        PyTypeObject *type = generators_state_of((PyObject *)self)->async_step_type;
        if (type == NULL) {
            raising_shut_down();
            return NULL;
        }
        step = (astep *)type->tp_alloc(type, 0);
        if (step == NULL) {
            return NULL;
        }
    }
    step->is_interrupted = step->is_closer = false;
    if (coroutine_init(&step->base, &astep_kind, call != ASTEP_ANEXT) < 0) {
        Py_DECREF(step);
        return NULL;
    }
    step->stream = (astream *)Py_NewRef((PyObject *)self);
    step->argument = Py_XNewRef(argument);
    step->call = call;
    return (PyObject *)step;
}

PyObject *
astep_new_anext(astream *self)
{
    astep *step = astep_pop_idle(self);
    if (step == NULL) {
        return astep_new(self, ASTEP_ANEXT, NULL);
    }
    step->base.state = COROUTINE_NEW;
    step->base.is_awaited_by_it = false;
    step->is_interrupted = step->is_closer = false;
    step->stream = (astream *)Py_NewRef((PyObject *)self);
    step->call = ASTEP_ANEXT; /* its argument was dropped */
    return (PyObject *)step;
}

/* ---- memory ---- */

static int
astep_traverse(PyObject *op, visitproc visit, void *arg)
{
    astep *step = (astep *)op;
    Py_VISIT((PyObject *)step->stream);
    Py_VISIT(step->argument);
    return coroutine_traverse(op, visit, arg);
}

static int
astep_clear(PyObject *op)
{
    astep *step = (astep *)op;
    PyObject *stream = (PyObject *)step->stream;
    step->stream = NULL;
    Py_XDECREF(stream);
    Py_CLEAR(step->argument);
    return coroutine_clear(op);
}

static PyType_Slot astep_slots[] = {
    {Py_tp_doc, (char *)"One call to an async stream, to be awaited."},
    {Py_tp_traverse, astep_traverse},
    {Py_tp_clear, astep_clear},
    {Py_tp_finalize, coroutine_finalize},
    {Py_tp_dealloc, coroutine_dealloc},
    {Py_tp_iternext, astep_iternext},
    {Py_am_send, astep_am_send},
    {0, NULL},
};

PyType_Spec astep_spec = {
    .name = "native_generators._native._AsyncStep",
    .basicsize = sizeof(astep),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = astep_slots,
};
