#ifndef GENERATORS_CHUNKS_ACHUNKED_H
#define GENERATORS_CHUNKS_ACHUNKED_H

#include "state.h"

extern PyType_Spec achunked_spec;

#endif
