/* task_group: what the tasks of one asynchronous stream share.
 *
 * Owned: the calls, until the stream is released.  That breaks the cycle of group and calls.
 *
 * Threads: the group's own section guards it, its window and its readers' lists.  The step and
 * the end of the stream take it, and so does a task when its call or its reader has something
 * to tell.  User code may run inside, so the section may be suspended.  Whatever concerns the
 * loop is done on the loop's thread: a step elsewhere is refused with RuntimeError, and a
 * stream that is dropped elsewhere only asks the loop to cancel.
 */
#include "tasks/task_group.h"

#include "aio/loop.h"
#include "runtime/raising.h"
#include "tasks/late.h"

/* ---- tasks ---- */

/* asyncio.Task itself where the loop has no task factory.  That saves a call in Python for
   each task.  From 3.12 on the task starts at once. */
static int
task_group_choose_task(task_group *self)
{
    PyObject *factory = PyObject_CallMethod(self->loop, "get_task_factory", NULL);
    if (factory == NULL) {
        return -1;
    }
    bool has_factory = factory != Py_None;
    Py_DECREF(factory);
    if (has_factory) {
        self->make_task = PyObject_GetAttrString(self->loop, "create_task");
        return self->make_task == NULL ? -1 : 0;
    }
#if PY_VERSION_HEX >= 0x030C0000
    self->options = Py_BuildValue("(ss)", "loop", "eager_start");
#else
    self->options = Py_BuildValue("(s)", "loop");
#endif
    PyObject *tasks = self->options == NULL ? NULL : PyImport_ImportModule("asyncio.tasks");
    if (tasks == NULL) {
        return -1;
    }
    self->make_task = PyObject_GetAttrString(tasks, "Task");
    Py_DECREF(tasks);
    return self->make_task == NULL ? -1 : 0;
}

