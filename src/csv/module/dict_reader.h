#ifndef GENERATORS_CSV_MODULE_DICT_READER_H
#define GENERATORS_CSV_MODULE_DICT_READER_H

#include "state.h"

extern PyType_Spec csv_dict_reader_spec;

#endif
