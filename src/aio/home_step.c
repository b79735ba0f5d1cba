/* One step of the source in its home: see home_step.h.
 *
 * What a step yields is treated as a task treats it: a future's callback, or the loop's next
 * turn, goes on with the step.  What it comes to depends on the phase: an item or the end
 * while the home is read, nothing while a step is cancelled, and the end of the home when the
 * source's aclose() is over.
 *
 * User code runs in the source's steps, in the futures that these give, and in what is
 * dropped.  `is_stepping` is set meanwhile.
 */
#include "aio/home_step.h"

#include "aio/await.h"
#include "aio/home_enter.h"
#include "aio/home_wait.h"
#include "aio/loop.h"
#include "compat.h"
#include "runtime/raising.h"

/* ---- the end ---- */

void
home_add_closing_error(home *self)
{
    PyObject *earlier = self->closing_error;
    self->closing_error = NULL;
    raising_chain(earlier);
    self->closing_error = PyErr_GetRaisedException();
}

/* The home task ends.  What fails is unraisable; what is raised stays. */
static void
home_end_parking(home *self)
{
    PyObject *parking = self->parking;
    if (parking == NULL) {
        return;
    }
    self->parking = NULL;
    PyObject *raised = PyErr_GetRaisedException();
    if (loop_wake(parking) < 0) {
        raising_unraisable((PyObject *)self);
    }
    Py_DECREF(parking);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

void
home_finish(home *self)
{
    self->phase = HOME_CLOSED;
    self->deadline = 0;
    home_stop_alarm(self);
    PyObject *dropped[] = {self->source, self->read, self->task};
    self->source = self->read = self->task = NULL;
    home_end_parking(self);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(dropped); i++) {
        Py_XDECREF(dropped[i]);
    }
}

/* The cancellation that was to end a step has done so: what comes next in the home task is not
   cancelled. */
static void
home_uncancel(home *self)
{
    if (self->task == NULL) {
        return;
    }
    PyObject *task = Py_NewRef(self->task);
    loop_uncancel(task);
    Py_DECREF(task);
}

/* ---- what a step came to ---- */

/* `item` is stolen.  0 or -1. */
static int
home_stash_item(home *self, PyObject *item)
{
    self->pulled++;
    if (self->item == NULL) {
        self->item = item;
        return 0;
    }
    if (self->overflow == NULL) {
        self->overflow = PyList_New(0);
    }
    int status = self->overflow == NULL ? -1 : PyList_Append(self->overflow, item);
    Py_DECREF(item);
    return status;
}

/* The source has ended with what is raised, if anything. */
static void
home_source_ended(home *self)
{
    self->has_ended = true;
    if (PyErr_Occurred()) {
        PyObject *earlier = self->error;
        self->error = PyErr_GetRaisedException();
        Py_XDECREF(earlier);
    }
}

int
home_check_data(PyObject *data)
{
    if (PyBytes_CheckExact(data)) {
        return PyBytes_GET_SIZE(data) > 0;
    }
    if (data == Py_None) {
        PyErr_SetString(PyExc_BlockingIOError, "read() returned None: it has no data yet");
        return -1;
    }
    Py_ssize_t size = PyObject_Size(data);
    return size < 0 ? -1 : size > 0;
}

/* Whether a cancellation is raised. */
static bool
home_is_cancellation(home *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *type = loop_cancelled_error(self->state);
    bool is = type != NULL && PyErr_GivenExceptionMatches(raised, type);
    if (type == NULL) {
        raising_unraisable((PyObject *)self);
    }
    PyErr_SetRaisedException(raised);
    return is;
}

static void
home_item_came(home *self, PyObject *item)
{
    int is_item = self->read == NULL ? 1 : home_check_data(item);
    if (is_item > 0) {
        is_item = home_stash_item(self, item) < 0 ? -1 : 1;
    }
    else {
        Py_DECREF(item);
    }
    if (is_item <= 0) {
        home_source_ended(self);
    }
}

static void
home_error_came(home *self)
{
    if (self->read != NULL) {
        raising_convert(PyExc_StopAsyncIteration, "read()");
        stream_note("while reading part %zd of the file", self->pulled);
    }
    else if (raising_forgive(PyExc_StopAsyncIteration) < 0) {
        stream_note("while reading item %zd", self->pulled);
    }
    home_source_ended(self);
}

/* A step that is no longer wanted has ended: what it raised is an error of closing, but for
   the cancellation that ended it. */
