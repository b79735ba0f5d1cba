#ifndef GENERATORS_TASKS_AMERGE_H
#define GENERATORS_TASKS_AMERGE_H

#include "state.h"

extern PyType_Spec amerge_spec;

#endif
