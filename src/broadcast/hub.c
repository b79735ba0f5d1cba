/* The machine of a Broadcast: one log of items, and a place in it for each subscriber.
 *
 * Publishing puts an item into the log once, however many are to take it.  Only a subscriber
 * that may be full costs more: see members.c.
 *
 * States of a subscription: new -> member -> left; or member -> overflowed or lost -> left.
 * States of a hub: open -> closed.  Members stay when it is closed, to take what they hold.
 *
 * Owned: a subscription owns the hub.  The members are borrowed; each leaves before it is
 * freed.
 *
 * User code runs when an item is dropped, and when somebody is woken; never under the lock.
 * So publishing looks again at everything after it has dropped an item.
 *
 * Threads: `lock` guards the hub and all its subscriptions.
 */
#include "broadcast/hub.h"

#include "broadcast/members.h"

#include "aio/waiter.h"
#include "runtime/raising.h"

/* ---- publishing; the lock is held ---- */

typedef enum {
    HUB_STEP_PUBLISHED,
    HUB_STEP_AGAIN, /* an item must be dropped first */
    HUB_STEP_FULL,
    HUB_STEP_CLOSED,
    HUB_STEP_NO_MEMORY,
} hub_step;

/* A member of the log has no room for the item: do as its policy says. */
static hub_step
hub_make_room(hub *self, subscription *member, PyObject **dropped)
{
    if (member->policy == ON_FULL_DROP_OLDEST) {
        member->dropped++;
        *dropped = item_log_skip(&self->log, member->at++);
        return *dropped == NULL ? HUB_STEP_PUBLISHED : HUB_STEP_AGAIN;
    }
    if (!hub_move_apart(self, member)) {
        return HUB_STEP_NO_MEMORY;
    }
    if (member->policy == ON_FULL_CLOSE) {
        hub_remove(self, member);
        member->is_overflowed = true;
    }
    return HUB_STEP_PUBLISHED;
}

/* Make room for the item in each member that is near its limit, or put it farther away. */
static hub_step
hub_make_all_room(hub *self, PyObject **dropped)
{
    for (size_t i = self->near; i > 0; i--) {
        subscription *member = self->members[i - 1];
        if (hub_is_full_in_log(self, member)) {
            hub_step step = hub_make_room(self, member, dropped);
            if (step != HUB_STEP_PUBLISHED) {
                return step;
            }
        }
        else if (!member->is_apart && hub_room_of(self, member) > member->buffersize / 2) {
            hub_swap(self, i - 1, --self->near);
            if (self->limit > member->at + member->buffersize) {
                self->limit = member->at + member->buffersize;
            }
        }
    }
    return HUB_STEP_PUBLISHED;
}

/* Give the item to those that are apart: how many got it. */
static Py_ssize_t
hub_give_apart(hub *self, PyObject *item)
{
    Py_ssize_t given = 0;
    for (size_t i = 0; i < self->near && self->apart > 0; i++) {
        subscription *member = self->members[i];
        if (!member->is_apart) {
            continue;
        }
        if (member->own_count < member->buffersize) {
            subscription_push(member, item);
            given++;
        }
        else {
            member->dropped++;
        }
    }
    return given;
}

static hub_step
hub_publish_lock_held(hub *self, PyObject *item, Py_ssize_t *given, PyObject **dropped)
{
    if (self->is_closed) {
        return HUB_STEP_CLOSED;
    }
    if (hub_find_full(self) != NULL) {
        return HUB_STEP_FULL;
    }
    if ((self->count > 0 || self->replay > 0) && !item_log_reserve(&self->log)) {
        return HUB_STEP_NO_MEMORY;
    }
    hub_step step = hub_make_all_room(self, dropped);
    if (step != HUB_STEP_PUBLISHED) {
        return step;
    }
    size_t takers = self->count - self->apart;
    *given = (Py_ssize_t)takers + hub_give_apart(self, item);
    if (takers > 0 || self->replay > 0) {
        item_log_put(&self->log, item, takers + (self->replay > 0));
    }
    if (self->replay > 0 && self->log.next - self->replay_first > self->replay) {
        *dropped = item_log_skip(&self->log, self->replay_first++);
    }
    return HUB_STEP_PUBLISHED;
}

