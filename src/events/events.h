/* Events to handlers: what the parts of a Dispatcher know of each other.
 *
 *   handler.c     one handler: its kind, its life, what is removed and started again
 *   table.c       which handlers a type of event has
 *   queue.c       events that wait for the dispatch under way to end
 *   reader.c      the key and the data of an event
 *   attribute_lookup.c   where in an event they are
 *   begin.c       whose turn it is to dispatch
 *   turn.c        one dispatch: a machine that both faces drive
 *   failure.c     what goes wrong in it
 *   register.c    on() and off()
 *   dispatcher.c  the type, and the sync face
 *   call.c        the async face: what aemit(), adispatch(), arun(), aclose() give
 *   steps.c       what it does between two stops
 *   wait.c        async calls that wait for their turn
 */
#ifndef GENERATORS_EVENTS_EVENTS_H
#define GENERATORS_EVENTS_EVENTS_H
#include "events/attribute_lookup.h"
#include "runtime/raising.h"
#include "state.h"

typedef struct dispatcher dispatcher;
typedef struct event_waiter event_waiter;

/* ---- one handler ---- */

typedef enum {
    HANDLER_GENERATOR, /* sent to */
    HANDLER_CALLABLE,  /* called */
    HANDLER_COROUTINE, /* called, and what it gives awaited */
    HANDLER_ASYNCGEN,  /* asend() awaited */
} handler_kind;

typedef struct {
    PyObject_HEAD
    PyObject *type;   /* owned: of the events that it gets; NULL for the default */
    PyObject *object; /* owned: as it was registered */
    PyObject *target; /* owned: what is sent to or called; NULL when it is closed or
                         ended, or is an async generator not made yet.  Only who
                         registers it or holds the dispatcher's turn touches it. */
    sendfunc send;    /* of `target`, where it is a generator */
    PyObject *value;  /* owned: what it returned, or NULL */
    uint64_t serial;  /* order of registration */
    handler_kind kind;
    bool is_function;       /* of generators: `target` is made by calling `object` */
    bool restart;           /* make it afresh when it fails */
    bool primed;            /* has reached its first yield */
    generators_flag active; /* gets events */
} handler;

static inline bool
handler_is_async(const handler *self)
{
    return self->kind >= HANDLER_COROUTINE;
}

/* A handler that is ready for its first event.  A generator is made and primed: user
   code runs.  It may have returned already: then it is not active. */
handler *handler_new(generators_state *state, PyObject *type, PyObject *object, bool restart);

/* Make and prime the generator of one that is a generator function, or make the async
   generator.  0 or -1. */
int handler_start(handler *self);

/* It returned that: it is not active any more.  Whether it was, until then. */
bool handler_returned(handler *self, PyObject *value);

/* It raised `exception`: it is started afresh if it must be, and if that can't be done
   it is not active any more, which a note tells.  What starting it raised is
   *second, owned; else NULL. */
void handler_failed(handler *self, PyObject *exception, PyObject **second);

/* Give up what is sent to, and close it: 0 or -1; or 1 and *closing, to be awaited.
   Where it can't be, an async generator is left to its loop. */
int handler_close(handler *self, bool can_await, PyObject **closing);

/* ---- events that wait ---- */

typedef struct {
    PyObject *event; /* owned; NULL where only type and data were given */
    PyObject *type;  /* owned */
    PyObject *data;  /* owned */
    bool is_own;     /* of the call that goes through the queue */
} posted;

void posted_clear(posted *self);

typedef struct {
    posted *items; /* owned: a ring of `room` places */
    size_t room, first, count;
} event_queue;

/* Put it in, which takes over what it owns.  0, or -1 with MemoryError. */
int event_queue_put(event_queue *self, posted *item);
bool event_queue_take(event_queue *self, posted *item);
void event_queue_clear(event_queue *self);
int event_queue_traverse(event_queue *self, visitproc visit, void *arg);

/* ---- which handlers a type has ---- */

/* The handlers of one type.  The tuple is never changed but replaced, so that a
   dispatch goes on over the one it began with. */
