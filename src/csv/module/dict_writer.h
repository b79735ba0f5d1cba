#ifndef GENERATORS_CSV_MODULE_DICT_WRITER_H
#define GENERATORS_CSV_MODULE_DICT_WRITER_H

#include "state.h"

extern PyType_Spec csv_dict_writer_spec;

#endif
