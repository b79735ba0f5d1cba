/* to_sync: the items of an async source, for sync code.
 *
 * The reading front end of a driver (see driver.c), which runs on a loop in another thread.
 * It starts the driver at the first step, waits for it, and closes it.  If no loop is given,
 * it uses the background loop of the interpreter: native_generators/_background.py.
 *
 * States: those of a stream; `driver` is NULL after the end.  A step that timed out, or was
 * made on the loop's own thread, is refused and changes nothing.
 *
 * It owns the driver and, until the driver starts, the loop.  User code: signal handlers and
 * the loop's methods.  The source runs on the loop's thread.
 *
 * If another thread closes the stream while a step waits, the step ends, and both threads wait
 * until the source is closed.  The thread that closed it first raises the error of closing.
 *
 * If the stream is dropped without close(), it asks for the source to be closed and does not
 * wait: the garbage collector may run on any thread, even on the loop's.  If it was never
 * begun and no loop runs, the source is dropped as it is.
 *
 * A forked child has no thread that runs the loop.  So a step is refused, closing does
 * nothing, and what belongs to the parent is left alone.
 *
 * Threads: see stream.c.  The object's critical section is suspended during a wait; `running`
 * refuses other calls.
 */
#include "bridge/to_sync.h"

#include "aio/loop.h"
#include "bridge/driver_reader.h"
#include "bridge/size.h"
#include "core/clock.h"
#include "runtime/forks.h"
#include "runtime/patched.h"
#include "runtime/seconds.h"
#include "runtime/watch.h"
#include "stream/stream.h"
#include "stream/refusal.h"

typedef struct {
    stream stream;
    driver *driver;       /* owned */
    PyObject *loop;       /* owned: the given loop, or NULL for the background loop */
    uint64_t timeout;     /* nanoseconds, or SECONDS_FOREVER */
    unsigned long thread; /* the thread that is in a step, or closes the stream */
    forks_mark forks;
    bool unstartable; /* no loop could be found */
    bool dropped;
    bool is_closed; /* a thread closes it, and will raise the error of closing */
} to_sync;

/* ---- waiting ---- */

/* 0, or -1 with RuntimeError if the thread would wait for itself. */
static int
check_thread(generators_state *state, PyObject *loop)
{
    PyObject *running;
    if (loop_running(state, &running) < 0) {
        return -1;
    }
    bool own = running != NULL && running == loop;
    Py_XDECREF(running);
    if (own) {
        PyErr_SetString(PyExc_RuntimeError,
                        "to_sync() cannot wait on the thread of its own event loop: use "
                        "`async for` there");
    }
    return own ? -1 : 0;
}

static void
raise_timeout(const to_sync *self, const char *what)
{
    PyObject *seconds = PyFloat_FromDouble((double)self->timeout / (double)CLOCK_SECOND);
    if (seconds != NULL) {
        PyErr_Format(PyExc_TimeoutError, "%s within %R seconds", what, seconds);
        Py_DECREF(seconds);
    }
}

/* ---- starting ---- */

/* Find the loop to use: a new reference.  If the stream is being dropped and no loop runs,
   this is None: the garbage collector must start no thread. */
static PyObject *
find_loop(to_sync *self, generators_state *state)
{
    if (self->loop != NULL) {
        return Py_NewRef(self->loop);
    }
    PyObject *loop =
        PyObject_CallMethod(state->background, self->dropped ? "running" : "loop", NULL);
    self->unstartable = loop == NULL;
    return loop;
}

static int
start(to_sync *self, generators_state *state)
{
    PyObject *loop = find_loop(self, state);
    if (loop == NULL) {
        return -1;
    }
    int status = check_thread(state, loop);
    if (status < 0) {
        self->stream.refused = true;
    }
    else {
        status = driver_start(self->driver, loop);
    }
    Py_DECREF(loop);
    return status;
}

/* ---- a step ---- */

static int
wait_for_item(to_sync *self, generators_state *state)
{
    if (check_thread(state, self->driver->loop) < 0) {
        self->stream.refused = true;
        return -1;
    }
    int status = driver_wait(self->driver, &self->driver->channel.reader, false, self->timeout,
                             &self->stream.refused);
    if (status == 0) {
        raise_timeout(self, "no item came");
        self->stream.refused = true;
    }
    return status > 0 ? 0 : -1;
}