typedef struct {
    PyObject_HEAD
    PyObject *handlers; /* owned: a tuple of handlers */
    bool is_async;      /* one of them is */
} event_topic;

#define EVENT_TYPES_FOUND 32 /* a power of two */

typedef struct {
    PyObject *topics; /* owned: a dict of event_topic by type */
    struct {
        PyObject *type;         /* owned: an exact str, or NULL */
        event_topic *topic;     /* owned */
    } found[EVENT_TYPES_FOUND]; /* of late */
    event_topic *errors;        /* owned: the topic of 'error' */
    event_topic *fallback;      /* owned: of the default handler */
    bool errors_are_async;      /* one of the handlers of 'error' is */
} event_table;

/* The handlers of an event, as they were when the table was asked. */
typedef struct {
    PyObject *handlers; /* owned: a tuple, or NULL */
    bool is_async;      /* one of them is */
    bool is_error;      /* they are those of 'error' */
    bool is_default;    /* they are the default one, which gets the whole event */
} event_route;

/* For who holds the dispatcher's critical section; user code can run in __hash__ and
   __eq__ of a type. */
int event_table_open(event_table *self, generators_state *state);

/* The handlers of that type, else the default one: 1 and *route; 0 where there are none; or
   -1. */
int event_table_look_up(event_table *self, PyObject *type, event_route *route);

/* Where a type that was found is remembered: by its address. */
static inline size_t
event_table_place(PyObject *type)
{
    uintptr_t address = (uintptr_t)type;
    return (size_t)((address >> 4) ^ (address >> 7)) & (EVENT_TYPES_FOUND - 1);
}

/* The same, inline where the type was found of late: nearly every event comes here. */
static inline int
event_table_find(event_table *self, PyObject *type, event_route *route)
{
    size_t place = event_table_place(type);
    event_topic *topic = self->found[place].topic;
    if (self->found[place].type != type || PyTuple_GET_SIZE(topic->handlers) == 0) {
        return event_table_look_up(self, type, route);
    }
    route->handlers = Py_NewRef(topic->handlers);
    route->is_async = topic->is_async;
    route->is_error = topic == self->errors;
    route->is_default = false;
    return 1;
}

/* The handlers of 'error': 1 and *route, or 0 where there are none. */
int event_table_find_errors(event_table *self, event_route *route);

/* The handlers of that very type, a new tuple; NULL with an exception. */
PyObject *event_table_handlers(event_table *self, generators_state *state, PyObject *type);

/* Put a handler last among those of its type (NULL: it is the default).  0 or -1. */
int event_table_add(event_table *self, generators_state *state, handler *item);

/* 0 or -1; nothing where it is not there. */
int event_table_remove(event_table *self, handler *item);

/* All handlers in order of registration, a new list, or NULL. */
PyObject *event_table_list(event_table *self);

void event_table_clear(event_table *self);
int event_table_traverse(event_table *self, visitproc visit, void *arg);

/* ---- reading events ---- */

#define EVENT_LOOKUPS 4

typedef struct {
    PyObject *name; /* owned: of an attribute or mapping key, interned; or a callable */
    bool is_callable;
    attribute_lookup lookups[EVENT_LOOKUPS]; /* of late, by the version of the event's type */
} event_reader;

/* `what` is for messages: "key" or "data".  0 or -1. */
int event_reader_open(event_reader *self, PyObject *name, const char *what);

/* What it finds in the event, a new reference, or NULL. */
PyObject *event_reader_read(event_reader *self, PyObject *event);

int event_reader_traverse(event_reader *self, visitproc visit, void *arg);
void event_reader_clear(event_reader *self);

/* ---- the dispatcher ---- */

