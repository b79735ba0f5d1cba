/* _Home: see home.h.
 *
 * The home task is a task of asyncio that only waits for the future `parking`, which ends when
 * the home is closed (home_task.c).  The source's steps are made here, in its place:
 * asyncio.current_task() gives the home task meanwhile, and its context is the current one
 * (home_enter.c).  So a step that is ready costs no turn of the loop.  Timeouts, task groups,
 * cancel scopes and context variables of the source belong to one task, whoever asks for
 * items.
 *
 * What a step yields is treated as a task treats it (home_step.c).  A future's callback goes
 * on with the step.  For a bare yield, whoever pulled pauses for a turn of the loop, and the
 * next home_pull() goes on; who does not come back calls home_schedule_turn().
 *
 * A cancellation of the home task (by a timeout within the source, or at the end of the loop)
 * cancels `parking`.  It is handed on: the future that the source waits for is cancelled, or
 * the exception is thrown in where the source stands between two items.
 *
 * States (`phase`): reading -> cancelling, while a step that was under way when the home was
 * to be closed comes to its end -> closing, while the source's aclose() runs -> closed.  The
 * home task ends with the last.  `has_ended` says that the source has ended; what has come
 * before is taken first.
 *
 * A native stream needs no task, because it does not matter who makes its steps.  Its home has
 * none, and leaves a step that others cancel.
 *
 * Owned: see the struct.  The home does not know the stream that reads from it, so the stream
 * goes when its user drops it.  A callback of the loop keeps a home that waits.
 *
 * User code runs in the source's steps, in the loop's methods and in what is dropped.  The
 * stream's own guard keeps a second pull out meanwhile, `is_stepping` everything else.
 *
 * Threads: all but home_abandon() and the collector is done on the loop's thread.
 */
#include "aio/home.h"

#include "aio/await.h"
#include "aio/home_enter.h"
#include "aio/home_step.h"
#include "aio/home_task.h"
#include "aio/home_wait.h"
#include "aio/loop.h"
#include "runtime/raising.h"

/* ---- pulling ---- */

static PyObject *
home_new_step(home *self)
{
    if (self->read == NULL) {
        return await_anext(self->source);
    }
    return await_read(self->read, self->size);
}

static home_answer
home_take(home *self, PyObject **item)
{
    *item = self->item;
    if (*item != NULL) {
        self->item = NULL;
        if (self->overflow != NULL && PyList_GET_SIZE(self->overflow) > 0) {
            self->item = Py_NewRef(PyList_GET_ITEM(self->overflow, 0));
            if (PyList_SetSlice(self->overflow, 0, 1, NULL) < 0) {
                Py_CLEAR(*item);
                return HOME_FAILED;
            }
        }
        return HOME_GAVE;
    }
    PyObject *error = self->error;
    self->error = NULL;
    if (error != NULL) {
        PyErr_SetRaisedException(error);
        return HOME_FAILED;
    }
    return HOME_ENDED;
}

/* The step whose turn has come, or a new one, which may give *item at once.  0 or -1. */
static int
home_go_on(home *self, PyObject **item)
{
    if (self->step != NULL) {
        home_resume(self);
        return 0;
    }
    if (home_enter(self) < 0) {
        return -1;
    }
    self->is_stepping = true;
    PyObject *step = home_new_step(self);
    self->is_stepping = false;
    if (step != NULL) {
        home_begin_step(self, step, item);
    }
    else {
        home_step_came(self, NULL);
    }
    home_leave(self);
    return 0;
}

home_answer
home_pull(home *self, PyObject **item)
{
    *item = NULL;
    if (home_has_something(self)) {
        return home_take(self, item);
    }
    if (self->step != NULL && !self->needs_turn) {
        return HOME_PENDING;
    }
    if (self->step == NULL && self->phase != HOME_READING) {
        return HOME_ENDED;
    }
    self->is_pulled = true;
    int status = home_go_on(self, item);
    self->is_pulled = false;
    if (status < 0) {
        return HOME_FAILED;
    }
    if (*item != NULL) {
        return HOME_GAVE;
    }
    return home_has_something(self) ? home_take(self, item) : HOME_PENDING;
}

