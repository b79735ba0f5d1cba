/* The steps of an async stream: what its methods give, to be awaited. */
#ifndef GENERATORS_STREAM_ASTEP_H
#define GENERATORS_STREAM_ASTEP_H

#include "stream/astep_state.h"

/* An awaitable of one call; `argument` is what asend() sends or athrow() throws. */
PyObject *astep_new(astream *self, astep_call call, PyObject *argument);

/* The same for anext(), sooner. */
PyObject *astep_new_anext(astream *self);

extern PyType_Spec astep_spec;

#endif
