#ifndef GENERATORS_TASKS_ASYNC_CALL_H
#define GENERATORS_TASKS_ASYNC_CALL_H

#include "state.h"

extern PyType_Spec async_call_spec;

#endif