/* ---- closing ---- */

/* Ctrl-C that came while nobody waited is raised by closing.  Any other error came of a step
   that nobody wants any more. */
static void
home_drop_items(home *self)
{
    PyObject *error = self->error;
    if (error != NULL && (PyErr_GivenExceptionMatches(error, PyExc_KeyboardInterrupt) ||
                          PyErr_GivenExceptionMatches(error, PyExc_SystemExit))) {
        self->error = NULL;
        PyErr_SetRaisedException(error);
        home_add_closing_error(self);
    }
    PyObject *dropped[] = {self->item, self->overflow, self->error};
    self->item = self->overflow = self->error = NULL;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(dropped); i++) {
        Py_XDECREF(dropped[i]);
    }
}

static int
home_cancel_task(home *self)
{
    PyObject *task = Py_NewRef(self->task);
    PyObject *done = PyObject_CallMethod(task, "cancel", NULL);
    Py_XDECREF(done);
    Py_DECREF(task);
    return done == NULL ? -1 : 0;
}

/* Whether others have cancelled the step that is under way, and it is coming to its end: then
   it is not cancelled a second time.  Who catches a cancellation in order to go on, as a
   timeout does, calls uncancel().  1, 0, or -1 with an exception set. */
static int
home_is_being_cancelled(home *self)
{
    if (!self->is_cancelled_step) {
        return 0;
    }
    PyObject *task = Py_NewRef(self->task);
    int is = loop_is_being_cancelled(task);
    Py_DECREF(task);
    return is;
}

/* 1 where it must be waited for, or 0. */
static int
home_start_closing(home *self)
{
    home_schedule_turn(self);
    home_drop_items(self);
    if (self->phase != HOME_READING) { /* what was dropped has called back */
        return self->phase != HOME_CLOSED;
    }
    if (self->step != NULL && self->task != NULL) {
        self->phase = HOME_CANCELLING;
        int is_cancelled = home_is_being_cancelled(self);
        self->cancels_step = is_cancelled == 0 && home_cancel_task(self) == 0;
        self->is_cancel_due = self->cancels_step;
        if (self->cancels_step || is_cancelled > 0) {
            return 1;
        }
        home_add_closing_error(self);
    }
    if (self->step != NULL) {
        home_leave_step(self);
    }
    if (home_enter(self) < 0) {
        home_add_closing_error(self);
        home_finish(self);
        return 0;
    }
    if (home_begin_closing(self)) {
        home_run(self, NULL);
    }
    home_leave(self);
    return self->phase != HOME_CLOSED;
}

int
home_close(home *self)
{
    int waits =
        self->phase == HOME_READING ? home_start_closing(self) : self->phase != HOME_CLOSED;
    if (waits) {
        return 1;
    }
    PyObject *error = self->closing_error;
    self->closing_error = NULL;
    if (error != NULL) {
        PyErr_SetRaisedException(error);
        return -1;
    }
    return 0;
}

static PyObject *
home_on_abandoned(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    if (home_close((home *)op) < 0) {
        raising_unraisable(op);
    }
    Py_RETURN_NONE;
}

static PyMethodDef home_abandoned_method = {"close", home_on_abandoned, METH_NOARGS, NULL};

