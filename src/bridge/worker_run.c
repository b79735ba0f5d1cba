/* A worker's thread: see worker_run.h.
 *
 * It calls the source, or iter() of it, then next(), and at the end close() if the iterator is
 * a Generator by its ABC.  All this runs in one copy of the context of the code that made the
 * worker.  If the ring is full, the thread waits until it is half empty.  If the ring holds no
 * items at all, it waits until one is asked for.
 *
 * User code runs in all of these calls, with no lock held.
 */
#include "bridge/worker_run.h"

#include "bridge/size.h"
#include "bridge/worker_wait.h"
#include "core/clock.h"
#include "runtime/closing.h"
#include "runtime/raising.h"
#include "stream/refusal.h"
#include "stream/stream.h"

#define ITEMS_BETWEEN_TURNS 128 /* during which the thread keeps the GIL */
#define LONGEST_REFILL (CLOCK_SECOND / 20)

/* Whether an item may still be taken from the source. */
static bool
goes_lock_held(const worker *self)
{
    return !self->stopped && !(self->draining && self->stoppable == NULL);
}

static bool
is_wanted_lock_held(const worker *self)
{
    return self->ring.max_items == 0 ? self->asked : !ring_is_full(&self->ring);
}

/* Wait until an item is wanted.  False if the worker was stopped or, where it does not hold
   its place, if none is wanted now. */
static bool
wait_until_wanted(worker *self)
{
    for (;;) {
        generators_lock_take(&self->lock);
        bool goes = goes_lock_held(self), wanted = is_wanted_lock_held(self);
        self->was_cut = self->was_cut || (!goes && !self->stopped);
        self->waits = goes && !wanted && self->holds;
        self->in_source = goes && wanted;
        bool leaves = !goes || (!wanted && !self->holds);
        generators_lock_leave(&self->lock);
        if (leaves || wanted) {
            return !leaves;
        }
        Py_BEGIN_ALLOW_THREADS;
        PyThread_acquire_lock(self->wake_up, WAIT_LOCK);
        Py_END_ALLOW_THREADS;
    }
}

/* Put an item (stolen) into the ring.  1 if the next one is wanted, 0 if not yet, or -1. */
static int
put(worker *self, PyObject *item)
{
    size_t bytes;
    if (size_measure(self->sizeof_item, item, &bytes) < 0) {
        Py_DECREF(item);
        return -1;
    }
    generators_lock_take(&self->lock);
    bool held = !self->stopped && ring_put(&self->ring, item, bytes);
    bool failed = !held && !self->stopped;
    self->asked = false;
    PyObject *loop = worker_loop_to_wake_lock_held(self, self->ring.max_items == 0);
    int wanted = goes_lock_held(self) && is_wanted_lock_held(self);
    self->in_source = wanted;
    generators_lock_leave(&self->lock);
    if (loop != NULL) {
        worker_wake_loop(self, loop);
    }
    if (!held) {
        Py_DECREF(item);
    }
    if (failed) {
        PyErr_NoMemory();
        return -1;
    }
    return wanted;
}

/* Take items until the end, the stop, or an error, which is then set; or, where the worker
   does not hold its place, until others must have theirs.  Whether the source has come to its
   end.
 */
static bool
pull(worker *self, PyObject *iterator)
{
    iternextfunc next = Py_TYPE(iterator)->tp_iternext;
    uint64_t start = self->holds ? 0 : clock_precise();
    int wanted = 0;
    for (unsigned count = 1; wanted > 0 || wait_until_wanted(self); count++) {
        PyObject *item = next(iterator);
        if (item == NULL) {
            if (PyErr_Occurred() && raising_forgive(PyExc_StopIteration) < 0) {
                stream_note("while reading item %zd", self->pulled);
            }
            return true;
        }
        self->pulled++;
        wanted = put(self, item);
        if (wanted < 0) {
            return true;
        }
        if (count % ITEMS_BETWEEN_TURNS == 0) {
            Py_BEGIN_ALLOW_THREADS;
            Py_END_ALLOW_THREADS;
        }
        if (!self->holds && clock_precise() - start > LONGEST_REFILL) {
            return false;
        }
    }
    return false;
}

/* Close the iterator.  An exception that is set stays set, or becomes the context of what
   closing raises. */
