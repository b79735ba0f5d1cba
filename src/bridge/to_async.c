/* to_async: the items of a sync iterable, for `async for`.
 *
 * With a thread, the default, a worker iterates the source (see worker.c), and a step takes an
 * item from its ring or waits for the worker.  Without a thread, each step calls next() of the
 * source on the loop's own thread.
 *
 * States: those of an async stream.  The worker starts at the first step.  If the stream is
 * closed before that, it closes its source at once, because no other thread has used the
 * source.
 *
 * It owns the worker, until the end.  Without a thread, the stream owns the source's iterator,
 * or before the first step the callable that makes the source.
 *
 * Teardown needs no module state: see worker.c.
 */
#include "bridge/to_async.h"

#include "bridge/worker_start.h"
#include "bridge/worker_wait.h"
#include "bridge/size.h"
#include "runtime/executor.h"
#include "runtime/patched.h"
#include "stream/astream.h"

#define BUFFERSIZE 256
#define MAX_BYTES (1 << 20)

typedef struct {
    astream stream;
    worker *worker;     /* owned; NULL without a thread, and at the end */
    PyObject *executor; /* owned, until the worker has started; or NULL */
    PyObject *callable; /* owned: makes the source, without a thread; or NULL */
    PyObject *error;    /* owned: what on_close() has raised, or NULL */
} to_async;

static generators_state *
state_of(to_async *self)
{
    return generators_state_of((PyObject *)self);
}

/* ---- without a thread ---- */

static int
call_source(to_async *self)
{
    PyObject *callable = self->callable;
    self->callable = NULL;
    PyObject *source = PyObject_CallNoArgs(callable);
    Py_DECREF(callable);
    int status = source == NULL
                     ? -1
                     : astream_open(&self->stream, state_of(self), source, ASTREAM_SYNC);
    Py_XDECREF(source);
    return status;
}

static astream_outcome
step_without_thread(to_async *self, PyObject **value)
{
    if (self->callable != NULL && self->stream.is_stopped) {
        return ASTREAM_END; /* the source was never made */
    }
    if (self->callable != NULL && call_source(self) < 0) {
        return ASTREAM_ERROR;
    }
    if (self->stream.is_stopped && astream_is_cut(&self->stream)) {
        return ASTREAM_END;
    }
    *value = astream_pull_ready(&self->stream);
    if (*value != NULL) {
        return ASTREAM_ITEM;
    }
    return astream_pull_ended(&self->stream) == ASTREAM_ENDED ? ASTREAM_END : ASTREAM_ERROR;
}

/* ---- with a thread ---- */

static astream_outcome
wait_for_worker(to_async *self, PyObject **value)
{
    *value = worker_wait(self->worker, state_of(self));
    if (*value == NULL) {
        return ASTREAM_ERROR;
    }
    if (worker_needs_refill(self->worker)) {
        worker_refill(self->worker);
    }
    return ASTREAM_WAIT;
}

static int
start(to_async *self)
{
    PyObject *executor = self->executor;
    self->executor = NULL;
    int status = worker_start(self->worker, state_of(self), executor);
    Py_XDECREF(executor);
    return status;
}

static astream_outcome
to_async_step(astream *base, astream_answer Py_UNUSED(answer), PyObject **value)
{
    to_async *self = (to_async *)base;
    if (self->worker == NULL) {
        return step_without_thread(self, value);
    }
    if (worker_is_forked(self->worker)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "to_async() was made before a fork, and its worker is not in this "
                        "process: make another");
        return ASTREAM_ERROR;
    }
    *value = worker_take(self->worker);
    if (*value != NULL) {
        if (worker_needs_refill(self->worker)) {
            worker_refill(self->worker);
        }
        return ASTREAM_ITEM;
    }
    if (worker_is_finished(self->worker)) {
        base->was_cut = self->worker->was_cut;
        return PyErr_Occurred() ? ASTREAM_ERROR : ASTREAM_END;
    }
    if (base->is_stopped && !self->worker->started && !self->worker->closes_source) {
        base->was_cut = true;
        return ASTREAM_END; /* no thread is needed to close it */
    }
    /* Find the loop first: if there is none, no worker is started. */
    astream_outcome outcome = wait_for_worker(self, value);
    if (outcome == ASTREAM_WAIT && !self->worker->started && start(self) < 0) {
        Py_CLEAR(*value);
        return ASTREAM_ERROR;
    }
    return outcome;
}

/* What is raised is raised at the end of closing, with an earlier one as its context. */
static void
to_async_add_error(to_async *self)
{
    PyObject *earlier = self->error;
    self->error = NULL;
    raising_chain(earlier);
    self->error = PyErr_GetRaisedException();
}

