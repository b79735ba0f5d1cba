/* The start of a worker's thread, and its end at the end of the process: see worker_start.h.
 *
 * The thread is a threading.Thread that is not a daemon, or one job of an executor for the
 * worker's whole life.  While it runs, the set in the module's state holds the worker.
 *
 * When the interpreter ends, all workers are stopped before threading or an executor waits for
 * their threads.  Functions registered to run at exit run in reverse order, so ours is
 * registered again when an executor is first used.
 *
 * After a fork, the child has neither the threads nor the executors of earlier workers, and
 * the parent reads the sources of those that were not begun.  The child uses nothing of them.
 */
#include "bridge/worker_start.h"

#include "bridge/worker_run.h"
#include "runtime/raising.h"
#include "runtime/watch.h"

/* ---- the end of the process ---- */

static int
stop_workers(generators_state *state)
{
    PyObject *workers = PySequence_List(state->async_workers);
    if (workers == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(workers); i++) {
        worker *self = (worker *)PyList_GET_ITEM(workers, i);
        if (!worker_is_forked(self)) {
            generators_lock_take(&self->lock);
            self->cut_off = !self->stopped;
            generators_lock_leave(&self->lock);
            worker_stop(self);
            if (worker_call_on_close(self) < 0) {
                raising_unraisable((PyObject *)self);
            }
            worker_close_idle(self);
        }
    }
    Py_DECREF(workers);
    return 0;
}

