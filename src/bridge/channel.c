/* The channel: see channel.h.
 *
 * States: open -> closing -> ended, or open -> ended.
 *
 * Wake-up locks: a waiter sleeps on a lock that is held.  Another thread that unlinks the
 * waiter releases the lock, exactly once.  A waiter that unlinks itself, because it was
 * interrupted or its time is over, does not release it.
 *
 * The channel owns the items, the error, and the reader's wake-up lock.
 *
 * User code runs when items are dropped, and in signal handlers while a thread sleeps.  It
 * never runs under `lock`.
 */
#include "bridge/channel.h"

#include "bridge/size.h"
#include "runtime/lock.h"

/* ---- waiters ---- */

int
channel_waiter_init(channel_waiter *self)
{
    *self = (channel_waiter){.lock = lock_new_taken()};
    return self->lock == NULL ? -1 : 0;
}

void
channel_waiter_free(channel_waiter *self)
{
    lock_free_taken(&self->lock);
}

static bool
is_over_lock_held(const channel *self, bool for_end)
{
    return self->has_ended || (!for_end && (self->is_closing || !ring_is_empty(&self->ring)));
}

static void
wake_lock_held(channel *self)
{
    channel_waiter **place = &self->waiters;
    while (*place != NULL) {
        channel_waiter *waiter = *place;
        if (is_over_lock_held(self, waiter->for_end)) {
            *place = waiter->next;
            waiter->is_linked = false;
            PyThread_release_lock(waiter->lock);
        }
        else {
            place = &waiter->next;
        }
    }
}

void
channel_wake(channel *self)
{
    generators_lock_take(&self->lock);
    wake_lock_held(self);
    generators_lock_leave(&self->lock);
}

bool
channel_arm(channel *self, channel_waiter *waiter, bool for_end)
{
    generators_lock_take(&self->lock);
    bool waits = !is_over_lock_held(self, for_end);
    if (waits) {
        waiter->for_end = for_end;
        waiter->is_linked = true;
        waiter->next = self->waiters;
        self->waiters = waiter;
    }
    generators_lock_leave(&self->lock);
    return waits;
}

/* Unlink the waiter.  Returns whether it was already woken. */
static bool
unlink_waiter(channel *self, channel_waiter *waiter)
{
    generators_lock_take(&self->lock);
    bool woken = !waiter->is_linked;
    channel_waiter **place = &self->waiters;
    while (*place != NULL && *place != waiter) {
        place = &(*place)->next;
    }
    if (*place != NULL) {
        *place = waiter->next;
    }
    waiter->is_linked = false;
    generators_lock_leave(&self->lock);
    return woken;
}

int
channel_sleep(channel *self, channel_waiter *waiter, uint64_t nanoseconds)
{
    if (lock_sleep(waiter->lock, nanoseconds) == PY_LOCK_ACQUIRED) {
        return 1;
    }
    int failed = PyErr_CheckSignals();
    bool woken = unlink_waiter(self, waiter);
    if (woken) {
        PyThread_acquire_lock(waiter->lock,
                              NOWAIT_LOCK); /* the thread that woke it released the lock */
    }
    return failed < 0 ? -1 : woken;
}

/* ---- for the driver ---- */

bool
channel_is_closing(channel *self)
{
    generators_lock_take(&self->lock);
    bool is_closing = self->is_closing;
    generators_lock_leave(&self->lock);
    return is_closing;
}

bool
channel_is_draining(channel *self)
{
    generators_lock_take(&self->lock);
    bool is_draining = self->is_draining;
    generators_lock_leave(&self->lock);
    return is_draining;
}

void
channel_set_cut(channel *self)
{
    generators_lock_take(&self->lock);
    self->was_cut = true;
    generators_lock_leave(&self->lock);
}

bool
channel_was_cut(channel *self)
{
    generators_lock_take(&self->lock);
    bool was_cut = self->was_cut;
    generators_lock_leave(&self->lock);
    return was_cut;
}

static bool
has_room_lock_held(const channel *self)
{
    return !ring_is_full(&self->ring) || (self->is_asked && ring_is_empty(&self->ring));
}

bool
channel_has_room(channel *self)
{
    generators_lock_take(&self->lock);
    bool has_room = has_room_lock_held(self);
    generators_lock_leave(&self->lock);
    return has_room;
}

