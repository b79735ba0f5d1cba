/* How plain code waits for a worker. */
#ifndef GENERATORS_BRIDGE_WORKER_READ_H
#define GENERATORS_BRIDGE_WORKER_READ_H

#include "bridge/worker.h"

/* Ask for an item, and wait until there is one or the worker has finished, for at most so many
   nanoseconds (UINT64_MAX: for ever).  One thread at a time.  1; 0 where the time is over; -1
   with the exception of a signal handler, or RuntimeError on the worker's own thread. */
int worker_read_wait(worker *self, uint64_t nanoseconds);

#endif
