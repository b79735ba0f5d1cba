/* _AsyncStream: what every asynchronous stream promises.
 *
 * It behaves as the async generator
 *
 *     async def stream(source):
 *         async with aclosing(source):
 *             async for item in source:
 *                 yield f(item)
 *
 * does, in anext(), asend(), athrow() and aclose(), but for this: closing or throwing
 * before the first item closes the source too; an awaitable of a step that is thrown
 * into before it was ever sent into (a task cancelled before it began) does nothing to
 * the stream; and a step that waits for the stream's own worker or tasks, and not for
 * the source, is left without ending it.
 *
 * States: new -> started -> closing -> ended.  `running` marks an awaitable that is
 * under way, from its first send() until it is done; a call to another one is refused
 * meanwhile with RuntimeError, as async generators do.  `executing` marks code on the
 * stack.  The awaitables are in astep.c.
 *
 * Owned: the source's iterator, until the end; it is closed then if it is a Generator
 * or AsyncGenerator by its ABC, whoever made it.  All else that a type holds it lets go
 * of in its release().  A stream owns the one awaitable that it keeps for the next step,
 * which does not own the stream then.
 *
 * Dropped: the hook of sys.set_asyncgen_hooks() that was set at the first step is called,
 * as for an async generator; a loop's makes a task of aclose().  Where there is no hook,
 * or it does nothing, what can be closed without waiting is.  A stream that is closed with
 * its task may be dropped by that task, too, and may be the source of another that is: then
 * one closes it, and the aclose() of the others, which nobody awaits, does nothing.  Nor does
 * it where a step is under way: the stream is that one's who waits for it.
 *
 * Threads: a call takes the sections of the awaitable and of the stream.  User code runs
 * inside them, so they may be suspended; `running` keeps the object whole then.
 */
#include "stream/astream.h"

#include "core/clock.h"
#include "aio/await.h"
#include "aio/loop.h"

/* A stream that is always ready lets others run after a millisecond, which costs less than
   one part in a hundred, or after so many items, should the clock stand still. */
#define BUDGET_TIME (CLOCK_SECOND / 1000)
#define BUDGET_ITEMS 16384
#define BUDGET_STRIDE 64 /* items between two readings of the clock, at most */

/* ---- the source ---- */

/* Whether `iterator` is closed at the end: 1, 0 or -1. */
static int
is_closed_at_end(PyObject *iterator, PyObject *abc)
{
    if (PyAsyncGen_CheckExact(iterator) || PyGen_CheckExact(iterator)) {
        return 1;
    }
    return PyObject_IsInstance(iterator, abc);
}

int
astream_open(astream *self, generators_state *state, PyObject *source, astream_source accepted)
{
    PyAsyncMethods *methods = Py_TYPE(source)->tp_as_async;
    bool is_async =
        accepted == ASTREAM_ASYNC ||
        (accepted == ASTREAM_SYNC_OR_ASYNC && methods != NULL && methods->am_aiter != NULL);
    PyObject *iterator = is_async ? await_aiter(source) : PyObject_GetIter(source);
    if (iterator == NULL) {
        return -1;
    }
    int closes = is_closed_at_end(iterator, is_async ? state->async_generator_abc
                                                     : state->generator_abc);
    if (closes < 0) {
        Py_DECREF(iterator);
        return -1;
    }
    Py_XSETREF(self->source, iterator);
    self->source_is_async = is_async;
    self->source_is_stream = PyObject_TypeCheck(iterator, state->async_stream_type);
    self->closes_source = closes;
    return 0;
}

/* Begin to await what `iterator` (owned here, or NULL) iterates over. */
static astream_answer
await_begin(astream *self, PyObject *iterator, PyObject **value)
{
    if (iterator == NULL) {
        return ASTREAM_FAILED;
    }
    switch (PyIter_Send(iterator, Py_None, value)) {
    case PYGEN_RETURN:
        Py_DECREF(iterator);
        return ASTREAM_GAVE;
    case PYGEN_NEXT:
        self->awaited = iterator;
        self->yielded = *value;
        *value = NULL;
        return ASTREAM_PENDING;
    default:
        Py_DECREF(iterator);
        return ASTREAM_FAILED;
    }
}

