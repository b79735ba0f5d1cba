/* The names that rows share: see names.c. */
#ifndef GENERATORS_CSV_ROW_NAMES_H
#define GENERATORS_CSV_ROW_NAMES_H

#include "state.h"

typedef struct csv_names csv_names;

/* Make names from an iterable of str: a new reference, or NULL with ValueError for a name that
   is empty or repeated. */
csv_names *csv_names_new(generators_state *state, PyObject *names);

/* All names as a tuple: borrowed. */
PyObject *csv_names_tuple(const csv_names *self);

/* The index of a name, which is a str; -1 with KeyError. */
Py_ssize_t csv_names_find(const csv_names *self, PyObject *name);

extern PyType_Spec csv_names_spec;

#endif
