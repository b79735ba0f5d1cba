/* Numbers, dates, times and the like of a column as CSV fields: see column_spell.c. */
#ifndef GENERATORS_CSV_WRITE_COLUMN_SPELL_H
#define GENERATORS_CSV_WRITE_COLUMN_SPELL_H

#include "csv/write/column_inner.h"

/* As csv_column_fill(), for a column of numbers, decimals, bools, dates, times, timestamps or
   durations, whose cells are reserved and whose nulls are flagged. */
size_t csv_column_fill_spelled(csv_column *self, int64_t first, size_t count);

#endif
