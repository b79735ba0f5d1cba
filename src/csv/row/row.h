/* CSVRow. */
#ifndef GENERATORS_CSV_ROW_ROW_H
#define GENERATORS_CSV_ROW_ROW_H

#include "csv/row/block.h"
#include "csv/parse/parser.h"

/* Such a row goes without the garbage collector, so it must be part of no cycle: what it
   holds converted is something that goes without too, as numbers, texts and dates do, or a
   Decimal, which refers to nothing.  1, 0 or -1. */
int csv_row_may_hold(generators_state *state, PyObject *value);

/* A record whose block has a layout, with the converted values in their order; and values of
   a dialect whose texts are not the values.  Both take the values over, whatever comes. */
PyObject *csv_row_of_record(const csv_parser *parser, const fields_record *record,
                            PyObject **converted);
PyObject *csv_row_of_values(const csv_parser *parser, generators_state *state,
                            PyObject **values, Py_ssize_t count);

/* A record, which is not blank, as a CSVRow; as csv_record_list(). */
PyObject *csv_record_row(const csv_parser *parser, generators_state *state,
                         const fields_record *record, Py_ssize_t *bad);

extern PyType_Spec csv_row_spec;

#endif
