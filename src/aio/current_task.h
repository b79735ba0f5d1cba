/* Run code as if a given task ran it. */
#ifndef GENERATORS_AIO_CURRENT_TASK_H
#define GENERATORS_AIO_CURRENT_TASK_H

#include "state.h"

/* Make `task` (None: no task) the one that asyncio.current_task() gives for `loop`.  *earlier
   is a new reference to the one that it was, or to None.  0, or -1 with an exception set and
   nothing changed. */
int current_task_swap(generators_state *state, PyObject *loop, PyObject *task,
                      PyObject **earlier);

#endif
