/* The handlers of one type of event: see topic.c. */
#ifndef GENERATORS_EVENTS_TOPIC_H
#define GENERATORS_EVENTS_TOPIC_H

#include "events/handler.h"

/* Here for event_table_find(), which every event calls. */
typedef struct {
    PyObject_HEAD
    PyObject *handlers; /* owned: a tuple of handlers.  It is replaced and never changed, so
                           that a dispatch can iterate over it. */
    bool is_async;      /* one of the handlers is async */
    bool is_plain;      /* the short way of a dispatch can give an event to all of them */
} event_topic;

/* A topic without handlers, or NULL. */
event_topic *event_topic_new(generators_state *state);

/* Add a handler after the others.  0 or -1. */
int event_topic_add(event_topic *topic, handler *item);

/* Remove a handler: 1; 0 if it is not there; or -1. */
int event_topic_remove(event_topic *topic, handler *item);

extern PyType_Spec event_topic_spec;

#endif
