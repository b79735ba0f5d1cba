#ifndef GENERATORS_CSV_WRITE_ENCODED_H
#define GENERATORS_CSV_WRITE_ENCODED_H

#include "state.h"

extern PyType_Spec csv_encode_spec;

#endif