struct dispatcher {
    PyObject_HEAD
    generators_state *state; /* borrowed: its type holds the module */
    event_table table;
    event_queue queue;  /* what was dispatched while a turn was held, or was left by one
                           that was aborted */
    PyObject *leaving;  /* owned: a list of handlers to close when the event under way is
                           done with; or NULL */
    PyObject *variable; /* owned: the ContextVar in which async handlers run; or NULL */
    PyObject *token;    /* borrowed from the turn: the variable's value there; or NULL */
    event_waiter *waiting, *waiting_last; /* borrowed: async calls that wait for a turn; each
                                             unlinks itself before it goes */
    PyObject *weak_references;
    uint64_t serial; /* of the handler or token made last */
    event_reader key, data;
    bool busy;    /* a turn is held: by one call, on one thread */
    bool closing; /* takes nothing more; who holds the turn closes the handlers */
    bool closed;  /* that is done */
};

void dispatcher_refuse_closed(void);

/* Whether it takes nothing more. */
static inline bool
dispatcher_is_closing(dispatcher *self)
{
    bool closing;
    Py_BEGIN_CRITICAL_SECTION(self);
    closing = self->closing;
    Py_END_CRITICAL_SECTION();
    return closing;
}

/* Register a handler; `type` is NULL for the default one. */
handler *dispatcher_register(dispatcher *self, PyObject *type, PyObject *object, bool restart);

PyObject *dispatcher_on(PyObject *op, PyObject *args, PyObject *kwargs);
PyObject *dispatcher_off(PyObject *op, PyObject *const *args, Py_ssize_t count);
extern const char dispatcher_on_doc[], dispatcher_off_doc[];

/* ---- turns waited for ---- */

/* An async call's place in the line.  Changed in the dispatcher's critical section. */
struct event_waiter {
    event_waiter *previous, *next;
    PyObject *future; /* owned: to be woken by, once; NULL before and after */
    PyObject *loop;   /* owned: the future's */
    bool is_linked;
};

/* For who holds the critical section: whether a turn can be taken by that call. */
bool event_wait_is_free(dispatcher *owner, event_waiter *waiter);
void event_wait_link(dispatcher *owner, event_waiter *waiter);
void event_wait_unlink(dispatcher *owner, event_waiter *waiter);

/* For the rest.  Make what the call, which is linked, awaits: 1 and *awaited, 0 where
   its turn has come already, or -1. */
int event_wait_begin(dispatcher *owner, event_waiter *waiter, PyObject **awaited);

/* Leave the line; whoever is next is woken.  0 or -1, as event_wait_wake(). */
int event_wait_leave(dispatcher *owner, event_waiter *waiter);

/* Wake the first that waits, or all of them.  0; or -1 with an exception that a loop raised
   and that must pass.  One that is set before stays, or becomes its context. */
int event_wait_wake(dispatcher *owner, bool all);

/* ---- one dispatch ---- */

typedef enum {
    TURN_ERROR = -1,
    TURN_NOBODY, /* no handler: there is no turn */
    TURN_DONE,   /* they all have it, and there was no need of one */
    TURN_TAKEN,  /* the dispatcher is held: turn_go() */
    TURN_QUEUED, /* it will run after what runs now */
    TURN_WAIT,   /* another call holds it or comes first; the waiter is in the line */
} turn_status;

typedef enum { AWAIT_CALL, AWAIT_PRIMING, AWAIT_SENDING, AWAIT_CLOSING } turn_await;

/* One hold of the dispatcher: an event, the failures of its handlers, and what was
   queued meanwhile.  It belongs to a face, which holds the dispatcher. */
typedef struct {
    dispatcher *owner;   /* borrowed; NULL when the dispatcher has been let go */
    posted now;          /* the event under way */
    PyObject *handlers;  /* owned: the tuple being gone through, or NULL */
    Py_ssize_t next;     /* in it */
    PyObject *argument;  /* owned: what they get */
    handler *current;    /* owned: the one that is awaited, or NULL */
    PyObject *awaited;   /* owned: what turn_go() said is to be awaited; the face takes it */
    PyObject *token;     /* owned: see dispatcher.token; or NULL */
    PyObject *failures;  /* owned: a list of ErrorEvents to report; or NULL */
    Py_ssize_t reported; /* of them */
    PyObject *raised;    /* owned: what turn_keep() kept, to raise in the end; or NULL */
    PyObject *unclosed;  /* owned: a list of handlers to close, the last one first; or NULL */
    PyObject *torn;      /* owned: what closing all of them raised, kept so; or NULL */
    PyObject *aborted;   /* owned: an exception that is no Exception and ends it; or NULL */
    turn_await awaiting; /* why `current` is awaited */
    unsigned count;      /* of events */
    bool is_async;
    bool is_queued;    /* the event was queued, by another call than the one that dispatches */
    bool is_thrown;    /* an exception was thrown into what is awaited */
    bool is_error;     /* the handlers are those of 'error' */
    bool is_ending;    /* `unclosed` are all of the dispatcher's */
    bool leaves_queue; /* to the next dispatch */
} turn;