static void
close_iterator(worker *self, PyObject *iterator)
{
    PyObject *raised = PyErr_GetRaisedException();
    int closes = closing_is_due(iterator, self->generator_abc);
    if (closes < 0) {
        raising_chain(raised);
        return;
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    if (closes) {
        closing_close(iterator);
    }
}

/* Have stop() reach an iterator that is a stream.  It may have been called already.  0 or -1.
 */
static int
link_stop(worker *self, PyObject *iterator)
{
    generators_state *state = generators_state_of((PyObject *)self);
    if (!PyObject_TypeCheck(iterator, state->stream_type) ||
        ((stream *)iterator)->kind->stop == NULL) {
        return 0;
    }
    generators_lock_take(&self->lock);
    self->stoppable = Py_NewRef(iterator);
    bool draining = self->draining;
    generators_lock_leave(&self->lock);
    return draining ? stream_stop((stream *)iterator) : 0;
}

/* Before the iterator is released: whether it was stopped itself. */
static void
unlink_stop(worker *self)
{
    generators_lock_take(&self->lock);
    PyObject *stoppable = self->stoppable;
    self->stoppable = NULL;
    if (stoppable != NULL) {
        self->was_cut = self->was_cut || ((stream *)stoppable)->was_cut;
    }
    generators_lock_leave(&self->lock);
    Py_XDECREF(stoppable);
}

static PyObject *
open_source(PyObject *source)
{
    if (worker_is_iterable(source)) {
        return PyObject_GetIter(source);
    }
    PyObject *made = PyObject_CallNoArgs(source);
    PyObject *iterator = made == NULL ? NULL : PyObject_GetIter(made);
    if (made != NULL && iterator == NULL && Py_TYPE(made)->tp_iter == NULL) {
        refusal_add_hint("to_async", made, false);
    }
    Py_XDECREF(made);
    return iterator;
}

/* The iterator: a new reference, or NULL.  The source itself where the worker was stopped
   before it began: that is closed, too. */
static PyObject *
take_iterator(worker *self, bool stopped)
{
    PyObject *iterator = self->iterator, *source = self->source;
    self->iterator = NULL;
    if (iterator != NULL) {
        return iterator;
    }
    self->source = NULL;
    iterator = stopped ? Py_NewRef(source) : open_source(source);
    Py_DECREF(source);
    if (iterator != NULL && !stopped && link_stop(self, iterator) < 0) {
        PyObject *raised = PyErr_GetRaisedException();
        unlink_stop(self);
        PyErr_SetRaisedException(raised);
        close_iterator(self, iterator);
        Py_CLEAR(iterator);
    }
    return iterator;
}

/* Leave the place in the executor and keep the iterator for the next refill, unless the worker
   was stopped meanwhile. */
static bool
leave_place(worker *self, PyObject *iterator)
{
    generators_lock_take(&self->lock);
    bool leaves = goes_lock_held(self);
    PyObject *loop = NULL;
    if (leaves) {
        self->iterator = Py_NewRef(iterator);
        self->at_work = self->in_source = false;
        self->thread = 0;
        loop = worker_loop_to_wake_lock_held(self, true);
    }
    generators_lock_leave(&self->lock);
    if (loop != NULL) {
        worker_wake_loop(self, loop);
    }
    return leaves;
}

/* A thread has the worker from now on.  Whether it only closes the source. */
static bool
begin(worker *self)
{
    generators_lock_take(&self->lock);
    self->thread = PyThread_get_thread_ident();
    self->began = true;
    bool stopped = !goes_lock_held(self);
    self->was_cut = self->was_cut || (stopped && !self->stopped);
    generators_lock_leave(&self->lock);
    return stopped;
}

void
worker_run(worker *self)
{
    bool stopped = begin(self);
    PyObject *iterator = take_iterator(self, stopped);
    if (iterator != NULL) {
        if (!stopped) {
            pull(self, iterator);
        }
        worker_close_iterator(self, iterator);
    }
    worker_finish(self);
}

/* The context is left before the next refill may enter it. */
static void
leave_context(worker *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    if (PyContext_Exit(self->context) < 0) {
        raising_unraisable((PyObject *)self);
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

bool
worker_claim(worker *self)
{
    generators_lock_take(&self->lock);
    bool may = self->at_work && self->thread == 0 && !self->finished;
    if (may) {
        self->thread = PyThread_get_thread_ident();
    }
    generators_lock_leave(&self->lock);
    return may;
}

bool
worker_run_refill(worker *self)
{
    if (!worker_claim(self)) {
        return false;
    }
    bool closes = begin(self);
    PyObject *iterator = NULL;
    while (PyContext_Enter(self->context) == 0) {
        if (iterator == NULL) {
            iterator = take_iterator(self, closes);
            closes = closes || iterator == NULL || pull(self, iterator);
        }
        if (closes && iterator != NULL) {
            worker_close_iterator(self, iterator);
        }
        leave_context(self);
        if (closes) {
            break;
        }
        if (leave_place(self, iterator)) {
            Py_DECREF(iterator);
            return false;
        }
        closes = true; /* it was stopped meanwhile */
    }
    worker_finish(self);
    return true;
}

void
worker_close_iterator(worker *self, PyObject *iterator)
{
    PyObject *raised = PyErr_GetRaisedException();
    unlink_stop(self);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    close_iterator(self, iterator);
    raised = PyErr_GetRaisedException();
    Py_DECREF(iterator); /* released on this thread */
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

void
worker_finish(worker *self)
{
    PyObject *error = PyErr_GetRaisedException();
    generators_lock_take(&self->lock);
    bool released = self->released;
    if (!released) {
        self->error = error;
    }
    self->thread = 0;
    self->in_source = self->at_work = false;
    self->finished = true;
    PyObject *loop = worker_loop_to_wake_lock_held(self, true);
    generators_lock_leave(&self->lock);
    if (loop != NULL) {
        worker_wake_loop(self, loop);
    }
    if (released && error != NULL) {
        PyErr_SetRaisedException(error);
        raising_unraisable((PyObject *)self);
    }
}
