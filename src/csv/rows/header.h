/* The header, and the names that replace it: see header.c. */
#ifndef GENERATORS_CSV_ROWS_HEADER_H
#define GENERATORS_CSV_ROWS_HEADER_H

#include "csv/rows/state.h"

/* Read `names` as the user gave it (or NULL).  `wanted`: whether a header is read.  0 or -1.
 */
int csv_header_read_names(csv_records *self, PyObject *names, bool wanted);

/* Number the names that repeat or are empty, if that was asked for: replace the tuple.  0 or
   -1. */
int csv_header_number(const csv_records *self, PyObject **names);

/* Read the header, if there is one and it was not read yet. */
csv_step csv_records_read_header(csv_records *self, generators_state *state);

/* Make the csv_names of the header, for rows that are read by name.  0 or -1. */
int csv_records_key(csv_records *self, generators_state *state);

/* Settle the plan, if there is one, for these names; or for records of `width` fields, and
   names or NULL.  An error in the names is one of the record that was taken last.  0 or -1. */
int csv_records_settle(csv_records *self, generators_state *state, PyObject *names);
int csv_records_settle_width(csv_records *self, generators_state *state, PyObject *header,
                             uint32_t width);

#endif
