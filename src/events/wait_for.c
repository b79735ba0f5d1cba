/* _EventWait: the coroutine of Dispatcher.wait_for().
 *
 * Events count from the call on, before the coroutine is awaited.  So code that calls
 * wait_for(), then asks for an answer, and then awaits the coroutine misses none.
 *
 * States: those of a coroutine.  It waits for a future, which once.c or a timer ends.
 *
 * Owned: the dispatcher, its handler and the timer.  When it ends or is dropped, its handler
 * is removed.
 *
 * User code: the methods of event loops and futures.
 *
 * Threads: see aio/coroutine.c for the object, once.c for the handler.
 */
#include "events/wait_for.h"

#include <math.h>

#include "aio/await.h"
#include "aio/coroutine.h"
#include "aio/loop.h"
#include "events/once.h"
#include "events/register.h"
#include "runtime/raising.h"

typedef struct {
    coroutine base;
    dispatcher *owner; /* owned */
    handler *item;     /* owned */
    PyObject *timer;   /* owned: a handle of the loop, or NULL */
    double timeout;    /* in seconds; negative for none */
} event_wait;

/* ---- steps ---- */

/* Take what it has waited for: 1 and *result; 0 if it has not come; or -1 with an exception.
 */
static int
event_wait_take(event_wait *self, PyObject **result)
{
    PyObject *value, *failure;
    Py_BEGIN_CRITICAL_SECTION(self->owner);
    value = self->item->value;
    failure = self->item->failure;
    self->item->value = self->item->failure = NULL;
    Py_END_CRITICAL_SECTION();
    if (failure != NULL) {
        PyErr_SetRaisedException(failure);
        return -1;
    }
    *result = value;
    return value != NULL;
}

