#ifndef GENERATORS_SSE_EVENT_SOURCE_H
#define GENERATORS_SSE_EVENT_SOURCE_H

#include "state.h"

extern PyType_Spec event_source_spec;

#endif
