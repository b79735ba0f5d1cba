/* The phases of an async stream: what one step of a phase does, and how the next begins. */
#ifndef GENERATORS_STREAM_APHASE_H
#define GENERATORS_STREAM_APHASE_H

#include "stream/astream.h"

/* One step of the phase that the stream is in. */
astream_outcome aphase_step(astream *self, astream_answer answer, PyObject **value);

/* A phase is over: go on to the next, with the error to be raised at the end, if any. */
void aphase_next(astream *self, astream_outcome outcome);

/* The exception being raised is what the end will raise, the earlier one its context. */
void aphase_add_error(astream *self);

#endif
