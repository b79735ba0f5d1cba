/* CSVBatch: a record batch. */
#ifndef GENERATORS_CSV_BATCHES_BATCH_H
#define GENERATORS_CSV_BATCHES_BATCH_H

#include "arrow/batch.h"
#include "state.h"

typedef struct {
    PyObject_HEAD
    arrow_batch *data; /* owned */
} csv_batch;

/* A CSVBatch of `data`, which is stolen, whatever happens: a new reference, or NULL. */
PyObject *csv_batch_new(generators_state *state, arrow_batch *data);

extern PyType_Spec csv_batch_spec;

#endif
