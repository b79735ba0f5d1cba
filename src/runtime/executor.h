/* An executor that a user gives. */
#ifndef GENERATORS_RUNTIME_EXECUTOR_H
#define GENERATORS_RUNTIME_EXECUTOR_H

#include "state.h"

/* Refuse what is no executor of threads of this interpreter: 0, or -1 with TypeError.  `who`
   wants it, and `instead` is what to do with an executor of another kind. */
int executor_check(PyObject *executor, const char *who, const char *instead);

#endif
