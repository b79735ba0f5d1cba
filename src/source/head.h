/* The first bytes of a source tell what is no text of the encoding. */
#ifndef GENERATORS_SOURCE_HEAD_H
#define GENERATORS_SOURCE_HEAD_H

#include "state.h"

#define HEAD_LENGTH 4 /* bytes that tell what kind of file it is */

/* What to do about a source that begins with these bytes, in words; NULL if there is nothing
   wrong.  `encoding` is the name that the user gave. */
const char *head_advice(const uint8_t *bytes, size_t count, PyObject *encoding);

/* Whether more bytes are needed to tell. */
bool head_is_open(const uint8_t *bytes, size_t count);

#endif
