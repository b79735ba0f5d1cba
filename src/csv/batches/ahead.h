/* Reading ahead with threads: see ahead.c. */
#ifndef GENERATORS_CSV_BATCHES_AHEAD_H
#define GENERATORS_CSV_BATCHES_AHEAD_H

#include "csv/batches/batcher.h"
#include "core/pipeline.h"
#include "source/data_source.h"

typedef struct {
    pipeline *pipeline; /* owned; NULL until it is needed */
    PyObject *error; /* owned: an exception of the source, raised after the blocks; or NULL */
    uint64_t byte;   /* where the next byte is in the source */
    int threads;     /* 1 for none but the caller's */
    bool running;    /* the bytes of the source go to the pipeline */
    bool held;       /* the parser has the units of the oldest block */
    bool over;       /* the source has ended */
} csv_ahead;

/* Decide how many threads there are, once the source is open. */
void csv_ahead_init(csv_ahead *self, const csv_batcher *batcher, const data_source *source);

/* Give the parser of the batcher more records, or tell it that the source is over.  0 or -1.
 */
int csv_ahead_pull(csv_ahead *self, csv_batcher *batcher, data_source *source, stream *owner,
                   generators_state *state);

/* 0; or -1 with RuntimeError in a child of the process in which threads were started. */
int csv_ahead_check(const csv_ahead *self);

/* Stop the threads.  Before csv_batcher_release(). */
void csv_ahead_release(csv_ahead *self, csv_batcher *batcher);
int csv_ahead_traverse(csv_ahead *self, visitproc visit, void *arg);

#endif
