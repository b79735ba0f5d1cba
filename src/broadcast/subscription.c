/* A subscriber's part of a Broadcast: see subscription.h.
 *
 * States: new -> member -> left; or member -> stopped, overflowed or lost -> left.  A member
 * stays one when the broadcast is closed, to take what it holds.
 *
 * Owned: the hub.
 *
 * User code runs when an item is dropped, and when somebody is woken; never under the hub's
 * lock, which guards all of it.
 */
#include "broadcast/subscription.h"

#include "aio/waiter.h"
#include "broadcast/hub.h"
#include "broadcast/members.h"
#include "runtime/raising.h"

int
subscription_join(subscription *self, hub *joined, size_t replay)
{
    size_t most = replay < self->buffersize ? replay : self->buffersize;
    generators_lock_take(&joined->lock);
    uint64_t kept = joined->replay > 0 ? joined->log.next - joined->replay_first : 0;
    self->at = joined->log.next - (kept < most ? kept : most);
    bool is_added = hub_add(joined, self);
    for (uint64_t number = self->at; is_added && number < joined->log.next; number++) {
        item_log_at(&joined->log, number)->left++;
    }
    generators_lock_leave(&joined->lock);
    if (!is_added) {
        PyErr_NoMemory();
        return -1;
    }
    self->hub = (hub *)Py_NewRef((PyObject *)joined);
    return 0;
}

PyObject *
subscription_take(subscription *self)
{
    hub *from = self->hub;
    PyObject *item = NULL;
    bool opens = false;
    generators_lock_take(&from->lock);
    if (self->is_apart) {
        item = self->own_count > 0 ? subscription_pop(self) : NULL;
    }
    else if (self->is_member && self->at < from->log.next) {
        opens = from->is_watched && hub_is_full_in_log(from, self);
        from->is_watched &= !opens;
        item = item_log_take(&from->log, self->at++);
    }
    generators_lock_leave(&from->lock);
    if (opens) {
        hub_open_vacancy(from);
    }
    return item;
}

/* Raise what the source raised, with the traceback that it had then: each subscriber would add
   its own. */
static void
subscription_raise(PyObject *failure, PyObject *traceback)
{
    if (PyException_SetTraceback(failure, traceback == NULL ? Py_None : traceback) < 0) {
        raising_unraisable(NULL);
    }
    PyErr_SetRaisedException(failure);
    Py_XDECREF(traceback);
}

/* Whether there is something to take, or will be.  The lock is held. */
static subscription_status
subscription_look(subscription *self, PyObject **failure, PyObject **traceback)
{
    hub *from = self->hub;
    *failure = *traceback = NULL;
    if (self->is_apart ? self->own_count > 0 : self->is_member && self->at < from->log.next) {
        return SUBSCRIPTION_READY;
    }
    if (self->is_overflowed || self->is_lost) {
        return SUBSCRIPTION_ERROR;
    }
    if (self->is_member && from->is_closed) {
        *failure = Py_XNewRef(from->failure);
        *traceback = Py_XNewRef(from->traceback);
        return *failure == NULL ? SUBSCRIPTION_ENDED : SUBSCRIPTION_ERROR;
    }
    return self->is_member ? SUBSCRIPTION_WAITS : SUBSCRIPTION_ENDED;
}

static subscription_status
subscription_fail(subscription *self, PyObject *failure, PyObject *traceback)
{
    if (failure != NULL) {
        subscription_raise(failure, traceback);
    }
    else if (self->is_overflowed) {
        PyErr_SetString(PyExc_BufferError,
                        "the subscriber did not keep up with the broadcast");
    }
    else if (self->is_lost) {
        PyErr_SetString(PyExc_BufferError, "the event loop of the subscriber was closed");
    }
    else {
        PyErr_NoMemory();
    }
    return SUBSCRIPTION_ERROR;
}

subscription_status
subscription_ask(subscription *self)
{
    PyObject *failure, *traceback;
    generators_lock_take(&self->hub->lock);
    subscription_status status = subscription_look(self, &failure, &traceback);
    generators_lock_leave(&self->hub->lock);
    return status == SUBSCRIPTION_ERROR ? subscription_fail(self, failure, traceback) : status;
}

subscription_status
subscription_wait(subscription *self, PyObject *loop, PyObject **waiter)
{
    hub *from = self->hub;
    PyObject *failure, *traceback, *earlier = NULL, *made = NULL;
    if (loop != NULL) {
        *waiter = NULL;
        made = waiter_new(from->state, loop);
        if (made == NULL || gate_find_waker(&from->items, &from->lock, (PyObject *)from,
                                            from->state, &self->place, loop) < 0) {
            Py_XDECREF(made);
            return SUBSCRIPTION_ERROR;
        }
    }
    generators_lock_take(&from->lock);
    subscription_status status = subscription_look(self, &failure, &traceback);
    if (status == SUBSCRIPTION_WAITS && loop == NULL) {
        gate_link(&from->items, &self->thread);
    }
    else if (status == SUBSCRIPTION_WAITS && !gate_wait(&self->place, made, &earlier)) {
        status = SUBSCRIPTION_ERROR;
    }
    generators_lock_leave(&from->lock);
    Py_XDECREF(earlier);
    if (status == SUBSCRIPTION_WAITS && loop != NULL) {
        *waiter = made;
        return status;
    }
    Py_XDECREF(made);
    return status == SUBSCRIPTION_ERROR ? subscription_fail(self, failure, traceback) : status;
}

