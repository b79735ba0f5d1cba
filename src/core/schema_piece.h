/* The work of a pipeline that finds out a schema: see pipeline.h and schema.h. */
#ifndef GENERATORS_CORE_SCHEMA_PIECE_H
#define GENERATORS_CORE_SCHEMA_PIECE_H

#include "core/pipeline.h"
#include "core/schema.h"

/* The context is the owner's schema, which tells what is alive.  A piece is a `schema` too,
   whose memory is libc's.  It has all, or some of its columns stopped. */
extern const pipeline_work schema_piece_work;

/* Whether some column of a piece stopped. */
bool schema_piece_stopped(const schema *piece);

#endif
