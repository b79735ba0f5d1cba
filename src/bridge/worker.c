/* A worker: a source, the thread that iterates it, and the ring between that and a loop.
 *
 * States: new -> started -> finished.  Its thread alone touches the source once it is
 * started: it calls it, or its iter(), then next(), and at the end close(), where it is a
 * Generator by its ABC; all in one copy of the context of who made it.  It waits
 * where the ring is full, until that is half empty; with a ring of no items, until one
 * is asked for.
 *
 * The loop waits for a future where the ring is empty.  It is told of the first item
 * (eager): with the GIL, a quick source fills the ring before the loop's thread runs.
 * Where few items at a time came of that, from a source that is quick all the same (it
 * lets go of the GIL, or there is none), the next wait is lazy: the loop is told of half
 * a ring, and a timer of its own looks for fewer after a millisecond.
 *
 * Owned: by the face one reference, by the thread one.  A face that is dropped releases
 * the worker, which closes the source then.
 *
 * Threads: `lock` guards what both sides touch, never across a call into Python; the
 * thread owns what is marked so.  A stream may be stepped by one loop after another, in
 * threads of their own: what an earlier one was told comes late, and does nothing.
 */
#include "bridge/worker.h"

#include "bridge/size.h"
#include "core/clock.h"
#include "aio/loop.h"
#include "runtime/closing.h"
#include "runtime/raising.h"
#include "runtime/lock.h"

#define LAZY_DELAY 0.001                  /* seconds that an item waits for others, at most */
#define QUICK_ITEM (CLOCK_SECOND / 20000) /* a source that takes longer is told of eagerly */
#define TRY_AGAIN_AFTER (CLOCK_SECOND / 100)
#define TRIES 500
#define ITEMS_BETWEEN_TURNS 128 /* for which the worker keeps the GIL */

/* ---- telling the loop ---- */

/* The loop to be told (new), or NULL. */
static PyObject *
told_loop_lock_held(worker *self, bool at_once)
{
    if (self->watch == WORKER_UNWATCHED ||
        (self->watch == WORKER_LAZY && !at_once && ring_is_half_empty(&self->ring))) {
        return NULL;
    }
    self->watch = WORKER_UNWATCHED;
    return Py_NewRef(self->loop);
}

/* `timer` (stolen, or NULL) is of no use any more.  On its loop's thread. */
static void
cancel_timer(PyObject *timer)
{
    if (timer != NULL) {
        PyObject *done = PyObject_CallMethod(timer, "cancel", NULL);
        if (done == NULL) {
            raising_unraisable(timer);
        }
        Py_XDECREF(done);
        Py_DECREF(timer);
    }
}

/* End the wait of the loop that runs here, and learn from it how to wait next. */
static PyObject *
deliver(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    worker *self = (worker *)op;
    PyObject *loop, *future = NULL, *timer = NULL;
    if (loop_running(generators_state_of(op), &loop) < 0) {
        return NULL;
    }
    uint64_t now = clock_precise();
    generators_lock_take(&self->lock);
    if (loop == self->loop && self->future != NULL) {
        future = self->future;
        timer = self->timer;
        self->future = self->timer = NULL;
        size_t count = self->ring.count, most = self->ring.max_items;
        self->watch = WORKER_UNWATCHED;
        self->lazy =
            count > 1 && count < most - most / 4 && (now - self->since) / count < QUICK_ITEM;
    }
    generators_lock_leave(&self->lock);
    Py_XDECREF(loop);
    cancel_timer(timer);
    int status = future == NULL ? 0 : loop_wake(future);
    Py_XDECREF(future);
    if (status < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef deliver_method = {"deliver", deliver, METH_NOARGS, NULL};

/* The timer of a lazy wait. */
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
        return deliver(op, NULL);
    }
    Py_RETURN_NONE;
}

static PyMethodDef look_method = {"look", look, METH_NOARGS, NULL};

