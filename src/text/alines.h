#ifndef GENERATORS_TEXT_ALINES_H
#define GENERATORS_TEXT_ALINES_H

#include "state.h"

extern PyType_Spec alines_spec;

#endif
