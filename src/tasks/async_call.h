/* The calls of amap() (async_call.c). */
#ifndef GENERATORS_TASKS_ASYNC_CALL_H
#define GENERATORS_TASKS_ASYNC_CALL_H

#include "tasks/task_group.h"

/* Start a call with that item as a task of the group: 1 where it has ended at once, 0, or -1
   with an exception set. */
int async_call_start(task_group *group, PyObject *item);

/* Cancel all calls of the group.  What one of them raises then is kept by the group.  0, or -1
   with an exception set. */
int async_call_cancel_all(task_group *group);

extern PyType_Spec async_call_spec;

#endif