/* ---- loops that are closed ---- */

/* The waker of the member with that number, if it must be waited for: a new reference.  Each
   one is asked for once.  The lock is held. */
static gate_waker *
hub_get_full_waker(hub *self, size_t number, const gate_waker *earlier)
{
    const subscription *member = self->members[number];
    bool is_full = member->policy == ON_FULL_WAIT && hub_is_full_in_log(self, member);
    gate_waker *waker = is_full ? member->place.waker : NULL;
    return waker == earlier ? NULL : (gate_waker *)Py_XNewRef((PyObject *)waker);
}

/* The loop is closed: its members that are full will never take an item.  0 or -1. */
static int
hub_lose(hub *self, const gate_waker *waker)
{
    bool has_memory = true;
    generators_lock_take(&self->lock);
    for (size_t i = self->near; i > 0 && has_memory; i--) {
        subscription *member = self->members[i - 1];
        if (member->place.waker != waker || member->policy != ON_FULL_WAIT ||
            !hub_is_full_in_log(self, member)) {
            continue;
        }
        has_memory = hub_move_apart(self, member);
        if (has_memory) {
            hub_remove(self, member);
            member->is_lost = true;
        }
    }
    generators_lock_leave(&self->lock);
    if (!has_memory) {
        PyErr_NoMemory();
    }
    return has_memory ? 0 : -1;
}

/* Lose the members that are full on a loop that is closed.  1 if there was one, 0, or -1. */
static int
hub_lose_closed(hub *self)
{
    gate_waker *earlier = NULL;
    int status = 0;
    for (size_t i = 0; status == 0; i++) {
        generators_lock_take(&self->lock);
        bool is_over = i >= self->near;
        gate_waker *waker = is_over ? NULL : hub_get_full_waker(self, i, earlier);
        generators_lock_leave(&self->lock);
        if (is_over) {
            break;
        }
        if (waker == NULL) {
            continue;
        }
        Py_XDECREF((PyObject *)earlier);
        earlier = waker;
        status = gate_is_lost(waker);
        if (status > 0 && hub_lose(self, waker) < 0) {
            status = -1;
        }
    }
    Py_XDECREF((PyObject *)earlier);
    return status;
}

/* ---- for whoever publishes ---- */

hub_status
hub_publish(hub *self, PyObject *item, Py_ssize_t *given)
{
    for (;;) {
        PyObject *dropped = NULL;
        generators_lock_take(&self->lock);
        hub_step step = hub_publish_lock_held(self, item, given, &dropped);
        generators_lock_leave(&self->lock);
        Py_XDECREF(dropped);
        switch (step) {
        case HUB_STEP_PUBLISHED:
            return gate_open(&self->items, &self->lock) < 0 ? HUB_ERROR : HUB_PUBLISHED;
        case HUB_STEP_AGAIN:
            break;
        case HUB_STEP_FULL: {
            int lost = hub_lose_closed(self);
            if (lost <= 0) {
                return lost < 0 ? HUB_ERROR : HUB_FULL;
            }
            break;
        }
        case HUB_STEP_CLOSED:
            return HUB_CLOSED;
        default:
            PyErr_NoMemory();
            return HUB_ERROR;
        }
    }
}

void
hub_refuse_closed(void)
{
    PyErr_SetString(PyExc_RuntimeError, "the broadcast is closed");
}

/* Whether an item can't be published now.  The lock is held. */
static bool
hub_must_wait(hub *self)
{
    bool must = !self->is_closed && hub_find_full(self) != NULL;
    self->is_watched |= must;
    return must;
}

