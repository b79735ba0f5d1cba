#ifndef GENERATORS_CSV_ROWS_ROWS_H
#define GENERATORS_CSV_ROWS_ROWS_H

#include "state.h"

extern PyType_Spec csv_rows_spec;

#endif
