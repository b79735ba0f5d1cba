/* How a loop waits for a worker: see worker_wait.h.
 *
 * The loop waits for a future if the ring is empty.  An eager wait ends with the first item:
 * with the GIL, a quick source fills the ring before the loop's thread runs.  A quick source
 * may still deliver only a few items at a time, because it releases the GIL or there is none.
 * Then the next wait is lazy: it ends with half a ring, and a timer of the loop looks for
 * fewer items after a millisecond.
 *
 * The worker owns the loop, the future and the timer of a wait, until the wait ends.
 *
 * Threads: several loops may step a stream one after another, each in its own thread.  A wait
 * that another one replaces is ended on its own loop, and a callback for an earlier loop does
 * nothing.
 */
#include "bridge/worker_wait.h"

#include "aio/loop.h"
#include "core/clock.h"
#include "runtime/raising.h"

#define LAZY_DELAY 0.001 /* seconds for which an item waits for others, at most */
#define QUICK_ITEM (CLOCK_SECOND / 20000) /* for a slower source, the wait is eager */
#define RETRY_DELAY (CLOCK_SECOND / 100)
#define RETRIES 500

/* ---- waking the loop ---- */

PyObject *
worker_loop_to_wake_lock_held(worker *self, bool at_once)
{
    if (self->reader_waits) {
        self->reader_waits = false;
        PyThread_release_lock(self->reader);
    }
    if (self->watch == WORKER_UNWATCHED ||
        (self->watch == WORKER_LAZY && !at_once && ring_is_half_empty(&self->ring))) {
        return NULL;
    }
    self->watch = WORKER_UNWATCHED;
    return Py_NewRef(self->loop);
}

/* Cancel a timer (stolen, or NULL) that is no longer needed, on its loop's thread.  0, or -1
   with an exception such as KeyboardInterrupt. */
static int
cancel_timer(PyObject *timer)
{
    if (timer == NULL) {
        return 0;
    }
    PyObject *done = PyObject_CallMethod(timer, "cancel", NULL);
    Py_XDECREF(done);
    Py_DECREF(timer);
    return done == NULL ? -1 : 0;
}

/* End a wait of the loop that runs here, and decide from it how to wait next.  Its future is
   `future`, which is stolen; or, where that is NULL, still the worker's. */
