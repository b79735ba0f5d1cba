/* The native half of csv_schema(). */
#ifndef GENERATORS_CSV_SCHEMA_READER_H
#define GENERATORS_CSV_SCHEMA_READER_H

#include "state.h"

extern PyType_Spec csv_schema_reader_spec;

#endif
