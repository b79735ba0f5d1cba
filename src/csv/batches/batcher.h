/* csv_batcher: pieces in, batches out.
 *
 * The machine behind the two front ends csv_batches and acsv_batches, as csv_records is the
 * one behind csv_rows and acsv_rows: it never asks for data, but returns CSV_MORE.
 */
#ifndef GENERATORS_CSV_BATCHES_BATCHER_H
#define GENERATORS_CSV_BATCHES_BATCHER_H

#include "core/columns.h"
#include "csv/batches/plan.h"
#include "csv/rows/records.h"

/* The counters that an attribute shows. */
typedef struct {
    uint64_t record_count;
    uint64_t line_count;
    uint64_t error_count;
} csv_batcher_counts;

typedef struct {
    csv_records records; /* the parser, the header, bad records, the counters, the mark */
    csv_batch_plan plan;
    columns builder;
    columns *piece;    /* borrowed: the rows of the block, laid out by a thread; or NULL */
    int64_t piece_row; /* the first of them that is not in the builder */
    int64_t rows;      /* that a batch holds at most */
    int64_t threads;   /* that were asked for; 0 for as many as make sense */
    uint32_t width;    /* fields of the first record if the names were made of it; or 0 */
    bool opened;       /* the builder is open */
    bool asking;       /* questions of the builder wait for answers */
    bool exhausted;    /* every record was given */
    csv_batcher_counts then; /* after the last record that is laid out */
    PyObject *error;         /* owned: raised after the batch before it was given; or NULL */
    csv_batcher_counts at_error;
} csv_batcher;

/* Make the next batch, a CSVBatch. */
csv_step csv_batcher_next(csv_batcher *self, generators_state *state, PyObject **batch);

/* An exception of the source is set.  CSV_DONE if the records before it make a batch, which
   comes first; or CSV_RAISED_ERROR. */
csv_step csv_batcher_fail(csv_batcher *self, generators_state *state, PyObject **batch);

/* Nothing more comes, and the record that has begun is not complete.  CSV_DONE if the records
   before it make a batch; then again, which gives CSV_OVER. */
csv_step csv_batcher_cut(csv_batcher *self, generators_state *state, PyObject **batch);

/* Find out the columns and their types, as far as possible without a batch.  CSV_DONE when
   that is done; the first batch decides the rest. */
csv_step csv_batcher_prepare(csv_batcher *self, generators_state *state);

/* Release all but what csv_records_release() keeps and the schema; and release all. */
void csv_batcher_release(csv_batcher *self);
void csv_batcher_clear(csv_batcher *self);
int csv_batcher_traverse(csv_batcher *self, visitproc visit, void *arg);

/* For a checkpoint: see csv_records_width(). */
static inline uint32_t
csv_batcher_width(const csv_batcher *self)
{
    return self->width > 0 ? self->width : self->records.first_width;
}

#endif
