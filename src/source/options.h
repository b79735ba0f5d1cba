/* Arguments that the readers of all formats share.  Each function returns 0, or -1 with an
   exception set. */
#ifndef GENERATORS_SOURCE_OPTIONS_H
#define GENERATORS_SOURCE_OPTIONS_H

#include "source/data_source.h"

/* Read a limit: an integer that is not negative, or None for none.  `value` may be NULL, and
   `name` is its name. */
int options_read_limit(PyObject *value, const char *name, size_t *limit);

/* Read `items`. */
int options_read_items(const char *name, data_source_items *items);

/* Read `on_error`: *callable is a new reference to a callable, or to None for 'skip'; it stays
   NULL for 'raise' and if `value` is NULL. */
int options_read_on_error(PyObject *value, PyObject **callable);

#endif
