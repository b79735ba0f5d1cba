/* Encodes text piece by piece.
 *
 * UTF-8, ASCII and Latin-1 are encoded natively.  Any other encoding goes through its codec's
 * incremental encoder, so that a byte order mark is written only once.  The owner locks.
 */
#ifndef GENERATORS_CHUNKS_TEXT_H
#define GENERATORS_CHUNKS_TEXT_H

#include "state.h"

typedef enum {
    TEXT_CODEC,
    TEXT_ASCII,
    TEXT_LATIN1,
    TEXT_UTF8,
} text_encoding;

typedef struct {
    text_encoding encoding;
    char *errors;    /* owned */
    PyObject *codec; /* owned: an incremental encoder, or NULL */
    bool used;       /* the codec was given text */
} text_encoder;

/* `encoding` is a str, or NULL for UTF-8.  0, or -1 with LookupError set. */
int text_encoder_open(text_encoder *self, PyObject *encoding, const char *errors);
void text_encoder_close(text_encoder *self);
int text_encoder_traverse(text_encoder *self, visitproc visit, void *arg);

/* Encode a text, which must be ready: a new reference to bytes, or NULL. */
PyObject *text_encode(text_encoder *self, PyObject *text);

/* Get the bytes that the codec held back until the end: a new reference.  NULL without an
   exception set if there are none. */
PyObject *text_encode_end(text_encoder *self);

/* Whether the units of the text are its encoded bytes. */
static inline bool
text_is_plain(const text_encoder *self, PyObject *text)
{
    return self->encoding != TEXT_CODEC &&
           (PyUnicode_IS_ASCII(text) ||
            (self->encoding == TEXT_LATIN1 && PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND));
}

#endif
