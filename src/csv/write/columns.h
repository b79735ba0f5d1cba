/* The values of a row that has names. */
#ifndef GENERATORS_CSV_WRITE_COLUMNS_H
#define GENERATORS_CSV_WRITE_COLUMNS_H

#include "state.h"

/* Which values of a row with names are written, and in what order. */
typedef struct {
    PyObject *names;    /* owned: a tuple, or NULL while not known */
    PyObject *missing;  /* owned: what stands for a missing value, or NULL: an error */
    PyObject *known;    /* owned: the names that the row before had, or NULL */
    Py_ssize_t *places; /* owned: where each column is among them, -1 for nowhere */
    bool by_name;       /* rows with names are read by them */
    bool ignores_extra;
    PyObject *fault; /* owned: the name at fault, after an error, or NULL */
} csv_columns;

void csv_columns_close(csv_columns *self);
int csv_columns_traverse(csv_columns *self, visitproc visit, void *arg);

/* What is written for the row: a new reference to a tuple of its values where it
   has names, else to itself; NULL with an exception set.  The first row with names
   gives the columns where none were. */
PyObject *csv_columns_select(csv_columns *self, generators_state *state, PyObject *row);

#endif
