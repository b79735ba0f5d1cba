/* to_sync: the items of an async source, for plain code.
 *
 * The reading face of a pump (see pump.c), which runs on a loop in another thread and
 * which this one starts at the first step, waits for, and closes.  Where no loop is
 * given it is the background loop of the interpreter: generators/_background.py.
 *
 * States: those of a stream; `pump` is NULL when it has ended.  A step that timed out,
 * or was asked for on the loop's own thread, is refused and changes nothing.
 *
 * Owned: the pump and, until it starts, the loop.  User code that runs: the handlers of
 * signals and the loop's methods; the source runs on the loop's thread.
 *
 * Dropped without close(), it asks for the source to be closed and does not wait: the
 * collector may be running on any thread, the loop's own too.  What was never begun is
 * let go of as it is where no loop runs.
 *
 * In a forked child the loop's thread is missing: a step is refused, closing does
 * nothing, and what belongs to the parent is left alone.
 *
 * Threads: see stream.c.  While it waits the object's critical section is
 * suspended; `running` refuses others.
 */
#include "bridge/to_sync.h"

#include <math.h>

#include "bridge/pump.h"
#include "core/clock.h"
#include "aio/loop.h"
#include "stream/stream.h"
#include "runtime/forks.h"
#include "runtime/watch.h"

#define FOR_EVER UINT64_MAX
#ifdef _WIN32
#define LONGEST_WAIT (CLOCK_SECOND / 20) /* no signal ends a wait */
#else
#define LONGEST_WAIT (CLOCK_SECOND / 2)
#endif
#define PATIENCE CLOCK_SECOND /* with a loop that does not run, maybe not yet */

typedef struct {
    stream stream;
    pump *pump;       /* owned */
    PyObject *loop;   /* owned: as given, or NULL for the background loop */
    uint64_t timeout; /* nanoseconds, or FOR_EVER */
    forks_mark forks;
    bool unstartable; /* no loop can be had */
    bool dropped;
} to_sync;

/* ---- waiting ---- */

/* 0, or -1 with RuntimeError where waiting would wait for this thread itself. */
static int
check_thread(generators_state *state, PyObject *loop)
{
    PyObject *running;
    if (loop_running(state, &running) < 0) {
        return -1;
    }
    bool own = running == loop;
    Py_XDECREF(running);
    if (own) {
        PyErr_SetString(PyExc_RuntimeError,
                        "to_sync() is waited for on the thread of its own event loop, which "
                        "could never go on: use `async for` there");
    }
    return own ? -1 : 0;
}

static int
is_loop_running(to_sync *self)
{
    PyObject *running = PyObject_CallMethod(self->pump->loop, "is_running", NULL);
    int is = running == NULL ? -1 : PyObject_IsTrue(running);
    Py_XDECREF(running);
    return is;
}

/* Wait until there is something to take or, `for_end`, for the end.  1; 0 when the
   timeout is over; or -1 with an exception: of a signal, or RuntimeError where the
   loop does not run, which refuses the step. */
static int
wait_for_pump(to_sync *self, bool for_end)
{
    uint64_t start = clock_precise(), run = start;
    while (pump_arm(self->pump, for_end)) {
        uint64_t elapsed = clock_precise() - start;
        uint64_t left = elapsed < self->timeout ? self->timeout - elapsed : 0;
        int status = pump_wait(self->pump, left < LONGEST_WAIT ? left : LONGEST_WAIT);
        if (status != 0) {
            return status;
        }
        uint64_t now = clock_precise();
        if (now - start >= self->timeout) {
            return 0;
        }
        status = is_loop_running(self);
        if (status < 0) {
            return -1;
        }
        if (status > 0) {
            run = now;
        }
        else if (now - run > PATIENCE) {
            PyErr_SetString(PyExc_RuntimeError, "the event loop of to_sync() is not running");
            self->stream.refused = !for_end;
            return -1;
        }
    }
    return 1;
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

/* The loop to be used: a new reference; when it is dropped None where none is there: a
   collector must start no thread. */
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
        status = pump_start(self->pump, loop);
    }
    Py_DECREF(loop);
    return status;
}

/* ---- the stream's own ---- */

/* Nothing is there to be taken: wait for it. */
static int
wait_for_item(to_sync *self, generators_state *state)
{
    if (check_thread(state, self->pump->loop) < 0) {
        self->stream.refused = true;
        return -1;
    }
    int status = wait_for_pump(self, false);
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
    if (self->pump->loop == NULL && start(self, state) < 0) {
        return NULL;
    }
    for (;;) {
        PyObject *item;
        switch (pump_take(self->pump, &item)) {
        case PUMP_ITEM:
            return item;
        case PUMP_NONE:
            if (wait_for_item(self, state) < 0) {
                return NULL;
            }
            break;
        default:
            return NULL;
        }
    }
}

/* Wait until the source is closed.  0, or -1 with an exception. */
static int
wait_for_end(to_sync *self, generators_state *state)
{
    if (check_thread(state, self->pump->loop) < 0) {
        pump_drop(self->pump);
        return -1;
    }
    int status = wait_for_pump(self, true);
    if (status > 0) {
        return pump_closed(self->pump);
    }
    if (status == 0) {
        raise_timeout(self, "the source was not closed");
    }
    pump_drop(self->pump); /* it goes on closing */
    return -1;
}

/* It was not begun: have it begin with closing, where there is something to be closed.
   1 if it does, 0, or -1. */
