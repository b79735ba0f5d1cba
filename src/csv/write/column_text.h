/* Strings and bytes of a column as CSV fields: see column_text.c. */
#ifndef GENERATORS_CSV_WRITE_COLUMN_TEXT_H
#define GENERATORS_CSV_WRITE_COLUMN_TEXT_H

#include "csv/write/column_inner.h"

/* As csv_column_fill(), for a column of strings or binary values of any kind, whose cells are
   reserved and whose nulls are flagged. */
size_t csv_column_fill_text(csv_column *self, int64_t first, size_t count);

#endif
