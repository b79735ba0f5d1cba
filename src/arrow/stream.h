/* A generator of batches as an ArrowArrayStream. */
#ifndef GENERATORS_ARROW_STREAM_H
#define GENERATORS_ARROW_STREAM_H

#include "arrow/abi.h"
#include "arrow/batch.h"
#include "state.h"

/* What a source of batches can do.  The functions run in its interpreter. */
typedef struct {
    /* The schema, held once for the caller, or NULL with an exception set. */
    arrow_fields *(*fields)(PyObject *source);

    /* The next batch: 1 with *batch, held once for the caller; 0 at the end; or -1 with an
       exception set. */
    int (*next)(PyObject *source, arrow_batch **batch);

    /* The stream is released: close the source.  0, or -1 with an exception set. */
    int (*close)(PyObject *source);
} arrow_source_kind;

/* Make a stream of `source`, which it holds until it is released.  Any thread may use and
   release it, one at a time; releasing it again does nothing.  0, or -1 with an exception set.
 */
int arrow_export_stream(PyObject *source, const arrow_source_kind *kind,
                        struct ArrowArrayStream *out);

/* For a consumer in this interpreter that holds the GIL and raises the exception of the stream
   itself: whether the stream was made by arrow_export_stream() of this copy of the module,
   which then leaves Ctrl-C to the consumer. */
bool arrow_stream_carry(struct ArrowArrayStream *stream);

/* The exception that made a function of such a stream fail: a new reference; NULL if there is
   none, or the stream is another library's. */
PyObject *arrow_stream_exception(const struct ArrowArrayStream *stream);

#endif
