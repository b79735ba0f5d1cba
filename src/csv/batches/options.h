/* The arguments of csv_batches and acsv_batches. */
#ifndef GENERATORS_CSV_BATCHES_OPTIONS_H
#define GENERATORS_CSV_BATCHES_OPTIONS_H

#include "csv/batches/batcher.h"
#include "csv/rows/options.h"

/* The formats for PyArg_ParseTupleAndKeywords(), without ":" and the name of the type. */
#define CSV_ASYNC_BATCH_OPTIONS "O|$OOOOOOOOOOOOOOOOOOOOOOOOUssOOpOOOO"
#define CSV_BATCH_OPTIONS CSV_ASYNC_BATCH_OPTIONS "O"

/* Parse the arguments and set up the batcher, which must be all zero.  `self->is_async` is
   set. 0 or -1; the batcher may be cleared in either case. */
int csv_batch_options_read(csv_options *self, generators_state *state, PyObject *args,
                           PyObject *kwargs, const char *format, csv_batcher *batcher);

#endif
