/* The code of a worker's thread. */
#ifndef GENERATORS_BRIDGE_WORKER_RUN_H
#define GENERATORS_BRIDGE_WORKER_RUN_H

#include "bridge/worker.h"

/* On the worker's thread: open the source, iterate it until its end or the stop, and close
   it. */
void worker_run(worker *self);

/* Finish a worker, or one that never began.  If an exception is set, it is the source's error.
 */
void worker_finish(worker *self);

#endif
