/* The exceptions of streams, synchronous and not: how they are told where they
 * arose, chained, and kept from ending a loop (PEP 479).
 */
#ifndef GENERATORS_PROTOCOL_ERRORS_H
#define GENERATORS_PROTOCOL_ERRORS_H

#include "generators.h"

/* Tell by a note where the exception being raised arose, unless a stage
   further in has told it.  `format` is as for PyUnicode_FromFormat and begins
   with "while reading ". */
void stream_note(const char *format, ...);

/* What is raised now was raised while `earlier` (owned here, or NULL) was. */
void errors_chain(PyObject *earlier);

/* Make a RuntimeError of the exception being raised if it is a `stop`, with that as
   its cause: "`who` raised StopIteration". */
void errors_convert(PyObject *stop, const char *who);

/* The exception that the arguments of throw() mean, as generators read them. */
PyObject *errors_thrown(const char *method, PyObject *const *args, Py_ssize_t count);

#endif
