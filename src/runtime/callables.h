/* Callables of the user that are called here and never awaited. */
#ifndef GENERATORS_RUNTIME_CALLABLES_H
#define GENERATORS_RUNTIME_CALLABLES_H

#include "state.h"

/* Raise TypeError for a callable whose result would have to be awaited: a coroutine function
   or an async generator function, a bound method or functools.partial of one, or an object
   whose __call__ is one.  `parameter` is what it was given for.  0 or -1. */
int callables_refuse_async(PyObject *callable, const char *parameter);

#endif
