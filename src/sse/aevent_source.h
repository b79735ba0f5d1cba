#ifndef GENERATORS_SSE_AEVENT_SOURCE_H
#define GENERATORS_SSE_AEVENT_SOURCE_H

#include "state.h"

extern PyType_Spec aevent_source_spec;

#endif