static PyObject *
to_sync_next(stream *base)
{
    to_sync *self = (to_sync *)base;
    generators_state *state = generators_state_of((PyObject *)self);
    if (forks_mark_is_old(&self->forks)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "to_sync() was made before a fork, and its event loop is not in this "
                        "process: make another");
        base->refused = true;
        return NULL;
    }
    self->thread = PyThread_get_thread_ident();
    if (self->driver->loop == NULL && base->is_stopped) {
        base->was_cut = true; /* the source was not begun */
        return NULL;
    }
    if (self->driver->loop == NULL && start(self, state) < 0) {
        return NULL;
    }
    for (;;) {
        PyObject *item;
        switch (driver_take(self->driver, &item)) {
        case CHANNEL_ITEM:
            return item;
        case CHANNEL_NONE:
            if (wait_for_item(self, state) < 0) {
                return NULL;
            }
            break;
        default:
            base->was_cut = channel_was_cut(&self->driver->channel);
            return NULL;
        }
    }
}

/* ---- stopping ---- */

static int
to_sync_stop(stream *base)
{
    to_sync *self = (to_sync *)base;
    if (self->driver == NULL || forks_mark_is_old(&self->forks)) {
        return 0;
    }
    driver *driven = (driver *)Py_NewRef((PyObject *)self->driver);
    int status = driver_drain(driven);
    PyObject *raised = status < 0 ? PyErr_GetRaisedException() : NULL;
    Py_DECREF(driven);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return status;
}

static void
to_sync_measure(stream *base, measures *into)
{
    driver *driven = ((to_sync *)base)->driver;
    if (driven != NULL) {
        Py_ssize_t items;
        channel_measure(&driven->channel, &items, &into->held_bytes);
        into->held += items;
        measures_name_source(into, driven->name);
    }
}

static PyMethodDef to_sync_methods[] = {
    STREAM_STOP_METHOD,
    {NULL},
};

/* ---- closing ---- */

/* Wait until the source is closed.  `raises`: raise the error of closing.  0 or -1. */
static int
wait_for_end(to_sync *self, driver *driven, channel_waiter *waiter, bool raises)
{
    if (check_thread(generators_state_of((PyObject *)self), driven->loop) < 0) {
        channel_drop(&driven->channel);
        return -1;
    }
    bool is_stopped;
    int status = driver_wait(driven, waiter, true, self->timeout, &is_stopped);
    if (status > 0) {
        return raises ? channel_raise_closing_error(&driven->channel) : 0;
    }
    if (status == 0 && raises) {
        raise_timeout(self, "the source was not closed");
    }
    channel_drop(&driven->channel); /* still closing */
    return status == 0 && !raises ? 0 : -1;
}

/* The driver was not begun.  Start it to close the source, if the source needs closing.  1 if
   it was started, 0, or -1. */
static int
start_to_close(to_sync *self, generators_state *state)
{
    int needs = self->unstartable ? 0 : driver_needs_closing(self->driver);
    if (needs <= 0) {
        return needs;
    }
    PyObject *loop = find_loop(self, state);
    int status = loop == NULL ? -1 : 0;
    if (loop != NULL && loop != Py_None) {
        status = driver_start(self->driver, loop) < 0 ? -1 : 1;
    }
    Py_XDECREF(loop);
    return status;
}

static int
close_driver(to_sync *self, driver *driven)
{
    if (forks_mark_is_old(&self->forks)) {
        return 0;
    }
    bool raises = !self->is_closed;
    self->is_closed = true;
    if (self->dropped) {
        channel_drop(&driven->channel);
    }
    if (driver_close(driven) < 0) {
        return -1;
    }
    if (driven->loop == NULL) {
        int started = start_to_close(self, generators_state_of((PyObject *)self));
        if (started <= 0) {
            PyObject *raised = PyErr_GetRaisedException();
            driver_give_up(driven); /* others may wait for its end */
            if (raised != NULL) {
                PyErr_SetRaisedException(raised);
            }
            return started;
        }
    }
    return self->dropped ? channel_raise_closing_error(&driven->channel)
                         : wait_for_end(self, driven, &driven->channel.reader, raises);
}

