/* How many bytes an item counts in a ring that is bounded by bytes. */
#ifndef GENERATORS_BRIDGE_SIZE_H
#define GENERATORS_BRIDGE_SIZE_H

#include "state.h"

/* Text and bytes count by their length, also inside a list, tuple or dict, one level deep.
   Each object counts SIZE_OF_ANY more.  This never fails and runs no user code. */
size_t item_size(PyObject *item);

#define SIZE_OF_ANY 64

#endif
