/* The end of a map_threads() (workers_stop.c). */
#ifndef GENERATORS_TASKS_WORKERS_STOP_H
#define GENERATORS_TASKS_WORKERS_STOP_H

#include "tasks/workers.h"

/* Cancel what has not begun, wait for the rest unless it is `abandoned`, and end the
   threads.  0, or -1 with an exception set.  Again does nothing. */
int workers_stop(workers *self, window *calls, bool abandoned);

#endif
