/* Objects that are given as a source and are none: what to pass instead. */
#ifndef GENERATORS_SOURCE_REFUSED_H
#define GENERATORS_SOURCE_REFUSED_H

#include "state.h"

/* Refuse the response of an HTTP client whose body is given by a method of it.  `is_async`:
   the reader is.  0, or -1 with TypeError. */
int refused_check_response(PyObject *source, bool is_async);

/* open() of `path`, an exact str, has failed, and its exception is set.  If the str is no path
   but text, that is a ValueError. */
void refused_explain_path(PyObject *path);

/* An async reader was given a path.  0, or -1 with TypeError. */
int refused_check_path(PyObject *source, const char *who);

/* read() returned a coroutine: raise TypeError. */
void refused_raise_coroutine(PyObject *coroutine, const char *who);

/* How many bytes of its Content-Length a response has not given, at its end.  0 if it does not
   tell, or -1 with an exception set. */
int64_t refused_missing_bytes(PyObject *file);

#endif
