#ifndef GENERATORS_TEXT_AJSONL_ENCODE_H
#define GENERATORS_TEXT_AJSONL_ENCODE_H

#include "state.h"

extern PyType_Spec ajsonl_encode_spec;

#endif
