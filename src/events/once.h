/* An event goes to wait_for(): see once.c. */
#ifndef GENERATORS_EVENTS_ONCE_H
#define GENERATORS_EVENTS_ONCE_H

#include "events/dispatcher.h"

/* Offer the data of an event to a handler of wait_for().  0; or -1 with an exception of
   `where` that is no Exception, or that a loop raised. */
int once_offer(dispatcher *owner, handler *item, PyObject *data);

/* End wait_for() with the data of an event or with an exception.  Each is stolen; one of them
   is NULL.  0 or -1. */
int once_settle(dispatcher *owner, handler *item, PyObject *data, PyObject *failure);

/* The dispatcher closes its handlers.  0 or -1. */
int once_close(dispatcher *owner, handler *item);

#endif
