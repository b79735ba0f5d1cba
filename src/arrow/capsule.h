/* The capsules of the Arrow PyCapsule interface. */
#ifndef GENERATORS_ARROW_CAPSULE_H
#define GENERATORS_ARROW_CAPSULE_H

#include "arrow/export.h"
#include "state.h"

#define ARROW_SCHEMA_CAPSULE "arrow_schema"
#define ARROW_ARRAY_CAPSULE "arrow_array"
#define ARROW_STREAM_CAPSULE "arrow_array_stream"

/* Every function returns a new reference, or NULL with an exception set.  A capsule owns its
   struct, and releases it unless a consumer has moved it out. */

PyObject *arrow_capsule_of_fields(arrow_fields *fields);
PyObject *arrow_capsule_of_field(arrow_fields *fields, size_t index);

/* A pair of capsules, of the schema and of the array. */
PyObject *arrow_capsules_of_batch(arrow_batch *batch);
PyObject *arrow_capsules_of_column(arrow_batch *batch, size_t index);

/* A capsule of a stream, which is moved into it, whatever happens. */
PyObject *arrow_capsule_of_stream(struct ArrowArrayStream *stream);

/* The struct of a schema capsule; it stays the capsule's. */
const struct ArrowSchema *arrow_capsule_schema(PyObject *capsule);

#endif
