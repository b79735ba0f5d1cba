/* Dispatcher.subscribe(): see subscribe.c. */
#ifndef GENERATORS_EVENTS_SUBSCRIBE_H
#define GENERATORS_EVENTS_SUBSCRIBE_H

#include "events/dispatcher.h"

PyObject *dispatcher_subscribe(PyObject *op, PyObject *args, PyObject *kwargs);
extern const char dispatcher_subscribe_doc[];

/* Publish the data of an event: a new reference to what must be awaited, or to None; NULL with
   an exception.  *is_over says that the stream has ended. */
PyObject *subscribe_publish(handler *item, PyObject *data, bool can_await, bool *is_over);

/* End the stream after what it holds.  0 or -1. */
int subscribe_close(handler *item);

#endif
