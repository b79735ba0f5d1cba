/* A number of seconds that a user gives. */
#ifndef GENERATORS_RUNTIME_SECONDS_H
#define GENERATORS_RUNTIME_SECONDS_H

#include "state.h"

#define SECONDS_FOREVER UINT64_MAX

/* Read it into nanoseconds: SECONDS_FOREVER for more than can be counted.  0, or -1 with a
   TypeError or ValueError that names the parameter: `takes_zero` says whether 0 is one. */
int seconds_read(PyObject *given, const char *name, bool takes_zero, uint64_t *nanoseconds);

#endif
