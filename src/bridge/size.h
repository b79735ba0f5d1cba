/* How much memory an item takes, about: what `max_bytes` counts. */
#ifndef GENERATORS_BRIDGE_SIZE_H
#define GENERATORS_BRIDGE_SIZE_H

#include "state.h"

#define SIZE_OF_ANY ((size_t)64) /* what an object takes besides its contents */

/* Text and bytes count by their length, also within tuples, lists, sets and dicts: four deep,
   and so many objects that the rest is estimated from those that were seen.  No user code
   runs, but for the release of an item that another thread has dropped meanwhile. */
size_t item_size(PyObject *item);

/* Set the user's own function, or None: 0, or -1 with TypeError. */
int size_set_function(PyObject **place, PyObject *function);

/* The size that a user's function gives, or item_size() if that is NULL.  0, or -1 with an
   exception set. */
int size_measure(PyObject *function, PyObject *item, size_t *bytes);

#endif
