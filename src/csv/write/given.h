/* What `rows` may be beside an iterable of rows: see given.c. */
#ifndef GENERATORS_CSV_WRITE_GIVEN_H
#define GENERATORS_CSV_WRITE_GIVEN_H

#include "state.h"

/* Whether an object may tell the names of its columns: a cursor of DB-API, or a result of
   SQLAlchemy.  1, 0 or -1. */
int csv_given_is_cursor(PyObject *rows);

/* The names that a cursor tells: 1 with a new tuple, 0 if it has no result yet, or -1. */
int csv_given_cursor_names(PyObject *rows, PyObject **names);

typedef enum { CSV_GIVEN_ROWS, CSV_GIVEN_ARRAY, CSV_GIVEN_FRAME } csv_given_kind;

/* Find out whether an object is an array as numpy has them, or a DataFrame that does not offer
   Arrow data.  0 or -1. */
int csv_given_kind_of(PyObject *rows, csv_given_kind *kind);

/* The rows of such an object, a new reference, and the names of its columns: a new tuple, or
   NULL if it has none.  0 or -1. */
int csv_given_open(PyObject *table, csv_given_kind kind, PyObject **rows, PyObject **names);

#endif
