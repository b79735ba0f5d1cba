#ifndef GENERATORS_CSV_MODULE_WRITER_H
#define GENERATORS_CSV_MODULE_WRITER_H

#include "state.h"

extern PyType_Spec csv_writer_spec;

#endif
