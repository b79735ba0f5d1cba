/* heartbeat: see heartbeat.c. */
#ifndef GENERATORS_BRIDGE_HEARTBEAT_H
#define GENERATORS_BRIDGE_HEARTBEAT_H

#include "state.h"

extern PyType_Spec heartbeat_spec;

#endif
