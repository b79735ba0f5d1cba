/* The channel of to_sync(): a ring of items, its lock, and the wake-up locks of the threads
 * that wait for it.
 *
 * The driver, on its loop's thread, fills the ring.  One other thread at a time, the reader,
 * empties it.  Any number of threads may wait for the end.
 */
#ifndef GENERATORS_BRIDGE_CHANNEL_H
#define GENERATORS_BRIDGE_CHANNEL_H

#include "core/ring.h"
#include "state.h"

/* A thread that waits.  Its lock is held, and is released once to wake it. */
typedef struct channel_waiter {
    PyThread_type_lock lock;     /* owned: the wake-up lock */
    struct channel_waiter *next; /* borrowed: in the channel's list */
    bool for_end;                /* it waits for the end, not for an item */
    bool is_linked;              /* it is in the list: it was not woken */
} channel_waiter;

typedef struct {
    channel_waiter reader; /* of the thread in next() */

    /* All of these are guarded by `lock`.  No code of anyone else runs under it. */
    generators_lock lock;
    ring ring;               /* owned items */
    channel_waiter *waiters; /* linked ones */
    PyObject *error;         /* owned: raised when the ring is empty, or NULL */
    bool error_is_closing;   /* `error` comes from closing the source */
    bool is_asked;           /* an item is wanted, whether there is room or not */
    bool is_parked;          /* the driver waits to be woken */
    bool is_closing;         /* nobody wants another item */
    bool is_dropped;         /* nobody will take `error` */
    bool has_ended;
} channel;

/* 0, or -1 with MemoryError. */
int channel_init(channel *self, size_t max_items, size_t max_bytes);
int channel_traverse(const channel *self, visitproc visit, void *arg);

/* Drop and free all that it holds.  No thread waits. */
void channel_clear(channel *self);

/* ---- for the driver ---- */

bool channel_is_closing(channel *self);

/* Whether an item may be put. */
bool channel_has_room(channel *self);

/* Put an item (stolen); it is dropped where nobody wants it.  0, or -1 with MemoryError. */
int channel_put(channel *self, PyObject *item);

/* Record that the driver waits until there is room: false where it need not. */
bool channel_park(channel *self);

/* Wake the threads that have something to take, or that waited for the end. */
void channel_wake(channel *self);

/* `error` (stolen) is what the stream will raise; `is_closing`: it comes from closing. */
void channel_set_error(channel *self, PyObject *error, bool is_closing);

/* A new reference to the error that was set, or NULL. */
PyObject *channel_get_error(channel *self);

/* No more items will come.  An error of closing that nobody will take is returned, owned by
   the caller, else NULL. */
PyObject *channel_end(channel *self);

/* ---- for the other threads ---- */

typedef enum {
    CHANNEL_ITEM,  /* *item is new */
    CHANNEL_NONE,  /* there is none yet: it was asked for */
    CHANNEL_END,   /* there are no more */
    CHANNEL_ERROR, /* the source's exception is set; there are no more */
} channel_answer;

channel_answer channel_take(channel *self, PyObject **item);

/* Whether the driver is parked although there is room: it must be woken.  It counts as woken
   then; channel_unwake() takes that back. */
bool channel_must_wake_driver(channel *self);
void channel_unwake(channel *self);

/* Want no more items: whether the driver must be told. */
bool channel_close(channel *self);

/* Drop items that nobody will take. */
void channel_drop_items(channel *self);

/* Nobody will take the error. */
void channel_drop(channel *self);

/* Link a waiter: false where what it waits for is there already.  The reader waits for an
   item, or the closing, or the end. */
bool channel_arm(channel *self, channel_waiter *waiter, bool for_end);

/* Having armed it: sleep for that long at most.  1 where it was woken; 0 where it was not,
   maybe early; -1 with the exception of a signal's handler.  It is linked no more. */
int channel_sleep(channel *self, channel_waiter *waiter, uint64_t nanoseconds);

/* 0, or -1 with the exception that closing raised, if it has ended with one. */
int channel_raise_closing_error(channel *self);

int channel_waiter_init(channel_waiter *self);
void channel_waiter_free(channel_waiter *self);

#endif
