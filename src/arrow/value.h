/* Values of Arrow arrays as Python objects. */
#ifndef GENERATORS_ARROW_VALUE_H
#define GENERATORS_ARROW_VALUE_H

#include "arrow/read.h"
#include "state.h"

/* The module with the types that C has no interface for: a new reference, or NULL. */
PyObject *arrow_value_module(void);

/* The value that to_pylist() of pyarrow gives: a new reference, or NULL.  `index` counts from
   the array's offset.  The array was checked. */
PyObject *arrow_value(PyObject *module, const arrow_type *type, const struct ArrowArray *array,
                      int64_t index);

#endif