static astream_outcome
to_async_raise_error(to_async *self)
{
    PyObject *error = self->error;
    self->error = NULL;
    if (error == NULL) {
        return ASTREAM_END;
    }
    PyErr_SetRaisedException(error);
    return ASTREAM_ERROR;
}

static astream_outcome
to_async_close(astream *base, astream_answer Py_UNUSED(answer), PyObject **value)
{
    to_async *self = (to_async *)base;
    if (self->worker == NULL || worker_is_forked(self->worker)) {
        return ASTREAM_END;
    }
    if (!self->worker->started) {
        return worker_close_unstarted(self->worker) < 0 ? ASTREAM_ERROR : ASTREAM_END;
    }
    worker_stop(self->worker);
    if (worker_call_on_close(self->worker) < 0) {
        to_async_add_error(self); /* closing goes on */
    }
    if (worker_is_finished(self->worker)) {
        return PyErr_Occurred() ? ASTREAM_ERROR : to_async_raise_error(self);
    }
    return wait_for_worker(self, value);
}

static int
to_async_release(astream *base)
{
    to_async *self = (to_async *)base;
    Py_CLEAR(self->callable);
    Py_CLEAR(self->executor);
    Py_CLEAR(self->error);
    worker *released = self->worker;
    self->worker = NULL;
    if (released == NULL) {
        return 0;
    }
    if (worker_is_forked(released)) {
        return 0; /* never dropped: it holds what belongs to the parent process */
    }
    if (released->started) {
        worker_stop(released);
        if (worker_call_on_close(released) < 0) {
            raising_unraisable((PyObject *)released);
        }
        worker_close_idle(released);
    }
    int status =
        released->started ? worker_release(released) : worker_close_unstarted(released);
    Py_DECREF(released);
    return status;
}

static int
to_async_stop(astream *base)
{
    worker *stopped = ((to_async *)base)->worker;
    return stopped == NULL ? 0 : worker_drain(stopped, state_of((to_async *)base));
}

static void
to_async_measure(astream *base, measures *into)
{
    worker *held = ((to_async *)base)->worker;
    if (held != NULL) {
        worker_measure(held, into);
    }
}

static const astream_kind to_async_kind = {.step = to_async_step,
                                           .close = to_async_close,
                                           .release = to_async_release,
                                           .stop = to_async_stop,
                                           .measure = to_async_measure};

static int
to_async_traverse(PyObject *op, visitproc visit, void *arg)
{
    to_async *self = (to_async *)op;
    Py_VISIT((PyObject *)self->worker);
    Py_VISIT(self->executor);
    Py_VISIT(self->callable);
    Py_VISIT(self->error);
    return astream_traverse(op, visit, arg);
}

static int
to_async_clear(PyObject *op)
{
    if (to_async_release((astream *)op) < 0) {
        raising_unraisable((PyObject *)Py_TYPE(op)); /* `op` may be freed already */
    }
    return astream_clear(op);
}

/* ---- making one ---- */

/* Read a limit, which is `least` or more, or None for no limit. */
static int
read_limit(PyObject *object, const char *name, Py_ssize_t least, size_t *limit)
{
    if (object == NULL) {
        return 0;
    }
    if (object == Py_None) {
        *limit = SIZE_MAX;
        return 0;
    }
    Py_ssize_t value = PyNumber_AsSsize_t(object, PyExc_OverflowError);
    if (value == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (value < least) {
        PyErr_Format(PyExc_ValueError, "%s must be at least %zd", name, least);
        return -1;
    }
    *limit = (size_t)value;
    return 0;
}

static int
open_without_thread(to_async *self, generators_state *state, PyObject *source)
{
    if (Py_TYPE(source)->tp_iter == NULL && !PySequence_Check(source) &&
        PyCallable_Check(source)) {
        self->callable = Py_NewRef(source);
        return 0;
    }
    return astream_open(&self->stream, state, source, ASTREAM_SYNC);
}

static int
to_async_init(to_async *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source", "thread", "buffersize", "max_bytes",       "executor",
                               "hold",   "sizeof", "on_close",   "close_with_task", NULL};
    PyObject *source, *buffersize = NULL, *max_bytes = NULL, *executor = Py_None;
    PyObject *sizeof_item = Py_None, *on_close = Py_None;
    size_t items = BUFFERSIZE, bytes = MAX_BYTES;
    int thread = 1, hold = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$pOOOpOOp:to_async", keywords, &source,
                                     &thread, &buffersize, &max_bytes, &executor, &hold,
                                     &sizeof_item, &on_close, &self->stream.close_with_task) ||
        read_limit(buffersize, "buffersize", 0, &items) < 0 ||
        read_limit(max_bytes, "max_bytes", 1, &bytes) < 0) {
        return -1;
    }
    if (!thread) {
        if (executor != Py_None) {
            PyErr_SetString(PyExc_ValueError, "thread=False takes no executor");
            return -1;
        }
        if (!hold || sizeof_item != Py_None || on_close != Py_None) {
            PyErr_SetString(PyExc_ValueError,
                            "thread=False takes no hold, sizeof or on_close: nothing is read "
                            "ahead, and nothing waits on another thread");
            return -1;
        }
        return open_without_thread(self, state, source);
    }
    if (patched_check_threads("to_async()", "use thread=False") < 0) {
        return -1;
    }
    if (executor != Py_None) {
        if (executor_check(executor, "to_async()", "leave out `executor`") < 0) {
            return -1;
        }
        self->executor = Py_NewRef(executor);
    }
    else if (!hold) {
        PyErr_SetString(PyExc_ValueError,
                        "hold=False needs an executor, in which places are left");
        return -1;
    }
    if (worker_watch_forks(state) < 0) {
        return -1;
    }
    self->worker = (worker *)worker_new(state, "to_async", source, items, bytes);
    if (self->worker == NULL ||
        size_set_function(&self->worker->sizeof_item, sizeof_item) < 0) {
        return -1;
    }
    self->worker->holds = hold;
    return worker_set_on_close(self->worker, on_close);
}

