#ifndef GENERATORS_BRIDGE_TO_SYNC_H
#define GENERATORS_BRIDGE_TO_SYNC_H

#include "state.h"

extern PyType_Spec to_sync_spec;

#endif
