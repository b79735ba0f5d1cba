/* A frame that stands for native code. */
#ifndef GENERATORS_RUNTIME_FRAME_H
#define GENERATORS_RUNTIME_FRAME_H

#include "state.h"

/* A new frame object of a function of that name, for gi_frame and its like: so that who asks
   whether something has ended, or prints its stack, meets what it expects.  NULL with an
   exception set. */
PyObject *frame_of_native(const char *name);

#endif
