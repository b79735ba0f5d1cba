/* aheartbeat: see aheartbeat.c. */
#ifndef GENERATORS_BRIDGE_AHEARTBEAT_H
#define GENERATORS_BRIDGE_AHEARTBEAT_H

#include "state.h"

extern PyType_Spec aheartbeat_spec;

#endif
