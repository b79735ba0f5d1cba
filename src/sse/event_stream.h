#ifndef GENERATORS_SSE_EVENT_STREAM_H
#define GENERATORS_SSE_EVENT_STREAM_H

#include "state.h"

extern PyType_Spec event_stream_spec;

#endif
