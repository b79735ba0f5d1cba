/* _EventQueueTask: a coroutine that runs the queue of a dispatch that was aborted.
 *
 * An event that emit() has queued is run even if the dispatch that would run it is cancelled.
 * That dispatch does not release the dispatcher.  It moves the hold to this coroutine, which a
 * task of the event loop runs.  So no other dispatch comes before the queue, and what is
 * emitted meanwhile is queued after it.
 *
 * States: those of a coroutine.  If the task is cancelled, the rest of the queue moves to
 * another one, without the current event.  If it is dropped before it starts, because its loop
 * was closed, the queue is left for the next dispatch.
 *
 * Owned: the dispatcher, and a dispatch.  The task is owned by the loop, or by the future that
 * a handler awaits.  When those are freed, it is freed and releases the dispatcher.
 *
 * User code: handlers, and the methods of the event loop.
 *
 * Nobody awaits this coroutine, so what the dispatch raises goes to the loop's exception
 * handler.
 *
 * Threads: see aio/coroutine.c for the object, dispatch.c for the dispatch.
 */
#include "events/queue_task.h"

#include "aio/coroutine.h"
#include "aio/loop.h"
#include "events/deliver.h"
#include "events/dispatch_advance.h"
#include "events/failure.h"
#include "runtime/raising.h"

typedef struct {
    coroutine base;
    dispatcher *owner;  /* owned */
    dispatch *dispatch; /* owned; NULL at the end */
    bool has_begun;
} queue_task;

/* ---- moving the hold to a task ---- */

static PyObject *
queue_task_name(coroutine *Py_UNUSED(self))
{
    return PyUnicode_FromString("Dispatcher.queue");
}

static PySendResult queue_task_step(coroutine *op, PyObject *value, PyObject *exception,
                                    PyObject **result);
static void queue_task_release(coroutine *op);

static const coroutine_kind queue_task_kind = {
    .step = queue_task_step,
    .release = queue_task_release,
    .qualified_name = queue_task_name,
    .is_internal = true,
};

/* Make a coroutine with a dispatch that does not hold the dispatcher yet; or NULL. */
static queue_task *
queue_task_new(dispatcher *owner)
{
    PyTypeObject *type = owner->state->event_queue_task_type;
    queue_task *self = type == NULL ? NULL : (queue_task *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->owner = (dispatcher *)Py_NewRef((PyObject *)owner);
    if (coroutine_init(&self->base, &queue_task_kind, false) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    self->dispatch = PyMem_Calloc(1, sizeof(dispatch));
    if (self->dispatch == NULL) {
        coroutine_give_up(&self->base);
        Py_DECREF(self);
        PyErr_NoMemory();
        return NULL;
    }
    self->dispatch->is_async = self->dispatch->is_queued = true;
    return self;
}

/* Move the hold to a new task, if a loop runs.  Return whether it was moved.  An exception is
   kept to be raised by the dispatch. */
static bool
queue_task_take_over(dispatch *self)
{
    dispatcher *owner = self->owner;
    PyObject *loop;
    int running = loop_running(owner->state, &loop);
    queue_task *task = running > 0 ? queue_task_new(owner) : NULL;
    bool is_done = task != NULL;
    if (is_done) {
        /* From here on the task releases the dispatcher, even if it never runs. */
        dispatch_move_hold(self, task->dispatch);
        PyObject *made = PyObject_CallMethod(loop, "create_task", "(O)", (PyObject *)task);
        is_done = made != NULL;
        Py_XDECREF(made); /* it is owned by the loop, or by the future that it awaits */
    }
    if (running < 0 || (running > 0 && !is_done && PyErr_Occurred())) {
        failure_keep(&self->raised, PyErr_GetRaisedException());
    }
    Py_XDECREF((PyObject *)task);
    Py_XDECREF(loop);
    return self->owner == NULL;
}

int
dispatch_run(dispatch *self)
{
    for (;;) {
        if (dispatch_advance(self) > 0) {
            return 1;
        }
        if (self->owner == NULL || queue_task_take_over(self)) {
            return 0;
        }
        self->leaves_queue = true;
    }
}

/* ---- the coroutine ---- */

/* The dispatch has ended.  Tell the loop what it raises: 0, or -1 with an exception. */
static int
queue_task_end(queue_task *self)
{
    dispatch ended = *self->dispatch;
    PyMem_Free(self->dispatch);
    self->dispatch = NULL;
    if (dispatch_end(&ended) == 0) {
        return 0;
    }
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        return -1;
    }
    PyObject *exception = PyErr_GetRaisedException();
    int told = failure_tell_loop(self->owner, NULL, exception);
    if (told == 0) {
        PyErr_SetRaisedException(exception);
        return -1;
    }
    Py_DECREF(exception);
    return told < 0 ? -1 : 0;
}

static PySendResult
queue_task_step(coroutine *op, PyObject *value, PyObject *exception, PyObject **result)
{
    queue_task *self = (queue_task *)op;
    dispatch *run = self->dispatch;
    for (;;) {
        if (!self->has_begun) {
            self->has_begun = true;
            if (exception != NULL) {
                dispatch_abort(run, Py_NewRef(exception));
            }
        }
        else {
            PySendResult sent = deliver_resume_awaited(run, op, value, exception, result);
            if (sent == PYGEN_NEXT) {
                return sent;
            }
            PyObject *given = *result;
            *result = NULL;
            deliver_awaited(run, given);
            if (exception != NULL &&
                PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit)) {
                dispatch_abort(run, Py_NewRef(exception));
            }
        }
        if (dispatch_run(run) == 0) {
            break;
        }
        op->awaited = run->awaited;
        run->awaited = NULL;
        value = Py_None;
        exception = NULL;
    }
    if (queue_task_end(self) < 0) {
        return PYGEN_ERROR;
    }
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

/* It never started, or could not be closed.  Release the dispatcher, and leave its queue. */
static void
queue_task_release(coroutine *op)
{
    queue_task *self = (queue_task *)op;
    dispatch *run = self->dispatch;
    if (run == NULL) {
        return;
    }
    if (run->owner != NULL) {
        run->leaves_queue = true;
        if (run->current != NULL) {
            PyErr_SetNone(PyExc_GeneratorExit);
            deliver_awaited(run, NULL);
        }
        run->is_async = false;
        dispatch_advance(run);
    }
    if (queue_task_end(self) < 0 && raising_forgive(PyExc_GeneratorExit) < 0) {
        raising_unraisable((PyObject *)self->owner);
    }
}

/* ---- memory and the type ---- */

static int
queue_task_traverse(PyObject *op, visitproc visit, void *arg)
{
    queue_task *self = (queue_task *)op;
    Py_VISIT((PyObject *)self->owner);
    int status = self->dispatch == NULL ? 0 : dispatch_traverse(self->dispatch, visit, arg);
    return status != 0 ? status : coroutine_traverse(op, visit, arg);
}

static int
queue_task_clear(PyObject *op)
{
    queue_task *self = (queue_task *)op;
    dispatcher *owner = self->owner;
    self->owner = NULL;
    int status = coroutine_clear(op);
    Py_XDECREF((PyObject *)owner);
    return status;
}

static PyType_Slot queue_task_slots[] = {
    {Py_tp_doc, (char *)"A coroutine that runs the queue of a Dispatcher."},
    {Py_tp_traverse, queue_task_traverse},
    {Py_tp_clear, queue_task_clear},
    COROUTINE_SLOTS,
    {0, NULL},
};

PyType_Spec event_queue_task_spec = {
    .name = "native_generators._native._EventQueueTask",
    .basicsize = sizeof(queue_task),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = queue_task_slots,
};
