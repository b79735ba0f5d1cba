/* What pickle stores of a CSVBatch. */
#ifndef GENERATORS_CSV_BATCHES_RESTORE_H
#define GENERATORS_CSV_BATCHES_RESTORE_H

#include "arrow/batch.h"
#include "state.h"

/* The arguments of CSVBatch._restore(): a new tuple, or NULL. */
PyObject *csv_batch_parts(const arrow_batch *batch);

/* The batch that they stand for: NULL with ValueError or TypeError if they stand for none. */
arrow_batch *csv_batch_of_parts(long long rows, PyObject *columns);

#endif
