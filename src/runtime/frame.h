/* A frame that stands for native code. */
#ifndef GENERATORS_RUNTIME_FRAME_H
#define GENERATORS_RUNTIME_FRAME_H

#include "state.h"

/* A new frame object of a function of that name, for gi_frame and its like: so that who asks
   whether something has ended, or prints its stack, meets what it expects.  NULL with an
   exception set. */
PyObject *frame_of_native(const char *name);

/* A new code object of that name. */
PyObject *frame_code_of_native(const char *name);

/* The name of an object's type without its module: borrowed from the type. */
const char *frame_type_name(PyObject *op);

#endif
