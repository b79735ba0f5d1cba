/* CSVError for fields that can't be converted. */
#ifndef GENERATORS_CSV_ROW_FIELD_ERROR_H
#define GENERATORS_CSV_ROW_FIELD_ERROR_H

#include "csv/parse/parser.h"

/* Raise CSVError for field `index` of a record that was taken.  The error gives the field's
   name unless `name` is NULL.  The exception that is set becomes its cause. */
void csv_raise_field(csv_parser *parser, generators_state *state, const fields_record *record,
                     Py_ssize_t index, PyObject *name);

/* An exception is set for another field of the record of this CSVError.  Clear it and add it
   to `problems`.  0 or -1. */
int csv_add_problem(PyObject *error, const csv_parser *parser, generators_state *state,
                    const fields_record *record, Py_ssize_t index, PyObject *name);

#endif
