/* How a call of a map_threads() comes to a thread.
 *
 * Own threads are started as there are calls for them, up to the most that ever run at once.
 *
 * Threads: all runs on the stream's thread.  See workers.c.
 */
#include "tasks/workers_start.h"

#include "tasks/thread_call.h"
#include "tasks/workers_run.h"

static int
workers_give_to_thread(workers *self, window *calls, thread_call *one)
{
    if (self->exiting) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot start calls after the interpreter began to shut down");
        return -1;
    }
    if (PyList_GET_SIZE(self->threads) <= calls->running && workers_add_thread(self) < 0) {
        return -1;
    }
    workers_put_job(self, thread_call_job(one));
    return 0;
}

int
workers_start(workers *self, window *calls, PyObject *function, PyObject *item)
{
    generators_state *state = generators_state_of((PyObject *)self);
    thread_call *one = thread_call_new(state, function, item, calls);
    if (one == NULL) {
        return -1;
    }
    int status = self->executor == NULL ? workers_give_to_thread(self, calls, one)
                                        : thread_call_submit(one, self);
    if (status == 0) {
        window_start(calls, &thread_call_job(one)->call);
    }
    PyObject *raised = status < 0 ? PyErr_GetRaisedException() : NULL;
    Py_DECREF(one);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return status;
}
