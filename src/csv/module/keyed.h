/* Rows as dicts, as csv.DictReader makes them: see keyed.c. */
#ifndef GENERATORS_CSV_MODULE_KEYED_H
#define GENERATORS_CSV_MODULE_KEYED_H

#include "csv/row/convert.h"

typedef struct {
    PyObject *names;   /* owned: a tuple of the fieldnames seen last, or NULL */
    PyObject *pattern; /* owned: a dict of the names and values, or NULL */
    PyObject **last;   /* owned: the pattern's values in order, borrowed from it; or NULL */
} csv_keys;

/* For a row whose number of values is not that of the names.  Owned by the caller; NULL for an
   attribute that was deleted. */
typedef struct {
    PyObject *key;   /* the key for a list of the values beyond the names */
    PyObject *value; /* used for each missing value */
} csv_rest;

/* Set `names` to the fieldnames, and `pattern` if they can have one: 1 if there is a pattern,
   0 if not, or -1. */
int csv_keys_learn(csv_keys *self, PyObject *fieldnames);
void csv_keys_forget(csv_keys *self);

/* Make the dict of the values, if the names have a pattern.  May move values out. */
PyObject *csv_keys_dict(csv_keys *self, csv_values *values, const csv_rest *rest);

/* Make the dict of any row, for any names. */
PyObject *csv_keyed_row(PyObject *fieldnames, PyObject *row, const csv_rest *rest);

/* Make a list of the values from `from` on.  They are moved out. */
PyObject *csv_values_list(csv_values *values, size_t from);

#endif
