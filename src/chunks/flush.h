#ifndef GENERATORS_CHUNKS_FLUSH_H
#define GENERATORS_CHUNKS_FLUSH_H

#include "state.h"

extern PyType_Spec flush_spec;

#endif