static int
try_to_tell(worker *self, PyObject *loop)
{
    PyObject *callback = PyCFunction_New(&deliver_method, (PyObject *)self);
    PyObject *done = callback == NULL
                         ? NULL
                         : PyObject_CallMethod(loop, "call_soon_threadsafe", "(O)", callback);
    Py_XDECREF(callback);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Call deliver() on its thread; `loop` is stolen.  A loop that is not told waits for ever:
   where memory lacks it is tried again for some seconds. */
static void
tell(worker *self, PyObject *loop)
{
    int status = try_to_tell(self, loop);
    for (int i = 0; i < TRIES && status < 0 && PyErr_ExceptionMatches(PyExc_MemoryError);
         i++) {
        PyErr_Clear();
        Py_BEGIN_ALLOW_THREADS;
        clock_sleep(TRY_AGAIN_AFTER);
        Py_END_ALLOW_THREADS;
        status = try_to_tell(self, loop);
    }
    if (status < 0) {
        if (PyErr_ExceptionMatches(
                PyExc_RuntimeError)) { /* the loop is closed: no one waits */
            PyErr_Clear();
        }
        else {
            raising_unraisable(loop);
        }
    }
    Py_DECREF(loop);
}

/* ---- the worker's half ---- */

static bool
is_wanted_lock_held(const worker *self)
{
    return self->ring.max_items == 0 ? self->asked : !ring_is_full(&self->ring);
}

/* Wait until an item is wanted; false where it was stopped. */
static bool
wait_until_wanted(worker *self)
{
    for (;;) {
        generators_lock_take(&self->lock);
        bool goes = !self->stopped, wanted = is_wanted_lock_held(self);
        self->waits = goes && !wanted;
        generators_lock_leave(&self->lock);
        if (!goes || wanted) {
            return goes;
        }
        Py_BEGIN_ALLOW_THREADS;
        PyThread_acquire_lock(self->gate, WAIT_LOCK);
        Py_END_ALLOW_THREADS;
    }
}

static void
wake_lock_held(worker *self)
{
    if (self->waits) {
        self->waits = false;
        PyThread_release_lock(self->gate);
    }
}

/* Hand an item (stolen) over: 1 where the next is wanted, 0 where not yet, or -1. */
static int
put(worker *self, PyObject *item)
{
    size_t bytes = item_size(item);
    generators_lock_take(&self->lock);
    bool held = !self->stopped && ring_put(&self->ring, item, bytes);
    bool failed = !held && !self->stopped;
    self->asked = false;
    PyObject *loop = told_loop_lock_held(self, self->ring.max_items == 0);
    int wanted = !self->stopped && is_wanted_lock_held(self);
    generators_lock_leave(&self->lock);
    if (loop != NULL) {
        tell(self, loop);
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

/* Until the end, an error (which is raised then) or the stop. */
static void
pull(worker *self, PyObject *iterator)
{
    iternextfunc next = Py_TYPE(iterator)->tp_iternext;
    int wanted = 0;
    for (unsigned count = 1; wanted > 0 || wait_until_wanted(self); count++) {
        PyObject *item = next(iterator);
        if (item == NULL) {
            if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
                PyErr_Clear();
            }
            else if (PyErr_Occurred()) {
                stream_note("while reading item %zd", self->pulled);
            }
            return;
        }
        self->pulled++;
        wanted = put(self, item);
        if (wanted < 0) {
            return;
        }
        if (count % ITEMS_BETWEEN_TURNS == 0) {
            Py_BEGIN_ALLOW_THREADS;
            Py_END_ALLOW_THREADS;
        }
    }
}

/* With what was raised before as the context of what closing raises. */
static void
close_generator(worker *self, PyObject *iterator)
{
    PyObject *raised = PyErr_GetRaisedException();
    int closes = 1;
    if (!PyGen_CheckExact(iterator)) {
        generators_state *state = generators_state_of((PyObject *)self);
        closes = PyObject_IsInstance(iterator, state->generator_abc);
    }
    PyObject *closed =
        closes <= 0 ? Py_NewRef(Py_None) : PyObject_CallMethod(iterator, "close", NULL);
    Py_XDECREF(closed);
    if (closes < 0 || closed == NULL) {
        raising_chain(raised);
    }
    else if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

static bool
is_iterable(PyObject *source)
{
    return Py_TYPE(source)->tp_iter != NULL || PySequence_Check(source);
}

static PyObject *
open_source(PyObject *source)
{
    if (is_iterable(source)) {
        return PyObject_GetIter(source);
    }
    PyObject *made = PyObject_CallNoArgs(source);
    PyObject *iterator = made == NULL ? NULL : PyObject_GetIter(made);
    Py_XDECREF(made);
    return iterator;
}

void
worker_run(worker *self)
{
    PyObject *source = self->source;
    self->source = NULL;
    generators_lock_take(&self->lock);
    self->thread = PyThread_get_thread_ident();
    self->began = true;
    bool stopped = self->stopped;
    generators_lock_leave(&self->lock);
    /* One that was stopped before it began is closed all the same. */
    PyObject *iterator = stopped ? Py_NewRef(source) : open_source(source);
    Py_DECREF(source);
    if (iterator != NULL) {
        if (!stopped) {
            pull(self, iterator);
        }
        close_generator(self, iterator);
        PyObject *raised = PyErr_GetRaisedException();
        Py_DECREF(iterator); /* on this thread */
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
    }
    worker_finish(self);
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
    self->finished = true;
    PyObject *loop = told_loop_lock_held(self, true);
    generators_lock_leave(&self->lock);
    if (loop != NULL) {
        tell(self, loop);
    }
    if (released && error != NULL) {
        PyErr_SetRaisedException(error);
        raising_unraisable((PyObject *)self);
    }
}

/* ---- the loop's half ---- */

PyObject *
worker_take(worker *self)
{
    generators_lock_take(&self->lock);
    PyObject *item = ring_take(&self->ring);
    if (self->waits && self->ring.max_items > 0 && ring_is_half_empty(&self->ring)) {
        wake_lock_held(self);
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
        PyErr_SetString(PyExc_RuntimeError, "the interpreter is shutting down");
    }
    return finished;
}

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

/* Begin to watch for `loop` (stolen), which waits for `future`. */
static int
watch(worker *self, PyObject *loop, PyObject *future)
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
    PyObject *earlier[] = {self->future, self->timer, self->loop};
    self->since = now;
    self->future = Py_NewRef(future);
    self->timer = timer;
    self->loop = loop;
    bool ready = self->finished || !ring_is_empty(&self->ring);
    self->watch = ready                    ? WORKER_UNWATCHED
                  : lazy && !self->stopped ? WORKER_LAZY
                                           : WORKER_EAGER;
    self->asked = true;
    wake_lock_held(self);
    generators_lock_leave(&self->lock);
    if (earlier[2] == loop) {
        cancel_timer(earlier[1]);
    }
    else {
        Py_XDECREF(earlier[1]); /* it does nothing there */
    }
    Py_XDECREF(earlier[0]);
    Py_XDECREF(earlier[2]);
    return ready ? loop_wake(future) : 0;
}

PyObject *
worker_wait(worker *self, generators_state *state)
{
    generators_lock_take(&self->lock);
    bool here = self->thread == PyThread_get_thread_ident();
    generators_lock_leave(&self->lock);
    if (here) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the source of to_async() waits for its own items");
        return NULL;
    }
    PyObject *loop = loop_needed(state, "to_async()");
    PyObject *future = loop == NULL ? NULL : loop_future(loop);
    if (future == NULL) {
        Py_XDECREF(loop);
        return NULL;
    }
    if (watch(self, loop, future) < 0) {
        Py_CLEAR(future);
    }
    return future;
}

/* Take an executor's place back, if the worker did not begin. */
static void
leave_place(worker *self)
{
    generators_lock_take(&self->lock);
    PyObject *place = self->began ? NULL : Py_XNewRef(self->place);
    generators_lock_leave(&self->lock);
    if (place == NULL) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *done = PyObject_CallMethod(place, "cancel", NULL);
    if (done == NULL) {
        raising_unraisable(place);
    }
    Py_XDECREF(done);
    Py_DECREF(place);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

void
worker_stop(worker *self)
{
    generators_lock_take(&self->lock);
    bool stopped = self->stopped;
    self->stopped = true;
    ring items = self->ring;
    ring_init(&self->ring, items.max_items, items.max_bytes);
    wake_lock_held(self);
    generators_lock_leave(&self->lock);
    PyObject *item;
    while ((item = ring_take(&items)) != NULL) {
        Py_DECREF(item);
    }
    ring_free(&items);
    if (!stopped) {
        leave_place(self);
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
worker_new(generators_state *state, PyObject *source, size_t max_items, size_t max_bytes)
{
    if (!is_iterable(source) && !PyCallable_Check(source)) {
        PyErr_Format(PyExc_TypeError,
                     "source must be an iterable or a callable without arguments, not "
                     "'%.200s'",
                     Py_TYPE(source)->tp_name);
        return NULL;
    }
    if (worker_watch_forks(state) < 0) {
        return NULL;
    }
    worker *self = (worker *)state->worker_type->tp_alloc(state->worker_type, 0);
    if (self == NULL) {
        return NULL;
    }
    ring_init(&self->ring, max_items, max_bytes);
    self->source = Py_NewRef(source);
    self->running = Py_NewRef(state->async_workers);
    forks_mark_set(&self->forks, state);
    int closes = closing_is_due(source, state->generator_abc);
    self->closes_source = closes > 0;
    self->context = closes < 0 ? NULL : PyContext_CopyCurrent();
    self->gate = self->context == NULL ? NULL : lock_new_taken();
    if (self->gate == NULL) {
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
    Py_VISIT(self->place);
    Py_VISIT(self->future);
    Py_VISIT(self->timer);
    Py_VISIT(self->loop);
    Py_VISIT(self->error);
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
    Py_CLEAR(self->place);
    Py_CLEAR(self->future);
    Py_CLEAR(self->timer);
    Py_CLEAR(self->loop);
    Py_CLEAR(self->error);
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
    if (self->gate != NULL) {
        PyThread_release_lock(self->gate);
        PyThread_free_lock(self->gate);
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
    .name = "generators._native._Worker",
    .basicsize = sizeof(worker),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = worker_slots,
};
