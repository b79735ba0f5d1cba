/* What every asynchronous stream holds, how it reads from its source, and how it ends when it
 * is dropped.
 *
 * Owned: the source's iterator, until the end; it is closed then if it is a Generator or
 * AsyncGenerator by its ABC, whoever made it.  A type releases all else that it holds in its
 * release().  A stream owns the one awaitable that it stashes for the next step, which does
 * not own the stream then.
 *
 * Dropped: the hook of sys.set_asyncgen_hooks() that was set at the first step is called,
 * as for an async generator; a loop's hook makes a task of aclose().  Where there is no hook,
 * or it does nothing, what can be closed without waiting is closed.
 *
 * User code that runs: the source's, the hook's, and what release() drops.
 *
 * Threads: see async_stream.c.
 */
#include "stream/astream.h"

#include "aio/await.h"
#include "aio/home.h"
#include "aio/home_step.h"
#include "aio/home_wait.h"
#include "aio/loop.h"
#include "runtime/closing.h"
#include "runtime/frame.h"
#include "runtime/raising.h"
#include "stream/refusal.h"
#include "stream/stream.h"

/* ---- the source ---- */

int
astream_open(astream *self, generators_state *state, PyObject *source, astream_source accepted)
{
    PyAsyncMethods *methods = Py_TYPE(source)->tp_as_async;
    bool is_async =
        accepted == ASTREAM_ASYNC ||
        (accepted == ASTREAM_SYNC_OR_ASYNC && methods != NULL && methods->am_aiter != NULL);
    PyObject *iterator = is_async ? await_aiter(source) : PyObject_GetIter(source);
    if (iterator == NULL) {
        bool can_iterate = is_async ? methods != NULL && methods->am_aiter != NULL
                                    : Py_TYPE(source)->tp_iter != NULL;
        if (!can_iterate) {
            refusal_add_hint(frame_type_name((PyObject *)self), source, is_async);
        }
        return -1;
    }
    int closes =
        closing_is_due(iterator, is_async ? state->async_generator_abc : state->generator_abc);
    if (closes < 0) {
        Py_DECREF(iterator);
        return -1;
    }
    PyObject *earlier = self->source;
    self->source = iterator;
    Py_XDECREF(earlier);
    self->source_is_async = is_async;
    self->source_is_stream = PyObject_TypeCheck(iterator, state->async_stream_type);
    self->closes_source = closes;
    return 0;
}

/* Begin to await in place what `iterator` (stolen, or NULL) iterates over. */
static astream_answer
astream_begin_await(astream *self, PyObject *iterator, PyObject **value)
{
    switch (coroutine_await(self->current, iterator, value)) {
    case PYGEN_RETURN:
        return ASTREAM_GAVE;
    case PYGEN_NEXT:
        self->yielded = *value;
        *value = NULL;
        return ASTREAM_PENDING;
    default:
        return ASTREAM_FAILED;
    }
}

astream_answer
astream_await(astream *self, PyObject *awaitable, PyObject **value)
{
    self->pulling = false;
    return astream_begin_await(self, await_iterator(awaitable), value);
}

astream_answer
astream_pull_ended(astream *self)
{
    if (!PyErr_Occurred()) {
        return ASTREAM_ENDED;
    }
    if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
        return ASTREAM_ENDED;
    }
    stream_note("while reading item %zd", self->pulled);
    return ASTREAM_FAILED;
}

/* At the first pull: where a loop of asyncio runs, the source is iterated in a home.  A native
   stream needs none, unless its step is to be waited for and left at the same time. */
static int
astream_find_home(astream *self)
{
    self->has_pulled = true;
    if (self->source_is_stream && !self->is_timed) {
        return 0;
    }
    generators_state *state = generators_state_of((PyObject *)self);
    home *made = home_new(state, self->source, self->closes_source);
    if (made == NULL) {
        return -1;
    }
    made->read = Py_XNewRef(self->read);
    made->size = self->read_size;
    int opened = home_open(made, self->source_is_stream);
    if (opened <= 0) {
        Py_DECREF(made);
        return opened;
    }
    self->home = made;
    return 0;
}

astream_answer
astream_pull_home(astream *self, PyObject **value)
{
    home *pulled = self->home;
    switch (home_pull(pulled, value)) {
    case HOME_GAVE:
        self->pulled++;
        home_clear_deadline(pulled);
        return ASTREAM_GAVE;
    case HOME_ENDED:
        return ASTREAM_ENDED;
    case HOME_FAILED:
        return ASTREAM_FAILED;
    default:
        break;
    }
    if (pulled->is_late) {
        home_clear_deadline(pulled);
        home_schedule_turn(pulled);
        return ASTREAM_LATE;
    }
    self->waits_for_home = true;
    return ASTREAM_PENDING;
}

/* Without a loop: in place, by whoever makes the step. */
static astream_answer
astream_pull_in_place(astream *self, PyObject **value)
{
    PyObject *source = Py_XNewRef(self->source), *iterator;
    self->pulling = true;
    iterator =
        self->read != NULL ? await_read(self->read, self->read_size) : await_anext(source);
    astream_answer answer =
        astream_pulled(self, astream_begin_await(self, iterator, value), value);
    Py_XDECREF(source);
    return answer;
}

