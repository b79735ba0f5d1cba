/* What a background handler holds: see mailbox.c. */
#ifndef GENERATORS_EVENTS_MAILBOX_H
#define GENERATORS_EVENTS_MAILBOX_H

#include "events/queue.h"

/* What becomes of an event for which a mailbox has no room. */
typedef enum {
    MAILBOX_WAIT,        /* a dispatch waits for room */
    MAILBOX_DROP_OLDEST, /* the oldest event is dropped */
    MAILBOX_DROP_NEWEST, /* this event is dropped */
    MAILBOX_CLOSE,       /* the handler is removed, after the events that it holds */
} mailbox_policy;

/* All of it is changed in the critical section of the dispatcher. */
typedef struct {
    event_queue events;
    size_t limit; /* of events */
    mailbox_policy policy;
    generators_count dropped; /* events */
    generators_count held;    /* events.count, to be read on any thread */
    PyObject *context;        /* owned: the context in which the task runs */
    PyObject *task;           /* owned: the task, or NULL */
    PyObject *loop;           /* owned: its loop, or NULL */
    PyObject *bell; /* owned: the future that the task awaits while there is no event;
                       or NULL */
    PyObject *gate; /* owned: the future of a dispatch that waits for room, or for the end;
                       or NULL */
    PyObject *gate_loop;    /* owned: its loop; or NULL */
    PyObject *close_errors; /* owned: exceptions for the dispatch that closes all handlers; or
                               NULL */
    void *worker;           /* borrowed: the coroutine of the task; NULL if there is none */
    bool is_ending;         /* the task ends after the events that are held */
    bool is_cancelled;      /* the task was cancelled by a dispatch that closes all handlers */
} event_mailbox;

/* `policy` is the name of one of the above.  NULL with ValueError or TypeError. */
event_mailbox *mailbox_new(Py_ssize_t limit, PyObject *policy);

void mailbox_free(event_mailbox *self); /* it may be NULL */
int mailbox_traverse(event_mailbox *self, visitproc visit, void *arg);

#endif
