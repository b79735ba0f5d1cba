#ifndef GENERATORS_STREAM_ASTEP_H
#define GENERATORS_STREAM_ASTEP_H

#include "state.h"

extern PyType_Spec astep_spec;

#endif