astream_answer
astream_pull(astream *self, PyObject **value)
{
    if (self->is_stopped && astream_is_cut(self)) {
        return ASTREAM_ENDED;
    }
    if (!self->source_is_async && self->read == NULL) {
        *value = astream_pull_ready(self);
        return *value != NULL ? ASTREAM_GAVE : astream_pull_ended(self);
    }
    if (!self->has_pulled && astream_find_home(self) < 0) {
        return ASTREAM_FAILED;
    }
    if (self->home == NULL) {
        return astream_pull_in_place(self, value);
    }
    return home_check(self->home) < 0 ? ASTREAM_FAILED : astream_pull_home(self, value);
}

astream_answer
astream_pull_within(astream *self, uint64_t nanoseconds, PyObject **value)
{
    if (self->home != NULL && nanoseconds == ASTREAM_FOREVER) {
        home_clear_deadline(self->home);
    }
    astream_answer answer = astream_pull(self, value);
    if (answer != ASTREAM_PENDING || self->home == NULL || nanoseconds == ASTREAM_FOREVER) {
        return answer;
    }
    if (home_set_deadline(self->home, nanoseconds) < 0) {
        self->waits_for_home = false;
        return ASTREAM_FAILED;
    }
    if (self->home->is_late) {
        self->waits_for_home = false;
        home_clear_deadline(self->home);
        home_schedule_turn(self->home);
        return ASTREAM_LATE;
    }
    return answer;
}

/* What an answer to read() means. */
static astream_answer
astream_read(astream *self, astream_answer answer, PyObject **value)
{
    if (answer == ASTREAM_FAILED) {
        stream_note("while reading part %zd of the file", self->pulled);
    }
    if (answer != ASTREAM_GAVE) {
        return answer;
    }
    int is_data = home_check_data(*value);
    if (is_data <= 0) {
        Py_CLEAR(*value);
        return is_data < 0 ? ASTREAM_FAILED : ASTREAM_ENDED;
    }
    self->pulled++;
    return ASTREAM_GAVE;
}

astream_answer
astream_pulled(astream *self, astream_answer answer, PyObject **value)
{
    if (self->read != NULL) {
        return astream_read(self, answer, value);
    }
    if (answer == ASTREAM_GAVE) {
        self->pulled++;
    }
    else if (answer == ASTREAM_FAILED) {
        if (raising_forgive(PyExc_StopAsyncIteration) == 0) {
            return ASTREAM_ENDED;
        }
        stream_note("while reading item %zd", self->pulled);
    }
    return answer;
}

bool
astream_stash_error(astream *self)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        return false;
    }
    PyObject *earlier = self->stashed;
    self->stashed = PyErr_GetRaisedException();
    Py_XDECREF(earlier);
    return true;
}

/* ---- stopping ---- */

bool
astream_is_cut(astream *self)
{
    const home *at = self->home;
    if (!self->is_stopped || self->passes_stop ||
        (at != NULL && (at->step != NULL || home_has_something(at)))) {
        return false;
    }
    self->was_cut = true;
    return true;
}

/* A stream reads to the end of a source that was stopped in its place. */
bool
astream_has_been_cut(const astream *self)
{
    PyObject *source = self->source;
    if (self->was_cut || !self->passes_stop || source == NULL) {
        return self->was_cut;
    }
    return self->source_is_stream ? ((astream *)source)->was_cut : ((stream *)source)->was_cut;
}

int
astream_stop_source(generators_state *state, PyObject *source)
{
    if (PyObject_TypeCheck(source, state->async_stream_type)) {
        return astream_stop((astream *)source) < 0 ? -1 : 1;
    }
    if (PyObject_TypeCheck(source, state->stream_type) &&
        ((stream *)source)->kind->stop != NULL) {
        return stream_stop((stream *)source) < 0 ? -1 : 1;
    }
    return 0;
}

static int
astream_stop_lock_held(astream *self, PyObject **passed)
{
    if (self->is_stopped || self->phase != ASTREAM_STEPPING) {
        return 0;
    }
    PyObject *source = self->source;
    bool is_sync_stream =
        source != NULL && !self->source_is_async &&
        PyObject_TypeCheck(source, generators_state_of((PyObject *)self)->stream_type) &&
        ((stream *)source)->kind->stop != NULL;
    self->is_stopped = true;
    if (source != NULL && (self->source_is_stream || is_sync_stream)) {
        self->passes_stop = true;
        *passed = Py_NewRef(source);
        return 0;
    }
    return self->kind->stop == NULL ? 0 : self->kind->stop(self);
}

int
astream_stop(astream *self)
{
    PyObject *passed = NULL;
    int status;
    Py_BEGIN_CRITICAL_SECTION(self);
    status = astream_stop_lock_held(self, &passed);
    Py_END_CRITICAL_SECTION();
    if (passed != NULL) {
        status = astream_stop_source(generators_state_of((PyObject *)self), passed);
        Py_DECREF(passed);
    }
    return status < 0 ? -1 : 0;
}

