/* Starting a dispatch: see dispatch_start.c. */
#ifndef GENERATORS_EVENTS_DISPATCH_START_H
#define GENERATORS_EVENTS_DISPATCH_START_H

#include "events/dispatch.h"

typedef enum {
    DISPATCH_ERROR = -1,
    DISPATCH_NONE,    /* there is no handler, and nothing is done */
    DISPATCH_DONE,    /* all handlers have received the event, and nothing is left to do */
    DISPATCH_STARTED, /* the dispatcher is held; call dispatch_advance() */
    DISPATCH_QUEUED,  /* the current dispatch will run it */
    DISPATCH_WAITS,   /* another call comes first; the waiter is in the line */
} dispatch_status;

/* Start a dispatch.  `event` is NULL for emit(), `waiter` is NULL for a sync call.  *self is
   set if the status is DISPATCH_STARTED. */
dispatch_status dispatch_start(dispatch *self, dispatcher *owner, PyObject *event,
                               PyObject *type, PyObject *data, dispatch_waiter *waiter);

/* The same for an ErrorEvent of a background handler, for the 'error' handlers alone. */
dispatch_status dispatch_start_report(dispatch *self, dispatcher *owner, PyObject *failure,
                                      dispatch_waiter *waiter);

/* The same for close() and aclose().  DISPATCH_NONE if it was closed before. */
dispatch_status dispatch_start_closing(dispatch *self, dispatcher *owner,
                                       dispatch_waiter *waiter);

#endif
