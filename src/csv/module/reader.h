/* The reader of generators.csv. */
#ifndef GENERATORS_CSV_MODULE_READER_H
#define GENERATORS_CSV_MODULE_READER_H

#include "csv/row/convert.h"
#include "state.h"

/* The next row of a reader, which must be of exactly this type: a new reference, or NULL. */
PyObject *csv_reader_next(PyObject *op, generators_state *state);

/* The next row as values: 1, 0 at the end, or -1. */
int csv_reader_next_values(PyObject *op, generators_state *state, csv_values *values);

/* The number of lines that it has taken. */
uint64_t csv_reader_line_num(PyObject *op);

extern PyType_Spec csv_reader_spec;

#endif
