/* Waiting for what a generator yields (wait.c). */
#ifndef GENERATORS_TASKS_WAIT_H
#define GENERATORS_TASKS_WAIT_H

#include "state.h"

/* Whether it surely cannot be waited for, which holds of the instances of most built-in types.
   wait_open() decides for the others. */
static inline bool
wait_is_plain(PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    return !(type->tp_flags & Py_TPFLAGS_HEAPTYPE) && type->tp_as_async == NULL;
}

typedef enum {
    WAIT_FAILED = -1, /* with an exception set */
    WAIT_ANSWERED,    /* there is nothing to wait for */
    WAIT_BEGUN,
} wait_status;

/* Begin to wait for `value`.  WAIT_BEGUN: *result is the iterator to be driven.
   WAIT_ANSWERED: *result is the result of a concurrent.futures.Future that is done or, where
   `value` is nothing that one waits for, `value` itself.  A pending Future is waited for in
   the running event loop. */
wait_status wait_open(generators_state *state, PyObject *value, PyObject **result);

#endif
