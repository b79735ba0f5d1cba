/* The async front end of a machine that makes chunks, shared by achunked and acsv_encode. */
#ifndef GENERATORS_CHUNKS_ACHUNKS_H
#define GENERATORS_CHUNKS_ACHUNKS_H

#include "chunks/chunks.h"
#include "stream/astream.h"

/* The step of an astream_kind.  `*asked`: whether the chunk that is being made was asked for.
   The owner sets it to false at first, and keeps it between steps. */
astream_outcome achunks_step(bool *asked, astream *face, chunks *machine,
                             const chunks_kind *kind, astream_answer answer, PyObject **value);

#endif
