#ifndef GENERATORS_TASKS_DRIVE_H
#define GENERATORS_TASKS_DRIVE_H

#include "state.h"

extern PyType_Spec drive_spec;

#endif
