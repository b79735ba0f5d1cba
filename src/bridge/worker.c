/* A worker: a source, the thread that iterates it, and the ring between that thread and a
 * loop.
 *
 * States: new -> started -> finished.  Once it is started, only its thread uses the source:
 * see worker_run.c.  The loop takes items here, and waits for them as worker_wait.c describes.
 *
 * The stream owns one reference, the thread another.  A stream that is dropped releases the
 * worker, which then closes the source.
 *
 * Threads: `lock` guards what both sides use, and is never held across a call into Python.
 * The fields marked so belong to the thread.
 *
 * Teardown needs no module state: a worker may outlive the state of its type.
 */
#include "bridge/worker.h"

#include "runtime/closing.h"
#include "runtime/lock.h"
#include "runtime/raising.h"
#include "stream/astream.h"
#include "stream/stream.h"
#include "stream/refusal.h"

/* ---- what wakes the source ---- */

int
worker_set_on_close(worker *self, PyObject *on_close)
{
    if (on_close == Py_None) {
        return 0;
    }
    if (!PyCallable_Check(on_close)) {
        PyErr_Format(PyExc_TypeError, "on_close must be callable or None, not '%.200s'",
                     Py_TYPE(on_close)->tp_name);
        return -1;
    }
    self->on_close = Py_NewRef(on_close);
    return 0;
}

