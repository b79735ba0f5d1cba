/* How long, as a user gives it. */
#ifndef GENERATORS_RUNTIME_SECONDS_H
#define GENERATORS_RUNTIME_SECONDS_H

#include "state.h"

#define SECONDS_FOREVER UINT64_MAX

/* None, which is SECONDS_FOREVER, or seconds, in nanoseconds.  `name` is the parameter's.  0,
   or -1 with a TypeError or ValueError. */
int seconds_read(PyObject *given, const char *name, uint64_t *nanoseconds);

#endif
