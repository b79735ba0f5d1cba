/* An async call of a Dispatcher: see call.c. */
#ifndef GENERATORS_EVENTS_CALL_H
#define GENERATORS_EVENTS_CALL_H

#include "events/events.h"

typedef enum {
    STATE_NEW,
    STATE_WAITING, /* in the line */
    STATE_TURN,
    STATE_SOURCE,
    STATE_PAUSE,
    STATE_ENDING, /* the source is being closed */
    STATE_OVER,
} call_state;

typedef struct {
    PyObject_HEAD
    dispatcher *owner;  /* owned */
    PyObject *event;    /* owned: to be dispatched; NULL for emit() */
    PyObject *type;     /* owned */
    PyObject *data;     /* owned */
    PyObject *source;   /* owned: of events, for arun(); its iterator when it has begun */
    PyObject *awaited;  /* owned: an iterator, or NULL */
    PyObject *failure;  /* owned: to be raised when the source is closed; or NULL */
    turn *turn;         /* owned: the one held while a handler is awaited, or NULL */
    event_waiter place; /* in the line */
    uint64_t since;     /* it has not let the others run */
    unsigned count;     /* of events since then */
    call_kind kind;
    call_state state;
    bool running; /* a step is under way */
    bool handled;
    bool is_async_source;
    bool closes_source;
    bool is_finalized; /* which is done once */
    PyObject *weak_references;
} event_call;

/* Send `value`, or throw `exception`, into what is awaited and go on from there. */
PySendResult event_call_step(event_call *self, PyObject *value, PyObject *exception,
                             PyObject **result);

extern PyType_Spec event_call_spec;

#endif
