/* Starting the calls of a map_threads() (workers_start.c). */
#ifndef GENERATORS_TASKS_WORKERS_START_H
#define GENERATORS_TASKS_WORKERS_START_H

#include "tasks/workers.h"

/* Start a call of `function` in a copy of this thread's context.  There are to be as many
   threads as calls run then.  0, or -1 with an exception set; the item is kept by the call. */
int workers_start(workers *self, window *calls, PyObject *function, PyObject *item);

#endif
