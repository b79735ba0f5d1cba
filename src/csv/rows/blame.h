/* Errors of records, and telling the user of them: see blame.c. */
#ifndef GENERATORS_CSV_ROWS_BLAME_H
#define GENERATORS_CSV_ROWS_BLAME_H

#include "csv/rows/state.h"

/* Set the mark before the next record. */
void csv_records_mark_next(const csv_records *self, csv_mark *mark);

/* A request that the names do not allow is a ValueError.  Make it a CSVError of the record
   that was taken last.  Any other exception stays. */
void csv_records_blame_names(csv_records *self, generators_state *state);

/* Raise CSVError for a record that is blank. */
void csv_records_raise_blank(csv_records *self, generators_state *state,
                             const fields_record *record);

/* The text of the record at fault, whose CSVError is `error`: a new reference, or NULL. */
PyObject *csv_records_raw_text(csv_records *self, PyObject *error);

/* Call `on_error`.  0 or -1. */
int csv_records_report(csv_records *self, PyObject *error, PyObject *text);

#endif
