/* Reading ahead with threads: see ahead.c. */
#ifndef GENERATORS_CSV_BATCHES_AHEAD_H
#define GENERATORS_CSV_BATCHES_AHEAD_H

#include "core/pipeline.h"
#include "csv/rows/records.h"
#include "source/data_source.h"

/* Who reads: the front end tells it at each pull. */
typedef struct {
    csv_records *records;
    const pipeline_work *work; /* what threads do with the records of a block */
    const void *context;       /* of the work */
    bool ready;                /* nothing of the records read so far is open */
    bool urgent;               /* a result is waited for, and has nothing yet */
} csv_ahead_reader;

typedef struct {
    pipeline *pipeline; /* owned; NULL until it is needed */
    PyObject *error; /* owned: an exception of the source, raised after the blocks; or NULL */
    uint64_t byte;   /* where the next byte is in the source */
    int threads;     /* 1 for none but the caller's */
    void *piece;     /* borrowed: what a thread made of all records that the parser has, since
                        the last pull; or NULL */
    bool running;    /* the bytes of the source go to the pipeline */
    bool held;       /* the parser has the units of the oldest block */
    bool over;       /* the source has ended */
} csv_ahead;

/* Decide how many threads there are, once the source is open.  `threads`: as asked for; 0 for
   as many as make sense. */
void csv_ahead_init(csv_ahead *self, int64_t threads, const data_source *source);

/* Give the parser more records, or tell it that the source is over.  0 or -1. */
int csv_ahead_pull(csv_ahead *self, const csv_ahead_reader *reader, data_source *source,
                   stream *owner, generators_state *state);

/* 0; or -1 with RuntimeError in a child of the process in which threads were started by
   `name`(). */
int csv_ahead_check(const csv_ahead *self, const char *name);

/* Stop the threads.  Before the records are released. */
void csv_ahead_release(csv_ahead *self);
int csv_ahead_traverse(csv_ahead *self, visitproc visit, void *arg);

#endif
