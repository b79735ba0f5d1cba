#ifndef GENERATORS_TASKS_MAP_THREADS_H
#define GENERATORS_TASKS_MAP_THREADS_H

#include "state.h"

extern PyType_Spec map_threads_spec;

#endif
