#ifndef GENERATORS_CSV_WRITE_AENCODED_H
#define GENERATORS_CSV_WRITE_AENCODED_H

#include "state.h"

extern PyType_Spec acsv_encode_spec;

#endif
