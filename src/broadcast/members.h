/* The members of a Broadcast: which may be full, and what those hold that are apart.  The
 * hub's lock is held throughout.  See members.c.
 */
#ifndef GENERATORS_BROADCAST_MEMBERS_H
#define GENERATORS_BROADCAST_MEMBERS_H

#include "broadcast/hub_state.h"

/* False if there is no memory. */
bool hub_add(hub *self, subscription *member);
void hub_remove(hub *self, subscription *member);

/* Change the places of two members. */
void hub_swap(hub *self, size_t one, size_t other);

/* One that must be waited for, or NULL.  The members that may be full are near then. */
subscription *hub_find_full(hub *self);

/* Move what a full member holds into its own ring.  False if there is no memory. */
bool hub_move_apart(hub *self, subscription *member);

/* Put an item into the ring of one that is apart, which has room; and take one out, of which
   there must be one.  A member that took its last one returns to the log. */
void subscription_push(subscription *self, PyObject *item);
PyObject *subscription_pop(subscription *self);

/* How many more items a member of the log can hold. */
static inline uint64_t
hub_room_of(const hub *self, const subscription *member)
{
    return member->at + member->buffersize - self->log.next;
}

static inline bool
hub_is_full_in_log(const hub *self, const subscription *member)
{
    return !member->is_apart && member->at + member->buffersize <= self->log.next;
}

#endif
