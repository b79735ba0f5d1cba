/* The values of a row that has names: see columns.c. */
#ifndef GENERATORS_CSV_WRITE_COLUMNS_H
#define GENERATORS_CSV_WRITE_COLUMNS_H

#include "state.h"

/* Which values of a row with names are written, and in what order. */
typedef struct {
    PyObject *names;    /* owned: a tuple, or NULL until known */
    PyObject *missing;  /* owned: written for a missing value; NULL: raise instead */
    PyObject *known;    /* owned: the names of the last row, or NULL */
    Py_ssize_t *places; /* owned: the index of each column in `known`, or -1 */
    bool by_name;       /* rows that have names are read by name */
    bool ignores_extra;
    PyObject *positions; /* owned: the names of the fields of rows without names, or NULL */
    PyObject
        *by_attribute; /* owned: the last type of rows that are read by attribute, or NULL */
    PyObject *no_mapping; /* owned: the last type of rows that are no mappings, or NULL */
    PyObject *fault;      /* owned: the name that an error is about, or NULL */
} csv_columns;

void csv_columns_close(csv_columns *self);
int csv_columns_traverse(csv_columns *self, visitproc visit, void *arg);

/* The values to write for a row: a new reference to a tuple of them if the row has names, or
   else to the row; NULL with an exception set.  If there are no columns yet, the names of this
   row become the columns. */
PyObject *csv_columns_select(csv_columns *self, generators_state *state, PyObject *row);

/* Whether a row is a mapping: 1, 0 or -1. */
int csv_columns_is_mapping(csv_columns *self, generators_state *state, PyObject *row);

#endif
