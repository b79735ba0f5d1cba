#ifndef GENERATORS_TEXT_LINES_H
#define GENERATORS_TEXT_LINES_H

#include "state.h"

extern PyType_Spec lines_spec;

#endif
