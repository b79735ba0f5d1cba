/* Dispatcher.wait_for(): see wait_for.c. */
#ifndef GENERATORS_EVENTS_WAIT_FOR_H
#define GENERATORS_EVENTS_WAIT_FOR_H

#include "state.h"

PyObject *dispatcher_wait_for(PyObject *op, PyObject *args, PyObject *kwargs);
extern const char dispatcher_wait_for_doc[];

extern PyType_Spec event_wait_spec;

#endif
