/* workers: threads that run calls, own ones or those of an executor, and their queues.
 *
 * A call goes to an own thread by the queue of jobs, or to an executor by submit().  It comes
 * back by the queue of those that have ended.  Neither queue allocates anything, so that a
 * result cannot be lost.
 *
 * One idle thread at a time is woken, and wakes the next one if there is more to do.  So short
 * calls are run by few threads, without a switch for each.
 *
 * States: open -> stopped.  After the interpreter began to shut down, and in a forked child,
 * nothing can be started.
 *
 * Owned: the threads, each of which owns the workers in turn, until they are stopped.  A call
 * is owned by the window, and by the thread that runs it: what is not collected before exit
 * must not own the user's objects.  Before the window forgets its calls, the queues are
 * emptied (`detached`).
 *
 * Threads: one thread at a time starts calls, waits and stops: that of the stream, whose
 * `running` sees to it.  `lock` guards the queues and the idle threads.
 */
#include "tasks/workers.h"

#include "runtime/lock.h"
#include "runtime/raising.h"

#ifndef _WIN32
#include <unistd.h>
#define PROCESS() ((long)getpid())
#else
#define PROCESS() 0L /* there is no fork */
#endif

/* Microseconds.  A signal that comes just before the wait does not interrupt it.  It is
   handled after so long. */
#define LONGEST_WAIT 500000

/* ---- the queues, with `lock` held ---- */

static void
queue_put(job_queue *queue, job *one)
{
    if (queue->last == NULL) {
        queue->first = one;
    }
    else {
        queue->last->next = one;
    }
    queue->last = one;
}

static job *
queue_pop(job_queue *queue)
{
    job *one = queue->first;
    if (one != NULL) {
        queue->first = one->next;
        one->next = NULL;
        if (queue->first == NULL) {
            queue->last = NULL;
        }
    }
    return one;
}

static void
workers_wake_idle(workers *self)
{
    idle_thread *idle = self->idle;
    if (idle != NULL) {
        self->waking = true;
        self->idle = idle->next;
        PyThread_release_lock(idle->wake);
    }
}

/* ---- jobs ---- */

void
workers_put_job(workers *self, job *one)
{
    generators_lock_take(&self->lock);
    queue_put(&self->jobs, one);
    if (!self->waking) {
        workers_wake_idle(self);
    }
    generators_lock_leave(&self->lock);
}

job_step
workers_pop_job(workers *self, idle_thread *me, job **popped)
{
    generators_lock_take(&self->lock);
    job *one = queue_pop(&self->jobs);
    job_step step = self->stopped ? JOB_REPORT : JOB_RUN;
    if (one != NULL) {
        Py_INCREF(one->call.object);
    }
    else {
        step = self->exiting ? JOB_EXIT : JOB_NONE;
    }
    if (step == JOB_NONE) {
        me->next = self->idle;
        self->idle = me;
    }
    else if (self->jobs.first != NULL && !self->waking) {
        workers_wake_idle(self);
    }
    generators_lock_leave(&self->lock);
    *popped = one;
    return step;
}

void
workers_wait_for_job(workers *self, idle_thread *me)
{
    Py_BEGIN_ALLOW_THREADS
    PyThread_acquire_lock(me->wake, WAIT_LOCK);
    Py_END_ALLOW_THREADS
    generators_lock_take(&self->lock);
    self->waking = false;
    generators_lock_leave(&self->lock);
}

void
workers_dismiss(workers *self)
{
    generators_lock_take(&self->lock);
    self->exiting = true;
    while (self->idle != NULL) {
        workers_wake_idle(self);
    }
    generators_lock_leave(&self->lock);
}

/* ---- those that have ended ---- */

void
workers_report(workers *self, job *one)
{
    bool wake = false;
    generators_lock_take(&self->lock);
    if (!one->reported && !self->detached) {
        one->reported = true;
        queue_put(&self->ended, one);
        wake = self->waiting;
        self->waiting = false;
    }
    generators_lock_leave(&self->lock);
    if (wake) {
        PyThread_release_lock(self->signal);
    }
}

