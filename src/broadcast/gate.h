/* Who waits for something in a Broadcast: for an item, or for room.
 *
 * A step or coroutine waits on its loop with a waiter (aio/waiter.h), a thread on a lock of
 * its own.  All who wait on one loop are woken by one callback of that loop, however many
 * they are: see gate.c.
 */
#ifndef GENERATORS_BROADCAST_GATE_H
#define GENERATORS_BROADCAST_GATE_H

#include "state.h"

typedef struct gate_waker gate_waker;

/* The place of one who waits on a loop. */
typedef struct {
    gate_waker *waker;   /* owned: of the loop, or NULL before the first wait */
    uint64_t generation; /* the waker's, of the last wait */
    size_t index;        /* in the waker's list, while the generation is the same */
} gate_place;

/* A thread that waits.  Its lock is held, and is released once to wake it. */
typedef struct gate_thread {
    PyThread_type_lock lock;  /* owned, or NULL */
    struct gate_thread *next; /* borrowed */
    bool is_linked;           /* in the gate's list: not woken yet */
} gate_thread;

/* `lock` of the owner guards all of it, and each waker's list. */
typedef struct {
    gate_waker **wakers; /* owned: one for each loop */
    size_t count, room;
    gate_thread *threads; /* borrowed */
} gate;

/* ---- on a loop ---- */

/* Have the waker of the loop in `place`.  `owner` is the object that `gated` and `lock` are
   part of.  0, or -1 with an exception set. */
int gate_find_waker(gate *gated, generators_lock *lock, PyObject *owner,
                    generators_state *state, gate_place *place, PyObject *loop);

/* The loop that runs here, if that is known without asking: borrowed, or NULL. */
PyObject *gate_known_loop(const gate_place *place);

/* Wait there, in place of an earlier wait.  The lock is held.  False if there is no memory.
 *earlier is what the caller must release after the lock, or NULL. */
bool gate_wait(gate_place *place, PyObject *waiter, PyObject **earlier);

/* Wait no more, and drop the waker. */
void gate_leave(generators_lock *lock, gate_place *place);

/* The loop of the last wait is closed: 1, 0, or -1 with an exception set. */
int gate_is_lost(const gate_waker *waker);

int gate_place_traverse(const gate_place *place, visitproc visit, void *arg);

/* ---- in a thread ---- */

int gate_thread_init(gate_thread *self);
void gate_thread_free(gate_thread *self);

/* The lock is held. */
void gate_link(gate *gated, gate_thread *thread);

/* Sleep at most that long, or for ever, until the thread is woken.  1 if it was; 0 if it
   was not, perhaps before the time is over; -1 with the exception of a signal handler.  It is
   not linked then. */
#define GATE_FOREVER UINT64_MAX
int gate_sleep(gate *gated, generators_lock *lock, gate_thread *thread, uint64_t nanoseconds);

/* Wake one thread, if it waits.  The lock is held. */
void gate_wake_thread(gate *gated, gate_thread *thread);

/* ---- waking ---- */

/* Wake all.  The lock is not held.  0, or -1 with an exception set: some may not be woken. */
int gate_open(gate *gated, generators_lock *lock);

int gate_traverse(const gate *gated, visitproc visit, void *arg);

/* Nobody may wait. */
void gate_clear(gate *gated);

extern PyType_Spec gate_waker_spec;

#endif