int
task_group_check(task_group *self, const char *who)
{
    if (self->make_task == NULL || self->thread == PyThread_get_thread_ident()) {
        return 0;
    }
    /* The same loop may go on in another thread than before. */
    PyObject *running;
    if (loop_running(self->state, &running) < 0) {
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
task_group_open(task_group *self, const char *who)
{
    if (self->make_task != NULL) {
        return 0;
    }
    if (self->loop == NULL) {
        self->loop = loop_needed(self->state, who);
    }
    if (self->loop != NULL && self->cancelled_error == NULL) {
        self->cancelled_error = Py_XNewRef(loop_cancelled_error(self->state));
    }
    if (self->cancelled_error != NULL && self->make_future == NULL) {
        self->make_future = PyObject_GetAttrString(self->loop, "create_future");
    }
    self->thread = PyThread_get_thread_ident();
    return self->make_future == NULL ? -1 : task_group_choose_task(self);
}

PyObject *
task_group_spawn(task_group *self, PyObject *spawned)
{
    PyObject *arguments[] = {spawned, self->loop, Py_True};
    return PyObject_Vectorcall(self->make_task, arguments, 1, self->options);
}

static int
task_group_cancel_here(PyObject *task)
{
    PyObject *done = PyObject_CallMethod(task, "cancel", NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

int
task_group_cancel(task_group *self, PyObject *task)
{
    PyObject *loop, *cancel = NULL, *done = NULL;
    if (loop_running(self->state, &loop) < 0) {
        return -1;
    }
    bool here = loop == self->loop;
    Py_XDECREF(loop);
    if (here) {
        return task_group_cancel_here(task);
    }
    cancel = PyObject_GetAttrString(task, "cancel");
    if (cancel != NULL) {
        done = PyObject_CallMethod(self->loop, "call_soon_threadsafe", "O", cancel);
        Py_DECREF(cancel);
    }
    if (done == NULL) {
        return raising_forgive(PyExc_RuntimeError); /* the loop is closed */
    }
    Py_DECREF(done);
    return 0;
}

/* ---- waiting ---- */

static astream_outcome
task_group_begin_wait(task_group *self, PyObject **value, astream_outcome outcome)
{
    PyObject *future = task_group_new_future(self), *earlier = self->waiter;
    *value = future;
    if (future == NULL) {
        return ASTREAM_ERROR;
    }
    self->waiter = Py_NewRef(future);
    Py_XDECREF(earlier);
    return outcome;
}

astream_outcome
task_group_wait(task_group *self, PyObject **value)
{
    return task_group_begin_wait(self, value, ASTREAM_WAIT);
}

astream_outcome
task_group_wait_to_finish(task_group *self, PyObject **value)
{
    return task_group_begin_wait(self, value, ASTREAM_FINISH);
}

/* Forget a RuntimeError of a loop that is closed: nobody waits there any more.  0 or -1. */
static int
task_group_forgive_closed(task_group *self)
{
    if (!PyErr_ExceptionMatches(PyExc_RuntimeError)) {
        return -1;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *said = PyObject_CallMethod(self->loop, "is_closed", NULL);
    int is_closed = said == NULL ? -1 : PyObject_IsTrue(said);
    Py_XDECREF(said);
    if (is_closed == 0) {
        PyErr_SetRaisedException(raised);
        return -1;
    }
    Py_DECREF(raised);
    return is_closed < 0 ? -1 : 0;
}

void
task_group_wake(task_group *self)
{
    PyObject *waiter = self->waiter;
    if (waiter == NULL) {
        return;
    }
    self->waiter = NULL;
    if (loop_wake(waiter) < 0 && task_group_forgive_closed(self) < 0) {
        raising_unraisable((PyObject *)self);
    }
    Py_DECREF(waiter);
}

/* ---- errors ---- */

void
task_group_add_error(task_group *self)
{
    if (self->is_detached) {
        raising_unraisable((PyObject *)self);
        return;
    }
    PyObject *earlier = self->error;
    self->error = NULL;
    raising_chain(earlier);
    self->error = PyErr_GetRaisedException();
}

void
task_group_add_late(task_group *self, Py_ssize_t index)
{
    if (self->is_detached) {
        raising_unraisable((PyObject *)self);
        return;
    }
    if (!PyErr_ExceptionMatches(PyExc_Exception) ||
        late_add(&self->late, index, "when it was cancelled") < 0) {
        task_group_add_error(self); /* Ctrl-C becomes no note */
    }
}

int
task_group_tell_late(task_group *self, PyObject *failure)
{
    PyObject *alone;
    if (late_tell(&self->late, failure, &alone) < 0) {
        return -1;
    }
    if (alone == NULL) {
        return 0;
    }
    PyObject *error = self->error; /* of closing the source, which came after it */
    self->error = alone;
    if (error != NULL) {
        PyErr_SetRaisedException(error);
        task_group_add_error(self);
    }
    return 0;
}

static PyObject *
task_group_on_end(PyObject *Py_UNUSED(self), PyObject *task)
{
    return PyObject_CallMethod(task, "exception", NULL);
}

static PyMethodDef task_group_end_method = {"retrieve", task_group_on_end, METH_O, NULL};

void
task_group_retrieve(task_group *self)
{
    PyObject *task, *done = NULL;
    int found = loop_task(self->state, &task);
    PyObject *callback = found <= 0 ? NULL : PyCFunction_New(&task_group_end_method, NULL);
    if (callback != NULL) {
        done = PyObject_CallMethod(task, "add_done_callback", "(O)", callback);
        Py_DECREF(callback);
    }
    if (found > 0) {
        Py_DECREF(task);
    }
    if (done == NULL && PyErr_Occurred()) {
        raising_unraisable((PyObject *)self);
    }
    Py_XDECREF(done);
}

int
task_group_raise(task_group *self)
{
    PyObject *error = self->error;
    self->error = NULL;
    if (error == NULL) {
        return 0;
    }
    PyErr_SetRaisedException(error);
    return -1;
}

void
task_group_chain(task_group *self)
{
    PyObject *error = self->error;
    self->error = NULL;
    raising_chain(error);
}

/* ---- memory ---- */

task_group *
task_group_new(generators_state *state)
{
    PyTypeObject *type = state->task_group_type;
    if (type == NULL) {
        raising_shut_down();
        return NULL;
    }
    task_group *self = (task_group *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->state = state;
    }
    return self;
}

static int
task_group_traverse(PyObject *op, visitproc visit, void *arg)
{
    task_group *self = (task_group *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->function);
    Py_VISIT(self->loop);
    Py_VISIT(self->make_future);
    Py_VISIT(self->make_task);
    Py_VISIT(self->options);
    Py_VISIT(self->cancelled_error);
    Py_VISIT(self->waiter);
    Py_VISIT(self->error);
    Py_VISIT(self->late);
    return window_traverse(&self->calls, visit, arg);
}

static int
task_group_clear(PyObject *op)
{
    task_group *self = (task_group *)op;
    window_clear(&self->calls);
    Py_CLEAR(self->function);
    Py_CLEAR(self->loop);
    Py_CLEAR(self->make_future);
    Py_CLEAR(self->make_task);
    Py_CLEAR(self->options);
    Py_CLEAR(self->cancelled_error);
    Py_CLEAR(self->waiter);
    Py_CLEAR(self->error);
    Py_CLEAR(self->late);
    return 0;
}

static void
task_group_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    task_group_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot task_group_slots[] = {
    {Py_tp_doc, (char *)"What the tasks of a stream share."},
    {Py_tp_traverse, task_group_traverse},
    {Py_tp_clear, task_group_clear},
    {Py_tp_dealloc, task_group_dealloc},
    {0, NULL},
};

PyType_Spec task_group_spec = {
    .name = "native_generators._native._TaskGroup",
    .basicsize = sizeof(task_group),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = task_group_slots,
};
