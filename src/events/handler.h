/* One handler of events: see handler.c. */
#ifndef GENERATORS_EVENTS_HANDLER_H
#define GENERATORS_EVENTS_HANDLER_H

#include "events/mailbox.h"

typedef enum {
    HANDLER_GENERATOR, /* receives data by send() */
    HANDLER_CALLABLE,  /* is called with the data */
    HANDLER_COROUTINE, /* is called; its result is awaited */
    HANDLER_ASYNCGEN,  /* receives data by asend(), which is awaited */
    HANDLER_ONCE,      /* wait_for(): receives data until one is what it waits for */
    HANDLER_STREAM,    /* subscribe(): `object` is a Broadcast, which publishes the data */
} handler_kind;

/* Here for the paths that every event takes. */
typedef struct {
    PyObject_HEAD
    PyObject *type;    /* owned: the type of its events; None if it receives the events of all
                          types; NULL for the default handler */
    PyObject *object;  /* owned: the object that was registered */
    PyObject *target;  /* owned: the object that is sent to or called.  NULL when it has ended
                          or was closed, and before an async generator is made.  Changed only
                          by the call that registers the handler, and then by the call that
                          holds the dispatcher. */
    sendfunc send;     /* for `target`, if it is a generator */
    PyObject *value;   /* owned: the value that it returned, or what wait_for() received; or
                          NULL */
    PyObject *failure; /* owned: the exception that ends wait_for(), or NULL */
    PyObject *future, *loop; /* owned: what wait_for() awaits, and its loop; or NULL */
    event_mailbox *mailbox;  /* owned: of a background handler; or NULL */
    uint64_t serial;         /* order of registration */
    generators_count calls, errors, awaits; /* see the getters */
    handler_kind kind;
    bool is_function;       /* `target` is the generator that calling `object` makes */
    bool restart;           /* make a new generator when this one fails */
    bool primed;            /* it has been started */
    bool is_whole;          /* it receives the whole event: the type is None or NULL */
    bool is_error;          /* its type is that of the 'error' handlers */
    generators_flag active; /* it receives events */
} handler;

/* Whether a dispatch must await it. */
static inline bool
handler_is_async(const handler *self)
{
    return self->mailbox == NULL &&
           (self->kind == HANDLER_COROUTINE || self->kind == HANDLER_ASYNCGEN);
}

/* Whether the short way of a dispatch can give it an event. */
static inline bool
handler_is_plain(const handler *self)
{
    return self->mailbox == NULL && self->kind <= HANDLER_CALLABLE && !self->is_whole;
}

/* Make a handler that is ready for its first event.  A generator is made and primed, which
   runs user code.  If the generator returns at once, the handler is not active. */
handler *handler_new(generators_state *state, PyObject *type, PyObject *object, bool restart);

/* Make a handler for wait_for() or subscribe().  `object` is what it needs for that. */
handler *handler_new_special(generators_state *state, PyObject *type, handler_kind kind,
                             PyObject *object);

/* Whether on() made it. */
static inline bool
handler_is_listed(const handler *self)
{
    return self->kind < HANDLER_ONCE;
}

/* Make a new generator from a generator function, and prime it; or make an async generator.
   0 or -1. */
int handler_start(handler *self);

/* The generator returned `value`.  The handler becomes inactive.  Return whether it was
   active before. */
bool handler_returned(handler *self, PyObject *value);

/* The handler raised `exception`.  A generator function is called and primed again, if that
   was asked for.  Otherwise the handler becomes inactive, and a note on the exception says so.
   *second is an exception that was raised meanwhile, owned, or NULL. */
void handler_failed(handler *self, PyObject *exception, PyObject **second);

/* Close the generator: 0 or -1; or 1 and *closing, which must be awaited.  An async generator
   that can't be closed here is left to its event loop. */
int handler_close(handler *self, bool can_await, PyObject **closing);

extern PyType_Spec event_handler_spec;

#endif
