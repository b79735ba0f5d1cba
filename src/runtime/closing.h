/* Closing a source: who is closed, and what becomes of the errors. */
#ifndef GENERATORS_RUNTIME_CLOSING_H
#define GENERATORS_RUNTIME_CLOSING_H

#include "state.h"

/* Whether a stream that reads from `iterator` closes it in the end: whether it is an instance
   of `abc`, Generator or AsyncGenerator.  1, 0, or -1 with an exception set. */
int closing_is_due(PyObject *iterator, PyObject *abc);

/* Call its close().  0, or -1 with an exception set.  With an exception set already: -1, and
   that is raised again or, where closing fails too, is the context of what closing raised. */
int closing_close(PyObject *iterator);

#endif
