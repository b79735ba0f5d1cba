/* What the reader's thread does with a driver: see driver_reader.h.
 *
 * It changes the channel and lets the loop call driver._wake(), which does the rest on the
 * loop's thread.  A closed loop calls nothing.  Then nobody else uses the driver any more, and
 * it is ended here.
 *
 * User code: the loop's methods, dropped items, and signal handlers during a wait.
 */
#include "bridge/driver_reader.h"

#include "core/clock.h"
#include "runtime/raising.h"

#ifdef _WIN32
#define LONGEST_SLEEP (CLOCK_SECOND / 20) /* no signal ends a sleep */
#else
#define LONGEST_SLEEP (CLOCK_SECOND / 2)
#endif
#define PATIENCE \
    CLOCK_SECOND /* how long to wait for a loop that does not run, perhaps not yet */

/* ---- the loop ---- */

/* The loop is closed and will not run again.  The source is left as it is. */
static void
abandon(driver *self)
{
    PyErr_SetString(PyExc_RuntimeError, "the event loop was closed, and the source was not");
    self->phase = DRIVER_CLOSING; /* so that the error counts as one of closing */
    driver_record_error(self);
    PyObject *task = Py_XNewRef(self->task);
    /* The error reports it already, so asyncio need not log the task that is left. */
    if (task != NULL &&
        PyObject_SetAttrString(task, COMPAT_LOG_DESTROY_PENDING, Py_False) < 0) {
        raising_unraisable(task);
    }
    Py_XDECREF(task);
    driver_give_up(self);
}

/* 1, 0 or -1. */
static int
ask_loop(driver *self, const char *question)
{
    PyObject *answer = PyObject_CallMethod(self->loop, question, NULL);
    int is = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return is;
}

/* Let the loop's thread see what was changed. */
static int
wake(driver *self)
{
    PyObject *callback = PyObject_GetAttrString((PyObject *)self, "_wake");
    PyObject *handle =
        callback == NULL
            ? NULL
            : PyObject_CallMethod(self->loop, "call_soon_threadsafe", "(O)", callback);
    Py_XDECREF(callback);
    Py_XDECREF(handle);
    if (handle != NULL) {
        return 0;
    }
    PyObject *raised = PyErr_GetRaisedException();
    int is_closed = ask_loop(self, "is_closed");
    if (is_closed == 0 || !PyErr_GivenExceptionMatches(raised, PyExc_RuntimeError)) {
        if (is_closed < 0) {
            raising_chain(raised);
        }
        else {
            PyErr_SetRaisedException(raised);
        }
        return -1;
    }
    Py_DECREF(raised);
    if (is_closed > 0) {
        abandon(self);
    }
    return is_closed < 0 ? -1 : 0;
}

int
driver_start(driver *self, PyObject *loop)
{
    self->loop = Py_NewRef(loop);
    return wake(self);
}

/* ---- reading ---- */

channel_answer
driver_take(driver *self, PyObject **item)
{
    if (channel_must_wake_driver(&self->channel) && wake(self) < 0) {
        channel_unwake(&self->channel);
        return CHANNEL_ERROR;
    }
    return channel_take(&self->channel, item);
}

int
driver_close(driver *self)
{
    bool is_open = channel_close(&self->channel);
    return is_open && self->loop != NULL ? wake(self) : 0;
}

int
driver_drain(driver *self)
{
    bool is_open = channel_drain(&self->channel);
    return is_open && self->loop != NULL ? wake(self) : 0;
}

/* ---- waiting ---- */

int
driver_wait(driver *self, channel_waiter *waiter, bool for_end, uint64_t timeout,
            bool *is_stopped)
{
    uint64_t start = clock_precise(), seen_running = start;
    while (channel_arm(&self->channel, waiter, for_end)) {
        uint64_t elapsed = clock_precise() - start;
        uint64_t left = elapsed < timeout ? timeout - elapsed : 0;
        int status =
            channel_sleep(&self->channel, waiter, left < LONGEST_SLEEP ? left : LONGEST_SLEEP);
        if (status != 0) {
            return status;
        }
        uint64_t now = clock_precise();
        if (now - start >= timeout) {
            return 0;
        }
        status = self->loop == NULL ? 1 : ask_loop(self, "is_running");
        if (status < 0) {
            return -1;
        }
        if (status > 0) {
            seen_running = now;
        }
        else if (now - seen_running > PATIENCE) {
            PyErr_SetString(PyExc_RuntimeError, "the event loop of to_sync() is not running");
            *is_stopped = true;
            return -1;
        }
    }
    return 1;
}