/* ---- measuring ---- */

void
astream_measure(astream *self, measures *into)
{
    const home *at = self->home;
    into->items = self->given;
    into->errors = self->failures;
    into->is_closed = self->phase == ASTREAM_IS_ENDED;
    into->source = Py_XNewRef(self->source);
    into->waits_for = into->is_closed                        ? NULL
                      : self->running                        ? "source"
                      : self->started || self->first != NULL ? "consumer"
                                                             : NULL;
    into->held = self->first != NULL;
    if (at != NULL) {
        into->held += at->item != NULL;
        into->held += at->overflow == NULL ? 0 : PyList_GET_SIZE(at->overflow);
    }
    if (self->kind != NULL && self->kind->measure != NULL) {
        self->kind->measure(self, into);
    }
}

/* ---- the budget ---- */

int
astream_is_turn_over(astream *self)
{
    PyObject *loop;
    int running = loop_running(generators_state_of((PyObject *)self), &loop);
    Py_XDECREF(loop);
    return running;
}

/* ---- the end of one that is dropped ---- */

/* As far as it goes without waiting. */
static int
close_at_once(PyObject *source)
{
    PyObject *awaitable = PyObject_CallMethod(source, "aclose", NULL);
    PyObject *iterator = awaitable == NULL ? NULL : await_iterator(awaitable);
    Py_XDECREF(awaitable);
    if (iterator == NULL) {
        return -1;
    }
    PyObject *value = NULL;
    PySendResult result = PyIter_Send(iterator, Py_None, &value);
    int status = result == PYGEN_ERROR ? -1 : 0;
    if (result == PYGEN_NEXT) {
        status = await_close(iterator);
    }
    Py_XDECREF(value);
    Py_DECREF(iterator);
    return status;
}

static int
drop_source(astream *self, bool hooked)
{
    PyObject *source = self->source;
    home *dropped = self->home;
    self->source = NULL;
    self->home = NULL;
    bool is_left = dropped != NULL && home_abandon(dropped);
    Py_XDECREF((PyObject *)dropped);
    int status = 0;
    if (source != NULL && self->closes_source && !is_left) {
        if (!self->source_is_async) {
            status = closing_close(source);
        }
        else if (!hooked) { /* else its own hook was set, too, and its loop is gone */
            status = close_at_once(source);
        }
    }
    Py_XDECREF(source);
    return status;
}

static void
end_unawaited(astream *self, bool hooked)
{
    self->phase = ASTREAM_IS_ENDED;
    self->running = true; /* what is closed may call back */
    PyObject *first = self->first;
    self->first = NULL;
    Py_XDECREF(first);
    if (drop_source(self, hooked) < 0) {
        raising_unraisable((PyObject *)self);
    }
    if (self->kind->release(self) < 0) {
        raising_unraisable((PyObject *)self);
    }
    self->running = false;
}

void
astream_finalize(PyObject *op)
{
    astream *self = (astream *)op;
    if (self->kind == NULL || self->phase == ASTREAM_IS_ENDED || self->running) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    /* One that the collector finalizes, too, is not to be used again. */
    self->is_finalized = true;
    PyObject *idle = self->idle;
    self->idle = NULL;
    Py_XDECREF(idle);
    Py_ssize_t references = Py_REFCNT(op);
    bool hooked = self->finalizer != NULL;
    if (hooked) {
        self->abandoned = true;
        PyObject *done = PyObject_CallOneArg(self->finalizer, op);
        self->abandoned = false;
        if (done == NULL) {
            raising_unraisable(op);
        }
        Py_XDECREF(done);
    }
    /* A hook that does something keeps the stream, to close it. */
    if (Py_REFCNT(op) == references && self->phase != ASTREAM_IS_ENDED) {
        end_unawaited(self, hooked);
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

/* ---- memory ---- */

int
astream_traverse(PyObject *op, visitproc visit, void *arg)
{
    astream *self = (astream *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->source);
    Py_VISIT(self->read);
    Py_VISIT((PyObject *)self->home);
    Py_VISIT(self->first);
    Py_VISIT(self->yielded);
    Py_VISIT(self->future);
    Py_VISIT(self->raised);
    Py_VISIT(self->stashed);
    Py_VISIT(self->postponed);
    Py_VISIT(self->closers);
    Py_VISIT(self->idle);
    Py_VISIT(self->finalizer);
    return 0;
}

int
astream_clear(PyObject *op)
{
    astream *self = (astream *)op;
    Py_CLEAR(self->source);
    Py_CLEAR(self->read);
    Py_CLEAR(self->home);
    Py_CLEAR(self->first);
    Py_CLEAR(self->yielded);
    Py_CLEAR(self->future);
    Py_CLEAR(self->raised);
    Py_CLEAR(self->stashed);
    Py_CLEAR(self->postponed);
    Py_CLEAR(self->closers);
    Py_CLEAR(self->idle);
    Py_CLEAR(self->finalizer);
    return 0;
}
