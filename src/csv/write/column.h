/* One column of an Arrow batch as CSV fields: see column.c. */
#ifndef GENERATORS_CSV_WRITE_COLUMN_H
#define GENERATORS_CSV_WRITE_COLUMN_H

#include "csv/write/column_inner.h"

/* The column must be freed, whatever this returns.  0 or -1. */
int csv_column_open(csv_column *self, const csv_style *style, const arrow_type *type);
void csv_column_free(csv_column *self);

/* Begin a batch of `count` rows, whose array is `array`, from `offset` on.  `parent`: the
   bitmap of the rows that are there, or NULL, and where it begins.  0 or -1. */
int csv_column_begin(csv_column *self, const struct ArrowArray *array, int64_t offset,
                     int64_t count, const uint8_t *parent, int64_t parent_offset);

/* Write the fields of `count` rows from `first` on to the cells.  Returns how many were
   written.  Fewer than `count` are if the next one cannot be written, for which
   `cells.result` is the reason, with an exception set if it is CSV_RAISED; or if it is
   CSV_WRITTEN, because they are long. */
size_t csv_column_fill(csv_column *self, int64_t first, size_t count);

#endif