int
subscription_sleep(subscription *self, uint64_t nanoseconds)
{
    return gate_sleep(&self->hub->items, &self->hub->lock, &self->thread, nanoseconds);
}

/* The lock is held. */
static uint64_t
subscription_count(const subscription *self)
{
    if (self->is_apart) {
        return self->own_count;
    }
    return self->is_member ? self->hub->log.next - self->at : 0;
}

/* It is no member any more, and its items are its own.  False where there is no memory.  The
   lock is held. */
static bool
subscription_take_all(subscription *self)
{
    if (!self->is_apart) {
        uint64_t held = subscription_count(self);
        if (self->own == NULL && held < self->buffersize) {
            self->buffersize = held > 0 ? (size_t)held : 1; /* it gets no more */
        }
        if (!hub_move_apart(self->hub, self)) {
            return false;
        }
    }
    hub_remove(self->hub, self);
    return true;
}

int
subscription_stop(subscription *self)
{
    hub *from = self->hub;
    if (from == NULL) {
        return 0;
    }
    bool has_memory = true, opens = false;
    generators_lock_take(&from->lock);
    if (self->is_member && !from->is_closed) {
        has_memory = subscription_take_all(self);
        opens = has_memory && from->is_watched;
        from->is_watched &= !opens;
        gate_wake_thread(&from->items, &self->thread);
    }
    generators_lock_leave(&from->lock);
    if (opens) {
        hub_open_vacancy(from);
    }
    if (!has_memory) {
        PyErr_NoMemory();
    }
    return has_memory ? 0 : -1;
}

/* What is still held, one by one: owned by the caller, or NULL where it must be asked again.
   False at the end.  The lock is held. */
static bool
subscription_skip(subscription *self, PyObject **item)
{
    if (self->is_apart) {
        *item = self->own_count > 0 ? subscription_pop(self) : NULL;
        return *item != NULL;
    }
    if (self->at >= self->hub->log.next) {
        return false;
    }
    *item = item_log_skip(&self->hub->log, self->at++);
    return true;
}

void
subscription_leave(subscription *self)
{
    hub *left = self->hub;
    if (left == NULL) {
        return;
    }
    generators_lock_take(&left->lock);
    bool was_member = self->is_member, opens = left->is_watched && was_member;
    uint64_t end = left->log.next; /* later items are not its own */
    if (was_member) {
        hub_remove(left, self);
    }
    left->is_watched &= !opens;
    gate_wake_thread(&left->items, &self->thread);
    bool is_in_log = was_member && !self->is_apart;
    bool has_more = true;
    while (has_more) {
        PyObject *item = NULL;
        has_more = is_in_log ? self->at < end : self->is_apart;
        if (has_more) {
            has_more = subscription_skip(self, &item);
        }
        generators_lock_leave(&left->lock);
        Py_XDECREF(item);
        generators_lock_take(&left->lock);
    }
    PyObject **own = self->own;
    self->own = NULL;
    self->is_apart = self->is_overflowed = self->is_lost = false;
    generators_lock_leave(&left->lock);
    PyMem_RawFree(own);
    gate_leave(&left->lock, &self->place);
    if (opens) {
        hub_open_vacancy(left);
    }
}

void
subscription_clear(subscription *self)
{
    hub *left = self->hub;
    if (left == NULL) {
        return;
    }
    subscription_leave(self);
    self->hub = NULL;
    Py_DECREF((PyObject *)left);
}

int
subscription_traverse(const subscription *self, visitproc visit, void *arg)
{
    Py_VISIT((PyObject *)self->hub);
    for (size_t i = 0; self->own != NULL && i < self->own_count; i++) {
        size_t index = self->own_first + i;
        Py_VISIT(self->own[index < self->buffersize ? index : index - self->buffersize]);
    }
    return gate_place_traverse(&self->place, visit, arg);
}

void
subscription_measure(subscription *self, measures *into)
{
    hub *from = self->hub;
    if (from != NULL) {
        generators_lock_take(&from->lock);
        into->held += (Py_ssize_t)subscription_count(self);
        generators_lock_leave(&from->lock);
        measures_name_source(into, (PyObject *)from);
    }
}

PyObject *
subscription_dropped(subscription *self)
{
    return PyLong_FromUnsignedLongLong(self->dropped);
}
