/* task: a generator function made a coroutine function (task.c). */
#ifndef GENERATORS_TASKS_TASK_H
#define GENERATORS_TASKS_TASK_H

#include "state.h"

/* The flags of a function's code; 0 where it has none, -1 with an exception set. */
long task_code_flags(PyObject *function);

extern PyType_Spec task_spec;

#endif
