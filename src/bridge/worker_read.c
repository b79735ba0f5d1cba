/* How plain code waits for a worker: see worker_read.h.
 *
 * The thread that waits sleeps on `reader`, which is held.  The worker releases it once, when
 * an item is put or it has finished.  Whoever leaves the wait by itself takes that back.
 *
 * User code runs in signal handlers.
 */
#include "bridge/worker_read.h"

#include "core/clock.h"
#include "runtime/lock.h"

#ifdef _WIN32
#define LONGEST_SLEEP (CLOCK_SECOND / 20) /* no signal ends a sleep */
#else
#define LONGEST_SLEEP (CLOCK_SECOND / 2)
#endif

/* Whether there is something already; if not, the worker will release `reader`. */
static bool
arm(worker *self)
{
    generators_lock_take(&self->lock);
    bool is_ready = self->finished || !ring_is_empty(&self->ring);
    self->reader_waits = !is_ready;
    if (!is_ready) {
        self->asked = true;
        worker_wake_lock_held(self);
    }
    generators_lock_leave(&self->lock);
    return is_ready;
}

/* The wait is left.  Where the worker has just ended it, its release is taken. */
static void
disarm(worker *self)
{
    generators_lock_take(&self->lock);
    bool was_woken = !self->reader_waits;
    self->reader_waits = false;
    generators_lock_leave(&self->lock);
    if (was_woken) {
        PyThread_acquire_lock(self->reader, WAIT_LOCK);
    }
}

static int
check_thread(worker *self)
{
    generators_lock_take(&self->lock);
    bool here = self->thread == PyThread_get_thread_ident();
    generators_lock_leave(&self->lock);
    if (here) {
        PyErr_SetString(PyExc_RuntimeError, "a source cannot wait for its own stream");
    }
    return here ? -1 : 0;
}

int
worker_read_wait(worker *self, uint64_t nanoseconds)
{
    if (check_thread(self) < 0) {
        return -1;
    }
    if (self->reader == NULL && (self->reader = lock_new_taken()) == NULL) {
        return -1;
    }
    uint64_t start = clock_precise();
    while (!arm(self)) {
        uint64_t waited = clock_precise() - start;
        uint64_t left = waited < nanoseconds ? nanoseconds - waited : 0;
        left = left < LONGEST_SLEEP ? left : LONGEST_SLEEP;
        PyLockStatus status;
        Py_BEGIN_ALLOW_THREADS
        status =
            PyThread_acquire_lock_timed(self->reader, (PY_TIMEOUT_T)((left + 999) / 1000), 1);
        Py_END_ALLOW_THREADS
        if (status == PY_LOCK_ACQUIRED) {
            continue;
        }
        disarm(self);
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
        if (clock_precise() - start >= nanoseconds) {
            return arm(self) ? 1 : (disarm(self), 0);
        }
    }
    return 1;
}
