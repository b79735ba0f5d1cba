/* The machine of a Broadcast, for whoever publishes: see hub.c. */
#ifndef GENERATORS_BROADCAST_HUB_H
#define GENERATORS_BROADCAST_HUB_H

#include "broadcast/hub_state.h"

typedef enum {
    HUB_ERROR = -1,
    HUB_PUBLISHED,
    HUB_FULL,   /* a subscriber must be waited for: nobody got the item */
    HUB_CLOSED, /* the same for ever */
} hub_status;

/* Give an item to each subscriber; *given is how many got it. */
hub_status hub_publish(hub *self, PyObject *item, Py_ssize_t *given);

/* Wait for room on a loop: 1 and *waiter (new), 0 where there is room now, or -1. */
int hub_wait_for_room(hub *self, gate_place *place, PyObject *loop, PyObject **waiter);

/* The same in a thread: 1 when it may try again, or -1. */
int hub_sleep_for_room(hub *self, gate_thread *thread);

/* No more items.  `failure`, if it is not NULL, is what each subscriber will raise.  Nothing
   happens where the hub is closed already.  0 or -1. */
int hub_close(hub *self, PyObject *failure);

bool hub_is_closed(hub *self);

/* Raise RuntimeError: it is closed. */
void hub_refuse_closed(void);

/* Count one item that could be published at once: whether the loop must have its turn now. */
bool hub_spend(hub *self);

/* Somebody may have room now: wake those who wait for it.  What fails is unraisable; what is
   raised stays. */
void hub_open_vacancy(hub *self);

/* ---- memory ---- */

int hub_traverse(PyObject *op, visitproc visit, void *arg);
int hub_clear(PyObject *op);
void hub_dealloc(PyObject *op);

#endif