static int
to_sync_release(stream *base)
{
    to_sync *self = (to_sync *)base;
    self->thread = PyThread_get_thread_ident();
    driver *driven = self->driver;
    int status = driven == NULL ? 0 : close_driver(self, driven);
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *loop = self->loop;
    self->driver = NULL;
    self->loop = NULL;
    Py_XDECREF(driven);
    Py_XDECREF(loop);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return status;
}

/* close() while another thread is in a step, or closes the stream. */
static int
to_sync_close_running(stream *base)
{
    to_sync *self = (to_sync *)base;
    if (self->thread == PyThread_get_thread_ident() || self->driver == NULL ||
        forks_mark_is_old(&self->forks)) {
        return 1;
    }
    channel_waiter waiter;
    if (channel_waiter_init(&waiter) < 0) {
        return -1;
    }
    driver *driven = (driver *)Py_NewRef((PyObject *)self->driver);
    bool raises = !self->is_closed;
    self->is_closed = true;
    int status = driver_close(driven);
    if (status == 0) {
        status = wait_for_end(self, driven, &waiter, raises);
    }
    channel_waiter_free(&waiter);
    PyObject *raised = PyErr_GetRaisedException();
    Py_DECREF(driven);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return status;
}

static const stream_kind to_sync_kind = {
    .next = to_sync_next,
    .release = to_sync_release,
    .close_running = to_sync_close_running,
    .stop = to_sync_stop,
    .measure = to_sync_measure,
};

/* ---- memory ---- */

static int
to_sync_traverse(PyObject *op, visitproc visit, void *arg)
{
    to_sync *self = (to_sync *)op;
    Py_VISIT((PyObject *)self->driver);
    Py_VISIT(self->loop);
    return stream_traverse(op, visit, arg);
}

static int
to_sync_clear(PyObject *op)
{
    to_sync *self = (to_sync *)op;
    Py_CLEAR(self->driver);
    Py_CLEAR(self->loop);
    forks_mark_clear(&self->forks);
    return stream_clear(op);
}

static void
to_sync_finalize(PyObject *op)
{
    ((to_sync *)op)->dropped = true;
    Py_TYPE(op)->tp_base->tp_finalize(op);
}

/* ---- making one ---- */

/* Called in a forked child. */
static PyObject *
forked(PyObject *reference, PyObject *Py_UNUSED(ignored))
{
    PyObject *module;
    generators_state *state = watch_state(reference, &module);
    if (state == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    forks_count(state);
    /* The parent's loop is never dropped: dropping it would warn that it is open.  It must not
       be closed either, because it shares the parent's file descriptors. */
    PyObject *lost = PyObject_CallMethod(state->background, "forget", NULL);
    Py_DECREF(module);
    if (lost == NULL) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef forked_def = {"_forked", forked, METH_NOARGS, NULL};

static int
find_background(to_sync *self, generators_state *state)
{
    if (generators_late(state, &state->background) != NULL) {
        return 0;
    }
    PyObject *background = PyImport_ImportModule("native_generators._background");
    PyObject *error =
        background == NULL ? NULL : PyObject_GetAttrString(background, "CancelledError");
    if (error == NULL || watch_forks(PyType_GetModule(Py_TYPE(self)), &forked_def) < 0) {
        Py_XDECREF(background);
        Py_XDECREF(error);
        return -1;
    }
    generators_set_late(state, &state->cancelled_error, error);
    generators_set_late(state, &state->background, background);
    return 0;
}

static int
check_source(PyObject *source)
{
    PyAsyncMethods *methods = Py_TYPE(source)->tp_as_async;
    if ((methods != NULL && methods->am_aiter != NULL) || PyCallable_Check(source)) {
        return 0;
    }
    PyErr_Format(
        PyExc_TypeError,
        "source must be an async iterable, or a callable that returns one, not '%.200s'",
        Py_TYPE(source)->tp_name);
    refusal_add_hint("to_sync", source, true);
    return -1;
}

static int
check_loop(generators_state *state, PyObject *loop)
{
    PyObject *type = PyObject_GetAttrString(state->background, "AbstractEventLoop");
    int is = type == NULL ? -1 : PyObject_IsInstance(loop, type);
    Py_XDECREF(type);
    if (is == 0) {
        PyErr_Format(PyExc_TypeError, "loop must be an asyncio event loop, not '%.200s'",
                     Py_TYPE(loop)->tp_name);
    }
    return is > 0 ? 0 : -1;
}

static int
to_sync_init(to_sync *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source",  "buffersize", "max_bytes", "loop",
                               "timeout", "sizeof",     NULL};
    PyObject *source, *loop = Py_None, *timeout = Py_None, *sizeof_item = Py_None;
    Py_ssize_t buffersize = 256, max_bytes = 1 << 20;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$nnOOO:to_sync", keywords, &source,
                                     &buffersize, &max_bytes, &loop, &timeout, &sizeof_item) ||
        check_source(source) < 0 || seconds_read(timeout, "timeout", &self->timeout) < 0 ||
        patched_check_threads("to_sync()", "read the source in a process without it") < 0 ||
        find_background(self, state) < 0) {
        return -1;
    }
    if (buffersize < 0 || max_bytes < 1) {
        PyErr_SetString(PyExc_ValueError, buffersize < 0 ? "buffersize must be at least 0"
                                                         : "max_bytes must be at least 1");
        return -1;
    }
    if (loop != Py_None) {
        if (check_loop(state, loop) < 0) {
            return -1;
        }
        self->loop = Py_NewRef(loop);
    }
    forks_mark_set(&self->forks, state);
    self->driver = driver_new(state, source, (size_t)buffersize, (size_t)max_bytes);
    return self->driver == NULL
               ? -1
               : size_set_function(&self->driver->channel.sizeof_item, sizeof_item);
}

