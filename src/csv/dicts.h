/* Dicts that all have the keys of one: see dicts.c. */
#ifndef GENERATORS_CSV_DICTS_H
#define GENERATORS_CSV_DICTS_H

#include "generators.h"

/* Whether copies of this dict, which has so many keys, each with None, can be filled. */
bool csv_dict_can_be_filled(PyObject *model, Py_ssize_t count);

/* A copy of such a dict, in which the first keys have these values, which it takes over,
   and the rest None; or NULL, and it takes over nothing. */
PyObject *csv_dict_filled(PyObject *model, PyObject *const *values, Py_ssize_t count);

#endif
