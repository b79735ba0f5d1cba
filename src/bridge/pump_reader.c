/* What the reader's thread does with a pump: see pump.h for what it may touch.
 *
 * It asks for items under the lock, and has the loop's thread do everything else: it
 * has the loop call pump._woken(), which looks at what was asked for.  A loop that is
 * closed calls nothing; then nobody else uses the pump any more, and it is ended here.
 *
 * User code that runs: the loop's own methods, items that are let go of, and handlers of
 * signals while it waits for the bell; none of it under the lock.
 */
#include "bridge/pump.h"

#include "runtime/raising.h"

/* ---- the loop ---- */

/* The loop is closed and will not run again: the source is left as it is.  Nobody
   else can be using what belongs to the loop's thread. */
static void
abandon(pump *self)
{
    PyErr_SetString(PyExc_RuntimeError, "the event loop was closed, and the source was not");
    pump_record_error(self);
    self->from_closing = true;
    if (self->task != NULL) {
        /* The error says it: asyncio need not log that a task is left. */
        if (PyObject_SetAttrString(self->task, COMPAT_LOG_DESTROY_PENDING, Py_False) < 0) {
            raising_unraisable(self->task);
        }
    }
    pump_finish(self);
}

static int
is_loop_closed(pump *self)
{
    PyObject *closed = PyObject_CallMethod(self->loop, "is_closed", NULL);
    int is = closed == NULL ? -1 : PyObject_IsTrue(closed);
    Py_XDECREF(closed);
    return is;
}

/* Have the loop's thread look at what was changed. */
static int
wake(pump *self)
{
    PyObject *woken = PyObject_GetAttrString((PyObject *)self, "_woken");
    PyObject *handle =
        woken == NULL ? NULL
                      : PyObject_CallMethod(self->loop, "call_soon_threadsafe", "(O)", woken);
    Py_XDECREF(woken);
    Py_XDECREF(handle);
    if (handle != NULL) {
        return 0;
    }
    PyObject *raised = PyErr_GetRaisedException();
    int closed = is_loop_closed(self);
    if (closed == 0 || !PyErr_GivenExceptionMatches(raised, PyExc_RuntimeError)) {
        PyErr_SetRaisedException(raised);
        return -1;
    }
    Py_DECREF(raised);
    if (closed > 0) {
        abandon(self);
    }
    return closed < 0 ? -1 : 0;
}

int
pump_needs_closing(pump *self)
{
    return pump_is_async_iterable(self->source) ? pump_is_async_generator(self, self->source)
                                                : 0;
}

int
pump_start(pump *self, PyObject *loop)
{
    self->loop = Py_NewRef(loop);
    return wake(self);
}

static pump_answer
at_end(pump *self)
{
    generators_lock_take(&self->lock);
    PyObject *error = self->error;
    self->error = NULL;
    generators_lock_leave(&self->lock);
    if (error == NULL) {
        return PUMP_END;
    }
    PyErr_SetRaisedException(error);
    return PUMP_ERROR;
}

pump_answer
pump_take(pump *self, PyObject **item)
{
    generators_lock_take(&self->lock);
    bool rouse = self->parked && ring_is_half_empty(&self->ring);
    self->parked &= !rouse;
    self->asked |= ring_is_empty(&self->ring);
    generators_lock_leave(&self->lock);
    if (rouse && wake(self) < 0) {
        generators_lock_take(&self->lock);
        self->parked = !self->ended;
        generators_lock_leave(&self->lock);
        return PUMP_ERROR;
    }
    generators_lock_take(&self->lock);
    *item = ring_take(&self->ring);
    bool ended = self->ended;
    generators_lock_leave(&self->lock);
    if (*item != NULL) {
        return PUMP_ITEM;
    }
    return ended ? at_end(self) : PUMP_NONE;
}

void
pump_drop_items(pump *self)
{
    PyObject *item;
    do {
        generators_lock_take(&self->lock);
        item = ring_take(&self->ring);
        generators_lock_leave(&self->lock);
        Py_XDECREF(item);
    } while (item != NULL);
}

int
pump_close(pump *self)
{
    generators_lock_take(&self->lock);
    self->closing = true;
    bool ended = self->ended;
    generators_lock_leave(&self->lock);
    pump_drop_items(self);
    return ended || self->loop == NULL ? 0 : wake(self);
}

void
pump_drop(pump *self)
{
    generators_lock_take(&self->lock);
    self->dropped = true;
    generators_lock_leave(&self->lock);
}

bool
pump_arm(pump *self, bool for_end)
{
    generators_lock_take(&self->lock);
    self->waiting = !self->ended && (for_end || ring_is_empty(&self->ring));
    bool armed = self->waiting;
    generators_lock_leave(&self->lock);
    return armed;
}

int
pump_wait(pump *self, uint64_t nanoseconds)
{
    PyLockStatus status;
    PY_TIMEOUT_T microseconds = (PY_TIMEOUT_T)((nanoseconds + 999) / 1000);
    Py_BEGIN_ALLOW_THREADS
    status = PyThread_acquire_lock_timed(self->bell, microseconds, 1);
    Py_END_ALLOW_THREADS
    if (status == PY_LOCK_ACQUIRED) {
        return 1;
    }
    int failed = PyErr_CheckSignals();
    generators_lock_take(&self->lock);
    bool rang = !self->waiting;
    self->waiting = false;
    generators_lock_leave(&self->lock);
    if (rang) {
        PyThread_acquire_lock(self->bell, NOWAIT_LOCK); /* it is left already */
    }
    return failed < 0 ? -1 : rang;
}

int
pump_closed(pump *self)
{
    generators_lock_take(&self->lock);
    bool failed = self->ended && self->from_closing;
    generators_lock_leave(&self->lock);
    return failed && at_end(self) == PUMP_ERROR ? -1 : 0;
}
