/* heartbeat: the items of an iterable, and another item whenever none came for so long.
 *
 * A worker iterates the source on a thread of its own, as for to_async() (worker.c), and takes
 * an item only when one is asked for.  A step waits for it, and gives a beat when the time is
 * over; the thread goes on.
 *
 * States: those of a stream.  The worker starts at the first step.  If the stream is closed
 * before that, it closes its source at once.  close() waits until the source is closed.  A
 * stream that is dropped tells its worker to close the source, and does not wait.
 *
 * It owns the worker and the beat, until the end.  User code runs in the beat's callable and
 * in `on_close`, and in the source on the worker's thread.
 *
 * Threads: see stream.c and worker.c.  The object's critical section is suspended during a
 * wait; `running` refuses other calls.
 */
#include "bridge/heartbeat.h"

#include "bridge/beat.h"
#include "bridge/worker_read.h"
#include "bridge/worker_start.h"
#include "runtime/patched.h"
#include "runtime/raising.h"
#include "stream/stream.h"

typedef struct {
    stream stream;
    worker *worker; /* owned; NULL at the end */
    beat beat;
} heartbeat;

/* ---- the stream's own ---- */

static int
heartbeat_check_process(heartbeat *self)
{
    if (!worker_is_forked(self->worker)) {
        return 0;
    }
    PyErr_SetString(PyExc_RuntimeError,
                    "heartbeat() was made before a fork, and its thread is not in this "
                    "process: make another");
    self->stream.refused = true;
    return -1;
}

static PyObject *
heartbeat_next(stream *base)
{
    heartbeat *self = (heartbeat *)base;
    if (heartbeat_check_process(self) < 0) {
        return NULL;
    }
    if (!self->worker->started) {
        if (base->is_stopped && !self->worker->closes_source) {
            base->was_cut = true;
            return NULL; /* no thread is needed to close it */
        }
        if (worker_start(self->worker, generators_state_of((PyObject *)self), NULL) < 0) {
            return NULL;
        }
    }
    for (;;) {
        PyObject *item = worker_take(self->worker);
        if (item != NULL) {
            beat_rest(&self->beat);
            return item;
        }
        if (worker_is_finished(self->worker)) {
            base->was_cut = self->worker->was_cut;
            return NULL;
        }
        beat_wait(&self->beat);
        int is_there = worker_read_wait(self->worker, beat_left(&self->beat));
        if (is_there < 0) {
            return NULL;
        }
        if (is_there == 0) {
            beat_rest(&self->beat);
            return beat_make(&self->beat);
        }
    }
}

/* Close the source on the worker's thread, and wait for that.  0 or -1. */
static int
heartbeat_close_worker(heartbeat *self, worker *closed)
{
    if (!closed->started) {
        return worker_close_unstarted(closed);
    }
    worker_stop(closed);
    if (worker_call_on_close(closed) < 0) {
        raising_unraisable((PyObject *)self);
    }
    while (!self->stream.dropped) {
        if (worker_is_finished(closed)) {
            return PyErr_Occurred() ? -1 : 0;
        }
        if (worker_read_wait(closed, UINT64_MAX) < 0) {
            PyObject *raised = PyErr_GetRaisedException();
            if (worker_release(closed) < 0) {
                raising_chain(raised);
                return -1;
            }
            PyErr_SetRaisedException(raised);
            return -1;
        }
    }
    return worker_release(closed);
}

static int
heartbeat_release(stream *base)
{
    heartbeat *self = (heartbeat *)base;
    worker *closed = self->worker;
    self->worker = NULL;
    int status = 0;
    if (closed != NULL && !worker_is_forked(closed)) {
        status = heartbeat_close_worker(self, closed);
        PyObject *raised = PyErr_GetRaisedException();
        Py_DECREF(closed);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
    } /* else it is never dropped: it holds what belongs to the parent process */
    PyObject *raised = PyErr_GetRaisedException();
    beat_clear(&self->beat);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return status;
}