static PyObject *
stop_all(PyObject *reference, PyObject *Py_UNUSED(ignored))
{
    PyObject *module;
    generators_state *state = watch_state(reference, &module);
    int status = 0;
    if (state == NULL) {
        status = PyErr_Occurred() ? -1 : 0;
    }
    else if (state->async_workers != NULL) {
        status = stop_workers(state);
    }
    Py_XDECREF(module);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef stop_all_method = {"stop_workers", stop_all, METH_NOARGS, NULL};

static PyObject *
count_fork(PyObject *reference, PyObject *Py_UNUSED(ignored))
{
    PyObject *module;
    generators_state *state = watch_state(reference, &module);
    if (state != NULL) {
        forks_count(state);
        if (state->async_workers != NULL) {
            /* A new set: the workers of the old one, and what they hold, are never dropped. */
            PyObject *workers = PySet_New(NULL);
            if (workers != NULL) {
                state->async_workers = workers;
            }
        }
    }
    Py_XDECREF(module);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef count_fork_method = {"count_fork", count_fork, METH_NOARGS, NULL};

static bool
is_set(generators_state *state, const bool *flag)
{
    generators_lock_take(&state->late);
    bool is = *flag;
    generators_lock_leave(&state->late);
    return is;
}

static void
set(generators_state *state, bool *flag)
{
    generators_lock_take(&state->late);
    *flag = true;
    generators_lock_leave(&state->late);
}

int
worker_watch_forks(generators_state *state)
{
    if (!is_set(state, &state->forks_watched)) {
        if (watch_forks(PyType_GetModule(state->worker_type), &count_fork_method) < 0) {
            return -1;
        }
        set(state, &state->forks_watched);
    }
    return 0;
}

/* Called before the first worker, and before the first worker in an executor.  Two threads may
   do this at once: each of the functions may be called twice. */
static int
prepare(generators_state *state, PyObject *module, bool executor)
{
    if (!is_set(state, &state->workers_started)) {
        if (watch_exit(module, &stop_all_method) < 0) {
            return -1;
        }
        set(state, &state->workers_started);
    }
    if (executor && !is_set(state, &state->executors_used)) {
        if (watch_exit(module, &stop_all_method) < 0) {
            return -1;
        }
        set(state, &state->executors_used);
    }
    return 0;
}

/* ---- the worker ---- */

/* The worker's thread has ended.  0 or -1. */
static int
leave_set(worker *self)
{
    PyObject *running = Py_XNewRef(self->running);
    int status = running == NULL ? 0 : PySet_Discard(running, (PyObject *)self);
    Py_XDECREF(running);
    return status < 0 ? -1 : 0;
}

static PyObject *
run(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    worker *self = (worker *)op;
    worker_run(self);
    return leave_set(self) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef run_method = {"to_async", run, METH_NOARGS, NULL};

static PyObject *
run_refill(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    worker *self = (worker *)op;
    bool has_ended = worker_run_refill(self);
    return has_ended && leave_set(self) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef run_refill_method = {"to_async", run_refill, METH_NOARGS, NULL};

/* Raise an error that tells what happened to a job that ran no worker. */
static void
raise_lost_job(PyObject *job)
{
    PyObject *cancelled = PyObject_CallMethod(job, "cancelled", NULL);
    int is = cancelled == NULL ? -1 : PyObject_IsTrue(cancelled);
    Py_XDECREF(cancelled);
    PyObject *error = is != 0 ? NULL : PyObject_CallMethod(job, "exception", NULL);
    if (error != NULL && PyExceptionInstance_Check(error)) {
        PyErr_SetRaisedException(error);
        return;
    }
    Py_XDECREF(error);
    if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the executor was shut down before it ran the worker of to_async()");
    }
}

/* The worker has finished, without a thread, with what is raised.  Its source is closed. */
static int
finish_here(worker *self)
{
    if (!self->holds && !worker_claim(self)) {
        if (PyErr_Occurred()) { /* a thread has it, and will tell */
            raising_unraisable((PyObject *)self);
        }
        return 0;
    }
    PyObject *iterator = self->iterator;
    self->iterator = NULL;
    if (iterator != NULL) {
        worker_close_iterator(self, iterator);
    }
    worker_finish(self);
    return leave_set(self);
}

/* The job of a refill has ended: whether it was cancelled, so that it did not run.  1, 0 or
   -1. A later one may have been submitted already. */
static int
is_refill_lost(PyObject *job)
{
    PyObject *cancelled = PyObject_CallMethod(job, "cancelled", NULL);
    int is = cancelled == NULL ? -1 : PyObject_IsTrue(cancelled);
    Py_XDECREF(cancelled);
    return is;
}

/* Called when the executor's job has ended.  If the worker was never begun, the job did not
   run it.  The worker may be in its teardown. */
static PyObject *
job_ended(PyObject *op, PyObject *job)
{
    worker *self = (worker *)op;
    if (!self->holds) {
        int is_lost = is_refill_lost(job);
        if (is_lost <= 0) {
            return is_lost < 0 ? NULL : Py_NewRef(Py_None);
        }
    }
    generators_lock_take(&self->lock);
    bool began = self->began, stopped = self->stopped;
    generators_lock_leave(&self->lock);
    if (began) {
        Py_RETURN_NONE;
    }
    if (stopped) {
        worker_close_unstarted(self);
    }
    else {
        raise_lost_job(job);
    }
    return finish_here(self) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef job_ended_method = {"job_ended", job_ended, METH_O, NULL};

static int
start_thread(PyObject *threading, PyObject *target, PyObject *callback)
{
    PyObject *thread_type = PyObject_GetAttrString(threading, "Thread");
    PyObject *empty = PyTuple_New(0);
    PyObject *keywords = Py_BuildValue("{sOs(O)sOss}", "target", target, "args", callback,
                                       "daemon", Py_False, "name", "to_async");
    PyObject *thread = thread_type == NULL || empty == NULL || keywords == NULL
                           ? NULL
                           : PyObject_Call(thread_type, empty, keywords);
    PyObject *done = thread == NULL ? NULL : PyObject_CallMethod(thread, "start", NULL);
    Py_XDECREF(thread_type);
    Py_XDECREF(empty);
    Py_XDECREF(keywords);
    Py_XDECREF(thread);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int
start_in_executor(worker *self, PyObject *executor, PyObject *target, PyObject *callback)
{
    PyObject *job = target == NULL
                        ? PyObject_CallMethod(executor, "submit", "O", callback)
                        : PyObject_CallMethod(executor, "submit", "OO", target, callback);
    if (job == NULL) {
        return -1;
    }
    Py_INCREF(job);
    generators_lock_take(&self->lock);
    PyObject *earlier = self->job;
    self->job = job;
    generators_lock_leave(&self->lock);
    Py_XDECREF(earlier);
    PyObject *ended = PyCFunction_New(&job_ended_method, (PyObject *)self);
    PyObject *done =
        ended == NULL ? NULL : PyObject_CallMethod(job, "add_done_callback", "(O)", ended);
    Py_XDECREF(ended);
    Py_XDECREF(done);
    Py_DECREF(job);
    return done == NULL ? -1 : 0;
}

/* Whether the worker does not run and never will. */
static bool
is_unbegun(worker *self)
{
    generators_lock_take(&self->lock);
    bool is = !self->began && self->job == NULL;
    generators_lock_leave(&self->lock);
    return is;
}

/* Ask the executor for a place.  0 or -1. */
static int
submit_refill(worker *self)
{
    PyObject *callback = PyCFunction_New(&run_refill_method, (PyObject *)self);
    int status =
        callback == NULL ? -1 : start_in_executor(self, self->executor, NULL, callback);
    Py_XDECREF(callback);
    return status;
}

void
worker_refill(worker *self)
{
    if (submit_refill(self) < 0 && finish_here(self) < 0) {
        raising_unraisable((PyObject *)self);
    }
}

void
worker_close_idle(worker *self)
{
    if (self->holds || !self->started) {
        return;
    }
    generators_lock_take(&self->lock);
    bool is_idle = !self->at_work && !self->finished;
    self->at_work = self->at_work || is_idle;
    generators_lock_leave(&self->lock);
    if (is_idle) {
        PyObject *raised = PyErr_GetRaisedException();
        if (finish_here(self) < 0) {
            raising_unraisable((PyObject *)self);
        }
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
    }
}

/* The first refill.  0 or -1. */
static int
start_refills(worker *self)
{
    if (PySet_Add(self->running, (PyObject *)self) < 0) {
        return -1;
    }
    self->started = self->at_work = true;
    if (submit_refill(self) == 0) {
        return 0;
    }
    PyObject *raised = PyErr_GetRaisedException();
    generators_lock_take(&self->lock);
    bool is_unbegun = !self->began && self->job == NULL;
    generators_lock_leave(&self->lock);
    if (is_unbegun) {
        self->started = self->at_work = false;
        if (PySet_Discard(self->running, (PyObject *)self) < 0) {
            raising_unraisable((PyObject *)self);
        }
    }
    PyErr_SetRaisedException(raised);
    return -1;
}

int
worker_start(worker *self, generators_state *state, PyObject *executor)
{
    if (!self->holds) {
        PyObject *held_by = compat_type_module(Py_TYPE(self)); /* borrowed */
        self->executor = Py_XNewRef(executor);
        return prepare(state, held_by, true) < 0 ? -1 : start_refills(self);
    }
    PyObject *module = compat_type_module(Py_TYPE(self)); /* borrowed */
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *target = NULL, *callback = NULL;
    int status = -1;
    if (threading != NULL && prepare(state, module, executor != NULL) == 0) {
        target = PyObject_GetAttrString(self->context, "run");
        callback = PyCFunction_New(&run_method, (PyObject *)self);
    }
    if (target != NULL && callback != NULL &&
        PySet_Add(self->running, (PyObject *)self) == 0) {
        self->started = true;
        status = executor == NULL ? start_thread(threading, target, callback)
                                  : start_in_executor(self, executor, target, callback);
        if (status < 0 && is_unbegun(self)) {
            self->started = false;
            PyObject *raised = PyErr_GetRaisedException();
            PySet_Discard(self->running, (PyObject *)self);
            PyErr_SetRaisedException(raised);
        }
    }
    Py_XDECREF(threading);
    Py_XDECREF(target);
    Py_XDECREF(callback);
    return status;
}
