/* What async streams of bytes and text read from. */
#ifndef GENERATORS_SOURCE_ASYNC_SOURCE_H
#define GENERATORS_SOURCE_ASYNC_SOURCE_H

#include "stream/astream.h"

/* Have `self` pull from an async iterable, or, where `size` is not 0, from an object whose
   read(size) is a coroutine function; one that is both is read.  `what` says in the TypeError
   for others what is taken.  0, or -1 with an exception set. */
int async_source_open(astream *self, generators_state *state, PyObject *source,
                      Py_ssize_t size, const char *what);

#endif
