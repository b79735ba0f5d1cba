/* How a loop waits for a worker, and how the worker's thread wakes it. */
#ifndef GENERATORS_BRIDGE_WORKER_WAIT_H
#define GENERATORS_BRIDGE_WORKER_WAIT_H

#include "bridge/worker.h"

/* Make a future of the running loop, for the next item or the end.  NULL with an exception
 * set.
 */
PyObject *worker_wait(worker *self, generators_state *state);

/* With the worker's lock held: the loop that must be woken now, a new reference, or NULL.
   `at_once`: even for a single item. */
PyObject *worker_loop_to_wake_lock_held(worker *self, bool at_once);

/* Wake that loop (stolen).  May be called on any thread. */
void worker_wake_loop(worker *self, PyObject *loop);

#endif