int
channel_put(channel *self, PyObject *item)
{
    size_t size;
    if (size_measure(self->sizeof_item, item, &size) < 0) {
        Py_DECREF(item);
        return -1;
    }
    generators_lock_take(&self->lock);
    bool is_wanted = !self->is_closing;
    bool is_put = is_wanted && ring_put(&self->ring, item, size);
    self->is_asked &= !is_put;
    generators_lock_leave(&self->lock);
    if (is_put) {
        return 0;
    }
    Py_DECREF(item);
    if (is_wanted) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

bool
channel_park(channel *self)
{
    generators_lock_take(&self->lock);
    self->is_parked = !self->is_closing && !self->is_draining && !has_room_lock_held(self);
    bool is_parked = self->is_parked;
    generators_lock_leave(&self->lock);
    return is_parked;
}

void
channel_set_error(channel *self, PyObject *error, bool is_closing)
{
    generators_lock_take(&self->lock);
    PyObject *earlier = self->error;
    self->error = error;
    self->error_is_closing = is_closing || self->is_closing;
    generators_lock_leave(&self->lock);
    Py_XDECREF(earlier);
}

PyObject *
channel_get_error(channel *self)
{
    generators_lock_take(&self->lock);
    PyObject *error = Py_XNewRef(self->error);
    generators_lock_leave(&self->lock);
    return error;
}

PyObject *
channel_end(channel *self)
{
    generators_lock_take(&self->lock);
    PyObject *error = self->is_dropped && self->error_is_closing ? self->error : NULL;
    if (error != NULL) {
        self->error = NULL;
    }
    self->has_ended = true;
    self->is_parked = false;
    wake_lock_held(self);
    generators_lock_leave(&self->lock);
    return error;
}

/* ---- for the other threads ---- */

/* What the reader gets at the end: the error, which is taken only once. */
static channel_answer
take_error(channel *self)
{
    generators_lock_take(&self->lock);
    PyObject *error = self->error;
    self->error = NULL;
    generators_lock_leave(&self->lock);
    if (error == NULL) {
        return CHANNEL_END;
    }
    PyErr_SetRaisedException(error);
    return CHANNEL_ERROR;
}

bool
channel_must_wake_driver(channel *self)
{
    generators_lock_take(&self->lock);
    bool must = self->is_parked && ring_is_half_empty(&self->ring);
    self->is_parked &= !must;
    self->is_asked |= ring_is_empty(&self->ring);
    generators_lock_leave(&self->lock);
    return must;
}

void
channel_unwake(channel *self)
{
    generators_lock_take(&self->lock);
    self->is_parked = !self->has_ended;
    generators_lock_leave(&self->lock);
}

channel_answer
channel_take(channel *self, PyObject **item)
{
    generators_lock_take(&self->lock);
    bool is_closing = self->is_closing, has_ended = self->has_ended;
    *item = is_closing ? NULL : ring_take(&self->ring);
    generators_lock_leave(&self->lock);
    if (is_closing) {
        return CHANNEL_END;
    }
    if (*item != NULL) {
        return CHANNEL_ITEM;
    }
    return has_ended ? take_error(self) : CHANNEL_NONE;
}

void
channel_drop_items(channel *self)
{
    PyObject *item;
    do {
        generators_lock_take(&self->lock);
        item = ring_take(&self->ring);
        generators_lock_leave(&self->lock);
        Py_XDECREF(item);
    } while (item != NULL);
}

bool
channel_close(channel *self)
{
    generators_lock_take(&self->lock);
    self->is_closing = true;
    bool has_ended = self->has_ended;
    wake_lock_held(self);
    generators_lock_leave(&self->lock);
    channel_drop_items(self);
    return !has_ended;
}

bool
channel_drain(channel *self)
{
    generators_lock_take(&self->lock);
    self->is_draining = true;
    bool has_ended = self->has_ended;
    generators_lock_leave(&self->lock);
    return !has_ended;
}

void
channel_measure(channel *self, Py_ssize_t *items, Py_ssize_t *bytes)
{
    generators_lock_take(&self->lock);
    *items = (Py_ssize_t)self->ring.count;
    *bytes = (Py_ssize_t)self->ring.bytes;
    generators_lock_leave(&self->lock);
}

void
channel_drop(channel *self)
{
    generators_lock_take(&self->lock);
    self->is_dropped = true;
    generators_lock_leave(&self->lock);
}

int
channel_raise_closing_error(channel *self)
{
    generators_lock_take(&self->lock);
    bool failed = self->has_ended && self->error_is_closing;
    generators_lock_leave(&self->lock);
    return failed && take_error(self) == CHANNEL_ERROR ? -1 : 0;
}

/* ---- memory ---- */

int
channel_init(channel *self, size_t max_items, size_t max_bytes)
{
    ring_init(&self->ring, max_items, max_bytes);
    return channel_waiter_init(&self->reader);
}

int
channel_traverse(const channel *self, visitproc visit, void *arg)
{
    Py_VISIT(self->error);
    Py_VISIT(self->sizeof_item);
    for (size_t i = 0; i < self->ring.count; i++) {
        Py_VISIT((PyObject *)ring_at(&self->ring, i));
    }
    return 0;
}

void
channel_clear(channel *self)
{
    Py_CLEAR(self->error);
    Py_CLEAR(self->sizeof_item);
    channel_drop_items(self);
    ring_free(&self->ring);
    channel_waiter_free(&self->reader);
}
