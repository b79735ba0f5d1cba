/* Pieces of text and bytes in, chunks out: the machine of chunked and achunked.
 *
 * User code runs in codecs and buffers.  The struct is part of the two front ends.
 */
#ifndef GENERATORS_CHUNKS_PIECES_H
#define GENERATORS_CHUNKS_PIECES_H

#include "chunks/chunks.h"

typedef struct {
    chunks chunks;
    bool from_file; /* the pieces are results of read() */
} piece_chunks;

/* Read the parameters.  NULL means not given.  0 or -1. */
int pieces_open(piece_chunks *self, PyObject *size, PyObject *max_delay, PyObject *encoding);

/* Feed any piece.  0, or -1 with an exception set: TypeError if it is not a piece. */
int pieces_feed(piece_chunks *self, PyObject *piece, Py_ssize_t index);

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

static const chunks_kind pieces_kind = {pieces_take, chunks_end, true, NULL};

#endif