astream_answer
astream_await(astream *self, PyObject *awaitable, PyObject **value)
{
    self->pulling = false;
    return await_begin(self, await_iterator(awaitable), value);
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

astream_answer
astream_pull(astream *self, PyObject **value)
{
    if (!self->source_is_async) {
        *value = astream_pull_ready(self);
        return *value != NULL ? ASTREAM_GAVE : astream_pull_ended(self);
    }
    PyObject *source = Py_NewRef(self->source);
    self->pulling = true;
    astream_answer answer =
        astream_pulled(self, await_begin(self, await_anext(source), value));
    Py_DECREF(source);
    return answer;
}

astream_answer
astream_pulled(astream *self, astream_answer answer)
{
    if (answer == ASTREAM_GAVE) {
        self->pulled++;
    }
    else if (answer == ASTREAM_FAILED) {
        if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) {
            PyErr_Clear();
            return ASTREAM_ENDED;
        }
        stream_note("while reading item %zd", self->pulled);
    }
    return answer;
}

bool
astream_hold(astream *self)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        return false;
    }
    PyObject *earlier = self->held;
    self->held = PyErr_GetRaisedException();
    Py_XDECREF(earlier);
    return true;
}

/* ---- the budget ---- */

/* The clock is read each `stride` items: rarely where they take nanoseconds, for each
   where one takes long. */
static void
adapt_stride(astream *self, uint64_t elapsed)
{
    if (elapsed < BUDGET_TIME / 16) {
        self->stride = self->stride < BUDGET_STRIDE ? 2 * self->stride : BUDGET_STRIDE;
    }
    else if (elapsed > BUDGET_TIME / 4) {
        self->stride = self->stride > 8 ? self->stride / 8 : 1;
    }
}

int
astream_budget_is_spent(astream *self)
{
    uint64_t now = clock_precise();
    if (self->stride == 0) {
        self->stride = 1;
    }
    else {
        adapt_stride(self, now - self->checked);
    }
    self->checked = now;
    self->unchecked = self->stride - 1;
    if (self->since == 0) {
        self->since = now;
        self->ready = 0;
    }
    self->ready += self->stride;
    if (now - self->since < BUDGET_TIME && self->ready < BUDGET_ITEMS) {
        return 0;
    }
    self->since = 0;
    PyObject *loop;
    int running = loop_running(generators_state_of((PyObject *)self), &loop);
    Py_XDECREF(loop);
    return running;
}

void
astream_begin_turn(astream *self)
{
    self->checked = self->since = clock_precise();
    self->ready = 0;
}

/* ---- the first step ---- */

/* As an async generator does: the finalizer is kept, firstiter is called. */
static int
introduce(astream *self)
{
    self->introduced = true;
    PyObject *get = generators_state_of((PyObject *)self)->get_asyncgen_hooks;
    if (get == NULL) { /* torn down */
        return 0;
    }
    PyObject *hooks = PyObject_CallNoArgs(get);
    PyObject *first, *finalizer;
    if (hooks == NULL || !PyArg_ParseTuple(hooks, "OO", &first, &finalizer)) {
        Py_XDECREF(hooks);
        return -1;
    }
    if (finalizer != Py_None) {
        self->finalizer = Py_NewRef(finalizer);
    }
    PyObject *done =
        first == Py_None ? Py_NewRef(Py_None) : PyObject_CallOneArg(first, (PyObject *)self);
    Py_XDECREF(done);
    Py_DECREF(hooks);
    return done == NULL ? -1 : 0;
}

