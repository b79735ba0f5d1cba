/* Batches from any object that offers Arrow data: see source.c. */
#ifndef GENERATORS_ARROW_SOURCE_H
#define GENERATORS_ARROW_SOURCE_H

#include "arrow/check.h"
#include "state.h"

typedef struct {
    struct ArrowArrayStream stream; /* owned, unless released */
    struct ArrowSchema schema;      /* owned, unless released */
    struct ArrowArray batch;        /* owned, unless released: the last batch */
    arrow_type type;                /* owned: of the batches; borrows from `schema` */
    bool typed;                     /* `type` and `schema` are there */
    bool held;                      /* `batch` is the only one, and is not taken yet */
    uint64_t count;                 /* batches taken */
} arrow_source;

/* Whether an object offers batches: 1, 0 or -1 with an exception set.  An object of one
   dimension (a Series of pandas) does not. */
int arrow_source_offers(PyObject *op);

/* Take the object's stream, or its only batch.  The source must be all zeros, and must be
   closed, whatever this returns.  0 or -1. */
int arrow_source_open(arrow_source *self, PyObject *op);
void arrow_source_close(arrow_source *self);

/* Read the type of the batches, at the first call.  0 or -1. */
int arrow_source_read_type(arrow_source *self);

/* Release the last batch and take the next one, which was checked: 1, 0 at the end, or -1. */
int arrow_source_next(arrow_source *self);

static inline bool
arrow_source_is_open(const arrow_source *self)
{
    return self->stream.release != NULL || self->batch.release != NULL;
}

#endif
