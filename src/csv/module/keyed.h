/* Rows -> dicts, as csv.DictReader makes them: see keyed.c. */
#ifndef GENERATORS_CSV_MODULE_KEYED_H
#define GENERATORS_CSV_MODULE_KEYED_H

#include "csv/row/convert.h"

typedef struct {
    PyObject *names;   /* owned: tuple of the fieldnames last seen, or NULL */
    PyObject *pattern; /* owned: dict of names and values, or NULL */
    PyObject **last;   /* owned: the pattern's values in order, borrowed from it */
} csv_keys;

/* For a row that has not as many values as there are names; held by the caller. */
typedef struct {
    PyObject *key;   /* of a list of what is beyond the names */
    PyObject *value; /* of each that is missing */
} csv_rest;

/* See to it that `names`, and `pattern` if they allow it, are of these fieldnames: 1 if
   there is a pattern, 0, or -1. */
int csv_keys_learn(csv_keys *self, PyObject *fieldnames);
void csv_keys_forget(csv_keys *self);

/* The dict of values, whose names have a pattern; it may take values over. */
PyObject *csv_keys_dict(csv_keys *self, csv_values *values, const csv_rest *rest);

/* The dict of any row, by any names. */
PyObject *csv_keyed_row(PyObject *fieldnames, PyObject *row, const csv_rest *rest);

/* A list of the values from `from` on, which it takes over. */
PyObject *csv_values_list(csv_values *values, size_t from);

#endif
