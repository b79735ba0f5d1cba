#ifndef GENERATORS_TASKS_AMAP_H
#define GENERATORS_TASKS_AMAP_H

#include "state.h"

extern PyType_Spec amap_spec;

#endif
