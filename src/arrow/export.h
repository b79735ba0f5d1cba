/* Fields and batches as structs of the C data interface. */
#ifndef GENERATORS_ARROW_EXPORT_H
#define GENERATORS_ARROW_EXPORT_H

#include "arrow/abi.h"
#include "arrow/batch.h"

/* What is exported holds the fields or the batch.  It may be released, once, by any thread, at
   any time; releasing it again does nothing.  False if there is no memory. */

/* The schema of a batch: a struct without a name. */
bool arrow_export_fields(arrow_fields *fields, struct ArrowSchema *out);

/* One field of it. */
bool arrow_export_field(arrow_fields *fields, size_t index, struct ArrowSchema *out);

/* A batch: an array of structs. */
bool arrow_export_batch(arrow_batch *batch, struct ArrowArray *out);

/* One column of it. */
bool arrow_export_column(arrow_batch *batch, size_t index, struct ArrowArray *out);

#endif
