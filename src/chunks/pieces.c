#include "chunks/pieces.h"

#include "core/utf8.h"

#define SHORT_TEXT 256 /* characters that are encoded without a bytes object */

/* Encode and feed a short text: 1, 0 if its codec must do it, or -1. */
static int
feed_short_text(piece_chunks *self, PyObject *text)
{
    uint8_t bytes[4 * SHORT_TEXT];
    size_t count = (size_t)PyUnicode_GET_LENGTH(text), length;
    if (self->chunks.text.encoding != TEXT_UTF8 || count > SHORT_TEXT ||
        !utf8_encode(PyUnicode_DATA(text), (int)PyUnicode_KIND(text), count, bytes, &length)) {
        return 0;
    }
    return chunks_feed(&self->chunks, NULL, bytes, length) < 0 ? -1 : 1;
}

/* ---- halves of surrogate pairs ---- */

/* Hold a half, or none if it is 0. */
static void
hold_half(piece_chunks *self, Py_UCS4 half)
{
    coalescer *machine = &self->chunks.machine;
    self->half = half;
    machine->no_put &= (uint8_t)~COALESCER_OWNER;
    machine->no_put |= half != 0 ? COALESCER_OWNER : 0;
}

/* The half of a pair that the text ends with, or 0. */
static inline Py_UCS4
trailing_half(PyObject *text)
{
    if (PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND) {
        return 0;
    }
    Py_ssize_t count = PyUnicode_GET_LENGTH(text); /* no empty text is wide */
    Py_UCS4 last = PyUnicode_READ_CHAR(text, count - 1);
    return Py_UNICODE_IS_HIGH_SURROGATE(last) ? last : 0;
}

/* Feed the half that is held as it is: the codec refuses it.  0 or -1. */
static int
feed_half(piece_chunks *self)
{
    Py_UCS4 half = self->half;
    if (half == 0) {
        return 0;
    }
    hold_half(self, 0);
    PyObject *text = PyUnicode_FromOrdinal((int)half);
    int status = text == NULL ? -1 : chunks_feed_text(&self->chunks, text);
    Py_XDECREF(text);
    return status;
}

/* The text without the half of a pair at its end, which is held, and with the half that was
   held before it: a new reference, or NULL. */
static PyObject *
join_halves(piece_chunks *self, PyObject *text)
{
    Py_UCS4 before = self->half, half = trailing_half(text);
    Py_ssize_t start = 0, end = PyUnicode_GET_LENGTH(text) - (half != 0);
    if (before == 0) {
        hold_half(self, half);
        return PyUnicode_Substring(text, 0, end);
    }
    Py_UCS4 first = end > 0 ? PyUnicode_READ_CHAR(text, 0) : 0;
    if (Py_UNICODE_IS_LOW_SURROGATE(first)) {
        before = Py_UNICODE_JOIN_SURROGATES(before, first);
        start = 1;
    }
    hold_half(self, half);
    PyObject *rest = PyUnicode_Substring(text, start, end);
    PyObject *joined = rest == NULL ? NULL : PyUnicode_FromFormat("%c%U", (int)before, rest);
    Py_XDECREF(rest);
    return joined;
}

int
pieces_end(chunks *base)
{
    return feed_half((piece_chunks *)base) < 0 ? -1 : chunks_end(base);
}

/* Feed a text after a half of a pair, or that ends with one.  0 or -1. */
static int
feed_joined(piece_chunks *self, PyObject *text)
{
    if (PyUnicode_GET_LENGTH(text) == 0) {
        return 0;
    }
    PyObject *joined = join_halves(self, text);
    int status = joined == NULL ? -1 : chunks_feed_text(&self->chunks, joined);
    Py_XDECREF(joined);
    return status;
}

/* ---- pieces ---- */

static int
feed_text(piece_chunks *self, PyObject *text)
{
    if (PyUnicode_READY(text) < 0) {
        return -1;
    }
    if (self->half != 0 || trailing_half(text) != 0) {
        return feed_joined(self, text);
    }
    if (text_is_plain(&self->chunks.text, text)) {
        return chunks_feed(&self->chunks, text, PyUnicode_DATA(text),
                           (size_t)PyUnicode_GET_LENGTH(text));
    }
    int status = feed_short_text(self, text);
    if (status != 0) {
        return status < 0 ? -1 : 0;
    }
    return chunks_feed_text(&self->chunks, text);
}

static int
feed_buffer(piece_chunks *self, PyObject *object)
{
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    int status = chunks_feed(&self->chunks, NULL, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return status;
}

/* 0, or -1 with an exception set: TypeError if it is not a piece. */
static int
feed_piece(piece_chunks *self, PyObject *piece, Py_ssize_t index)
{
    if (self->half != 0 && !PyUnicode_Check(piece) && feed_half(self) < 0) {
        return -1;
    }
    if (PyBytes_CheckExact(piece)) {
        return chunks_feed(&self->chunks, piece, PyBytes_AS_STRING(piece),
                           (size_t)PyBytes_GET_SIZE(piece));
    }
    if (PyUnicode_Check(piece)) {
        return feed_text(self, piece);
    }
    if (PyObject_CheckBuffer(piece)) {
        return feed_buffer(self, piece);
    }
    if (self->from_file) {
        PyErr_Format(PyExc_TypeError, "read() should have returned bytes, not '%.200s'",
                     Py_TYPE(piece)->tp_name);
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "piece %zd should be str or bytes-like, not '%.200s': to group items of "
                     "other types into tuples, use batched()",
                     index, Py_TYPE(piece)->tp_name);
    }
    return -1;
}

int
pieces_feed(piece_chunks *self, PyObject *piece, Py_ssize_t index)
{
    int status = feed_piece(self, piece, index);
    if (status < 0 && !self->from_file) {
        stream_note("while reading piece %zd", index);
    }
    return status;
}

int
pieces_open(piece_chunks *self, PyObject *size, PyObject *max_delay, PyObject *encoding)
{
    return chunks_open(&self->chunks, size, max_delay) < 0
               ? -1
               : text_encoder_open(&self->chunks.text, encoding, "strict");
}
