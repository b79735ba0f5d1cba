#ifndef GENERATORS_BRIDGE_TO_ASYNC_H
#define GENERATORS_BRIDGE_TO_ASYNC_H

#include "state.h"

extern PyType_Spec to_async_spec;

#endif
