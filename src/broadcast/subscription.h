/* A subscriber's part of a Broadcast, for the streams: see subscription.c. */
#ifndef GENERATORS_BROADCAST_SUBSCRIPTION_H
#define GENERATORS_BROADCAST_SUBSCRIPTION_H

#include "broadcast/hub_state.h"
#include "stream/measures.h"

/* Become a member; `replay` of the last items are the first.  The caller has set the policy
   and `buffersize`, and `hub` to NULL.  0 or -1. */
int subscription_join(subscription *self, hub *joined, size_t replay);

/* The next item: a new reference, or NULL. */
PyObject *subscription_take(subscription *self);

/* Why there is no item. */
typedef enum {
    SUBSCRIPTION_ERROR = -1,
    SUBSCRIPTION_WAITS,
    SUBSCRIPTION_READY, /* there is one now */
    SUBSCRIPTION_ENDED, /* there will be none */
} subscription_status;

/* Why there is none now. */
subscription_status subscription_ask(subscription *self);

/* Wait for an item: on a loop, with *waiter (new); or, where `loop` is NULL, link its thread.
 */
subscription_status subscription_wait(subscription *self, PyObject *loop, PyObject **waiter);

/* Sleep, after SUBSCRIPTION_WAITS, at most that long, or for ever.  1 if the thread was woken,
   0 if it was not, perhaps before the time is over, or -1 with the exception of a signal
   handler. */
int subscription_sleep(subscription *self, uint64_t nanoseconds);

/* Get nothing more, and keep what it holds.  A thread that waits for an item is woken.  0, or
   -1 with MemoryError.  Again: nothing happens. */
int subscription_stop(subscription *self);

/* Be no member any more, and drop what it holds.  Again: nothing happens. */
void subscription_leave(subscription *self);

/* Leave, and drop the hub. */
void subscription_clear(subscription *self);

int subscription_traverse(const subscription *self, visitproc visit, void *arg);

/* For a stream's kind->measure(). */
void subscription_measure(subscription *self, measures *into);

/* The getter of .dropped. */
PyObject *subscription_dropped(subscription *self);

#endif
