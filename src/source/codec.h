/* Python's codecs, by name. */
#ifndef GENERATORS_SOURCE_CODEC_H
#define GENERATORS_SOURCE_CODEC_H

#include "state.h"

/* The codec's own name of an encoding, a str: a new reference.  NULL with LookupError for an
   encoding that is unknown or does not encode text. */
PyObject *codec_name(PyObject *encoding);

/* Call decode() of an incremental decoder with these bytes: a new reference to a str, or NULL.
 */
PyObject *codec_decode(PyObject *decoder, generators_state *state, PyObject *bytes,
                       bool final);

#endif
