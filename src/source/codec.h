/* The codecs of Python, by name. */
#ifndef GENERATORS_SOURCE_CODEC_H
#define GENERATORS_SOURCE_CODEC_H

#include "state.h"

/* The codec's own name for the encoding, a str: a new reference, or NULL with LookupError for
   an encoding that is unknown or not of text. */
PyObject *codec_name(PyObject *encoding);

#endif
