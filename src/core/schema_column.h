/* One column of the schema machine: see schema.h. */
#ifndef GENERATORS_CORE_SCHEMA_COLUMN_H
#define GENERATORS_CORE_SCHEMA_COLUMN_H

#include "core/schema_types.h"

/* Add the field of each record from `from` up to `to`.  SCHEMA_STOPPED: column->stopped. */
schema_status schema_column_add(schema *self, uint32_t j, const columns_records *records,
                                size_t from, size_t to);

/* The texts that the column keeps may not point into the records any longer.  False if there
   is no memory. */
bool schema_column_own(schema *self, uint32_t j);

/* A type is given up.  `sample` is the first value against it. */
void schema_column_give_up(schema_column *self, schema_type type, const schema_sample *sample);

/* Give up the types that are not in `alive`, for what another machine found. */
void schema_column_limit(schema_column *self, uint32_t alive);

/* Add a column of a part, whose records follow record `base`. */
schema_status schema_column_merge(schema *self, schema_column *into, schema_column *from,
                                  uint64_t base);

void schema_column_restart(schema_column *self, uint32_t alive, bool counts);
void schema_column_free(schema_column *self, columns_allocator allocate);

#endif
