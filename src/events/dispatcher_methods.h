/* The type Dispatcher: see dispatcher_methods.c. */
#ifndef GENERATORS_EVENTS_DISPATCHER_METHODS_H
#define GENERATORS_EVENTS_DISPATCHER_METHODS_H

#include "state.h"

extern PyType_Spec dispatcher_spec;

#endif
