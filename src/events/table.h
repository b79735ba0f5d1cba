/* A table of handlers by the type of event: see table.c. */
#ifndef GENERATORS_EVENTS_TABLE_H
#define GENERATORS_EVENTS_TABLE_H

#include "events/topic.h"

#define EVENT_TYPES_CACHED 32 /* a power of two */

typedef struct {
    PyObject *topics; /* owned: a dict from type to event_topic */
    struct {
        PyObject *type;     /* owned: an exact str, or NULL */
        event_topic *topic; /* owned */
    } cache[EVENT_TYPES_CACHED];
    event_topic *errors;   /* owned: the topic of 'error' */
    event_topic *every;    /* owned: the topic of None, whose handlers receive all events */
    event_topic *fallback; /* owned: the topic of the default handler */
    bool errors_are_async; /* one of the 'error' handlers is async */
} event_table;

/* Bits of event_route.flags. */
enum {
    ROUTE_IS_ASYNC = 1, /* one of the handlers is async */
    ROUTE_IS_ERROR = 2, /* they are the 'error' handlers */
    ROUTE_IS_WHOLE = 4, /* one of the handlers receives the whole event */
    ROUTE_IS_SPECIAL =
        8, /* the short way of a dispatch cannot give the event to all of them */
};

/* The handlers of an event, as they were when the table was asked. */
typedef struct {
    PyObject *handlers; /* owned: a tuple, or NULL */
    unsigned flags;     /* written and read as one number: reading several bools at once, as
                           compilers do, stalls until each was stored */
} event_route;

/* The caller of each of these functions holds the critical section of the dispatcher.  User
   code can run in __hash__() and __eq__() of a type. */
int event_table_open(event_table *self, generators_state *state);

/* Find the handlers of a type, else the default handler; and after those the handlers of all
   events.  1 and *route; 0 if there are none; or -1. */
int event_table_look_up(event_table *self, PyObject *type, event_route *route);

/* The place of a type in the cache, by its address. */
static inline size_t
event_table_place(PyObject *type)
{
    uintptr_t address = (uintptr_t)type;
    return (size_t)((address >> 4) ^ (address >> 7)) & (EVENT_TYPES_CACHED - 1);
}

/* event_table_look_up() with a cache.  Inline because every event calls it. */
static inline int
event_table_find(event_table *self, PyObject *type, event_route *route)
{
    size_t place = event_table_place(type);
    event_topic *topic = self->cache[place].topic;
    if (self->cache[place].type != type || PyTuple_GET_SIZE(topic->handlers) == 0) {
        return event_table_look_up(self, type, route);
    }
    route->handlers = Py_NewRef(topic->handlers);
    route->flags = (topic->is_async ? ROUTE_IS_ASYNC : 0U) |
                   (topic == self->errors ? ROUTE_IS_ERROR : 0U) |
                   (topic->is_plain ? 0U : ROUTE_IS_SPECIAL);
    return 1;
}

/* Find the 'error' handlers, which receive a failure: 1 and *route, or 0 if there are none. */
int event_table_find_errors(event_table *self, event_route *route);

/* The types that have handlers, but for None, in the order in which each got its first: a new
   list, or NULL. */
PyObject *event_table_types(event_table *self);

/* The handlers of exactly this type: a new tuple, or NULL with an exception. */
PyObject *event_table_handlers(event_table *self, generators_state *state, PyObject *type);

/* Add a handler after the others of its type.  0 or -1. */
int event_table_add(event_table *self, generators_state *state, handler *item);

/* Remove a handler, if it is there.  0 or -1. */
int event_table_remove(event_table *self, handler *item);

/* All handlers in order of registration: a new list, or NULL. */
PyObject *event_table_list(event_table *self);

void event_table_clear(event_table *self);
int event_table_traverse(event_table *self, visitproc visit, void *arg);

#endif
