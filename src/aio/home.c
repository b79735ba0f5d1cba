/* _Home: the coroutine of a home task, and the steps of the source that lives in it.
 *
 * The home task is a task of asyncio that does nothing but wait: for the future `parking`,
 * which ends when the home is closed.  The source's steps are made here, in its place:
 * asyncio.current_task() gives the home task meanwhile, and its context is the current one. So
 * a step that is ready costs no turn of the loop, and timeouts, task groups, cancel scopes and
 * context variables of the source belong to one task, whoever asks for items.  What a step
 * yields is treated as a task treats it: a future's callback, or the loop's next turn, goes on
 * with the step.
 *
 * Cancelling the home task (a timeout within the source does it, and the end of the loop)
 * cancels `parking`; what arrives here is handed on: the future that the source waits for is
 * cancelled, or the exception is thrown in where it stands between two items.
 *
 * States (`phase`): reading -> cancelling, while a step that was under way when the home was
 * to be closed comes to its end -> closing, while the source's aclose() runs -> closed.  The
 * home task ends with the last.  The source has ended when `has_ended`; what has come before
 * is taken first.
 *
 * A native stream needs no task: nothing of it minds who makes its steps.  Its home has none,
 * and leaves a step where another cancels it.
 *
 * Owned: see the struct.  The home does not know the stream that reads from it, so that this
 * is dropped when its user drops it; a callback of the loop keeps a home that waits.
 *
 * User code runs in the source's steps, in the loop's methods and in what is dropped; the
 * stream's own guard keeps a second pull out meanwhile, `is_stepping` everything else.
 *
 * Threads: all but home_abandon() and the collector is done on the loop's thread.
 */
#include "aio/home.h"

#include "aio/await.h"
#include "aio/current_task.h"
#include "aio/loop.h"
#include "compat.h"
#include "core/clock.h"
#include "runtime/raising.h"

typedef enum {
    HOME_READING,
    HOME_CANCELLING,
    HOME_CLOSING,
    HOME_CLOSED,
} home_phase;

static bool home_begin_closing(home *self);

/* ---- the current task ---- */

int
home_enter(home *self)
{
    if (self->depth++ > 0 || self->task == NULL || self->is_in_task) {
        return 0;
    }
    if (!self->is_in_context) {
        if (PyContext_Enter(self->context) < 0) {
            self->depth--;
            return -1;
        }
        self->has_context = true;
    }
    if (current_task_swap(self->state, self->loop, self->task, &self->earlier) == 0) {
        return 0;
    }
    if (self->has_context) {
        PyObject *raised = PyErr_GetRaisedException();
        PyContext_Exit(self->context);
        PyErr_SetRaisedException(raised);
        self->has_context = false;
    }
    self->depth--;
    return -1;
}

