/* Finished batches of the column machine: see columns.h. */
#ifndef GENERATORS_CORE_COLUMNS_BATCH_H
#define GENERATORS_CORE_COLUMNS_BATCH_H

#include "core/columns_types.h"

void columns_batch_free(columns_batch *self);

/* Bytes of memory that it holds. */
size_t columns_batch_size(const columns_batch *self);

#endif
