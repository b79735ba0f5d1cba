/* The coroutines of a Dispatcher: see event_coroutine.c. */
#ifndef GENERATORS_EVENTS_EVENT_COROUTINE_H
#define GENERATORS_EVENTS_EVENT_COROUTINE_H

#include "events/event_coroutine_step.h"

/* Make a coroutine with the arguments of a method, or NULL for those that it has not.  NULL
   with an exception. */
PyObject *event_coroutine_new(dispatcher *owner, event_coroutine_method method,
                              PyObject *first, PyObject *second);

extern PyType_Spec event_coroutine_spec;

#endif
