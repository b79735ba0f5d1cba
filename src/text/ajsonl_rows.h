#ifndef GENERATORS_TEXT_AJSONL_ROWS_H
#define GENERATORS_TEXT_AJSONL_ROWS_H

#include "state.h"

extern PyType_Spec ajsonl_rows_spec;

#endif
