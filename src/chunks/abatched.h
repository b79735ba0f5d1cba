#ifndef GENERATORS_CHUNKS_ABATCHED_H
#define GENERATORS_CHUNKS_ABATCHED_H

#include "state.h"

extern PyType_Spec abatched_spec;

#endif
