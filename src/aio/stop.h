/* The StopIteration that carries an awaitable's result.
 *
 * 3.12 to 3.14 await through tp_iternext, so each step that is ready raises one: there it
 * is of a subclass of which one, once nobody holds it, is raised again.  Its value is let go
 * of at once.  Elsewhere, and without the GIL, it is a plain one.
 */
#ifndef GENERATORS_AIO_STOP_H
#define GENERATORS_AIO_STOP_H

#include "state.h"

#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030F0000 && \
    !defined(Py_GIL_DISABLED) && !defined(Py_TRACE_REFS) && !defined(GENERATORS_PORTABLE)
#define STOP_IS_REUSED 1
#else
#define STOP_IS_REUSED 0
#endif

/* Raise a StopIteration with that value, which is given away; nothing for None, as
   tp_iternext may. */
void stop_raise(generators_state *state, PyObject *value);

#if STOP_IS_REUSED
extern PyType_Spec stop_spec;

/* Let go of the one that is kept. */
void stop_forget(generators_state *state);
#endif

#endif
