/* Finished batches of the column machine: see columns.h. */
#ifndef GENERATORS_CORE_COLUMNS_BATCH_H
#define GENERATORS_CORE_COLUMNS_BATCH_H

#include "core/columns_types.h"

void columns_batch_free(columns_batch *self);

/* Give back memory if much of it is not in use, and set the bytes after those in use to zero,
   up to a multiple of 64.  Returns what it uses, with some room to spare: what a batch like it
   will need.  For columns_finish(). */
size_t columns_batch_trim(columns_batch *self);

/* Bytes of memory that it holds. */
size_t columns_batch_size(const columns_batch *self);

#endif