static void
home_cancelled_step_came(home *self, PyObject *item)
{
    if (self->cancels_step) {
        home_uncancel(self);
    }
    if (item != NULL) {
        Py_DECREF(item);
    }
    else if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration) || home_is_cancellation(self)) {
        PyErr_Clear();
    }
    else {
        home_add_closing_error(self);
    }
}

bool
home_begin_closing(home *self)
{
    self->phase = HOME_CLOSING;
    PyObject *source = self->source;
    self->source = NULL;
    if (source == NULL || !self->closes_source) {
        Py_XDECREF(source);
        home_finish(self);
        return false;
    }
    PyObject *awaitable = PyObject_CallMethod(source, "aclose", NULL);
    PyObject *step = awaitable == NULL ? NULL : await_iterator(awaitable);
    Py_DECREF(source);
    Py_XDECREF(awaitable);
    if (step == NULL) {
        home_add_closing_error(self);
        home_finish(self);
        return false;
    }
    self->step = step;
    return true;
}

bool
home_step_came(home *self, PyObject *value)
{
    self->is_cancelled_step = false;
    switch (self->phase) {
    case HOME_READING:
        if (value != NULL) {
            home_item_came(self, value);
        }
        else {
            home_error_came(self);
        }
        /* The loop ends, and may wait for the home task: nobody else will close it. */
        return self->was_cancelled && self->has_ended && home_begin_closing(self);
    case HOME_CANCELLING:
        home_cancelled_step_came(self, value);
        return home_begin_closing(self);
    default:
        Py_XDECREF(value);
        if (value == NULL) {
            home_add_closing_error(self);
        }
        home_finish(self);
        return false;
    }
}

/* ---- a step ---- */

static PyObject *home_on_ready(PyObject *op, PyObject *future);

static PyMethodDef home_ready_method = {"ready", home_on_ready, METH_O, NULL};

/* Call `method` of `object` with the callback that goes on with the step, and `argument` if it
   is not NULL, in the home's context. */
