/* What a worker's thread runs. */
#ifndef GENERATORS_BRIDGE_WORKER_RUN_H
#define GENERATORS_BRIDGE_WORKER_RUN_H

#include "bridge/worker.h"

/* Open the source, iterate it until its end or the stop, and close it: on its thread. */
void worker_run(worker *self);

/* The worker's end, or that of one that never began, with the exception that is set, if any.
 */
void worker_finish(worker *self);

#endif
