/* What an own thread of a map_threads() does, and how it ends.
 *
 * A thread runs jobs, waits where there are none, and ends when the workers are dismissed.  It
 * owns the workers meanwhile.  It is not a daemon.
 *
 * The module holds all workers that have threads.  At exit they are dismissed, before the
 * interpreter joins its threads, as those of an executor are.
 *
 * Threads: see workers.c.
 */
#include "tasks/workers_run.h"

#include "runtime/lock.h"
#include "runtime/watch.h"
#include "tasks/thread_call.h"

/* ---- a thread ---- */

static PyObject *
workers_run(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    workers *self = (workers *)op;
    idle_thread me = {lock_new_taken(), NULL};
    if (me.wake == NULL) {
        return NULL;
    }
    job *one;
    job_step step;
    while ((step = workers_pop_job(self, &me, &one)) != JOB_EXIT) {
        if (step == JOB_NONE) {
            workers_wait_for_job(self, &me);
            continue;
        }
        if (step == JOB_RUN) {
            thread_call_run(one);
        }
        workers_report(self, one);
        Py_DECREF(one->call.object);
    }
    PyThread_release_lock(me.wake);
    PyThread_free_lock(me.wake);
    Py_RETURN_NONE;
}

static PyMethodDef workers_run_method = {"run", workers_run, METH_NOARGS,
                                         "What each thread does."};

/* ---- the end of the interpreter ---- */

/* Called before the interpreter joins all threads. */
static PyObject *
workers_at_exit(PyObject *reference, PyObject *Py_UNUSED(ignored))
{
    PyObject *module;
    generators_state *state = watch_state(reference, &module);
    if (state == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    PyObject *all =
        state->all_workers == NULL ? PyList_New(0) : PySequence_List(state->all_workers);
    for (Py_ssize_t i = 0; all != NULL && i < PyList_GET_SIZE(all); i++) {
        workers *self = (workers *)PyList_GET_ITEM(all, i);
        if (workers_are_own(self)) {
            workers_dismiss(self);
        }
    }
    Py_DECREF(module);
    if (all == NULL) {
        return NULL;
    }
    Py_DECREF(all);
    Py_RETURN_NONE;
}

static PyMethodDef workers_at_exit_method = {"_end_workers", workers_at_exit, METH_NOARGS,
                                             NULL};

/* The set of all that have threads, from the first on; borrowed, or NULL. */
static PyObject *
workers_all(generators_state *state, PyObject *module)
{
    PyObject *all = generators_late(state, &state->all_workers);
    if (all != NULL) {
        return all;
    }
    /* First, so that no set is there that nobody is told of at exit. */
    if (watch_exit(module, &workers_at_exit_method) < 0) {
        return NULL;
    }
    PyObject *set = PySet_New(NULL);
    return set == NULL ? NULL : generators_set_late(state, &state->all_workers, set);
}

/* ---- starting ---- */

/* A threading.Thread that is not started; or NULL. */
static PyObject *
workers_new_thread(workers *self)
{
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *class = threading == NULL ? NULL : PyObject_GetAttrString(threading, "Thread");
    Py_XDECREF(threading);
    PyObject *run =
        class == NULL ? NULL : PyCFunction_New(&workers_run_method, (PyObject *)self);
    PyObject *arguments =
        run == NULL ? NULL : Py_BuildValue("(OOs)", Py_None, run, "map_threads");
    PyObject *thread = arguments == NULL ? NULL : PyObject_CallObject(class, arguments);
    Py_XDECREF(arguments);
    Py_XDECREF(run);
    Py_XDECREF(class);
    return thread;
}

int
workers_add_thread(workers *self)
{
    PyObject *module = PyType_GetModule(Py_TYPE(self));
    PyObject *all = module == NULL ? NULL : workers_all(PyModule_GetState(module), module);
    if (all == NULL || PySet_Add(all, (PyObject *)self) < 0) {
        return -1;
    }
    PyObject *thread = workers_new_thread(self), *done = NULL;
    if (thread != NULL && PyList_Append(self->threads, thread) == 0) {
        done = PyObject_CallMethod(thread, "start", NULL);
        if (done == NULL) {
            Py_ssize_t count = PyList_GET_SIZE(self->threads);
            PyObject *raised = PyErr_GetRaisedException();
            PyList_SetSlice(self->threads, count - 1, count, NULL);
            PyErr_SetRaisedException(raised);
        }
    }
    Py_XDECREF(thread);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}
