/* The asynchronous face of a machine that makes chunks: what achunked and acsv_encode
 * share.
 */
#ifndef GENERATORS_CHUNKS_ACHUNKS_H
#define GENERATORS_CHUNKS_ACHUNKS_H

#include "source/pending.h"
#include "chunks/chunks.h"

/* Where one stands between two steps. */
typedef struct {
    asource source;
    bool asked; /* for the chunk that is being made */
} achunks;

/* For astream_kind's step and close. */
astream_outcome achunks_step(achunks *self, astream *face, chunks *machine,
                             const chunks_kind *kind, astream_answer answer, PyObject **value);

#endif
