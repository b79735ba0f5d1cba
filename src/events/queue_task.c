/* _EventQueueTask: a coroutine that goes on with the queue of a turn that was aborted.
 *
 * An event that emit() accepted is run, also where the dispatch that would have run it is
 * cancelled.  That dispatch does not let the dispatcher go: it hands it over to a coroutine,
 * which a task of the loop runs.  So no other dispatch comes in between, and what is emitted
 * meanwhile is queued behind.
 *
 * States: those of a coroutine.  One that is cancelled hands what is left over to another,
 * without the event that was under way.  One that is dropped before it began, as its loop was
 * closed, leaves the queue to the next dispatch.
 *
 * Nothing but the loop, or the future that a handler awaits, holds its task: where those go,
 * it goes too, and the dispatcher is let go.
 *
 * Owned: the dispatcher, and the turn, which moved here from the dispatch that was aborted.
 *
 * What a turn raises here nobody awaits: it goes to the loop's exception handler.
 */
#include "events/queue_task.h"

#include "aio/loop.h"
#include "runtime/raising.h"

typedef struct {
    coroutine base;
    dispatcher *owner; /* owned */
    turn *turn;        /* owned; NULL at the end */
    bool has_begun;
} queue_task;

/* ---- handing over ---- */

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

/* A coroutine with a turn that holds nothing yet, not even the dispatcher; or NULL. */
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
    self->turn = PyMem_Calloc(1, sizeof(turn));
    if (self->turn == NULL) {
        coroutine_give_up(&self->base);
        Py_DECREF(self);
        PyErr_NoMemory();
        return NULL;
    }
    self->turn->is_async = self->turn->is_queued = true;
    return self;
}

/* Hand the dispatcher over, if a loop runs: whether that was done.  What fails is raised by
   the turn. */
static bool
hand_over(turn *self)
{
    dispatcher *owner = self->owner;
    PyObject *loop;
    int running = loop_running(owner->state, &loop);
    queue_task *task = running > 0 ? queue_task_new(owner) : NULL;
    bool is_done = task != NULL;
    if (is_done) {
        /* From here on the task lets the dispatcher go, even if it never runs. */
        turn_move_hold(self, task->turn);
        PyObject *made = PyObject_CallMethod(loop, "create_task", "(O)", (PyObject *)task);
        is_done = made != NULL;
        Py_XDECREF(made); /* the loop holds it, or the future for which it waits */
    }
    if (running < 0 || (running > 0 && !is_done && PyErr_Occurred())) {
        turn_keep(&self->raised, PyErr_GetRaisedException());
    }
    Py_XDECREF((PyObject *)task);
    Py_XDECREF(loop);
    return self->owner == NULL;
}

int
turn_run(turn *self)
{
    for (;;) {
        if (turn_go(self) > 0) {
            return 1;
        }
        if (self->owner == NULL || hand_over(self)) {
            return 0;
        }
        self->leaves_queue = true;
    }
}

PySendResult
turn_resume_awaited(turn *self, coroutine *caller, PyObject *value, PyObject *exception,
                    PyObject **result)
{
    PyObject *mark = NULL, *variable = self->owner->variable; /* for good, once it is there */
    *result = NULL;
    self->is_thrown = exception != NULL;
    if (self->token != NULL) {
        mark = PyContextVar_Set(variable, self->token);
        if (mark == NULL) {
            PyObject *raised = PyErr_GetRaisedException();
            if (coroutine_close_awaited(caller) < 0) {
                raising_chain(raised);
            }
            else {
                PyErr_SetRaisedException(raised);
            }
            return PYGEN_ERROR;
        }
    }
    PySendResult sent = coroutine_resume_awaited(caller, value, exception, result);
    if (mark != NULL) {
        PyObject *raised = sent == PYGEN_ERROR ? PyErr_GetRaisedException() : NULL;
        if (PyContextVar_Reset(variable, mark) < 0) {
            raising_unraisable(variable);
        }
        Py_DECREF(mark);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
    }
    return sent;
}

/* ---- the coroutine ---- */

/* What the turn raises in the end: 0 where the loop was told, or -1. */
static int
queue_task_end(queue_task *self)
{
    turn ended = *self->turn;
    PyMem_Free(self->turn);
    self->turn = NULL;
    if (turn_end(&ended) == 0) {
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
    turn *run = self->turn;
    for (;;) {
        if (!self->has_begun) {
            self->has_begun = true;
            if (exception != NULL) {
                turn_abort(run, Py_NewRef(exception));
            }
        }
        else {
            PySendResult sent = turn_resume_awaited(run, op, value, exception, result);
            if (sent == PYGEN_NEXT) {
                return sent;
            }
            PyObject *given = *result;
            *result = NULL;
            turn_awaited(run, given);
            if (exception != NULL &&
                PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit)) {
                turn_abort(run, Py_NewRef(exception));
            }
        }
        if (turn_run(run) == 0) {
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

/* It never began, or would not be closed: the dispatcher is let go, with its queue. */
static void
queue_task_release(coroutine *op)
{
    queue_task *self = (queue_task *)op;
    turn *run = self->turn;
    if (run == NULL) {
        return;
    }
    if (run->owner != NULL) {
        run->leaves_queue = true;
        if (run->current != NULL) {
            PyErr_SetNone(PyExc_GeneratorExit);
            turn_awaited(run, NULL);
        }
        run->is_async = false;
        turn_go(run);
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
    int status = self->turn == NULL ? 0 : turn_traverse(self->turn, visit, arg);
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
    {Py_tp_doc, (char *)"Goes on with the queue of a Dispatcher."},
    {Py_tp_traverse, queue_task_traverse},
    {Py_tp_clear, queue_task_clear},
    COROUTINE_SLOTS,
    {0, NULL},
};

PyType_Spec event_queue_task_spec = {
    .name = "generators._native._EventQueueTask",
    .basicsize = sizeof(queue_task),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = queue_task_slots,
};
