/* Makes a row of a record: see shape.c. */
#ifndef GENERATORS_CSV_ROW_SHAPE_H
#define GENERATORS_CSV_ROW_SHAPE_H

#include "csv/parse/parser.h"
#include "csv/row/plan.h"

/* Make the row of a record, by a settled plan: a new reference.  NULL with an exception set
   (*fault: it is a CSVError of this record), or without one if the record gives no row. */
PyObject *csv_plan_row(csv_plan *self, csv_parser *parser, generators_state *state,
                       const fields_record *record, bool *fault);

/* Raise CSVError for a record that has not the number of fields that it must have. */
void csv_plan_raise_width(const csv_plan *self, csv_parser *parser, generators_state *state,
                          const fields_record *record);

#endif
