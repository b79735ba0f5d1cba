#ifndef GENERATORS_SSE_AEVENT_STREAM_H
#define GENERATORS_SSE_AEVENT_STREAM_H

#include "state.h"

extern PyType_Spec aevent_stream_spec;

#endif
