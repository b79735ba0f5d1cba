#ifndef GENERATORS_EVENTS_DISPATCHER_H
#define GENERATORS_EVENTS_DISPATCHER_H

#include "state.h"

extern PyType_Spec dispatcher_spec;

#endif