/* A task's callback: close the stream behind the weak reference. */
static PyObject *
task_ended(PyObject *reference, PyObject *task)
{
    PyObject *self = PyObject_CallNoArgs(reference);
    if (self == NULL || self == Py_None || ((astream *)self)->phase == ASTREAM_IS_ENDED) {
        return self;
    }
    PyObject *loop = PyObject_CallMethod(task, "get_loop", NULL);
    PyObject *closing = loop == NULL ? NULL : astep_new((astream *)self, ASTEP_ABANDON, NULL);
    int status = closing == NULL ? -1 : loop_spawn(generators_state_of(self), loop, closing);
    Py_XDECREF(loop);
    Py_XDECREF(closing);
    Py_DECREF(self);
    if (status < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef task_ended_method = {"close_with_task", task_ended, METH_O, NULL};

/* Close with the task that asks for the first item. */
static int
follow_task(astream *self)
{
    self->followed = true;
    PyObject *task;
    int found = loop_task(generators_state_of((PyObject *)self), &task);
    if (found <= 0) {
        if (found == 0) {
            PyErr_SetString(PyExc_RuntimeError,
                            "close_with_task=True needs a running asyncio task");
            self->followed = false;
        }
        return -1;
    }
    PyObject *reference = PyWeakref_NewRef((PyObject *)self, NULL);
    PyObject *callback =
        reference == NULL ? NULL : PyCFunction_New(&task_ended_method, reference);
    PyObject *added = callback == NULL
                          ? NULL
                          : PyObject_CallMethod(task, "add_done_callback", "(O)", callback);
    Py_XDECREF(reference);
    Py_XDECREF(callback);
    Py_XDECREF(added);
    Py_DECREF(task);
    return added == NULL ? -1 : 0;
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
    if (result == PYGEN_NEXT) {
        Py_SETREF(value, PyObject_CallMethod(iterator, "close", NULL));
    }
    Py_XDECREF(value);
    Py_DECREF(iterator);
    return value == NULL ? -1 : 0;
}

static int
drop_source(astream *self, bool hooked)
{
    PyObject *source = self->source;
    self->source = NULL;
    int status = 0;
    if (source != NULL && self->closes_source) {
        if (!self->source_is_async) {
            PyObject *closed = PyObject_CallMethod(source, "close", NULL);
            Py_XDECREF(closed);
            status = closed == NULL ? -1 : 0;
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
    Py_CLEAR(self->first);
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
    Py_VISIT(self->first);
    Py_VISIT(self->awaited);
    Py_VISIT(self->yielded);
    Py_VISIT(self->raised);
    Py_VISIT(self->held);
    Py_VISIT(self->idle);
    Py_VISIT(self->finalizer);
    return 0;
}

int
astream_clear(PyObject *op)
{
    astream *self = (astream *)op;
    Py_CLEAR(self->source);
    Py_CLEAR(self->first);
    Py_CLEAR(self->awaited);
    Py_CLEAR(self->yielded);
    Py_CLEAR(self->raised);
    Py_CLEAR(self->held);
    Py_CLEAR(self->idle);
    Py_CLEAR(self->finalizer);
    return 0;
}

static void
astream_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (PyObject_CallFinalizerFromDealloc(op) < 0) {
        return;
    }
    PyObject_GC_UnTrack(op);
    if (((astream *)op)->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    PyObject *raised = PyErr_GetRaisedException(); /* release() may have an error of its own */
    type->tp_clear(op);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- slots and methods ---- */

static PyObject *
call(PyObject *op, astep_call name, PyObject *argument)
{
    astream *self = (astream *)op;
    bool takes = name == ASTEP_ANEXT || name == ASTEP_ASEND || name == ASTEP_APRIME;
    PyObject *step = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if ((self->introduced || introduce(self) == 0) &&
        (!takes || !self->close_with_task || self->followed || follow_task(self) == 0)) {
        step = astep_new(self, name, argument);
    }
    Py_END_CRITICAL_SECTION();
    return step;
}

static PyObject *
astream_anext(PyObject *op)
{
    astream *self = (astream *)op;
    if (!self->introduced || self->close_with_task) {
        return call(op, ASTEP_ANEXT, NULL);
    }
    PyObject *step;
    Py_BEGIN_CRITICAL_SECTION(op);
    step = astep_new_anext(self);
    Py_END_CRITICAL_SECTION();
    return step;
}

PyDoc_STRVAR(asend_doc, "asend($self, value, /)\n"
                        "--\n\n"
                        "A coroutine that gives the next item; the value is ignored.  As for\n"
                        "an async generator, the first value sent must be None (TypeError).");

static PyObject *
astream_asend(PyObject *op, PyObject *value)
{
    return call(op, ASTEP_ASEND, value);
}

PyDoc_STRVAR(athrow_doc, "athrow($self, type, value=None, traceback=None, /)\n"
                         "--\n\n"
                         "A coroutine that closes the source, then raises the exception.\n"
                         "The stream has ended.");

static PyObject *
astream_athrow(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    PyObject *exception = raising_thrown("athrow", args, count);
    if (exception == NULL) {
        return NULL;
    }
    PyObject *step = call(op, ASTEP_ATHROW, exception);
    Py_DECREF(exception);
    return step;
}

PyDoc_STRVAR(aclose_doc,
             "aclose($self, /)\n"
             "--\n\n"
             "A coroutine that ends the stream: it closes the source if that is a\n"
             "generator, and whatever the stream opened itself.  It returns when the\n"
             "source's `finally` has run, raises its error, and never blocks the loop.\n"
             "Closing again does nothing.");

static PyObject *
astream_aclose(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    bool abandoned = ((astream *)op)->abandoned;
    return call(op, abandoned ? ASTEP_ABANDON : ASTEP_ACLOSE, NULL);
}

PyDoc_STRVAR(aprime_doc,
             "aprime($self, /)\n"
             "--\n\n"
             "A coroutine that makes the first item and holds it; it gives the stream.\n"
             "An error of the source is raised here, before anything was sent anywhere.");

static PyObject *
astream_aprime(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return call(op, ASTEP_APRIME, NULL);
}

PyDoc_STRVAR(aenter_doc,
             "__aenter__($self, /)\n--\n\nA coroutine that gives the stream itself.");

static PyObject *
astream_aenter(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyObject *step;
    Py_BEGIN_CRITICAL_SECTION(op); /* it takes the idle one */
    step = astep_new((astream *)op, ASTEP_AENTER, NULL);
    Py_END_CRITICAL_SECTION();
    return step;
}

PyDoc_STRVAR(aexit_doc,
             "__aexit__($self, /, *exception)\n--\n\nClose the stream: see aclose().");

static PyObject *
astream_aexit(PyObject *op, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(count))
{
    return call(op, ASTEP_ACLOSE, NULL);
}

static PyMethodDef astream_methods[] = {
    {"asend", astream_asend, METH_O, asend_doc},
    {"athrow", (PyCFunction)(void (*)(void))astream_athrow, METH_FASTCALL, athrow_doc},
    {"aclose", astream_aclose, METH_NOARGS, aclose_doc},
    {"aprime", astream_aprime, METH_NOARGS, aprime_doc},
    {"__aenter__", astream_aenter, METH_NOARGS, aenter_doc},
    {"__aexit__", (PyCFunction)(void (*)(void))astream_aexit, METH_FASTCALL, aexit_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL},
};

static PyMemberDef astream_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(astream, weak_references), Py_READONLY,
     NULL},
    {NULL},
};

static PyType_Slot astream_slots[] = {
    {Py_tp_doc, (char *)"What every native async stream does as an async generator does."},
    {Py_tp_traverse, astream_traverse},
    {Py_tp_clear, astream_clear},
    {Py_tp_finalize, astream_finalize},
    {Py_tp_dealloc, astream_dealloc},
    {Py_am_aiter, PyObject_SelfIter},
    {Py_am_anext, astream_anext},
    {Py_tp_methods, astream_methods},
    {Py_tp_members, astream_members},
    {0, NULL},
};

PyType_Spec astream_spec = {
    .name = "generators._native._AsyncStream",
    .basicsize = sizeof(astream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = astream_slots,
};
