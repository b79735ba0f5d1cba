#ifndef GENERATORS_TASKS_TASK_H
#define GENERATORS_TASKS_TASK_H

#include "state.h"

extern PyType_Spec task_spec;

#endif