static int
heartbeat_stop(stream *base)
{
    worker *stopped = ((heartbeat *)base)->worker;
    return stopped == NULL ? 0 : worker_drain(stopped, generators_state_of((PyObject *)base));
}

static void
heartbeat_measure(stream *base, measures *into)
{
    worker *held = ((heartbeat *)base)->worker;
    if (held != NULL) {
        worker_measure(held, into);
        into->held_bytes = MEASURES_UNBOUNDED;
    }
}

static const stream_kind heartbeat_kind = {.next = heartbeat_next,
                                           .release = heartbeat_release,
                                           .stop = heartbeat_stop,
                                           .measure = heartbeat_measure};

static int
heartbeat_traverse(PyObject *op, visitproc visit, void *arg)
{
    heartbeat *self = (heartbeat *)op;
    Py_VISIT((PyObject *)self->worker);
    int status = beat_traverse(&self->beat, visit, arg);
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

static int
heartbeat_clear(PyObject *op)
{
    heartbeat *self = (heartbeat *)op;
    worker *held = self->worker;
    self->worker = NULL;
    if (held != NULL && !worker_is_forked(held)) {
        Py_DECREF(held);
    }
    beat_clear(&self->beat);
    return stream_clear(op);
}

/* ---- making one ---- */

static int
heartbeat_init(heartbeat *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source", "every", "item", "on_close", NULL};
    PyObject *source, *every, *item, *on_close = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO|$O:heartbeat", keywords, &source,
                                     &every, &item, &on_close) ||
        beat_open(&self->beat, every, item) < 0 ||
        patched_check_threads("heartbeat()", "wait with a timeout of its own") < 0 ||
        worker_watch_forks(state) < 0) {
        return -1;
    }
    self->worker = (worker *)worker_new(state, "heartbeat", source, 0, SIZE_MAX);
    return self->worker == NULL ? -1 : worker_set_on_close(self->worker, on_close);
}

static PyObject *
heartbeat_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    heartbeat *self = (heartbeat *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &heartbeat_kind;
    if (heartbeat_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(
    heartbeat_doc,
    "heartbeat(source, every, item, *, on_close=None)\n"
    "--\n\n"
    "An iterator over the items of an iterable.  If no item comes for `every` seconds,\n"
    "`item` is yielded.\n"
    "\n"
    "If `item` is callable, it is called without arguments, and its result is yielded.\n"
    "The source continues meanwhile: nothing is lost.  The time is counted from when the\n"
    "stream begins to wait for an item.\n"
    "\n"
    "The source is an iterable, or a callable without arguments that returns one.  It is\n"
    "iterated on a separate thread, in a copy of the current context, and an item is read\n"
    "only when one is requested.  close() waits for the thread, which closes the source\n"
    "if it is a generator.  If the stream is closed while the source blocks, `on_close`\n"
    "is called to wake the source.\n"
    "\n"
    "ValueError is raised if `every` is not more than 0, and RuntimeError if gevent or\n"
    "eventlet has replaced threads by greenlets.\n"
    "\n"
    ">>> import queue\n"
    ">>> jobs = queue.SimpleQueue()\n"
    ">>> jobs.put('a')\n"
    ">>> stream = heartbeat(iter(jobs.get, None), 0.01, 'still alive',\n"
    "...                    on_close=lambda: jobs.put(None))\n"
    ">>> next(stream), next(stream)\n"
    "('a', 'still alive')\n"
    ">>> stream.close()");

static PyMethodDef heartbeat_methods[] = {
    STREAM_STOP_METHOD,
    {NULL},
};

static PyType_Slot heartbeat_slots[] = {
    {Py_tp_doc, (char *)heartbeat_doc},   {Py_tp_new, heartbeat_new},
    {Py_tp_traverse, heartbeat_traverse}, {Py_tp_clear, heartbeat_clear},
    {Py_tp_methods, heartbeat_methods},   {0, NULL},
};

PyType_Spec heartbeat_spec = {
    .name = "native_generators.heartbeat",
    .basicsize = sizeof(heartbeat),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = heartbeat_slots,
};
