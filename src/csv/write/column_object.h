/* Values of a column as CSV fields, by way of Python objects: see column_object.c. */
#ifndef GENERATORS_CSV_WRITE_COLUMN_OBJECT_H
#define GENERATORS_CSV_WRITE_COLUMN_OBJECT_H

#include "csv/write/column_inner.h"

/* As csv_column_fill(). */
size_t csv_column_fill_by_object(csv_column *self, int64_t first, size_t count);

#endif
