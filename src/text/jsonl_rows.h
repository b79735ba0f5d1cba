#ifndef GENERATORS_TEXT_JSONL_ROWS_H
#define GENERATORS_TEXT_JSONL_ROWS_H

#include "state.h"

extern PyType_Spec jsonl_rows_spec;

#endif
