#ifndef GENERATORS_CHUNKS_CHUNKED_H
#define GENERATORS_CHUNKS_CHUNKED_H

#include "state.h"

extern PyType_Spec chunked_spec;

#endif
