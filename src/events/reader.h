/* Reading an event's type or data: see reader.c. */
#ifndef GENERATORS_EVENTS_READER_H
#define GENERATORS_EVENTS_READER_H

#include "events/attribute_lookup.h"

#define EVENT_LOOKUPS 4

typedef struct {
    PyObject *name; /* owned: an interned name of an attribute or key; or a callable */
    bool is_callable;
    attribute_lookup lookups[EVENT_LOOKUPS]; /* a cache, by the version of the event's type */
} event_reader;

/* `what` is "key" or "data", for messages.  0 or -1. */
int event_reader_open(event_reader *self, PyObject *name, const char *what);

/* The type or data of an event: a new reference, or NULL. */
PyObject *event_reader_read(event_reader *self, PyObject *event);

int event_reader_traverse(event_reader *self, visitproc visit, void *arg);
void event_reader_clear(event_reader *self);

#endif
