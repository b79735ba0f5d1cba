/* How many bytes an item counts for in a ring that is bounded by bytes. */
#ifndef GENERATORS_BRIDGE_SIZE_H
#define GENERATORS_BRIDGE_SIZE_H

#include "state.h"

/* Text and bytes by their length, and what is in a list, tuple or dict likewise,
   one level deep; SIZE_OF_ANY more for each, and for an object of any other kind.  It
   never fails and runs no user code. */
size_t item_size(PyObject *item);

#define SIZE_OF_ANY 64

#endif
