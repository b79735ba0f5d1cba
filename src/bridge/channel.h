/* The channel of to_sync(): a ring of items, its lock, and the wake-up locks of the threads
 * that wait for it.
 *
 * The driver, on its loop's thread, fills the ring.  The reader, which is one other thread at
 * a time, empties it.  Any number of threads may wait for the end.
 */
#ifndef GENERATORS_BRIDGE_CHANNEL_H
#define GENERATORS_BRIDGE_CHANNEL_H

#include "core/ring.h"
#include "state.h"

/* A waiting thread.  Its lock is held, and is released once to wake it. */
typedef struct channel_waiter {
    PyThread_type_lock lock;     /* owned: the wake-up lock */
    struct channel_waiter *next; /* borrowed: in the channel's list */
    bool for_end;                /* waits for the end, not for an item */
    bool is_linked;              /* in the list: not woken yet */
} channel_waiter;

typedef struct {
    channel_waiter reader; /* for the thread in next() */

    PyObject *sizeof_item; /* owned: the user's function, or NULL */

    /* `lock` guards all of these.  No user code runs under it. */
    generators_lock lock;
    ring ring;               /* owned items */
    channel_waiter *waiters; /* linked ones */
    PyObject *error;         /* owned: raised when the ring is empty, or NULL */
    bool error_is_closing;   /* `error` was raised when the source was closed */
    bool is_asked;           /* an item is wanted, even if there is no room */
    bool is_parked;          /* the driver waits to be woken */
    bool is_closing;         /* nobody wants another item */
    bool is_draining;        /* nothing more is to be taken from the source */
    bool was_cut;            /* the driver has left the source for that */
    bool is_dropped;         /* nobody will take the error */
    bool has_ended;
} channel;

/* 0, or -1 with MemoryError. */
int channel_init(channel *self, size_t max_items, size_t max_bytes);
int channel_traverse(const channel *self, visitproc visit, void *arg);

/* Drop and free everything.  No thread may be waiting. */
void channel_clear(channel *self);

/* ---- for the driver ---- */

bool channel_is_closing(channel *self);

/* Whether nothing more is to be taken from the source. */
bool channel_is_draining(channel *self);

/* The source has not come to its end. */
void channel_set_cut(channel *self);
bool channel_was_cut(channel *self);

/* Whether an item may be put. */
bool channel_has_room(channel *self);

/* Put an item (stolen).  It is dropped if nobody wants it.  0, or -1 with MemoryError or what
   the user's function has raised. */
int channel_put(channel *self, PyObject *item);

/* Record that the driver waits until there is room.  False if it need not wait. */
bool channel_park(channel *self);

/* Wake the threads that can take something, or that waited for the end. */
void channel_wake(channel *self);

/* Set the error that the stream will raise (stolen).  `is_closing`: closing the source raised
   it. */
void channel_set_error(channel *self, PyObject *error, bool is_closing);

/* A new reference to the error that was set, or NULL. */
PyObject *channel_get_error(channel *self);

/* No more items will come.  Returns an error of closing that nobody will take, owned by the
   caller, or else NULL. */
PyObject *channel_end(channel *self);

/* ---- for the other threads ---- */

typedef enum {
    CHANNEL_ITEM,  /* *item is a new reference */
    CHANNEL_NONE,  /* there is none yet; it is now asked for */
    CHANNEL_END,   /* there are no more items */
    CHANNEL_ERROR, /* the source's exception is set; there are no more items */
} channel_answer;

channel_answer channel_take(channel *self, PyObject **item);

/* Whether the driver is parked although there is room, and so must be woken.  It then counts
   as woken; channel_unwake() reverts that. */
bool channel_must_wake_driver(channel *self);
void channel_unwake(channel *self);

/* Stop wanting items.  Returns whether the driver must be told. */
bool channel_close(channel *self);

/* Have nothing more be taken from the source.  Returns whether the driver must be told. */
bool channel_drain(channel *self);

/* How many items there are, and bytes. */
void channel_measure(channel *self, Py_ssize_t *items, Py_ssize_t *bytes);

/* Drop items that nobody will take. */
void channel_drop_items(channel *self);

/* Declare that nobody will take the error. */
void channel_drop(channel *self);

/* Link a waiter.  False if what it waits for is already there.  The reader waits for an item,
   for closing or for the end. */
bool channel_arm(channel *self, channel_waiter *waiter, bool for_end);

/* Sleep at most that long, after channel_arm().  1 if it was woken; 0 if it was not, perhaps
   before the time is over; -1 with the exception of a signal handler.  The waiter is no longer
   linked then. */
int channel_sleep(channel *self, channel_waiter *waiter, uint64_t nanoseconds);

/* 0, or -1 with the exception that closing raised, if the channel has ended with one. */
int channel_raise_closing_error(channel *self);

int channel_waiter_init(channel_waiter *self);
void channel_waiter_free(channel_waiter *self);

#endif
