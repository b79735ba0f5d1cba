/* The header, and the names that replace it: see header.c. */
#ifndef GENERATORS_CSV_ROWS_HEADER_H
#define GENERATORS_CSV_ROWS_HEADER_H

#include "csv/rows/records.h"

/* Read `names` as the user gave it (or NULL).  `wanted`: whether a header is read.  0 or -1. */
int csv_header_read_names(csv_records *self, PyObject *names, bool wanted);

/* Number the names that repeat or are empty, if that was asked for: replace the tuple.  0 or
   -1. */
int csv_header_number(const csv_records *self, PyObject **names);

#endif
