/* What an async call does in its steps: see steps.c. */
#ifndef GENERATORS_EVENTS_STEPS_H
#define GENERATORS_EVENTS_STEPS_H

#include "aio/coroutine.h"
#include "events/events.h"
#include "runtime/budget.h"

/* Which method gave it; __aenter__() is the last. */
typedef enum { CALL_EMIT, CALL_DISPATCH, CALL_RUN, CALL_CLOSE, CALL_ENTER } event_call_kind;

/* What it awaits. */
typedef enum {
    CALL_NEW,
    CALL_WAITING,   /* its place in the line of those that want to dispatch */
    CALL_IN_TURN,   /* a handler */
    CALL_AT_SOURCE, /* the next event */
    CALL_PAUSED,    /* the loop, which it lets run */
    CALL_ENDING,    /* the source, which is being closed */
} event_call_state;

typedef struct {
    coroutine base;
    dispatcher *owner;  /* owned */
    PyObject *event;    /* owned: to be dispatched; NULL for emit() */
    PyObject *type;     /* owned */
    PyObject *data;     /* owned */
    PyObject *source;   /* owned: of events, for arun(); its iterator once it has begun */
    PyObject *failure;  /* owned: to be raised when the source is closed; or NULL */
    turn *turn;         /* owned: while a handler is awaited; or NULL */
    event_waiter place; /* in the line */
    turn_budget budget; /* of arun() */
    event_call_kind kind;
    event_call_state state;
    bool handled;
    bool is_async_source;
    bool closes_source;
    bool is_closing; /* it was thrown GeneratorExit: it awaits nothing more */
} event_call;

/* The step of its coroutine. */
PySendResult event_call_step(coroutine *self, PyObject *value, PyObject *exception,
                             PyObject **result);

/* End the turn or leave the line, where it was given up. */
void event_call_leave(event_call *self);

#endif
