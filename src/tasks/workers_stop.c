/* How a map_threads() ends its calls and threads.
 *
 * Threads: all runs on the stream's thread.  See workers.c.
 */
#include "tasks/workers_stop.h"

#include "runtime/raising.h"
#include "tasks/thread_call.h"

/* Only futures of an executor: own threads look at `stopped`. */
static int
workers_cancel(window *calls)
{
    for (call *one = calls->first_running; one != NULL; one = one->next_running) {
        if (thread_call_cancel(one) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
workers_wait_for_all(workers *self, window *calls)
{
    for (call *one = calls->first_running; one != NULL; one = one->next_running) {
        if (thread_call_runs_here(one)) {
            PyErr_SetString(PyExc_RuntimeError,
                            "a call cannot wait for the end of its own stream");
            return -1;
        }
    }
    while (calls->running > 0) {
        if (workers_wait(self, calls) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
workers_join(workers *self)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(self->threads); i++) {
        PyObject *thread = Py_NewRef(PyList_GET_ITEM(self->threads, i));
        PyObject *done = PyObject_CallMethod(thread, "join", NULL);
        Py_DECREF(thread);
        if (done == NULL) {
            return -1;
        }
        Py_DECREF(done);
    }
    return 0;
}

/* Nobody need dismiss them at exit any more.  What is raised stays. */
static void
workers_forget(workers *self)
{
    generators_state *state = generators_state_of((PyObject *)self);
    PyObject *all = Py_XNewRef(state->all_workers);
    if (all == NULL) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    if (PySet_Discard(all, (PyObject *)self) < 0) {
        raising_unraisable((PyObject *)self);
    }
    Py_DECREF(all);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

int
workers_stop(workers *self, window *calls, bool abandoned)
{
    if (self->stopped) {
        return 0;
    }
    if (workers_are_own(self)) {
        workers_look(self, calls); /* those have ended before */
    }
    calls->ending = true;
    generators_lock_take(&self->lock);
    self->stopped = true;
    generators_lock_leave(&self->lock);
    if (!workers_are_own(self)) {
        return 0; /* nothing of this is here */
    }
    int status = workers_cancel(calls);
    if (status == 0 && !abandoned) {
        status = workers_wait_for_all(self, calls);
    }
    workers_detach(self);
    workers_dismiss(self);
    if (status == 0 && !abandoned) {
        status = workers_join(self);
    }
    workers_forget(self);
    return status;
}
