/* Pieces of text and bytes in, chunks out: the machine of chunked and achunked.
 *
 * A piece of text that ends with the first half of a surrogate pair may have been cut in a
 * character, as texts in UTF-16 are.  The half is held until the next piece, and joined with
 * the second half if that begins with it.  Otherwise the half is no text, as ever.
 *
 * User code runs in codecs and buffers.  The struct is part of the two front ends.
 */
#ifndef GENERATORS_CHUNKS_PIECES_H
#define GENERATORS_CHUNKS_PIECES_H

#include "chunks/chunks.h"

typedef struct {
    chunks chunks;
    bool from_file; /* the pieces are results of read() */
    Py_UCS4 half;   /* the last piece of text ended with this half of a pair; 0 if not.  While
                       it is held, the machine takes no piece by coalescer_put() */
} piece_chunks;

/* Read the parameters.  NULL means not given.  0 or -1. */
int pieces_open(piece_chunks *self, PyObject *size, PyObject *max_delay, PyObject *encoding);

/* Feed any piece.  0, or -1 with an exception set: TypeError if it is not a piece. */
int pieces_feed(piece_chunks *self, PyObject *piece, Py_ssize_t index);

/* There are no more pieces: a half that is held is an error.  0 or -1. */
int pieces_end(chunks *self);

/* Feed a short piece that completes no chunk: the common case, without a call. */
static inline bool
pieces_put_short(piece_chunks *self, PyObject *piece)
{
    coalescer *machine = &self->chunks.machine;
    if (PyBytes_CheckExact(piece)) {
        return coalescer_put(machine, PyBytes_AS_STRING(piece),
                             (size_t)PyBytes_GET_SIZE(piece));
    }
    return PyUnicode_CheckExact(piece) && PyUnicode_IS_COMPACT_ASCII(piece) &&
           self->chunks.text.encoding != TEXT_CODEC &&
           coalescer_put(machine, PyUnicode_DATA(piece), (size_t)PyUnicode_GET_LENGTH(piece));
}

static inline int
pieces_take(chunks *self, generators_state *Py_UNUSED(state), PyObject *piece,
            Py_ssize_t index)
{
    piece_chunks *machine = (piece_chunks *)self;
    return pieces_put_short(machine, piece) ? 0 : pieces_feed(machine, piece, index);
}

static const chunks_kind pieces_kind = {pieces_take, pieces_end, true, NULL};

#endif
