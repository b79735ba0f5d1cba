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

/* How a source is opened. */
typedef struct {
    PyObject *compression; /* borrowed, or NULL */
    PyObject *member;      /* borrowed, or NULL */
    int complete;
} options_opening;

/* Read `compression` and `member` into a source that is not open yet. */
int options_read_opening(const options_opening *self, data_source *source);

/* Read `on_error`: *callable is a new reference to a callable, or to None for 'skip'; it stays
   NULL for 'raise' and if `value` is NULL. */
int options_read_on_error(PyObject *value, PyObject **callable);

#endif
