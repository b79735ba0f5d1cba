/* What a process must do when it was forked. */
#ifndef GENERATORS_BRIDGE_FORKS_H
#define GENERATORS_BRIDGE_FORKS_H

#include "generators.h"

/* Have the function, bound to the module, called in each child after its fork.  0, also on
   a system that does not fork, or -1 with an exception set. */
int forks_watch(PyObject *module, PyMethodDef *function);

#endif
