/* Checkpoints of lines and jsonl_rows. */
#ifndef GENERATORS_TEXT_LINE_CHECKPOINT_H
#define GENERATORS_TEXT_LINE_CHECKPOINT_H

#include "source/checkpoint.h"
#include "source/data_source.h"
#include "text/line_rows.h"

/* Make a dict, or return NULL with io.UnsupportedOperation if there can be no checkpoint. */
PyObject *line_checkpoint_new(generators_state *state, const file_origin *origin,
                              const line_rows *rows, const line_mark *mark);

/* Let a source that was just opened, and its rows, continue at the checkpoint `start`.  0 or
   -1. */
int line_checkpoint_resume(PyObject *start, generators_state *state, data_source *source,
                           line_rows *rows, file_origin *origin, checkpoint_changed changed);

#endif
