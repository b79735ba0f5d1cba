/* The end of the interpreter, and forks: functions that are called then. */
#ifndef GENERATORS_RUNTIME_WATCH_H
#define GENERATORS_RUNTIME_WATCH_H

#include "state.h"

/* Have the function called in each child after its fork: see watch_state().  0, also on a
   system that does not fork, or -1 with an exception set. */
int watch_forks(PyObject *module, PyMethodDef *function);

/* Have it called when the interpreter begins to end, before threads are joined; what was
   registered last is called first.  0 or -1. */
int watch_exit(PyObject *module, PyMethodDef *function);

/* For such a function: the state of the module that `reference`, its self, stands for, with
 *module (new) to hold it; NULL where that is gone, or with an exception set. */
generators_state *watch_state(PyObject *reference, PyObject **module);

#endif
