#ifndef GENERATORS_EVENTS_HANDLER_H
#define GENERATORS_EVENTS_HANDLER_H

#include "state.h"

extern PyType_Spec event_handler_spec;

#endif
