/* What a Dispatcher holds, for all files of this room: see dispatcher.c. */
#ifndef GENERATORS_EVENTS_DISPATCHER_H
#define GENERATORS_EVENTS_DISPATCHER_H

#include "events/queue.h"
#include "events/reader.h"
#include "events/table.h"

typedef struct dispatch_waiter dispatch_waiter; /* see waiters.h */

/* Here for the paths that every event takes. */
typedef struct {
    PyObject_HEAD
    generators_state *state; /* borrowed: the type holds the module */
    event_table table;
    event_queue queue;  /* events that were dispatched while the dispatcher was held, or
                           that an aborted dispatch left */
    PyObject *removed;  /* owned: a list of handlers that were removed during the current
                           event and must be closed after it; or NULL */
    PyObject *ending;   /* owned: a list of background handlers that were removed and still run
                           the events that they hold; or NULL */
    PyObject *variable; /* owned: a ContextVar that is set while async and background handlers
                           run; or NULL */
    PyObject *token;    /* borrowed from the current dispatch: the variable's value; or NULL */
    dispatch_waiter *waiters, *waiters_last; /* borrowed: async calls that wait to dispatch.
                                                Each unlinks itself before it is freed. */
    PyObject *loop; /* owned: the event loop in which handlers were awaited last; or NULL */
    PyObject *weak_references;
    uint64_t serial; /* of the newest handler or token */
    event_reader key, data;
    generators_flag steps; /* a handler runs that the current dispatch awaits */
    bool busy;             /* a dispatch holds it: one call, on one thread */
    bool closing; /* it takes no more events; the dispatch that holds it closes the handlers */
    bool closed;  /* the handlers are closed */
} dispatcher;

/* Raise RuntimeError: the dispatcher is closed. */
void dispatcher_refuse_closed(void);

/* Whether it takes no more events. */
static inline bool
dispatcher_is_closing(dispatcher *self)
{
    bool closing;
    Py_BEGIN_CRITICAL_SECTION(self);
    closing = self->closing;
    Py_END_CRITICAL_SECTION();
    return closing;
}

typedef enum {
    CALLER_OUTSIDE,
    CALLER_HANDLER,    /* an async handler of the current dispatch, or a task that such a
                          handler started.  If it waited for the dispatch to end, it would wait
                          for itself. */
    CALLER_BACKGROUND, /* a background handler, or a task that it started.  The current
                          dispatch may wait for it. */
} dispatcher_caller;

/* Who calls.  The caller holds the critical section. */
dispatcher_caller dispatcher_find_caller(dispatcher *self);

/* Whether the caller runs in this background handler. */
bool dispatcher_is_called_by(dispatcher *self, handler *item);

/* Make the context variable, if there is none yet.  0 or -1. */
int dispatcher_make_variable(dispatcher *self);

/* Keep the running event loop as `loop`.  0, also if none runs; or -1. */
int dispatcher_keep_loop(dispatcher *self);

int dispatcher_traverse(PyObject *op, visitproc visit, void *arg);
int dispatcher_clear(PyObject *op);
void dispatcher_dealloc(PyObject *op);

#endif
