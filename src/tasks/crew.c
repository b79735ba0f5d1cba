/* crew: what the tasks of one asynchronous stream share.
 *
 * Owned: the calls, until the stream is released; that breaks the cycle of crew and calls.
 *
 * Threads: a crew's own section guards it, its window, its readers and, with their own, its
 * calls.  Whoever enters takes it: a step or the end of the stream, a task's step.  User code
 * runs inside, so that it may be suspended.  What is done with the loop is done on its
 * thread: a step is refused elsewhere, with RuntimeError, and a stream that is dropped
 * elsewhere only asks the loop to cancel.
 */
#include "tasks/crew.h"

#include "aio/loop.h"
#include "runtime/raising.h"

/* ---- tasks ---- */

/* asyncio.Task itself where the loop has no factory, which spares a call in Python for
   each; from 3.12 on it begins at once. */
static int
choose_task(crew *self)
{
    PyObject *factory = PyObject_CallMethod(self->loop, "get_task_factory", NULL);
    if (factory == NULL) {
        return -1;
    }
    Py_DECREF(factory);
    if (factory != Py_None) {
        self->make_task = PyObject_GetAttrString(self->loop, "create_task");
        return self->make_task == NULL ? -1 : 0;
    }
    PyObject *tasks = PyImport_ImportModule("asyncio.tasks");
    if (tasks == NULL) {
        return -1;
    }
    self->make_task = PyObject_GetAttrString(tasks, "Task");
    Py_DECREF(tasks);
#if PY_VERSION_HEX >= 0x030C0000
    self->options = Py_BuildValue("(ss)", "loop", "eager_start");
#else
    self->options = Py_BuildValue("(s)", "loop");
#endif
    return self->make_task == NULL || self->options == NULL ? -1 : 0;
}

int
crew_check(crew *self, generators_state *state, const char *who)
{
    if (self->make_task == NULL || self->thread == PyThread_get_thread_ident()) {
        return 0;
    }
    /* The same loop may go on in another thread than before. */
    PyObject *running;
    if (loop_running(state, &running) < 0) {
        return -1;
    }
    bool same = running == self->loop;
    Py_XDECREF(running);
    if (!same) {
        PyErr_Format(PyExc_RuntimeError,
                     "%s belongs to another event loop than the one of this thread", who);
        return -1;
    }
    self->thread = PyThread_get_thread_ident();
    return 0;
}

int
crew_open(crew *self, generators_state *state, const char *who)
{
    if (self->make_task != NULL) {
        return 0;
    }
    if (self->loop == NULL) {
        self->loop = loop_needed(state, who);
    }
    self->thread = PyThread_get_thread_ident();
    return self->loop == NULL ? -1 : choose_task(self);
}

PyObject *
crew_spawn(crew *self, PyObject *spawned)
{
    PyObject *arguments[] = {spawned, self->loop, Py_True};
    return PyObject_Vectorcall(self->make_task, arguments, 1, self->options);
}

static int
cancel_here(PyObject *task)
{
    PyObject *done = PyObject_CallMethod(task, "cancel", NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

int
crew_cancel(crew *self, PyObject *task)
{
    generators_state *state = generators_state_of((PyObject *)self);
    PyObject *loop, *cancel = NULL, *done = NULL;
    if (loop_running(state, &loop) < 0) {
        return -1;
    }
    bool here = loop == self->loop;
    Py_XDECREF(loop);
    if (here) {
        return cancel_here(task);
    }
    cancel = PyObject_GetAttrString(task, "cancel");
    if (cancel != NULL) {
        done = PyObject_CallMethod(self->loop, "call_soon_threadsafe", "O", cancel);
        Py_DECREF(cancel);
    }
    if (done == NULL && PyErr_ExceptionMatches(PyExc_RuntimeError)) {
        PyErr_Clear(); /* the loop is closed */
        return 0;
    }
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* The tasks of the calls that run, in a list: they end while they are cancelled. */
static PyObject *
running_tasks(crew *self)
{
    PyObject *tasks = PyList_New(0);
    call *one = tasks == NULL ? NULL : self->calls.first_running;
    for (; one != NULL; one = one->next_running) {
        PyObject *task = async_call_task(one);
        if (task != NULL && PyList_Append(tasks, task) < 0) {
            Py_DECREF(tasks);
            return NULL;
        }
    }
    return tasks;
}

int
crew_cancel_calls(crew *self)
{
    self->stopping = true;
    PyObject *tasks = running_tasks(self);
    if (tasks == NULL) {
        return -1;
    }
    int status = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(tasks) && status == 0; i++) {
        status = crew_cancel(self, PyList_GET_ITEM(tasks, i));
    }
    Py_DECREF(tasks);
    return status;
}

/* ---- waiting ---- */

astream_outcome
crew_wait(crew *self, PyObject **value)
{
    *value = loop_future(self->loop);
    if (*value == NULL) {
        return ASTREAM_ERROR;
    }
    Py_XSETREF(self->waiter, Py_NewRef(*value));
    return ASTREAM_WAIT;
}

void
crew_wake(crew *self)
{
    PyObject *waiter = self->waiter;
    if (waiter == NULL) {
        return;
    }
    self->waiter = NULL;
    PyObject *raised = PyErr_GetRaisedException();
    if (loop_wake(waiter) < 0) {
        raising_unraisable((PyObject *)self);
    }
    Py_DECREF(waiter);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

/* ---- memory ---- */

crew *
crew_new(generators_state *state)
{
    return (crew *)state->crew_type->tp_alloc(state->crew_type, 0);
}

static int
crew_traverse(PyObject *op, visitproc visit, void *arg)
{
    crew *self = (crew *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->function);
    Py_VISIT(self->loop);
    Py_VISIT(self->make_task);
    Py_VISIT(self->options);
    Py_VISIT(self->waiter);
    for (reader *one = self->first_ready; one != NULL; one = one->next) {
        Py_VISIT(one);
    }
    return window_traverse(&self->calls, visit, arg);
}

static int
crew_clear(PyObject *op)
{
    crew *self = (crew *)op;
    window_clear(&self->calls);
    while (self->first_ready != NULL) {
        reader *one = self->first_ready;
        self->first_ready = one->next;
        one->next = NULL;
        one->is_ready = false;
        Py_DECREF(one);
    }
    self->last_ready = NULL;
    Py_CLEAR(self->function);
    Py_CLEAR(self->loop);
    Py_CLEAR(self->make_task);
    Py_CLEAR(self->options);
    Py_CLEAR(self->waiter);
    return 0;
}

static void
crew_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    crew_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot crew_slots[] = {
    {Py_tp_doc, (char *)"What the tasks of a stream share."},
    {Py_tp_traverse, crew_traverse},
    {Py_tp_clear, crew_clear},
    {Py_tp_dealloc, crew_dealloc},
    {0, NULL},
};

PyType_Spec crew_spec = {
    .name = "generators._native._Crew",
    .basicsize = sizeof(crew),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = crew_slots,
};
