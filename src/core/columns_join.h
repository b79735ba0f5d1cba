/* Builders put together: what threads laid out block by block becomes batches. */
#ifndef GENERATORS_CORE_COLUMNS_JOIN_H
#define GENERATORS_CORE_COLUMNS_JOIN_H

#include "core/columns_types.h"

/* Append the rows of `piece` from *at on, until all are, or the batch has `rows` rows. `piece`
   has the same layout and no questions, and is not changed.  *at becomes the first row that
   was not appended.  The batches are the same, byte for byte, as if columns_append() had been
   called with the records.  COLUMNS_FINE, COLUMNS_FULL or COLUMNS_NO_MEMORY, as
   columns_append(). */
columns_status columns_join(columns *self, const columns *piece, int64_t *at, int64_t rows);

/* The index in columns_records.records of the record of a row, for a builder that was clear
   before columns_append(). */
size_t columns_place(const columns *self, int64_t row);

#endif
