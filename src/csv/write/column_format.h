/* Values of a column that have a format: see column_format.c. */
#ifndef GENERATORS_CSV_WRITE_COLUMN_FORMAT_H
#define GENERATORS_CSV_WRITE_COLUMN_FORMAT_H

#include "csv/write/column_inner.h"

/* Whether the values have a text of any length, because their format was given. */
bool csv_column_is_formatted(const csv_column *self);

/* As csv_column_fill(), for such a column. */
size_t csv_column_fill_formatted(csv_column *self, int64_t first, size_t count);

#endif
