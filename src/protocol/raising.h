/* What is raised where a generator would raise it. */
#ifndef GENERATORS_PROTOCOL_RAISING_H
#define GENERATORS_PROTOCOL_RAISING_H

#include "generators.h"

/* Make a RuntimeError of the exception being raised if it is a `stop`, with that as
   its cause: "`who` raised StopIteration". */
void raising_convert(PyObject *stop, const char *who);

/* The exception that the arguments of throw() mean, as generators read them; NULL
   with an exception set where they mean none. */
PyObject *raising_thrown(PyObject *const *args, Py_ssize_t count);

/* End an iteration with that value: StopIteration, or nothing at all for None, as
   tp_iternext may. */
void raising_stop(PyObject *value);

#endif
