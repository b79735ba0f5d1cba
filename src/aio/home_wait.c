/* Who waits for a home, and for how long: see home_wait.h.
 *
 * One future at a time, which ends when something has come.  A deadline ends it, too; its
 * timer is set anew only where it comes too early, so that a deadline an item costs no timer
 * an item.
 *
 * User code that runs: the loop's methods.
 */
#include "aio/home_wait.h"

#include "aio/loop.h"
#include "aio/waiter.h"
#include "core/clock.h"
#include "runtime/raising.h"

/* ---- who waits ---- */

PyObject *
home_wait(home *self)
{
    PyObject *future = waiter_new(self->state, self->loop);
    if (future == NULL) {
        return NULL;
    }
    PyObject *earlier = self->waiter;
    self->waiter = Py_NewRef(future);
    Py_XDECREF(earlier);
    return future;
}

/* 0, or -1 with an exception set, which Ctrl-C may be. */
static int
home_end_wait(home *self, bool at_once)
{
    PyObject *future = self->waiter;
    if (future == NULL) {
        return 0;
    }
    self->waiter = NULL;
    int status = waiter_end(future, at_once);
    PyObject *raised = PyErr_GetRaisedException();
    Py_DECREF(future);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return status;
}

int
home_tell(home *self, bool at_once)
{
    if (!home_has_something(self) && self->phase != HOME_CLOSED) {
        return 0;
    }
    /* Who waits for the end is woken after the home task, which ends in the loop's next turn.
     */
    return home_end_wait(self, at_once && self->phase != HOME_CLOSED);
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

void
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
    return home_end_wait(self, false) < 0 ? NULL : Py_NewRef(Py_None);
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
