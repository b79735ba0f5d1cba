/* The names that rows share. */
#ifndef GENERATORS_CSV_ROW_NAMES_H
#define GENERATORS_CSV_ROW_NAMES_H

#include "state.h"

typedef struct csv_names csv_names;

/* Names that rows are keyed by, of any iterable of str: ValueError says which one
   is empty or there twice.  A new reference, or NULL. */
csv_names *csv_names_new(generators_state *state, PyObject *names);

/* All of them: borrowed. */
PyObject *csv_names_tuple(const csv_names *self);

/* Where a name, which is a str, stands; -1 with KeyError. */
Py_ssize_t csv_names_find(const csv_names *self, PyObject *name);

extern PyType_Spec csv_names_spec;

#endif
