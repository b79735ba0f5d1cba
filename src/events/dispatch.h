/* What a dispatch holds: see dispatch.c. */
#ifndef GENERATORS_EVENTS_DISPATCH_H
#define GENERATORS_EVENTS_DISPATCH_H

#include "events/dispatcher.h"

typedef enum {
    AWAIT_CALL,
    AWAIT_PRIMING,
    AWAIT_SENDING,
    AWAIT_CLOSING,
    AWAIT_PUBLISHING, /* room in a stream.  This and what follows run no handler. */
    AWAIT_ROOM,       /* in the mailbox of a background handler */
    AWAIT_END,        /* of the task of a background handler */
} dispatch_await;

/* One dispatch: an event, the failures of its handlers, and the events that were queued
   meanwhile.  It belongs to a front end (a call or a task). */
typedef struct {
    dispatcher *owner;   /* borrowed: the dispatcher that it holds; NULL after that */
    event_record now;    /* the current event */
    PyObject *handlers;  /* owned: the tuple of its handlers, or NULL */
    Py_ssize_t next;     /* the index of the next of them */
    PyObject *argument;  /* owned: what the handlers receive, but for those that receive the
                            whole event; or NULL */
    handler *current;    /* owned: the handler that is awaited, or NULL */
    PyObject *awaited;   /* owned: what must be awaited; the front end takes it; or NULL */
    PyObject *token;     /* owned: see dispatcher.token; or NULL */
    PyObject *failures;  /* owned: a list of ErrorEvents for the 'error' handlers; or NULL */
    Py_ssize_t reported; /* the number of them that were given to the 'error' handlers */
    PyObject *raised;    /* owned: by failure_keep(), to raise at the end; or NULL */
    PyObject *to_close;  /* owned: a list of handlers to close, the last one first; or NULL */
    PyObject *close_errors;  /* owned: the same, of closing all handlers; or NULL */
    PyObject *aborted;       /* owned: an exception that ended the dispatch at once; or NULL */
    dispatch_await awaiting; /* why `current` is awaited */
    unsigned count;          /* of events */
    bool is_async;
    bool is_queued;    /* the current event was queued by another call */
    bool is_error;     /* the handlers are those of 'error' */
    bool is_ending;    /* it closes all handlers of the dispatcher */
    bool leaves_queue; /* the queue is for the next dispatch */
} dispatch;

/* Whether a sync dispatch can call these handlers: 0, or -1 with TypeError.  It can await
   neither them nor an 'error' handler. */
int dispatch_check_sync(dispatcher *owner, event_route *route, PyObject *type);

/* Start with the event `now`.  The handlers of `route` are stolen.  0 or -1. */
int dispatch_set_event(dispatch *self, event_route *route);

/* Go to these handlers with this argument next.  Both are stolen. */
void dispatch_set_handlers(dispatch *self, PyObject *handlers, PyObject *argument);

/* Move the hold of the dispatcher to `other`, which holds nothing. */
void dispatch_move_hold(dispatch *self, dispatch *other);

int dispatch_traverse(dispatch *self, visitproc visit, void *arg);
void dispatch_clear(dispatch *self);

#endif
