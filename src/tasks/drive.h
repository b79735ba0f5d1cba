/* drive: the coroutine of a generator (drive.c). */
#ifndef GENERATORS_TASKS_DRIVE_H
#define GENERATORS_TASKS_DRIVE_H

#include "state.h"

/* A drive of a generator, or NULL with TypeError where it is none.  `maker` is the function
   that returned it, or NULL. */
PyObject *drive_of(generators_state *state, PyObject *generator, PyObject *maker);

extern PyType_Spec drive_spec;

#endif
