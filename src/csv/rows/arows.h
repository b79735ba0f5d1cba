#ifndef GENERATORS_CSV_ROWS_AROWS_H
#define GENERATORS_CSV_ROWS_AROWS_H

#include "state.h"

extern PyType_Spec acsv_rows_spec;

#endif
