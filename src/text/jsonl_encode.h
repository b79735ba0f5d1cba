#ifndef GENERATORS_TEXT_JSONL_ENCODE_H
#define GENERATORS_TEXT_JSONL_ENCODE_H

#include "state.h"

extern PyType_Spec jsonl_encode_spec;

#endif
