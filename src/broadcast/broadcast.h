/* The Broadcast type. */
#ifndef GENERATORS_BROADCAST_BROADCAST_H
#define GENERATORS_BROADCAST_BROADCAST_H

#include "state.h"

extern PyType_Spec broadcast_spec;

#endif
