/* The steps of a Dispatcher's coroutines: see event_coroutine_step.c. */
#ifndef GENERATORS_EVENTS_EVENT_COROUTINE_STEP_H
#define GENERATORS_EVENTS_EVENT_COROUTINE_STEP_H

#include "aio/arun_source.h"
#include "events/dispatch.h"
#include "events/waiters.h"
#include "runtime/budget.h"

/* The method that returned it.  METHOD_AENTER is the last. */
typedef enum {
    METHOD_AEMIT,
    METHOD_ADISPATCH,
    METHOD_ARUN,
    METHOD_ACLOSE,
    METHOD_REPORT, /* the task of a background handler */
    METHOD_AENTER,
} event_coroutine_method;

/* What it awaits. */
typedef enum {
    STEP_NEW,
    STEP_WAITING,     /* the end of the current dispatch */
    STEP_DISPATCHING, /* a handler */
    STEP_AT_SOURCE,   /* the next event */
    STEP_PAUSED,      /* one iteration of the event loop */
    STEP_ENDING,      /* aclose() of the source */
} event_coroutine_state;

typedef struct {
    coroutine base;
    dispatcher *owner;     /* owned */
    PyObject *event;       /* owned: the event to dispatch; NULL for aemit() */
    PyObject *type;        /* owned */
    PyObject *data;        /* owned */
    arun_source source;    /* of arun() */
    dispatch *dispatch;    /* owned: while a handler is awaited; or NULL */
    dispatch_waiter place; /* in the line */
    turn_budget budget;    /* of arun() */
    event_coroutine_method method;
    event_coroutine_state state;
    bool handled;    /* the event had a handler */
    bool is_closing; /* GeneratorExit was thrown in: it awaits nothing more */
} event_coroutine;

/* The step of a coroutine_kind. */
PySendResult event_coroutine_step(coroutine *self, PyObject *value, PyObject *exception,
                                  PyObject **result);

/* The first step of aemit(), in fewer instructions: most of its coroutines end in it. */
PySendResult event_coroutine_first_step(event_coroutine *self, PyObject **result);

/* End the dispatch and leave the line, for a coroutine that is dropped or closed. */
void event_coroutine_leave(event_coroutine *self);

#endif