static PyObject *
event_wait_is_over(PyObject *future, PyObject *Py_UNUSED(ignored))
{
    return loop_wake(future) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef event_wait_is_over_def = {"time_is_over", event_wait_is_over, METH_NOARGS,
                                             NULL};

/* Start the timer that ends the wait for a future.  0 or -1. */
static int
event_wait_start_timer(event_wait *self, PyObject *loop, PyObject *future)
{
    if (self->timeout < 0) {
        return 0;
    }
    PyObject *callback = PyCFunction_New(&event_wait_is_over_def, future);
    self->timer = callback == NULL ? NULL
                                   : PyObject_CallMethod(loop, "call_later", "(dO)",
                                                         self->timeout, callback);
    Py_XDECREF(callback);
    return self->timer == NULL ? -1 : 0;
}

/* Begin to wait: 1 and base.awaited; 0 if what it waits for has come; or -1. */
static int
event_wait_begin(event_wait *self)
{
    PyObject *loop = loop_needed(self->owner->state, "wait_for()");
    PyObject *future = loop == NULL ? NULL : loop_future(loop);
    PyObject *iterator = future == NULL ? NULL : await_iterator(future);
    if (iterator == NULL || event_wait_start_timer(self, loop, future) < 0) {
        PyObject *raised = PyErr_GetRaisedException();
        Py_XDECREF(iterator);
        Py_XDECREF(future);
        Py_XDECREF(loop);
        PyErr_SetRaisedException(raised);
        return -1;
    }
    bool waits;
    Py_BEGIN_CRITICAL_SECTION(self->owner);
    waits = generators_flag_get(&self->item->active);
    if (waits) { /* they were NULL */
        self->item->future = future;
        self->item->loop = loop;
        future = loop = NULL;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(future);
    Py_XDECREF(loop);
    if (!waits) {
        Py_DECREF(iterator);
        return 0;
    }
    self->base.awaited = iterator;
    return 1;
}

static PySendResult
event_wait_step(coroutine *op, PyObject *value, PyObject *exception, PyObject **result)
{
    event_wait *self = (event_wait *)op;
    *result = NULL;
    if (op->state == COROUTINE_NEW && exception == NULL) {
        int taken = event_wait_take(self, result);
        if (taken != 0) {
            return taken < 0 ? PYGEN_ERROR : PYGEN_RETURN;
        }
        if (event_wait_begin(self) < 0) {
            return PYGEN_ERROR;
        }
    }
    PyObject *given;
    PySendResult sent = coroutine_resume_awaited(op, value, exception, &given);
    if (sent == PYGEN_NEXT) {
        *result = given;
        return sent;
    }
    Py_XDECREF(given);
    if (sent == PYGEN_ERROR) {
        return sent;
    }
    int taken = event_wait_take(self, result);
    if (taken == 0) {
        PyErr_Format(PyExc_TimeoutError, "no event of type %R came in time", self->item->type);
    }
    return taken > 0 ? PYGEN_RETURN : PYGEN_ERROR;
}

/* Remove the handler, and stop the timer. */
static void
event_wait_release(coroutine *op)
{
    event_wait *self = (event_wait *)op;
    PyObject *timer = self->timer;
    self->timer = NULL;
    if (timer != NULL) {
        PyObject *done = PyObject_CallMethod(timer, "cancel", NULL);
        if (done == NULL) {
            raising_unraisable(timer);
        }
        Py_XDECREF(done);
        Py_DECREF(timer);
    }
    PyObject *future, *loop;
    int status = 0;
    Py_BEGIN_CRITICAL_SECTION(self->owner);
    future = self->item->future;
    loop = self->item->loop;
    self->item->future = self->item->loop = NULL;
    if (generators_flag_exchange(&self->item->active, false)) {
        status = event_table_remove(&self->owner->table, self->item);
    }
    Py_END_CRITICAL_SECTION();
    if (status < 0) {
        raising_unraisable((PyObject *)self->owner);
    }
    Py_XDECREF(future);
    Py_XDECREF(loop);
}

static PyObject *
event_wait_name(coroutine *Py_UNUSED(op))
{
    return PyUnicode_FromString("Dispatcher.wait_for");
}

static const coroutine_kind event_wait_kind = {
    .step = event_wait_step,
    .release = event_wait_release,
    .qualified_name = event_wait_name,
};

/* ---- the method ---- */

/* The seconds of a timeout; -1 for None; -2 with an exception. */
static double
event_wait_read_timeout(PyObject *timeout)
{
    if (timeout == Py_None) {
        return -1;
    }
    if (!PyFloat_Check(timeout) && !PyIndex_Check(timeout) &&
        (Py_TYPE(timeout)->tp_as_number == NULL ||
         Py_TYPE(timeout)->tp_as_number->nb_float == NULL)) {
        PyErr_Format(PyExc_TypeError, "timeout must be a number of seconds or None, not %R",
                     timeout);
        return -2;
    }
    double seconds = PyFloat_AsDouble(timeout);
    if (seconds == -1 && PyErr_Occurred()) {
        return -2;
    }
    if (isnan(seconds)) {
        PyErr_SetString(PyExc_ValueError, "timeout must not be NaN");
        return -2;
    }
    return seconds < 0 ? 0 : seconds;
}

/* 0, or -1 with an exception if the caller is a handler of the current dispatch. */
static int
event_wait_check_caller(dispatcher *owner)
{
    dispatcher_caller caller;
    Py_BEGIN_CRITICAL_SECTION(owner);
    caller = dispatcher_find_caller(owner);
    Py_END_CRITICAL_SECTION();
    if (caller != CALLER_HANDLER) {
        return 0;
    }
    PyErr_SetString(PyExc_RuntimeError,
                    "wait_for() in a handler would wait for ever, since the next event comes "
                    "after the handler: register the handler with background=True");
    return -1;
}

const char dispatcher_wait_for_doc[] = PyDoc_STR(
    "wait_for($self, type, /, *, where=None, timeout=None)\n"
    "--\n\n"
    "A coroutine that waits for an event of this type, and returns its data.  It finds\n"
    "events that are emitted after the call.  If the type is None, it waits for an event\n"
    "of any type, and returns the whole event.\n"
    "\n"
    "With `where`, it waits for an event for which where(data) is true.  An exception of\n"
    "`where` is raised by the coroutine.  TimeoutError is raised after `timeout` seconds,\n"
    "and RuntimeError if the dispatcher is closed.\n"
    "\n"
    "A call in an async handler of the same dispatcher also raises RuntimeError, since\n"
    "the event would come after the handler.  A background handler may wait.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> d = Dispatcher()\n"
    ">>> async def main():\n"
    "...     answer = d.wait_for('answer', where=lambda data: data > 1)\n"
    "...     d.emit('answer', 1), d.emit('answer', 2)\n"
    "...     return await answer\n"
    ">>> asyncio.run(main())\n"
    "2");

PyObject *
dispatcher_wait_for(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "where", "timeout", NULL};
    dispatcher *owner = (dispatcher *)op;
    PyObject *type, *where = Py_None, *timeout = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OO:wait_for", keywords, &type, &where,
                                     &timeout)) {
        return NULL;
    }
    if (where != Py_None && !PyCallable_Check(where)) {
        PyErr_Format(PyExc_TypeError, "where must be a function or None, not '%.200s'",
                     Py_TYPE(where)->tp_name);
        return NULL;
    }
    double seconds = event_wait_read_timeout(timeout);
    if (seconds == -2 || event_wait_check_caller(owner) < 0) {
        return NULL;
    }
    PyTypeObject *wait_type = owner->state->event_wait_type;
    if (wait_type == NULL) { /* the module is being unloaded */
        dispatcher_refuse_closed();
        return NULL;
    }
    event_wait *self = (event_wait *)wait_type->tp_alloc(wait_type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->timeout = seconds;
    self->owner = (dispatcher *)Py_NewRef(op);
    self->item = handler_new_special(owner->state, type, HANDLER_ONCE, where);
    if (self->item == NULL || coroutine_init(&self->base, &event_wait_kind, true) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    if (dispatcher_add(owner, self->item) < 0) {
        PyObject *raised = PyErr_GetRaisedException();
        generators_flag_exchange(&self->item->active, false);
        coroutine_give_up(&self->base); /* nobody is told that it was never awaited */
        Py_DECREF(self);
        PyErr_SetRaisedException(raised);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- memory and the type ---- */

static int
event_wait_traverse(PyObject *op, visitproc visit, void *arg)
{
    event_wait *self = (event_wait *)op;
    Py_VISIT((PyObject *)self->owner);
    Py_VISIT((PyObject *)self->item);
    Py_VISIT(self->timer);
    return coroutine_traverse(op, visit, arg);
}

static int
event_wait_clear(PyObject *op)
{
    event_wait *self = (event_wait *)op;
    PyObject *held[] = {(PyObject *)self->owner, (PyObject *)self->item, self->timer};
    self->owner = NULL;
    self->item = NULL;
    self->timer = NULL;
    int status = coroutine_clear(op);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(held); i++) {
        Py_XDECREF(held[i]);
    }
    return status;
}

static PyType_Slot event_wait_slots[] = {
    {Py_tp_doc, (char *)"The coroutine of Dispatcher.wait_for()."},
    {Py_tp_traverse, event_wait_traverse},
    {Py_tp_clear, event_wait_clear},
    COROUTINE_SLOTS,
    {0, NULL},
};

PyType_Spec event_wait_spec = {
    .name = "native_generators._native._EventWait",
    .basicsize = sizeof(event_wait),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = event_wait_slots,
};
