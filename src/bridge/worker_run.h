/* The code of a worker's thread. */
#ifndef GENERATORS_BRIDGE_WORKER_RUN_H
#define GENERATORS_BRIDGE_WORKER_RUN_H

#include "bridge/worker.h"

/* On the worker's thread: open the source, iterate it until its end or the stop, and close
   it. */
void worker_run(worker *self);

/* Before a refill, or what is done in its place: whether this thread may have the worker.  An
   executor may call twice, or when nothing was asked for. */
bool worker_claim(worker *self);

/* The same for a worker that does not hold its place in an executor: iterate the source until
   the ring is full or the place has been held for long enough.  Whether the source is closed;
   if not, there will be another refill. */
bool worker_run_refill(worker *self);

/* Close the iterator (stolen).  An exception that is set stays set, or becomes the context of
   what closing raises. */
void worker_close_iterator(worker *self, PyObject *iterator);

/* Finish a worker, or one that never began.  If an exception is set, it is the source's error.
 */
void worker_finish(worker *self);

#endif
