#ifndef GENERATORS_CHUNKS_BATCHED_H
#define GENERATORS_CHUNKS_BATCHED_H

#include "state.h"

extern PyType_Spec batched_spec;

#endif