void
workers_detach(workers *self)
{
    generators_lock_take(&self->lock);
    self->detached = true;
    self->jobs.first = self->jobs.last = NULL;
    self->ended.first = self->ended.last = NULL;
    generators_lock_leave(&self->lock);
}

/* One that has ended, or NULL; then, if `wait`, a report will wake. */
static job *
workers_pop_ended(workers *self, bool wait)
{
    generators_lock_take(&self->lock);
    job *one = queue_pop(&self->ended);
    self->waiting = one == NULL && wait;
    generators_lock_leave(&self->lock);
    return one;
}

/* After a signal was handled: nobody waits any longer. */
static void
workers_leave_wait(workers *self)
{
    generators_lock_take(&self->lock);
    bool woken = !self->waiting;
    self->waiting = false;
    generators_lock_leave(&self->lock);
    if (woken) {
        PyThread_acquire_lock(self->signal, WAIT_LOCK);
    }
}

static int
workers_wait_for_signal(workers *self)
{
    for (;;) {
        if (Py_MakePendingCalls() < 0) {
            workers_leave_wait(self);
            return -1;
        }
        PyLockStatus status;
        Py_BEGIN_ALLOW_THREADS
        status = PyThread_acquire_lock_timed(self->signal, LONGEST_WAIT, 1);
        Py_END_ALLOW_THREADS
        if (status == PY_LOCK_ACQUIRED) {
            return 0;
        }
    }
}

void
workers_look(workers *self, window *calls)
{
    job *one;
    while ((one = workers_pop_ended(self, false)) != NULL) {
        window_settle(calls, &one->call);
    }
}

int
workers_wait(workers *self, window *calls)
{
    job *one;
    while ((one = workers_pop_ended(self, true)) == NULL) {
        if (workers_wait_for_signal(self) < 0) {
            return -1;
        }
    }
    window_settle(calls, &one->call);
    workers_look(self, calls);
    return 0;
}

/* ---- the process ---- */

bool
workers_are_own(const workers *self)
{
    return self->process == PROCESS();
}

bool
workers_check_process(const workers *self)
{
    if (workers_are_own(self)) {
        return true;
    }
    PyErr_SetString(
        PyExc_RuntimeError,
        "map_threads() was begun before a fork, and its threads are in the parent");
    return false;
}

/* ---- making them ---- */

workers *
workers_new(generators_state *state, PyObject *executor)
{
    PyTypeObject *type = state->workers_type;
    if (type == NULL) {
        raising_shut_down();
        return NULL;
    }
    workers *self = (workers *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->process = PROCESS();
    self->executor = Py_XNewRef(executor);
    self->threads = PyList_New(0);
    self->signal = lock_new_taken();
    if (self->threads == NULL || self->signal == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return self;
}

static int
workers_traverse(PyObject *op, visitproc visit, void *arg)
{
    workers *self = (workers *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->executor);
    Py_VISIT(self->threads);
    return 0;
}

/* The list of threads stays. */
static int
workers_clear(PyObject *op)
{
    Py_CLEAR(((workers *)op)->executor);
    return 0;
}

static void
workers_dealloc(PyObject *op)
{
    workers *self = (workers *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    workers_clear(op);
    Py_CLEAR(self->threads);
    if (self->signal != NULL) {
        PyThread_release_lock(self->signal);
        PyThread_free_lock(self->signal);
    }
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot workers_slots[] = {
    {Py_tp_doc, (char *)"The threads of map_threads()."},
    {Py_tp_traverse, workers_traverse},
    {Py_tp_clear, workers_clear},
    {Py_tp_dealloc, workers_dealloc},
    {0, NULL},
};

PyType_Spec workers_spec = {
    .name = "native_generators._native._Workers",
    .basicsize = sizeof(workers),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = workers_slots,
};
