/* Rows as dicts, as csv.DictReader makes them: see keyed.c. */
#ifndef GENERATORS_CSV_MODULE_KEYED_H
#define GENERATORS_CSV_MODULE_KEYED_H

#include "csv/row/convert.h"

typedef struct {
    PyObject *names;   /* owned: a tuple of the fieldnames seen last, or NULL */
    PyObject *pattern; /* owned: a dict of the names and values, or NULL */
    PyObject **last;   /* owned: the pattern's values in order, borrowed from it, or NULL */
} csv_keys;

/* For a row that does not have as many values as there are names.  Owned by the caller; NULL
   for an attribute that was deleted. */
typedef struct {
    PyObject *key;   /* of the list of the values beyond the names */
    PyObject *value; /* for each value that is missing */
} csv_rest;

/* Make `names`, and `pattern` if that can be used, those of the fieldnames: 1 if there is a
   pattern, 0 if not, or -1. */
int csv_keys_learn(csv_keys *self, PyObject *fieldnames);
void csv_keys_forget(csv_keys *self);

/* The dict of the values, if the names have a pattern.  It may move values out. */
PyObject *csv_keys_dict(csv_keys *self, csv_values *values, const csv_rest *rest);

/* The dict of any row, by any names. */
PyObject *csv_keyed_row(PyObject *fieldnames, PyObject *row, const csv_rest *rest);

/* A list of the values from `from` on, which are moved out. */
PyObject *csv_values_list(csv_values *values, size_t from);

#endif
