#ifndef GENERATORS_TASKS_READER_H
#define GENERATORS_TASKS_READER_H

#include "state.h"

extern PyType_Spec reader_spec;

#endif
