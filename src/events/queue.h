/* A queue of events: see queue.c. */
#ifndef GENERATORS_EVENTS_QUEUE_H
#define GENERATORS_EVENTS_QUEUE_H

#include "state.h"

/* An event, as it is dispatched. */
typedef struct {
    PyObject *event; /* owned: the whole event; NULL if only type and data were given */
    PyObject *type;  /* owned */
    PyObject *data;  /* owned */
    bool is_own;     /* it belongs to the call that runs the queue */
    bool is_report;  /* it is a failure for the 'error' handlers, and for no others */
} event_record;

void event_record_clear(event_record *self);

typedef struct {
    event_record *items; /* owned: a ring of `room` places, a power of two */
    size_t room, first, count;
} event_queue;

/* Add an event at the end.  What it owns moves into the queue.  0, or -1 with MemoryError. */
int event_queue_put(event_queue *self, event_record *item);

/* Move the first event into *item.  False if the queue is empty. */
bool event_queue_take(event_queue *self, event_record *item);

/* Move the last event into *item.  False if the queue is empty. */
bool event_queue_take_last(event_queue *self, event_record *item);

void event_queue_clear(event_queue *self);
int event_queue_traverse(event_queue *self, visitproc visit, void *arg);

#endif