bool
home_abandon(home *self)
{
    if (self->loop == NULL || self->phase == HOME_CLOSED) {
        return self->phase == HOME_CLOSED;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *callback = PyCFunction_New(&home_abandoned_method, (PyObject *)self);
    PyObject *handle =
        callback == NULL
            ? NULL
            : PyObject_CallMethod(self->loop, "call_soon_threadsafe", "(O)", callback);
    Py_XDECREF(callback);
    Py_XDECREF(handle);
    if (handle == NULL && raising_forgive(PyExc_RuntimeError) < 0) { /* else it is closed */
        raising_unraisable((PyObject *)self);
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return handle != NULL;
}

/* ---- making one ---- */

int
home_open(home *self, bool is_native)
{
    int running = loop_running(self->state, &self->loop);
    if (running <= 0) {
        return running;
    }
    self->thread = PyThread_get_thread_ident();
    if (is_native) {
        return 1;
    }
    self->context = PyContext_CopyCurrent();
    self->loop_context = self->context == NULL ? NULL : PyContext_New();
    PyObject *task = self->loop_context == NULL ? NULL : home_new_task(self);
    if (task == NULL) {
        Py_CLEAR(self->loop);
        return -1;
    }
    if (self->base.state == COROUTINE_ENDED) {
        Py_DECREF(task);
    }
    else {
        self->task = task;
    }
    return 1;
}

int
home_check(home *self)
{
    if (self->loop == NULL || self->thread == PyThread_get_thread_ident()) {
        return 0;
    }
    /* The same loop may go on in another thread than before. */
    PyObject *running;
    if (loop_running(self->state, &running) < 0) {
        return -1;
    }
    Py_XDECREF(running);
    if (running != self->loop) {
        PyErr_SetString(
            PyExc_RuntimeError,
            "the source belongs to another event loop than the one of this thread");
        return -1;
    }
    self->thread = PyThread_get_thread_ident();
    return 0;
}

home *
home_new(generators_state *state, PyObject *source, bool closes)
{
    PyTypeObject *type = state->home_type;
    if (type == NULL) {
        raising_shut_down();
        return NULL;
    }
    home *self = (home *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    if (coroutine_init(&self->base, &home_kind, false) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    self->state = state;
    self->source = Py_XNewRef(source);
    self->closes_source = closes;
    return self;
}

/* ---- memory ---- */

static int
home_traverse(PyObject *op, visitproc visit, void *arg)
{
    home *self = (home *)op;
    Py_VISIT(self->source);
    Py_VISIT(self->read);
    Py_VISIT(self->loop);
    Py_VISIT(self->task);
    Py_VISIT(self->context);
    Py_VISIT(self->loop_context);
    Py_VISIT(self->earlier);
    Py_VISIT(self->step);
    Py_VISIT(self->future);
    Py_VISIT(self->cancellation);
    Py_VISIT(self->item);
    Py_VISIT(self->overflow);
    Py_VISIT(self->error);
    Py_VISIT(self->waiter);
    Py_VISIT(self->parking);
    Py_VISIT(self->timer);
    Py_VISIT(self->closing_error);
    return coroutine_traverse(op, visit, arg);
}

static int
home_clear(PyObject *op)
{
    home *self = (home *)op;
    self->phase = HOME_CLOSED;
    self->has_ended = true;
    Py_CLEAR(self->source);
    Py_CLEAR(self->read);
    Py_CLEAR(self->loop);
    Py_CLEAR(self->task);
    Py_CLEAR(self->context);
    Py_CLEAR(self->loop_context);
    Py_CLEAR(self->step);
    Py_CLEAR(self->future);
    Py_CLEAR(self->cancellation);
    Py_CLEAR(self->item);
    Py_CLEAR(self->overflow);
    Py_CLEAR(self->error);
    Py_CLEAR(self->waiter);
    Py_CLEAR(self->parking);
    Py_CLEAR(self->timer);
    Py_CLEAR(self->closing_error);
    return coroutine_clear(op);
}

static PyType_Slot home_slots[] = {
    {Py_tp_doc, (char *)"The task in which an async source is iterated."},
    {Py_tp_traverse, home_traverse},
    {Py_tp_clear, home_clear},
    COROUTINE_SLOTS,
    {0, NULL},
};

PyType_Spec home_spec = {
    .name = "native_generators._native._Home",
    .basicsize = sizeof(home),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = home_slots,
};
