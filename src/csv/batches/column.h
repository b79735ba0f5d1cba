/* One column of a CSVBatch. */
#ifndef GENERATORS_CSV_BATCHES_COLUMN_H
#define GENERATORS_CSV_BATCHES_COLUMN_H

#include "arrow/batch.h"
#include "state.h"

/* Column `index` of a batch, which the column holds: a new reference, or NULL. */
PyObject *csv_column_new(generators_state *state, arrow_batch *batch, size_t index);

extern PyType_Spec csv_column_spec;

#endif
