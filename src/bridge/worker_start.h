/* The start of a worker's thread, and its end at the end of the process. */
#ifndef GENERATORS_BRIDGE_WORKER_START_H
#define GENERATORS_BRIDGE_WORKER_START_H

#include "bridge/worker.h"

/* Start the worker on its own thread, or in an executor.  0 or -1. */
int worker_start(worker *self, generators_state *state, PyObject *executor);

/* After worker_needs_refill(): ask the executor.  Where that refuses, the source is closed
   here, and the stream will raise the executor's exception. */
void worker_refill(worker *self);

/* Close the source here if no thread is at work.  The worker was stopped. */
void worker_close_idle(worker *self);

/* Called before the first worker is made: count forks from now on.  0 or -1. */
int worker_watch_forks(generators_state *state);

#endif
