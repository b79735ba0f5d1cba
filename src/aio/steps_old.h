/* The methods of a native coroutine, made of its one step.
 */
#ifndef GENERATORS_AIO_STEPS_OLD_H
#define GENERATORS_AIO_STEPS_OLD_H

#include "state.h"

/* Go on with `value`, or, where that is NULL, with `exception` thrown in.  As am_send
   says what came of it. */
typedef PySendResult (*old_coroutine_step)(PyObject *op, PyObject *value, PyObject *exception,
                                           PyObject **result);

/* What a method returns for what a step came to (`result` is given away): NULL with a
   StopIteration where it has ended. */
PyObject *old_coroutine_stepped(PySendResult status, PyObject *result);

/* throw(), with the arguments that it was called with. */
PyObject *old_coroutine_throw(PyObject *op, old_coroutine_step step, PyObject *const *args,
                              Py_ssize_t count);

/* What a coroutine that runs, or else one that is over, answers to a step: PYGEN_ERROR. */
PySendResult old_coroutine_refuse(bool running);

/* close() of one that has begun and not ended: 0, or -1 with an exception set. */
int old_coroutine_close(PyObject *op, old_coroutine_step step);

#endif
