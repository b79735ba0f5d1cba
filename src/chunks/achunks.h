/* The async front end of a machine that makes chunks: what achunked and acsv_encode share. */
#ifndef GENERATORS_CHUNKS_ACHUNKS_H
#define GENERATORS_CHUNKS_ACHUNKS_H

#include "chunks/chunks.h"
#include "stream/astream.h"

/* For astream_kind's step.  `*asked`: whether the chunk that is being made has been asked for;
   false at first, and kept by the owner between steps. */
astream_outcome achunks_step(bool *asked, astream *face, chunks *machine,
                             const chunks_kind *kind, astream_answer answer, PyObject **value);

#endif
