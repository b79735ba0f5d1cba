/* The work of a pipeline that lays out columns: see pipeline.h and columns.h. */
#ifndef GENERATORS_CORE_COLUMNS_PIECE_H
#define GENERATORS_CORE_COLUMNS_PIECE_H

#include "core/pipeline.h"

/* The context is a columns_layout.  A piece is a `columns`, whose memory is libc's.  It has
   all rows unless there are questions. */
extern const pipeline_work columns_piece_work;

#endif
