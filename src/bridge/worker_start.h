/* The start of a worker's thread, and its end with the process. */
#ifndef GENERATORS_BRIDGE_WORKER_START_H
#define GENERATORS_BRIDGE_WORKER_START_H

#include "bridge/worker.h"

/* Start the worker on a thread of its own, or in an executor.  0 or -1. */
int worker_start(worker *self, generators_state *state, PyObject *executor);

/* Before the first worker is made: count forks from now on.  0 or -1. */
int worker_watch_forks(generators_state *state);

#endif
