/* An event goes to a background handler: see post.c. */
#ifndef GENERATORS_EVENTS_POST_H
#define GENERATORS_EVENTS_POST_H

#include "events/dispatcher.h"

typedef enum {
    POST_ERROR = -1,
    POST_DONE,    /* the mailbox holds the event, or dropped one */
    POST_IS_FULL, /* it has no room; wait for it */
    POST_REFUSED, /* it has no room, and the handler receives no more events */
} post_status;

/* Put an event into the mailbox, and wake its task.  What `record` owns is stolen, unless the
   status is POST_IS_FULL. */
post_status post_event(dispatcher *owner, handler *item, event_record *record);

/* Make what a dispatch awaits for room in the mailbox or, if `for_end`, for the end of its
   task: 1 and *awaited; 0 if there is nothing to wait for; or -1. */
int post_wait(dispatcher *owner, handler *item, bool for_end, PyObject **awaited);

/* The handler receives no more events.  Its task ends after those that the mailbox holds: 1; 0
   if there is no task, and the caller closes the handler; or -1. */
int post_finish(dispatcher *owner, handler *item);

/* For the task: the handler has run the events that it held. */
void post_forget_ending(dispatcher *owner, handler *item);

/* Drop the events that the mailbox holds, and cancel its task.  0 or -1. */
int post_cancel(dispatcher *owner, handler *item);

/* For the task: wake the dispatch that waits, if any.  0 or -1. */
int post_open_gate(dispatcher *owner, handler *item);

/* Raise asyncio.QueueFull. */
void post_raise_full(handler *item);

#endif