static PyObject *
to_async_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    to_async *self = (to_async *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &to_async_kind;
    if (to_async_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* A stream that is dropped stops its worker at once: the loop whose hook closes the stream may
   never run again.  A source that no thread has is closed here: an executor cannot be asked
   for a place by code that may run anywhere, within the executor's own locks, too. */
static void
to_async_finalize(PyObject *op)
{
    to_async *self = (to_async *)op;
    worker *held = self->worker;
    if (held != NULL && !self->stream.running && held->started && !worker_is_forked(held)) {
        PyObject *raised = PyErr_GetRaisedException();
        worker_stop(held);
        worker_close_idle(held);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
    }
    astream_finalize(op);
}

PyDoc_STRVAR(
    to_async_doc,
    "to_async(source, *, thread=True, buffersize=256, max_bytes=1048576, executor=None,\n"
    "         hold=True, sizeof=None, on_close=None, close_with_task=False)\n"
    "--\n\n"
    "An async iterator over an iterable, which does not block the event loop.\n"
    "\n"
    "The source is an iterable, or a callable without arguments that returns one.  A new\n"
    "thread, or one job of `executor`, calls the callable, next() and, if the iterator is\n"
    "a generator, close(), in a copy of the current context.  A database cursor or\n"
    "connection that is made there therefore belongs to that thread.\n"
    "\n"
    "The thread reads at most `buffersize` items ahead, and stops when they have\n"
    "`max_bytes` bytes or more.  The bytes of an item are estimated as the length of all\n"
    "text and bytes in it, also inside tuples, lists, sets and dicts up to four levels\n"
    "deep, and 64 more for each object; beyond 10,000 objects, the rest of the item is\n"
    "extrapolated.  sizeof(item) returns the number of bytes of an item of another kind.\n"
    "None sets no limit.  With buffersize=0, an item is read only when it is requested;\n"
    "use this for queues and subscriptions.\n"
    "\n"
    "With hold=False, a job occupies a thread of the executor only while items are made,\n"
    "at most until the buffer is full or for 50 ms.  Closing also needs a thread for a\n"
    "moment.  Use this for many slow streams on few threads, and for streams that are\n"
    "read within one another, if the source is not bound to one thread.\n"
    "\n"
    "If the stream is closed while the source is running, on_close() is called, in the\n"
    "thread that closes the stream.  It may wake a source that blocks: queue.put(None),\n"
    "for example, or connection.interrupt().\n"
    "\n"
    "Cancelling a step loses no item and does not end the stream.  aclose() ends a\n"
    "pending step.  It returns when the source is closed, and raises the exception of\n"
    "closing it.  close_with_task=True closes the stream when the asyncio task that took\n"
    "its first item ends.\n"
    "\n"
    "With thread=False, each step calls next() on the thread of the event loop, and lets\n"
    "the loop run other tasks about once per millisecond.  Use this for sources that do\n"
    "not block.  No event loop is needed.\n"
    "\n"
    "RuntimeError is raised if gevent or eventlet has replaced threads by greenlets,\n"
    "unless thread=False.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> async def total():\n"
    "...     return sum([n async for n in to_async(range(10))])\n"
    ">>> asyncio.run(total())\n"
    "45");

static PyType_Slot to_async_slots[] = {
    {Py_tp_doc, (char *)to_async_doc},   {Py_tp_new, to_async_new},
    {Py_tp_traverse, to_async_traverse}, {Py_tp_clear, to_async_clear},
    {Py_tp_finalize, to_async_finalize}, {0, NULL},
};

PyType_Spec to_async_spec = {
    .name = "native_generators.to_async",
    .basicsize = sizeof(to_async),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = to_async_slots,
};
