/* The future of a step that waits for its home: one of asyncio by its methods, which can be
 * ended in the same turn of the loop.
 */
#ifndef GENERATORS_AIO_WAITER_H
#define GENERATORS_AIO_WAITER_H

#include "state.h"

/* A new one of that loop, or NULL. */
PyObject *waiter_new(generators_state *state, PyObject *loop);

/* End the wait, if it is not over.  The callbacks are called by the loop; or `at_once`, which
   is for a callback of the loop in which no task is the current one.  0, or -1 with an
   exception set: Ctrl-C too, of a callback that was called at once. */
int waiter_end(PyObject *op, bool at_once);

extern PyType_Spec waiter_spec;

#endif