static int
home_call_back(home *self, PyObject *object, PyObject *method, PyObject *argument)
{
    PyObject *function = PyObject_GetAttr(object, method);
    PyObject *callback =
        function == NULL ? NULL : PyCFunction_New(&home_ready_method, (PyObject *)self);
    PyObject *done = NULL;
    if (callback != NULL) {
        PyObject *arguments[3] = {callback};
        size_t count = 1;
        if (argument != NULL) {
            arguments[count++] = argument;
        }
        arguments[count] = self->loop_context;
        done = PyObject_Vectorcall(function, arguments, count,
                                   self->loop_context == NULL ? NULL
                                                              : self->state->context_keyword);
    }
    Py_XDECREF(function);
    Py_XDECREF(callback);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* What a task says of what it can't wait for. */
static void
home_refuse_yield(PyObject *yielded)
{
    PyErr_Format(PyExc_RuntimeError, "Task got bad yield: %R", yielded);
}

/* Wait for a future of asyncio as a task does.  0, or -1 with an exception set. */
static int
home_adopt(home *self, PyObject *yielded)
{
    PyObject *blocking = PyObject_GetAttr(yielded, self->state->str_future_blocking);
    if (blocking == NULL) {
        if (raising_forgive(PyExc_AttributeError) == 0) {
            home_refuse_yield(yielded);
        }
        return -1;
    }
    bool is_awaited = blocking == Py_True;
    Py_DECREF(blocking);
    if (!is_awaited) {
        home_refuse_yield(yielded);
        return -1;
    }
    PyObject *loop = PyObject_CallMethodNoArgs(yielded, self->state->str_get_loop);
    if (loop == NULL) {
        return -1;
    }
    Py_DECREF(loop);
    if (loop != self->loop) {
        PyErr_Format(PyExc_RuntimeError, "Task got Future %R attached to a different loop",
                     yielded);
        return -1;
    }
    if (yielded == self->task) {
        PyErr_SetString(PyExc_RuntimeError, "Task cannot await on itself");
        return -1;
    }
    if (PyObject_SetAttr(yielded, self->state->str_future_blocking, Py_False) < 0) {
        return -1;
    }
    self->future = Py_NewRef(yielded);
    if (home_call_back(self, yielded, self->state->str_add_done_callback, NULL) < 0) {
        Py_CLEAR(self->future);
        return -1;
    }
    return 0;
}

/* Wait for what the step yielded (stolen).  0, or -1 with what is to be thrown into it. */
static int
home_wait_for(home *self, PyObject *yielded)
{
    int status = 0;
    if (yielded != Py_None) {
        status = home_adopt(self, yielded);
    }
    else if (self->is_pulled) {
        self->needs_turn = true;
    }
    else {
        status = home_call_back(self, self->loop, self->state->str_call_soon, Py_None);
    }
    Py_DECREF(yielded);
    return status;
}

/* The step came to `value` (stolen) or to what is raised: go on until it must wait or
   something has come. */
static void
home_sent(home *self, PySendResult sent, PyObject *value)
{
    while (true) {
        PyObject *thrown = NULL;
        if (sent == PYGEN_NEXT) {
            if (home_wait_for(self, value) == 0) {
                break;
            }
            thrown = PyErr_GetRaisedException();
        }
        else {
            PyObject *raised = sent == PYGEN_ERROR ? PyErr_GetRaisedException() : NULL;
            Py_CLEAR(self->step);
            if (raised != NULL) {
                PyErr_SetRaisedException(raised);
            }
            if (!home_step_came(self, sent == PYGEN_RETURN ? value : NULL)) {
                break;
            }
        }
        PyObject *step = Py_NewRef(self->step);
        value = NULL;
        sent = thrown == NULL ? PyIter_Send(step, Py_None, &value)
                              : await_throw(step, thrown, &value);
        Py_DECREF(step);
        Py_XDECREF(thrown);
    }
    self->is_stepping = false;
}

void
home_run(home *self, PyObject *exception)
{
    PyObject *value = NULL;
    self->is_stepping = true;
    PyObject *step = Py_NewRef(self->step);
    PySendResult sent = exception == NULL ? PyIter_Send(step, Py_None, &value)
                                          : await_throw(step, exception, &value);
    Py_DECREF(step);
    home_sent(self, sent, value);
}

void
home_begin_step(home *self, PyObject *step, PyObject **item)
{
    PyObject *value = NULL;
    self->is_stepping = true;
    self->step = step;
    Py_INCREF(step);
    PySendResult sent = PyIter_Send(step, Py_None, &value);
    Py_DECREF(step);
    if (sent == PYGEN_RETURN && self->read == NULL && self->phase == HOME_READING &&
        !home_has_something(self)) {
        Py_CLEAR(self->step);
        self->is_stepping = false;
        self->pulled++;
        *item = value;
        return;
    }
    home_sent(self, sent, value);
}

/* The task can't be made the current one: the source can't be stepped any more. */
static void
home_fail(home *self)
{
    if (self->phase == HOME_READING) {
        home_source_ended(self);
    }
    else {
        home_add_closing_error(self);
    }
    self->needs_turn = false;
    Py_CLEAR(self->step);
    Py_CLEAR(self->cancellation);
    if (self->phase != HOME_READING) {
        home_finish(self);
    }
}

void
home_resume(home *self)
{
    PyObject *awaited = self->future, *cancellation = self->cancellation;
    self->future = self->cancellation = NULL;
    self->needs_turn = false;
    Py_XDECREF(awaited);
    if (home_enter(self) < 0) {
        home_fail(self);
    }
    else {
        home_run(self, cancellation);
        home_leave(self);
    }
    Py_XDECREF(cancellation);
}

/* Whether no task is the current one: the loop itself has called.  1, 0, or -1. */
static int
home_is_alone(home *self)
{
    if (self->context != NULL) {
        return self->is_alone;
    }
    PyObject *task;
    int found = loop_task(self->state, &task);
    if (found > 0) {
        Py_DECREF(task);
    }
    return found < 0 ? -1 : found == 0;
}

/* What the step waits for is done, or its turn has come (`future` is None then). */
static PyObject *
home_on_ready(PyObject *op, PyObject *future)
{
    home *self = (home *)op;
    if (self->step == NULL || self->is_stepping || self->needs_turn ||
        (self->future != NULL ? self->future != future : future != Py_None)) {
        Py_RETURN_NONE; /* the step that waited was left */
    }
    home_resume(self);
    int is_alone = home_is_alone(self);
    return is_alone < 0 || home_tell(self, is_alone) < 0 ? NULL : Py_NewRef(Py_None);
}

void
home_schedule_turn(home *self)
{
    if (!self->needs_turn) {
        return;
    }
    self->needs_turn = false;
    PyObject *raised = PyErr_GetRaisedException();
    if (home_call_back(self, self->loop, self->state->str_call_soon, Py_None) < 0) {
        home_fail(self);
        if (home_tell(self, false) < 0) {
            raising_unraisable((PyObject *)self);
        }
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

void
home_leave_step(home *self)
{
    PyObject *step = self->step, *future = self->future;
    self->step = self->future = NULL;
    self->needs_turn = false;
    if (await_close(step) < 0) {
        home_add_closing_error(self);
    }
    Py_DECREF(step);
    Py_XDECREF(future);
}
