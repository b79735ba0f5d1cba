/* A step of an async stream that closes it while another one is under way. */
#ifndef GENERATORS_STREAM_TAKE_OVER_H
#define GENERATORS_STREAM_TAKE_OVER_H

#include "stream/astep_state.h"

/* Take the place of the step that is under way: that one is interrupted.  PYGEN_RETURN with
   *result NULL: it is done.  Otherwise what `step` comes to: where another is closing the
   stream it waits for that, and a step that can't be interrupted is an error. */
PySendResult astep_take_over(astep *step, astream *self, PyObject **result);

/* Wake those who wait for the stream to be closed: it is, or one of them goes on with it. */
void astep_wake_closers(astream *self);

/* Raise that another step is under way. */
PySendResult astep_refuse_overlap(const astep *step);

/* The method that makes such a step. */
const char *astep_call_name(astep_call call);

#endif
