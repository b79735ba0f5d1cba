/* What to do about a source that a stream can't read. */
#ifndef GENERATORS_STREAM_REFUSAL_H
#define GENERATORS_STREAM_REFUSAL_H

#include "state.h"

/* A TypeError is set that refuses `source`: add to its text what to do, if that is known.
   `who` is the type that refuses it; `wants_async`: it reads async iterables.  Any other
   exception stays as it is. */
void refusal_add_hint(const char *who, PyObject *source, bool wants_async);

#endif