/* Dispatch: see turn_status.  `event` is NULL for emit(), `waiter` for a sync call.  A
   turn that is taken has been filled in. */
turn_status turn_begin(turn *self, dispatcher *owner, PyObject *event, PyObject *type,
                       PyObject *data, event_waiter *waiter);

/* The same for close() and aclose(): TURN_NOBODY where it was closed before. */
turn_status turn_begin_closing(turn *self, dispatcher *owner, event_waiter *waiter);

/* Go on: 1 where self->awaited is to be awaited, 0 at the end.  There the dispatcher is let
   go (`owner` is NULL), but for a turn that was aborted with events in the queue: someone
   must take its hold, or it must be told to leave the queue, and go on. */
int turn_go(turn *self);

/* Let `other`, which holds nothing, have the dispatcher. */
void turn_move_hold(turn *self, turn *other);

/* End it at once with that exception, which is given away; NULL with one that is set. */
void turn_abort(turn *self, PyObject *exception);

/* What was awaited gave `result` (given away), or if that is NULL the exception set. */
void turn_awaited(turn *self, PyObject *result);

/* Begin with an event, `now`, for which `route` (its handlers stolen) was found.  0 or
   -1. */
int turn_start_event(turn *self, event_route *route);

/* Whether a sync dispatch may go to those handlers: 0, or -1 with TypeError. */
int turn_check_sync(dispatcher *owner, event_route *route, PyObject *type);

/* Go through other handlers with another argument (both stolen) next. */
void turn_set_handlers(turn *self, PyObject *handlers, PyObject *argument);

/* What sending to a handler gave. */
void turn_sent(turn *self, handler *item, PySendResult status, PyObject *result);

/* What calling a handler gave: NULL with an exception, or a result, which is given
   away.  1 where it is to be awaited, else 0. */
int turn_called(turn *self, handler *item, PyObject *result);

/* An exception that nobody is told of is raised in the end.  It is given away.  `kept` is
   NULL, an exception, or a list of exceptions. */
void turn_keep(PyObject **kept, PyObject *exception);

/* A handler raised that, which is given away. */
void turn_fail(turn *self, handler *item, PyObject *exception);

/* No handler of 'error' gets that exception, which is given away: it is raised in the end or,
   if the event was queued, told to the loop that runs.  `failure` is its ErrorEvent or
   NULL. */
void turn_fail_unhandled(turn *self, PyObject *failure, PyObject *exception);

/* Call the exception handler of the loop that runs: 1; 0 where none runs; or -1 with an
   exception set. */
int failure_tell_loop(dispatcher *owner, PyObject *failure, PyObject *exception);

/* After its end: raise what is to be raised.  0 or -1. */
int turn_end(turn *self);

int turn_traverse(turn *self, visitproc visit, void *arg);
void turn_clear(turn *self);

/* ---- sources ---- */

/* The next item of an iterator, or NULL at its end: 0, or -1 with an exception.  Inline, for
   it is done for each event. */
static inline int
event_source_next(PyObject *source, PyObject **event)
{
    iternextfunc next = Py_TYPE(source)->tp_iternext; /* its class may have changed */
    if (next == NULL) {
        *event = NULL;
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator",
                     Py_TYPE(source)->tp_name);
        return -1;
    }
    *event = next(source);
    return *event != NULL || !PyErr_Occurred() ? 0 : raising_forgive(PyExc_StopIteration);
}

#endif