int
worker_call_on_close(worker *self)
{
    generators_lock_take(&self->lock);
    PyObject *on_close = self->in_source ? self->on_close : NULL;
    if (on_close != NULL) {
        self->on_close = NULL;
    }
    generators_lock_leave(&self->lock);
    if (on_close == NULL) {
        return 0;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *done = PyObject_CallNoArgs(on_close);
    if (done == NULL) {
        raising_convert(PyExc_StopIteration, "on_close()");
        raising_convert(PyExc_StopAsyncIteration, "on_close()");
        raising_chain(raised);
    }
    else if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    Py_XDECREF(done);
    raised = PyErr_GetRaisedException();
    Py_DECREF(on_close);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return done == NULL ? -1 : 0;
}

void
worker_measure(worker *self, measures *into)
{
    generators_lock_take(&self->lock);
    into->held += (Py_ssize_t)self->ring.count;
    into->held_bytes = (Py_ssize_t)self->ring.bytes;
    generators_lock_leave(&self->lock);
    measures_name_source(into, self->name);
}

/* ---- taking ---- */

PyObject *
worker_take(worker *self)
{
    generators_lock_take(&self->lock);
    PyObject *item = ring_take(&self->ring);
    if (self->waits && self->ring.max_items > 0 && ring_is_half_empty(&self->ring)) {
        worker_wake_lock_held(self);
    }
    generators_lock_leave(&self->lock);
    return item;
}

bool
worker_is_finished(worker *self)
{
    generators_lock_take(&self->lock);
    bool finished = self->finished && ring_is_empty(&self->ring);
    bool cut_off = finished && self->cut_off;
    PyObject *error = NULL;
    if (finished) {
        error = self->error;
        self->error = NULL;
        self->cut_off = false;
    }
    generators_lock_leave(&self->lock);
    if (error != NULL) {
        PyErr_SetRaisedException(error);
    }
    else if (cut_off) {
        raising_shut_down();
    }
    return finished;
}

/* ---- places in an executor ---- */

bool
worker_needs_refill(worker *self)
{
    if (self->holds || !self->started) {
        return false;
    }
    generators_lock_take(&self->lock);
    bool wanted = self->stopped || self->draining ||
                  (self->ring.max_items == 0 ? self->asked : ring_is_half_empty(&self->ring));
    bool needs = !self->at_work && !self->finished && wanted;
    if (needs) {
        self->at_work = true;
        self->began = false;
    }
    generators_lock_leave(&self->lock);
    return needs;
}

/* ---- stopping ---- */

/* Cancel the executor's job, if the worker has not begun. */
static void
cancel_job(worker *self)
{
    generators_lock_take(&self->lock);
    /* A refill that waits for its place will close the source there. */
    bool can_cancel = !self->began && self->iterator == NULL;
    PyObject *job = can_cancel ? Py_XNewRef(self->job) : NULL;
    generators_lock_leave(&self->lock);
    if (job == NULL) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *done = PyObject_CallMethod(job, "cancel", NULL);
    if (done == NULL) {
        raising_unraisable(job);
    }
    Py_XDECREF(done);
    Py_DECREF(job);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

int
worker_drain(worker *self, generators_state *state)
{
    generators_lock_take(&self->lock);
    self->draining = true;
    PyObject *stoppable = Py_XNewRef(self->stoppable);
    worker_wake_lock_held(self);
    generators_lock_leave(&self->lock);
    if (stoppable == NULL) {
        return 0;
    }
    int status = astream_stop_source(state, stoppable);
    Py_DECREF(stoppable);
    return status < 0 ? -1 : 0;
}

void
worker_stop(worker *self)
{
    generators_lock_take(&self->lock);
    bool stopped = self->stopped;
    self->stopped = true;
    ring items = self->ring;
    ring_init(&self->ring, items.max_items, items.max_bytes);
    worker_wake_lock_held(self);
    generators_lock_leave(&self->lock);
    PyObject *item;
    while ((item = ring_take(&items)) != NULL) {
        Py_DECREF(item);
    }
    ring_free(&items);
    if (!stopped) {
        cancel_job(self);
    }
}

int
worker_close_unstarted(worker *self)
{
    PyObject *source = self->source;
    self->source = NULL;
    int status = source != NULL && self->closes_source ? closing_close(source) : 0;
    Py_XDECREF(source);
    return status;
}

int
worker_release(worker *self)
{
    worker_stop(self);
    generators_lock_take(&self->lock);
    self->released = true;
    self->watch = WORKER_UNWATCHED;
    PyObject *error = self->error;
    self->error = NULL;
    generators_lock_leave(&self->lock);
    if (error != NULL) {
        PyErr_SetRaisedException(error);
        return -1;
    }
    return 0;
}

/* ---- memory ---- */

PyObject *
worker_new(generators_state *state, const char *who, PyObject *source, size_t max_items,
           size_t max_bytes)
{
    if (!worker_is_iterable(source) && !PyCallable_Check(source)) {
        PyErr_Format(PyExc_TypeError,
                     "source must be an iterable, or a callable that returns one, not "
                     "'%.200s'",
                     Py_TYPE(source)->tp_name);
        refusal_add_hint(who, source, false);
        return NULL;
    }
    worker *self = (worker *)state->worker_type->tp_alloc(state->worker_type, 0);
    if (self == NULL) {
        return NULL;
    }
    ring_init(&self->ring, max_items, max_bytes);
    self->holds = true;
    self->source = Py_NewRef(source);
    self->name = measures_source_name(source);
    self->generator_abc = Py_NewRef(state->generator_abc);
    self->running = Py_NewRef(state->async_workers);
    forks_mark_set(&self->forks, state);
    int closes = self->name == NULL ? -1 : closing_is_due(source, state->generator_abc);
    self->closes_source = closes > 0;
    self->context = closes < 0 ? NULL : PyContext_CopyCurrent();
    self->wake_up = self->context == NULL ? NULL : lock_new_taken();
    if (self->wake_up == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int
worker_traverse(PyObject *op, visitproc visit, void *arg)
{
    worker *self = (worker *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->source);
    Py_VISIT(self->running);
    Py_VISIT(self->context);
    Py_VISIT(self->job);
    Py_VISIT(self->future);
    Py_VISIT(self->timer);
    Py_VISIT(self->loop);
    Py_VISIT(self->error);
    Py_VISIT(self->stoppable);
    Py_VISIT(self->generator_abc);
    Py_VISIT(self->on_close);
    Py_VISIT(self->sizeof_item);
    Py_VISIT(self->iterator);
    Py_VISIT(self->executor);
    for (size_t i = 0; i < self->ring.count; i++) {
        Py_VISIT((PyObject *)ring_at(&self->ring, i));
    }
    return 0;
}

static int
worker_clear(PyObject *op)
{
    worker *self = (worker *)op;
    Py_CLEAR(self->source);
    Py_CLEAR(self->running);
    Py_CLEAR(self->context);
    Py_CLEAR(self->job);
    Py_CLEAR(self->future);
    Py_CLEAR(self->timer);
    Py_CLEAR(self->loop);
    Py_CLEAR(self->error);
    Py_CLEAR(self->stoppable);
    Py_CLEAR(self->on_close);
    Py_CLEAR(self->sizeof_item);
    Py_CLEAR(self->iterator);
    Py_CLEAR(self->executor);
    Py_CLEAR(self->name);
    Py_CLEAR(self->generator_abc);
    PyObject *item;
    while ((item = ring_take(&self->ring)) != NULL) {
        Py_DECREF(item);
    }
    return 0;
}

static void
worker_dealloc(PyObject *op)
{
    worker *self = (worker *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    worker_clear(op);
    ring_free(&self->ring);
    forks_mark_clear(&self->forks);
    PyThread_type_lock held[] = {self->wake_up, self->reader};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(held); i++) {
        if (held[i] != NULL) {
            PyThread_release_lock(held[i]); /* some systems do not free a lock that is held */
            PyThread_free_lock(held[i]);
        }
    }
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot worker_slots[] = {
    {Py_tp_doc, (char *)"The worker of a to_async()."},
    {Py_tp_traverse, worker_traverse},
    {Py_tp_clear, worker_clear},
    {Py_tp_dealloc, worker_dealloc},
    {0, NULL},
};

PyType_Spec worker_spec = {
    .name = "native_generators._native._Worker",
    .basicsize = sizeof(worker),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = worker_slots,
};
