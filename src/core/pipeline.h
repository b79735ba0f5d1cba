/* Blocks of a source under way, and the threads that index them and work on their records.
 *
 * The owner fills blocks with the bytes of the source, in order, and takes them in the same
 * order when they are done.  Meanwhile one thread at a time indexes the next block, and all
 * lay out those that are indexed, each on its own.  While the owner waits for a block, it does
 * the same work.
 *
 * A block begins with what the one before it left: its record in progress.  Where that can't
 * be, or the machine met a fault, the pipeline has stalled: the blocks after that one are not
 * indexed, and the owner takes their bytes as they are.
 *
 * States of a block: filled by the owner; submitted; being indexed; indexed; being laid out;
 * done.  Only the one who does the work touches it meanwhile.  The counters are guarded by the
 * monitor.
 *
 * The threads call nothing of the interpreter, and take memory only from libc: what must come
 * from the allocator of core is reserved by the owner.
 */
#ifndef GENERATORS_CORE_PIPELINE_H
#define GENERATORS_CORE_PIPELINE_H

#include "core/buffer.h"
#include "core/columns_types.h"
#include "core/fields.h"
#include "core/threads.h"

#define PIPELINE_HEADROOM ((size_t)64 * 1024) /* before the bytes of a block */
#define PIPELINE_BLOCK ((size_t)512 * 1024)   /* bytes at which a block is submitted */
#define PIPELINE_MOST_THREADS 16

/* How many of the bytes are whole, valid text; `kernel` is the machine's. */
typedef size_t (*pipeline_check)(const scan_kernel *kernel, const uint8_t *bytes,
                                 size_t count);

/* What is done with the records of a block, once they are indexed.  The result is a piece: it
   belongs to the block, and is used again for other blocks. */
typedef struct {
    /* On the owner's thread, before a block is submitted: begin a piece, or make one if it is
       NULL.  Returns it; NULL if there is no memory, and then the owner does the work. */
    void *(*begin)(const void *context, void *piece);
    /* On any thread.  True if the piece has the result for all records, and the owner need not
       look at them. */
    bool (*add)(void *piece, const columns_records *records);
    void (*free)(void *piece); /* which is not NULL */
} pipeline_work;

typedef struct {
    buffer block;   /* owned: headroom, then the bytes */
    fields machine; /* its arrays are owned.  Once indexed: after the block */
    size_t valid;   /* units of the block that are text and were indexed */
    uint64_t byte;  /* where the bytes begin in the source */
    void *piece;    /* owned: the result of the work, or NULL */
    bool indexed;
    bool laid_out;
    bool whole; /* what pipeline_work.add returned */
} pipeline_block;

/* What a block leaves to the next one. */
typedef struct {
    fields machine; /* without its arrays; positions count from the record in progress */
    uint8_t *units; /* owned: PIPELINE_HEADROOM of them */
    uint32_t *ends; /* owned: as many */
    size_t length;  /* of units */
    size_t valid;   /* of them */
    size_t open;    /* of ends */
} pipeline_carry;

typedef struct {
    threads_monitor monitor;
    threads_thread threads[PIPELINE_MOST_THREADS];
    int thread_count; /* that run */
    int thread_most;
    unsigned long process;     /* in which they run */
    const pipeline_work *work; /* static */
    const void *context;       /* borrowed: of the work */
    pipeline_check check;
    pipeline_block *blocks; /* owned: a ring */
    size_t capacity;
    pipeline_carry carry; /* touched by who indexes, or by the owner while nobody does */

    /* Blocks by number, from 0 on.  Guarded by the monitor; only the owner changes `head` and
       `tail`. */
    size_t head;    /* the oldest that the owner has not released */
    size_t laid;    /* the next to be laid out */
    size_t indexed; /* the next to be indexed */
    size_t tail;    /* the next to be submitted */
    int laying;     /* blocks that are being laid out */
    bool held;      /* the owner has the oldest block */
    bool indexing;
    bool stalled;
    bool stopping;
} pipeline;

/* Resize a block of libc's memory, as realloc() does; free it for a size of 0.  For pieces. */
void *pipeline_memory(void *block, size_t size);

/* A pipeline of `threads` threads, the owner's among them.  NULL if there is no memory. */
pipeline *pipeline_new(const pipeline_work *work, const void *context, pipeline_check check,
                       int threads);

/* Stop the threads, wait for them, and free it. */
void pipeline_free(pipeline *self);

/* Begin after the record in progress of `machine`, whose records are taken, with the `length`
   units of the block, of which `valid` were read.  There must be no blocks.  False if that is
   too much. */
bool pipeline_begin(pipeline *self, const fields *machine, const uint8_t *units, size_t length,
                    size_t valid);

/* The block that is filled next, with room for `more` bytes after those that it has; NULL if
   there is no memory, or `capacity` blocks are under way. */
pipeline_block *pipeline_room(pipeline *self, size_t more);

/* The block that is filled is complete, if it has any bytes. */
void pipeline_submit(pipeline *self);

/* Wait for the oldest block, doing what is to be done meanwhile.  NULL if there is none. */
pipeline_block *pipeline_wait(pipeline *self);

/* Stop indexing after the blocks that were waited for: those under way are not indexed. */
void pipeline_stall(pipeline *self);

/* The oldest block is not needed any longer. */
void pipeline_release(pipeline *self);

/* Whether a block can be filled. */
bool pipeline_has_room(const pipeline *self);
bool pipeline_has_stalled(pipeline *self);

#endif