static PyObject *
to_sync_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    to_sync *self = (to_sync *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &to_sync_kind;
    self->timeout = SECONDS_FOREVER;
    if (to_sync_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(
    to_sync_doc,
    "to_sync(source, *, buffersize=256, max_bytes=1048576, loop=None, timeout=None,\n"
    "        sizeof=None)\n"
    "--\n\n"
    "An iterator over an async iterable, for code that is not async.\n"
    "\n"
    "The source is an async iterable, or a callable that returns one.  It runs in one\n"
    "task on an event loop in another thread: on `loop`, an asyncio event loop that runs\n"
    "there, or else on the background loop of the interpreter.  A callable is called\n"
    "there, too.  The source sees the context variables of the code that made the stream.\n"
    "It is started by the first step.\n"
    "\n"
    "At most `buffersize` items, with about `max_bytes` bytes, are read ahead.  The bytes\n"
    "are counted as by to_async(), or by sizeof(item), which runs on the thread of the\n"
    "loop.  With buffersize=0, an item is read only when it is requested.\n"
    "\n"
    "A step waits at most `timeout` seconds, and then raises TimeoutError.  No item is\n"
    "lost: the next step continues to wait.  Ctrl-C ends a wait, and the stream.\n"
    "\n"
    "close() cancels a pending step of the source and closes the source on its loop.  It\n"
    "waits for this at most `timeout` seconds, and raises the exception of closing.  It\n"
    "may be called on any thread: a step that waits in another thread then raises\n"
    "StopIteration.\n"
    "\n"
    "A step and close() raise RuntimeError on the thread of the loop, where they would\n"
    "wait forever.  A step also raises it in a forked child, and if the loop is not\n"
    "running or has been shut down.  to_sync() raises it if gevent or eventlet has\n"
    "replaced threads by greenlets.\n"
    "\n"
    ">>> async def count():\n"
    "...     for i in range(3):\n"
    "...         yield i\n"
    ">>> list(to_sync(count()))\n"
    "[0, 1, 2]");

static PyType_Slot to_sync_slots[] = {
    {Py_tp_doc, (char *)to_sync_doc},
    {Py_tp_new, to_sync_new},
    {Py_tp_traverse, to_sync_traverse},
    {Py_tp_clear, to_sync_clear},
    {Py_tp_finalize, to_sync_finalize},
    {Py_tp_methods, to_sync_methods},
    {0, NULL},
};

PyType_Spec to_sync_spec = {
    .name = "native_generators.to_sync",
    .basicsize = sizeof(to_sync),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = to_sync_slots,
};
