/* Async calls that wait to dispatch: see waiters.c. */
#ifndef GENERATORS_EVENTS_WAITERS_H
#define GENERATORS_EVENTS_WAITERS_H

#include "events/dispatcher.h"

/* The place of an async call in the line.  Changed in the critical section of the dispatcher.
 */
struct dispatch_waiter {
    dispatch_waiter *previous, *next;
    PyObject *future; /* owned: wakes the call, once; NULL before and after that */
    PyObject *loop;   /* owned: the future's loop */
    bool is_linked;
};

/* These three are for a caller that holds the critical section.  Whether this call can hold
   the dispatcher now: */
bool waiters_is_free(dispatcher *owner, dispatch_waiter *waiter);
void waiters_link(dispatcher *owner, dispatch_waiter *waiter);
void waiters_unlink(dispatcher *owner, dispatch_waiter *waiter);

/* Make what a call awaits that is in the line: 1 and *awaited; 0 if it need not wait any
   more; or -1. */
int waiters_wait(dispatcher *owner, dispatch_waiter *waiter, PyObject **awaited);

/* Leave the line, and wake the call that is first now.  0 or -1, as waiters_wake(). */
int waiters_leave(dispatcher *owner, dispatch_waiter *waiter);

/* Wake the first call in the line, or all of them.  0; or -1 with an exception that a loop
   raised and that must be raised.  An exception that was set before stays set, or becomes its
   context. */
int waiters_wake(dispatcher *owner, bool all);

#endif
