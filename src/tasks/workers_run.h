/* The own threads of a map_threads() (workers_run.c). */
#ifndef GENERATORS_TASKS_WORKERS_RUN_H
#define GENERATORS_TASKS_WORKERS_RUN_H

#include "tasks/workers.h"

/* Start one more thread that runs jobs.  0, or -1 with an exception set. */
int workers_add_thread(workers *self);

#endif