static PyObject *
deliver(worker *self, PyObject *future)
{
    PyObject *loop, *timer = NULL;
    if (loop_running(generators_state_of((PyObject *)self), &loop) < 0) {
        Py_XDECREF(future);
        return NULL;
    }
    uint64_t now = clock_precise();
    generators_lock_take(&self->lock);
    bool is_latest = loop == self->loop && (future == NULL) == (self->future != NULL);
    if (is_latest) {
        if (future == NULL) {
            future = self->future;
            self->future = NULL;
        }
        timer = self->timer;
        self->timer = NULL;
        size_t count = self->ring.count, most = self->ring.max_items;
        self->watch = WORKER_UNWATCHED;
        self->lazy =
            count > 1 && count < most - most / 4 && (now - self->since) / count < QUICK_ITEM;
    }
    generators_lock_leave(&self->lock);
    Py_XDECREF(loop);
    /* The future first: the step that waits for it must be woken. */
    int status = future == NULL ? 0 : loop_wake(future);
    Py_XDECREF(future);
    PyObject *raised = PyErr_GetRaisedException();
    if (cancel_timer(timer) < 0) {
        raising_chain(raised);
        return NULL;
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
deliver_to(PyObject *op, PyObject *future)
{
    return deliver((worker *)op, Py_NewRef(future));
}

static PyMethodDef deliver_method = {"deliver", deliver_to, METH_O, NULL};

/* The callback of the timer of a lazy wait. */
static PyObject *
look(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    worker *self = (worker *)op;
    PyObject *loop, *timer = NULL;
    if (loop_running(generators_state_of(op), &loop) < 0) {
        return NULL;
    }
    generators_lock_take(&self->lock);
    bool ready = !ring_is_empty(&self->ring) || self->finished;
    if (loop == self->loop) {
        timer = self->timer;
        self->timer = NULL;
        if (!ready && self->watch == WORKER_LAZY) {
            self->watch = WORKER_EAGER;
        }
    }
    generators_lock_leave(&self->lock);
    Py_XDECREF(loop);
    Py_XDECREF(timer);
    if (ready) {
        return deliver(self, NULL);
    }
    Py_RETURN_NONE;
}

static PyMethodDef look_method = {"look", look, METH_NOARGS, NULL};

static int
try_to_wake_loop(worker *self, PyObject *loop, PyObject *future)
{
    PyObject *callback = PyCFunction_New(&deliver_method, (PyObject *)self);
    PyObject *done = callback == NULL ? NULL
                                      : PyObject_CallMethod(loop, "call_soon_threadsafe",
                                                            "(OO)", callback, future);
    Py_XDECREF(callback);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* A loop that is not woken waits for ever.  So if there is no memory, this is tried again for
   some seconds.

   The future goes with the callback: where the loop is closed nobody calls that, and the
   worker, which its thread keeps, must not keep the task that waited. */
void
worker_wake_loop(worker *self, PyObject *loop)
{
    PyObject *future = NULL;
    generators_lock_take(&self->lock);
    if (self->loop == loop) {
        future = self->future;
        self->future = NULL;
    }
    generators_lock_leave(&self->lock);
    if (future == NULL) {
        Py_DECREF(loop);
        return;
    }
    int status = try_to_wake_loop(self, loop, future);
    for (int i = 0; i < RETRIES && status < 0 && raising_forgive(PyExc_MemoryError) == 0;
         i++) {
        Py_BEGIN_ALLOW_THREADS;
        clock_sleep(RETRY_DELAY);
        Py_END_ALLOW_THREADS;
        status = try_to_wake_loop(self, loop, future);
    }
    /* A closed loop raises RuntimeError: then nobody waits. */
    if (status < 0 && raising_forgive(PyExc_RuntimeError) < 0) {
        raising_unraisable(loop);
    }
    Py_DECREF(future);
    Py_DECREF(loop);
}

/* ---- waiting ---- */

static PyObject *
start_timer(worker *self, PyObject *loop)
{
    PyObject *callback = PyCFunction_New(&look_method, (PyObject *)self);
    PyObject *timer = callback == NULL ? NULL
                                       : PyObject_CallMethod(loop, "call_later", "(dO)",
                                                             LAZY_DELAY, callback);
    Py_XDECREF(callback);
    return timer;
}

/* End an earlier wait.  Its future, unless it was cancelled, belongs to a step that is still
   pending, perhaps on another loop.  That step is woken and looks again.  0 or -1. */
static int
end_earlier_wait(generators_state *state, PyObject *future, PyObject *timer, bool is_here)
{
    int status = 0;
    if (timer != NULL && is_here) {
        status = cancel_timer(timer);
    }
    else {
        Py_XDECREF(timer); /* its callback does nothing there */
    }
    if (future != NULL) {
        PyObject *raised = PyErr_GetRaisedException();
        if (loop_wake_from_anywhere(state, future) < 0) {
            status = -1;
            raising_chain(raised);
        }
        else if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
        Py_DECREF(future);
    }
    return status;
}

/* Begin to wait on `loop` (stolen) for `future`.  0 or -1. */
static int
watch(worker *self, generators_state *state, PyObject *loop, PyObject *future)
{
    generators_lock_take(&self->lock);
    bool lazy = self->lazy && self->ring.max_items > 0;
    generators_lock_leave(&self->lock);
    PyObject *timer = lazy ? start_timer(self, loop) : NULL;
    if (lazy && timer == NULL) {
        Py_DECREF(loop);
        return -1;
    }
    uint64_t now = clock_precise();
    generators_lock_take(&self->lock);
    PyObject *earlier_future = self->future, *earlier_timer = self->timer;
    PyObject *earlier_loop = self->loop;
    self->since = now;
    self->future = Py_NewRef(future);
    self->timer = timer;
    self->loop = loop;
    bool is_ready = self->finished || !ring_is_empty(&self->ring);
    self->watch = is_ready                 ? WORKER_UNWATCHED
                  : lazy && !self->stopped ? WORKER_LAZY
                                           : WORKER_EAGER;
    self->asked = true;
    worker_wake_lock_held(self);
    generators_lock_leave(&self->lock);
    int status = end_earlier_wait(state, earlier_future, earlier_timer, earlier_loop == loop);
    Py_XDECREF(earlier_loop);
    return status < 0 || !is_ready ? status : loop_wake(future);
}

PyObject *
worker_wait(worker *self, generators_state *state)
{
    generators_lock_take(&self->lock);
    bool here = self->thread == PyThread_get_thread_ident();
    generators_lock_leave(&self->lock);
    if (here) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the source of to_async() cannot wait for its own items");
        return NULL;
    }
    PyObject *loop = loop_needed(state, "to_async()");
    PyObject *future = loop == NULL ? NULL : loop_future(loop);
    if (future == NULL) {
        Py_XDECREF(loop);
        return NULL;
    }
    if (watch(self, state, loop, future) < 0) {
        Py_CLEAR(future);
    }
    return future;
}
