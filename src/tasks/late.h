/* What calls raise when nobody is to be given their results any more (late.c). */
#ifndef GENERATORS_TASKS_LATE_H
#define GENERATORS_TASKS_LATE_H

#include "state.h"

/* Keep the exception that is set, an Exception, of the call with item `index` in *late, which
   is NULL before the first.  `when` is a part of the note: "when it was cancelled".  0, or -1
   with an exception set, that one or another. */
int late_add(PyObject **late, Py_ssize_t index, const char *when);

/* Take all from *late, and add them as notes to `failure`.  Where that is NULL, the first is
 *alone (new), and the others are notes of it.  0, or -1 with an exception set. */
int late_tell(PyObject **late, PyObject *failure, PyObject **alone);

#endif
