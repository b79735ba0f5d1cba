/* The members of a Broadcast: see members.h.
 *
 * They are in two parts.  Those that are near their limit are looked at for each item; the
 * others not before the log has reached `limit`, which is computed anew then.  So one who is
 * slow is looked at alone.
 *
 * A member that is full and does not get an item (drop_newest, close) can't stay in the log:
 * there would be a gap in what it takes, or the log would grow for ever.  It goes apart: what
 * it holds is moved to a ring of its own.  When it has taken all of that it returns.
 *
 * Nothing here runs user code.
 */
#include "broadcast/members.h"

/* ---- members ---- */

void
hub_swap(hub *self, size_t one, size_t other)
{
    subscription *first = self->members[one], *second = self->members[other];
    self->members[one] = second;
    self->members[other] = first;
    second->index = one;
    first->index = other;
}

bool
hub_add(hub *self, subscription *member)
{
    if (self->count == self->room) {
        size_t room = self->room == 0 ? 8 : 2 * self->room;
        subscription **members =
            PyMem_RawRealloc(self->members, room * sizeof(subscription *));
        if (members == NULL) {
            return false;
        }
        self->members = members;
        self->room = room;
    }
    member->index = self->count;
    member->is_member = true;
    self->members[self->count++] = member;
    if (self->limit > member->at + member->buffersize) {
        self->limit = member->at + member->buffersize;
    }
    return true;
}

void
hub_remove(hub *self, subscription *member)
{
    if (member->index < self->near) {
        hub_swap(self, member->index, --self->near);
    }
    hub_swap(self, member->index, self->count - 1);
    self->count--;
    self->apart -= member->is_apart;
    member->is_member = false;
}

/* Find out which members are near their limit, and when to look again. */
static void
hub_look_at_all(hub *self)
{
    self->limit = UINT64_MAX;
    for (size_t i = self->near; i < self->count; i++) {
        subscription *member = self->members[i];
        if (hub_room_of(self, member) <= member->buffersize / 4) {
            hub_swap(self, i, self->near++);
        }
        else if (self->limit > member->at + member->buffersize) {
            self->limit = member->at + member->buffersize;
        }
    }
}

subscription *
hub_find_full(hub *self)
{
    if (self->log.next >= self->limit) {
        hub_look_at_all(self);
    }
    for (size_t i = 0; i < self->near; i++) {
        subscription *member = self->members[i];
        if (member->policy == ON_FULL_WAIT && hub_is_full_in_log(self, member)) {
            return member;
        }
    }
    return NULL;
}

/* ---- apart ---- */

bool
hub_move_apart(hub *self, subscription *member)
{
    if (member->own == NULL) {
        if (member->buffersize > SIZE_MAX / sizeof(PyObject *)) {
            return false;
        }
        member->own = PyMem_RawMalloc(member->buffersize * sizeof(PyObject *));
        if (member->own == NULL) {
            return false;
        }
    }
    member->own_first = member->own_count = 0;
    while (member->at < self->log.next) {
        member->own[member->own_count++] = item_log_take(&self->log, member->at++);
    }
    member->is_apart = true;
    self->apart++;
    return true;
}

void
subscription_push(subscription *self, PyObject *item)
{
    size_t index = self->own_first + self->own_count++;
    self->own[index < self->buffersize ? index : index - self->buffersize] = Py_NewRef(item);
}

PyObject *
subscription_pop(subscription *self)
{
    PyObject *item = self->own[self->own_first];
    self->own_first = self->own_first + 1 < self->buffersize ? self->own_first + 1 : 0;
    if (--self->own_count == 0 && self->is_member) {
        self->is_apart = false;
        self->hub->apart--;
        self->at = self->hub->log.next;
    }
    return item;
}
