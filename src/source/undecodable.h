/* What is said of bytes that are no text of an encoding. */
#ifndef GENERATORS_SOURCE_UNDECODABLE_H
#define GENERATORS_SOURCE_UNDECODABLE_H

#include "state.h"

/* The bytes around the wrong ones, as far as they are known. */
typedef struct {
    const uint8_t *bytes;
    size_t count;
    size_t at;        /* the first wrong byte */
    bool begins_line; /* bytes[0] begins a line, or one begins between it and `at` */
} undecodable;

/* The message: what is wrong where in the line, and encodings that would read it.  `error` is
   the exception of the codec.  A new str, or NULL. */
PyObject *undecodable_message(const undecodable *self, PyObject *encoding, PyObject *error);

/* The same, of what the exception itself holds. */
PyObject *undecodable_message_of(PyObject *encoding, PyObject *error);

#endif