int
hub_wait_for_room(hub *self, gate_place *place, PyObject *loop, PyObject **waiter)
{
    *waiter = NULL;
    PyObject *made = waiter_new(self->state, loop), *earlier = NULL;
    if (made == NULL || gate_find_waker(&self->vacancy, &self->lock, (PyObject *)self,
                                        self->state, place, loop) < 0) {
        Py_XDECREF(made);
        return -1;
    }
    generators_lock_take(&self->lock);
    bool waits = hub_must_wait(self);
    bool has_memory = !waits || gate_wait(place, made, &earlier);
    generators_lock_leave(&self->lock);
    Py_XDECREF(earlier);
    if (waits && has_memory) {
        *waiter = made;
        return 1;
    }
    Py_DECREF(made);
    if (!has_memory) {
        PyErr_NoMemory();
    }
    return has_memory ? 0 : -1;
}

int
hub_sleep_for_room(hub *self, gate_thread *thread)
{
    generators_lock_take(&self->lock);
    bool waits = hub_must_wait(self);
    if (waits) {
        gate_link(&self->vacancy, thread);
    }
    generators_lock_leave(&self->lock);
    int status = waits ? gate_sleep(&self->vacancy, &self->lock, thread, GATE_FOREVER) : 1;
    return status < 0 ? -1 : 1;
}

int
hub_close(hub *self, PyObject *failure)
{
    PyObject *traceback = failure == NULL ? NULL : PyException_GetTraceback(failure);
    generators_lock_take(&self->lock);
    if (!self->is_closed) {
        self->is_closed = true;
        self->failure = Py_XNewRef(failure);
        self->traceback = traceback;
        traceback = NULL;
    }
    generators_lock_leave(&self->lock);
    Py_XDECREF(traceback);
    if (gate_open(&self->items, &self->lock) < 0) {
        return -1;
    }
    return gate_open(&self->vacancy, &self->lock);
}

bool
hub_is_closed(hub *self)
{
    generators_lock_take(&self->lock);
    bool is_closed = self->is_closed;
    generators_lock_leave(&self->lock);
    return is_closed;
}

bool
hub_spend(hub *self)
{
    generators_lock_take(&self->lock);
    bool is_due = budget_spend(&self->budget);
    if (is_due) {
        budget_stop(&self->budget);
    }
    generators_lock_leave(&self->lock);
    return is_due;
}

void
hub_open_vacancy(hub *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    if (gate_open(&self->vacancy, &self->lock) < 0) {
        raising_unraisable((PyObject *)self);
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

/* ---- memory ---- */

int
hub_traverse(PyObject *op, visitproc visit, void *arg)
{
    hub *self = (hub *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->failure);
    Py_VISIT(self->traceback);
    Py_VISIT(self->guard);
    int status = item_log_traverse(&self->log, visit, arg);
    if (status == 0) {
        status = gate_traverse(&self->items, visit, arg);
    }
    return status != 0 ? status : gate_traverse(&self->vacancy, visit, arg);
}

/* The members, which are collected with it or hold it, have nothing to take any more. */
int
hub_clear(PyObject *op)
{
    hub *self = (hub *)op;
    self->is_closed = true;
    while (self->count > 0) {
        subscription *member = self->members[self->count - 1];
        if (!member->is_apart) {
            member->at = self->log.next;
        }
        hub_remove(self, member);
    }
    item_log dropped = self->log;
    self->log = (item_log){.first = dropped.next, .next = dropped.next};
    for (uint64_t number = dropped.first; number < dropped.next; number++) {
        Py_XDECREF(item_log_at(&dropped, number)->item);
    }
    dropped.first = dropped.next;
    item_log_free(&dropped);
    gate_clear(&self->items);
    gate_clear(&self->vacancy);
    Py_CLEAR(self->failure);
    Py_CLEAR(self->traceback);
    Py_CLEAR(self->guard);
    return 0;
}

void
hub_dealloc(PyObject *op)
{
    hub *self = (hub *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (self->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    hub_clear(op);
    PyMem_RawFree(self->members);
    self->members = NULL;
    type->tp_free(op);
    Py_DECREF(type);
}