static int
start_to_close(to_sync *self, generators_state *state)
{
    int needs = self->unstartable ? 0 : pump_needs_closing(self->pump);
    if (needs <= 0) {
        return needs;
    }
    PyObject *loop = find_loop(self, state);
    int status = loop == NULL ? -1 : 0;
    if (loop != NULL && loop != Py_None) {
        status = pump_start(self->pump, loop) < 0 ? -1 : 1;
    }
    Py_XDECREF(loop);
    return status;
}

static int
close_pump(to_sync *self)
{
    generators_state *state = generators_state_of((PyObject *)self);
    if (forks_mark_is_old(&self->forks)) {
        return 0;
    }
    if (self->dropped) {
        pump_drop(self->pump);
    }
    if (pump_close(self->pump) < 0) {
        return -1;
    }
    if (self->pump->loop == NULL) {
        int started = start_to_close(self, state);
        if (started <= 0) {
            return started;
        }
    }
    return self->dropped ? pump_closed(self->pump) : wait_for_end(self, state);
}

static int
to_sync_release(stream *base)
{
    to_sync *self = (to_sync *)base;
    int status = self->pump == NULL ? 0 : close_pump(self);
    Py_CLEAR(self->pump);
    Py_CLEAR(self->loop);
    return status;
}

static const stream_kind to_sync_kind = {to_sync_next, to_sync_release};

/* ---- memory ---- */

static int
to_sync_traverse(PyObject *op, visitproc visit, void *arg)
{
    to_sync *self = (to_sync *)op;
    Py_VISIT(self->pump);
    Py_VISIT(self->loop);
    return stream_traverse(op, visit, arg);
}

static int
to_sync_clear(PyObject *op)
{
    to_sync *self = (to_sync *)op;
    Py_CLEAR(self->pump);
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

/* In a child, after a fork. */
static PyObject *
forked(PyObject *reference, PyObject *Py_UNUSED(ignored))
{
    PyObject *module;
    generators_state *state = watch_state(reference, &module);
    if (state == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    forks_count(state);
    /* The parent's loop is kept for ever: it would warn of being dropped open, and must
       not be closed, as it shares the parent's file descriptors. */
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
    PyObject *background = PyImport_ImportModule("generators._background");
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
        "source must be an async iterable, or a callable that makes one, not '%.200s'",
        Py_TYPE(source)->tp_name);
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
read_timeout(PyObject *given, uint64_t *timeout)
{
    *timeout = FOR_EVER;
    if (given == Py_None) {
        return 0;
    }
    double seconds = PyFloat_AsDouble(given);
    if (seconds == -1.0 && PyErr_Occurred()) {
        return -1;
    }
    if (isnan(seconds) || seconds < 0) {
        PyErr_Format(PyExc_ValueError, "timeout must be None or at least 0, not %R", given);
        return -1;
    }
    double nanoseconds = ceil(seconds * (double)CLOCK_SECOND);
    if (nanoseconds < 9e18) {
        *timeout = (uint64_t)nanoseconds;
    }
    return 0;
}

static int
to_sync_init(to_sync *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source", "buffersize", "max_bytes", "loop", "timeout", NULL};
    PyObject *source, *loop = Py_None, *timeout = Py_None;
    Py_ssize_t buffersize = 256, max_bytes = 1 << 20;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$nnOO:to_sync", keywords, &source,
                                     &buffersize, &max_bytes, &loop, &timeout) ||
        check_source(source) < 0 || read_timeout(timeout, &self->timeout) < 0 ||
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
    self->pump = pump_new(state, source, (size_t)buffersize, (size_t)max_bytes);
    return self->pump == NULL ? -1 : 0;
}

static PyObject *
to_sync_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    to_sync *self = (to_sync *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &to_sync_kind;
    if (to_sync_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(
    to_sync_doc,
    "to_sync(source, *, buffersize=256, max_bytes=1048576, loop=None, timeout=None)\n"
    "--\n\n"
    "The items of an async iterable, or of one that a callable makes, in plain code.\n\n"
    "The source runs in one task on an event loop in another thread: on `loop`, an asyncio\n"
    "loop that runs there, or on the one background loop of the interpreter.  A callable is\n"
    "called there, too; the source sees the contextvars of who made the stream.  It begins\n"
    "at the first step.\n\n"
    "At most `buffersize` items, and `max_bytes` bytes of text and bytes, are read ahead;\n"
    "with buffersize=0 the source is asked only when an item is.\n\n"
    "A step waits at most `timeout` seconds, then raises TimeoutError; nothing is lost by\n"
    "that, the stream goes on with the next step.  Ctrl-C ends a wait, and the stream.\n"
    "close() cancels a pending step of the source, closes it on its loop, waits until that\n"
    "is done, or for `timeout`, and raises its error.  On the loop's own thread, where\n"
    "waiting would be for ever, a step and close() raise RuntimeError; a step does also in a\n"
    "forked child, and where the loop has shut down or does not run.\n\n"
    ">>> async def count():\n"
    "...     for i in range(3):\n"
    "...         yield i\n"
    ">>> list(to_sync(count()))\n"
    "[0, 1, 2]");

static PyType_Slot to_sync_slots[] = {
    {Py_tp_doc, (char *)to_sync_doc},   {Py_tp_new, to_sync_new},
    {Py_tp_traverse, to_sync_traverse}, {Py_tp_clear, to_sync_clear},
    {Py_tp_finalize, to_sync_finalize}, {0, NULL},
};

PyType_Spec to_sync_spec = {
    .name = "generators.to_sync",
    .basicsize = sizeof(to_sync),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = to_sync_slots,
};
