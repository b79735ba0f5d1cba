/* CSVRow: see row.c. */
#ifndef GENERATORS_CSV_ROW_ROW_H
#define GENERATORS_CSV_ROW_ROW_H

#include "csv/row/block.h"
#include "csv/parse/parser.h"

/* Make the row of a record whose block has a layout, with the converted values in order; or a
   row of values, for a dialect that makes values other than texts.  Both steal the values,
   even on failure. */
PyObject *csv_row_of_record(const csv_parser *parser, const fields_record *record,
                            PyObject **converted);
PyObject *csv_row_of_values(const csv_parser *parser, generators_state *state,
                            PyObject **values, Py_ssize_t count);

/* Make a CSVRow of a record that is not blank.  Returns as csv_record_list() does. */
PyObject *csv_record_row(const csv_parser *parser, generators_state *state,
                         const fields_record *record, Py_ssize_t *bad);

extern PyType_Spec csv_row_spec;

#endif