void
home_leave(home *self)
{
    if (--self->depth > 0 || self->earlier == NULL) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *earlier = self->earlier, *task;
    self->earlier = NULL;
    int status = current_task_swap(self->state, self->loop, earlier, &task);
    if (status < 0 && raising_forgive(PyExc_MemoryError) == 0) {
        status = current_task_swap(self->state, self->loop, earlier, &task);
    }
    if (status == 0) {
        Py_DECREF(task);
    }
    if (self->has_context) {
        self->has_context = false;
        if (PyErr_Occurred()) {
            raising_unraisable((PyObject *)self);
        }
        status = PyContext_Exit(self->context);
    }
    if (status < 0) {
        raising_unraisable((PyObject *)self);
    }
    Py_DECREF(earlier);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

/* ---- who waits ---- */

PyObject *
home_wait(home *self)
{
    PyObject *future = loop_future(self->loop);
    if (future == NULL) {
        return NULL;
    }
    PyObject *earlier = self->waiter;
    self->waiter = Py_NewRef(future);
    Py_XDECREF(earlier);
    return future;
}

/* End the wait for a future that is this home's own.  What fails is unraisable; what is raised
   stays. */
static void
home_end_wait(home *self, PyObject **place)
{
    PyObject *future = *place;
    if (future == NULL) {
        return;
    }
    *place = NULL;
    PyObject *raised = PyErr_GetRaisedException();
    if (loop_wake(future) < 0) {
        raising_unraisable((PyObject *)self);
    }
    Py_DECREF(future);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

/* Tell who waits, if there is something to tell. */
static void
home_tell(home *self)
{
    if (!home_has_something(self) && self->phase != HOME_CLOSED) {
        return;
    }
    if (self->came != NULL) {
        self->came(self);
    }
    home_end_wait(self, &self->waiter);
}

/* ---- the deadline ---- */

static PyObject *home_on_alarm(PyObject *op, PyObject *ignored);

static PyMethodDef home_alarm_method = {"alarm", home_on_alarm, METH_NOARGS, NULL};

static int
home_set_alarm(home *self, uint64_t now)
{
    PyObject *callback = PyCFunction_New(&home_alarm_method, (PyObject *)self);
    PyObject *timer =
        callback == NULL
            ? NULL
            : PyObject_CallMethod(self->loop, "call_later", "dO",
                                  (double)(self->deadline - now) / (double)CLOCK_SECOND,
                                  callback);
    Py_XDECREF(callback);
    if (timer == NULL) {
        return -1;
    }
    PyObject *earlier = self->timer;
    self->timer = timer;
    self->alarm = self->deadline;
    Py_XDECREF(earlier);
    return 0;
}

/* What is raised stays. */
static void
home_stop_alarm(home *self)
{
    PyObject *timer = self->timer;
    if (timer == NULL) {
        return;
    }
    self->timer = NULL;
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *done = PyObject_CallMethod(timer, "cancel", NULL);
    if (done == NULL) {
        raising_unraisable(timer);
    }
    Py_XDECREF(done);
    Py_DECREF(timer);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

/* The clock of the loop may be a little ahead of this one. */
#define CLOCK_DIFFERENCE (CLOCK_SECOND / 1000)

static PyObject *
home_on_alarm(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    home *self = (home *)op;
    PyObject *timer = self->timer;
    self->timer = NULL;
    Py_XDECREF(timer);
    if (self->deadline == 0 || self->phase == HOME_CLOSED) {
        Py_RETURN_NONE;
    }
    uint64_t now = clock_precise();
    if (now + CLOCK_DIFFERENCE < self->deadline) {
        return home_set_alarm(self, now) < 0 ? NULL : Py_NewRef(Py_None);
    }
    self->deadline = 0;
    self->is_late = true;
    home_end_wait(self, &self->waiter);
    Py_RETURN_NONE;
}

/* An alarm that is set already and comes before the deadline is set anew when it comes. */
int
home_set_deadline(home *self, uint64_t nanoseconds)
{
    if (nanoseconds == 0) {
        self->deadline = 0;
        self->is_late = true;
        return 0;
    }
    uint64_t now = clock_precise();
    self->is_late = false;
    self->deadline = nanoseconds < UINT64_MAX - now ? now + nanoseconds : UINT64_MAX;
    if (self->timer != NULL) {
        if (self->alarm <= self->deadline) {
            return 0;
        }
        home_stop_alarm(self);
    }
    return home_set_alarm(self, now);
}

/* ---- the end ---- */

/* Closing has failed with what is raised. */
static void
home_add_closing_error(home *self)
{
    PyObject *earlier = self->closing_error;
    self->closing_error = NULL;
    raising_chain(earlier);
    self->closing_error = PyErr_GetRaisedException();
}

static void
home_finish(home *self)
{
    self->phase = HOME_CLOSED;
    self->deadline = 0;
    home_stop_alarm(self);
    PyObject *dropped[] = {self->source, self->read, self->task};
    self->source = self->read = self->task = NULL;
    home_end_wait(self, &self->parking);
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
    home_uncancel(self);
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

/* The step has come to `value` (stolen), or to what is raised.  Whether another was begun. */
static bool
home_step_came(home *self, PyObject *value)
{
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
home_call_back(home *self, PyObject *object, const char *method, PyObject *argument)
{
    PyObject *function = PyObject_GetAttrString(object, method);
    PyObject *callback =
        function == NULL ? NULL : PyCFunction_New(&home_ready_method, (PyObject *)self);
    PyObject *done = NULL;
    if (callback != NULL) {
        PyObject *arguments[3] = {callback};
        size_t count = 1;
        if (argument != NULL) {
            arguments[count++] = argument;
        }
        arguments[count] = self->context;
        done =
            PyObject_Vectorcall(function, arguments, count,
                                self->context == NULL ? NULL : self->state->context_keyword);
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
    PyObject *blocking = PyObject_GetAttrString(yielded, COMPAT_FUTURE_BLOCKING);
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
    PyObject *loop = PyObject_CallMethod(yielded, "get_loop", NULL);
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
    if (PyObject_SetAttrString(yielded, COMPAT_FUTURE_BLOCKING, Py_False) < 0) {
        return -1;
    }
    self->future = Py_NewRef(yielded);
    if (home_call_back(self, yielded, "add_done_callback", NULL) < 0) {
        Py_CLEAR(self->future);
        return -1;
    }
    return 0;
}

/* Wait for what the step yielded (stolen).  0, or -1 with what is to be thrown into it. */
static int
home_wait_for(home *self, PyObject *yielded)
{
    int status = yielded == Py_None ? home_call_back(self, self->loop, "call_soon", Py_None)
                                    : home_adopt(self, yielded);
    Py_DECREF(yielded);
    return status;
}

/* Go on with the step, throwing `exception` in if it is not NULL, until it must wait or
   something has come.  The home is entered. */
static void
home_run(home *self, PyObject *exception)
{
    PyObject *thrown = Py_XNewRef(exception);
    self->is_stepping = true;
    do {
        PyObject *step = Py_NewRef(self->step), *value = NULL;
        PySendResult sent = thrown == NULL ? PyIter_Send(step, Py_None, &value)
                                           : await_throw(step, thrown, &value);
        Py_CLEAR(thrown);
        if (sent == PYGEN_NEXT) {
            Py_DECREF(step);
            if (home_wait_for(self, value) == 0) {
                break;
            }
            thrown = PyErr_GetRaisedException();
            continue;
        }
        PyObject *raised = sent == PYGEN_ERROR ? PyErr_GetRaisedException() : NULL;
        Py_CLEAR(self->step);
        Py_DECREF(step);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
        if (!home_step_came(self, sent == PYGEN_RETURN ? value : NULL)) {
            break;
        }
    } while (true);
    self->is_stepping = false;
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
    Py_CLEAR(self->step);
    Py_CLEAR(self->cancellation);
    if (self->phase != HOME_READING) {
        home_finish(self);
    }
}

/* What the step waits for is done, or its turn has come (`future` is None then). */
static PyObject *
home_on_ready(PyObject *op, PyObject *future)
{
    home *self = (home *)op;
    PyObject *awaited = self->future;
    if (self->step == NULL || self->is_stepping ||
        (awaited != NULL ? awaited != future : future != Py_None)) {
        Py_RETURN_NONE; /* the step that waited was left */
    }
    PyObject *cancellation = self->cancellation;
    self->future = self->cancellation = NULL;
    Py_XDECREF(awaited);
    self->is_in_context = self->context != NULL;
    if (home_enter(self) < 0) {
        home_fail(self);
    }
    else {
        home_run(self, cancellation);
        home_leave(self);
    }
    self->is_in_context = false;
    Py_XDECREF(cancellation);
    home_tell(self);
    Py_RETURN_NONE;
}

static PyObject *
home_new_step(home *self)
{
    if (self->read == NULL) {
        return await_anext(self->source);
    }
    return await_read(self->read, self->size);
}

/* ---- pulling ---- */

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

home_answer
home_pull(home *self, PyObject **item)
{
    *item = NULL;
    if (home_has_something(self)) {
        return home_take(self, item);
    }
    if (self->step != NULL) {
        return HOME_PENDING;
    }
    if (self->phase != HOME_READING) {
        return HOME_ENDED;
    }
    if (home_enter(self) < 0) {
        return HOME_FAILED;
    }
    self->is_stepping = true;
    PyObject *step = home_new_step(self);
    self->is_stepping = false;
    if (step != NULL) {
        self->step = step;
        home_run(self, NULL);
    }
    else {
        home_step_came(self, NULL);
    }
    home_leave(self);
    return home_has_something(self) ? home_take(self, item) : HOME_PENDING;
}

/* ---- closing ---- */

/* The source's aclose(), as the step of the home.  Whether there is one. */
static bool
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

static void
home_drop_items(home *self)
{
    PyObject *dropped[] = {self->item, self->overflow, self->error};
    self->item = self->overflow = self->error = NULL;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(dropped); i++) {
        Py_XDECREF(dropped[i]);
    }
}

/* A native stream loses nothing where its step is left. */
static void
home_leave_step(home *self)
{
    PyObject *step = self->step, *future = self->future;
    self->step = self->future = NULL;
    if (await_close(step) < 0) {
        home_add_closing_error(self);
    }
    Py_DECREF(step);
    Py_XDECREF(future);
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

/* Cancel the step that is under way, unless others have cancelled the task: a second
   cancellation would interrupt the `finally` of the source.  0 or -1. */
static int
home_cancel_step(home *self)
{
    PyObject *task = Py_NewRef(self->task);
    int status = loop_is_being_cancelled(task);
    Py_DECREF(task);
    if (status == 0 && self->task != NULL) {
        status = home_cancel_task(self);
    }
    return status < 0 ? -1 : 0;
}

/* 1 where it must be waited for, or 0. */
static int
home_start_closing(home *self)
{
    home_drop_items(self);
    if (self->phase != HOME_READING) { /* what was dropped has called back */
        return self->phase != HOME_CLOSED;
    }
    if (self->step != NULL && self->task != NULL) {
        self->phase = HOME_CANCELLING;
        if (home_cancel_step(self) == 0) {
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

void
home_cancel_closing(home *self)
{
    if (self->task != NULL && home_cancel_task(self) < 0) {
        raising_unraisable((PyObject *)self);
    }
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

/* ---- the home task ---- */

/* The task was cancelled with `thrown`, as asyncio hands it on: what the source waits for is
   cancelled.  Whether that will call back. */
static int
home_cancel_future(home *self, PyObject *thrown)
{
    PyObject *future = Py_XNewRef(self->future);
    if (future == NULL) {
        return 0;
    }
    PyObject *cancel = PyObject_GetAttrString(future, "cancel");
    PyObject *args = cancel == NULL ? NULL : PyObject_GetAttrString(thrown, "args");
    PyObject *done = NULL;
    if (args != NULL && PyTuple_Check(args) && PyTuple_GET_SIZE(args) > 0) {
        done = PyObject_CallOneArg(cancel, PyTuple_GET_ITEM(args, 0));
    }
    else if (args != NULL) {
        done = PyObject_CallNoArgs(cancel);
    }
    int waits = done == NULL ? -1 : PyObject_IsTrue(done);
    Py_DECREF(future);
    Py_XDECREF(cancel);
    Py_XDECREF(args);
    Py_XDECREF(done);
    return waits;
}

/* Throw into a source that stands between two items. */
static void
home_throw_between(home *self, PyObject *thrown)
{
    PyObject *step = NULL;
    if (self->closes_source) {
        PyObject *awaitable = PyObject_CallMethod(self->source, "athrow", "(O)", thrown);
        step = awaitable == NULL ? NULL : await_iterator(awaitable);
        Py_XDECREF(awaitable);
    }
    else {
        PyErr_SetRaisedException(Py_NewRef(thrown));
    }
    if (step != NULL) {
        self->step = step;
        home_run(self, NULL);
    }
    else if (home_step_came(self, NULL)) {
        home_run(self, NULL);
    }
}

static void
home_hand_on(home *self, PyObject *thrown)
{
    self->was_cancelled |= self->phase == HOME_READING;
    if (self->step != NULL) {
        int waits = home_cancel_future(self, thrown);
        if (waits < 0) {
            raising_unraisable((PyObject *)self);
        }
        if (waits <= 0) {
            PyObject *earlier = self->cancellation;
            self->cancellation = Py_NewRef(thrown);
            Py_XDECREF(earlier);
        }
    }
    else if (self->phase == HOME_READING && !self->has_ended) {
        home_throw_between(self, thrown);
    }
    else if (self->phase == HOME_READING && home_begin_closing(self)) {
        home_run(self, NULL);
    }
}

/* The task is destroyed: nothing can be waited for any more. */
static void
home_end_at_once(home *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    if (self->step != NULL) {
        home_leave_step(self);
    }
    if (self->closing_error != NULL) {
        PyErr_SetRaisedException(self->closing_error);
        self->closing_error = NULL;
        raising_unraisable((PyObject *)self);
    }
    self->has_ended = true;
    home_finish(self);
    PyErr_SetRaisedException(raised);
}

static PySendResult
home_park(home *self, PyObject **result)
{
    PyObject *future = loop_future(self->loop);
    if (future == NULL) {
        return PYGEN_ERROR;
    }
    self->parking = future;
    return coroutine_await(&self->base, await_iterator(future), result);
}

static PySendResult
home_step(coroutine *base, PyObject *value, PyObject *exception, PyObject **result)
{
    home *self = (home *)base;
    PySendResult sent = coroutine_resume_awaited(base, value, exception, result);
    if (sent == PYGEN_NEXT) {
        return sent;
    }
    PyObject *parking = self->parking;
    self->parking = NULL;
    if (sent == PYGEN_ERROR) {
        if (PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
            Py_XDECREF(parking);
            home_end_at_once(self);
            return PYGEN_ERROR;
        }
        PyObject *thrown = PyErr_GetRaisedException();
        self->is_in_task = true;
        home_hand_on(self, thrown);
        self->is_in_task = false;
        Py_DECREF(thrown);
        home_tell(self);
    }
    Py_XDECREF(parking);
    Py_CLEAR(*result);
    if (self->phase != HOME_CLOSED) {
        return home_park(self, result);
    }
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

static void
home_release(coroutine *base)
{
    home *self = (home *)base;
    Py_CLEAR(self->parking);
    Py_CLEAR(self->task);
}

static PyObject *
home_qualified_name(coroutine *base)
{
    home *self = (home *)base;
    return PyUnicode_FromFormat(
        "reader of %s", self->source == NULL ? "a source" : Py_TYPE(self->source)->tp_name);
}

static const coroutine_kind home_kind = {
    .step = home_step,
    .release = home_release,
    .qualified_name = home_qualified_name,
    .is_internal = true,
};

/* ---- making one ---- */

static PyObject *
home_new_task(home *self)
{
    PyObject *tasks = PyImport_ImportModule("asyncio.tasks");
    PyObject *type = tasks == NULL ? NULL : PyObject_GetAttrString(tasks, "Task");
    PyObject *args = type == NULL ? NULL : PyTuple_Pack(1, (PyObject *)self);
    PyObject *kwargs =
        args == NULL ? NULL
                     : Py_BuildValue("{sOsO}", "loop", self->loop, "context", self->context);
    PyObject *task = kwargs == NULL ? NULL : PyObject_Call(type, args, kwargs);
    Py_XDECREF(tasks);
    Py_XDECREF(type);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    /* The stream closes its source; a loop that goes away before is no fault of the task. */
    if (task != NULL &&
        PyObject_SetAttrString(task, COMPAT_LOG_DESTROY_PENDING, Py_False) < 0 &&
        raising_forgive(PyExc_AttributeError) < 0) {
        Py_CLEAR(task);
    }
    return task;
}

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
    PyObject *task = self->context == NULL ? NULL : home_new_task(self);
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
    home *self = (home *)state->home_type->tp_alloc(state->home_type, 0);
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
    Py_VISIT(self->owner);
    Py_VISIT(self->loop);
    Py_VISIT(self->task);
    Py_VISIT(self->context);
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
    Py_CLEAR(self->owner);
    Py_CLEAR(self->loop);
    Py_CLEAR(self->task);
    Py_CLEAR(self->context);
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
    .name = "generators._native._Home",
    .basicsize = sizeof(home),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = home_slots,
};
