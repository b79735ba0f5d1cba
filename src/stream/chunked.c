/* chunked: pieces of text or bytes, sent on in chunks of one size.
 *
 * The synchronous face of the coalescer: it pulls pieces from an iterator, or
 * calls read() of a binary file, until a chunk is whole, FLUSH comes or the bytes
 * held have waited long enough.  It looks at the clock only when a piece arrives.
 *
 * States: those of a stream.  When the source ends or fails, the bytes held go
 * out first; then comes the end, or the error.
 *
 * Owned: the source, by the stream; the bound read() of a file, which stays open;
 * the bytes held.  All until the end.  User code runs in the source and in
 * codecs, under `running`.  Threads: see stream.c.
 */
#include "core/utf8.h"
#include "protocol/stream.h"
#include "stream/chunks.h"
#include "stream/text.h"

#define SHORT_TEXT 256             /* characters that are encoded without a bytes object */
#define PIECES_BETWEEN_CHECKS 4096 /* for signals: no piece may ever complete a chunk */

typedef struct {
    stream stream;
    chunks chunks;
    text_encoder text;
    PyObject *read; /* owned: a binary file's read(), or NULL where `source` is read */
    bool instant;   /* the source is a list's or tuple's own iterator */
} chunked;

/* ---- pieces ---- */

/* 1 where a short text was encoded here, 0 where its codec must do it, or -1. */
static int
feed_short_text(chunked *self, PyObject *text)
{
    uint8_t bytes[4 * SHORT_TEXT];
    size_t count = (size_t)PyUnicode_GET_LENGTH(text), length;
    if (self->text.encoding != TEXT_UTF8 || count > SHORT_TEXT ||
        !utf8_encode(PyUnicode_DATA(text), (int)PyUnicode_KIND(text), count, bytes, &length)) {
        return 0;
    }
    return chunks_feed(&self->chunks, NULL, bytes, length) < 0 ? -1 : 1;
}

static int
feed_text(chunked *self, PyObject *text)
{
    if (PyUnicode_READY(text) < 0) {
        return -1;
    }
    if (text_is_plain(&self->text, text)) {
        return chunks_feed(&self->chunks, text, PyUnicode_DATA(text),
                           (size_t)PyUnicode_GET_LENGTH(text));
    }
    int status = feed_short_text(self, text);
    if (status != 0) {
        return status < 0 ? -1 : 0;
    }
    PyObject *bytes = text_encode(&self->text, text);
    if (bytes == NULL) {
        return -1;
    }
    status = chunks_feed(&self->chunks, bytes, PyBytes_AS_STRING(bytes),
                         (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return status;
}

static int
feed_buffer(chunked *self, PyObject *object)
{
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    int status = chunks_feed(&self->chunks, NULL, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return status;
}

/* 0, or -1 with an exception set, TypeError for what is no piece. */
static int
feed_piece(chunked *self, PyObject *piece)
{
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
    if (self->read != NULL) {
        PyErr_Format(PyExc_TypeError, "read() should have returned bytes, not '%.200s'",
                     Py_TYPE(piece)->tp_name);
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "piece %zd should be str or bytes-like, not '%.200s': to group items of "
                     "other types into tuples, use batched()",
                     self->stream.pulled - 1, Py_TYPE(piece)->tp_name);
    }
    return -1;
}

/* The common case, a short piece that completes no chunk, without a call. */
static inline bool
put_short(chunked *self, PyObject *piece)
{
    if (PyBytes_CheckExact(piece)) {
        return coalescer_put(&self->chunks.machine, PyBytes_AS_STRING(piece),
                             (size_t)PyBytes_GET_SIZE(piece));
    }
    return PyUnicode_CheckExact(piece) && PyUnicode_IS_COMPACT_ASCII(piece) &&
           self->text.encoding != TEXT_CODEC &&
           coalescer_put(&self->chunks.machine, PyUnicode_DATA(piece),
                         (size_t)PyUnicode_GET_LENGTH(piece));
}

static int
take_piece(chunked *self, PyObject *flush, PyObject *piece)
{
    if (put_short(self, piece)) {
        return 0;
    }
    if (piece == flush) {
        coalescer_flush(&self->chunks.machine);
        return 0;
    }
    int status = feed_piece(self, piece);
    if (status < 0) {
        stream_note("while reading piece %zd", self->stream.pulled - 1);
    }
    return status;
}

static int
end_of_pieces(chunked *self)
{
    PyObject *bytes = text_encode_end(&self->text);
    if (bytes == NULL && PyErr_Occurred()) {
        return -1;
    }
    int status = 0;
    if (bytes != NULL) {
        status = chunks_feed(&self->chunks, bytes, PyBytes_AS_STRING(bytes),
                             (size_t)PyBytes_GET_SIZE(bytes));
        Py_DECREF(bytes);
    }
    chunks_finish(&self->chunks);
    return status;
}

/* A piece that is the next chunk, and is handed on as it is. */
static inline bool
is_chunk(const chunked *self, PyObject *piece)
{
    return PyBytes_CheckExact(piece) &&
           (size_t)PyBytes_GET_SIZE(piece) == self->chunks.machine.size &&
           coalescer_is_empty(&self->chunks.machine);
}

/* Feed pieces until a chunk is ready, one is found whole, or the source has ended.
   0 and *whole, a new reference or NULL, or -1. */
static int
pull_pieces(chunked *self, PyObject **whole)
{
    PyObject *flush = generators_state_of((PyObject *)self)->flush;
    for (unsigned count = 1;; count++) {
        PyObject *piece;
        int status = stream_pull(&self->stream, &piece);
        if (status <= 0) {
            return status < 0 ? -1 : end_of_pieces(self);
        }
        if (is_chunk(self, piece)) {
            *whole = piece;
            return 0;
        }
        status = take_piece(self, flush, piece);
        Py_DECREF(piece);
        if (status < 0) {
            return -1;
        }
        if (!self->instant || count % CHUNKS_BETWEEN_TICKS == 0) {
            chunks_tick(&self->chunks);
        }
        if (coalescer_is_ready(&self->chunks.machine)) {
            return 0;
        }
        if (count % PIECES_BETWEEN_CHECKS == 0 && PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
}

/* ---- a file ---- */

static int
feed_read(chunked *self, PyObject *data)
{
    if (data == Py_None) {
        PyErr_SetString(PyExc_BlockingIOError, "the file has no data yet: it is not blocking");
        return -1;
    }
    if (PyUnicode_Check(data)) {
        PyErr_SetString(
            PyExc_TypeError,
            "read() should have returned bytes, not 'str': open the file in binary "
            "mode");
        return -1;
    }
    Py_ssize_t length = PyObject_Size(data);
    if (length <= 0) {
        return length < 0 ? -1 : end_of_pieces(self);
    }
    return feed_piece(self, data);
}

/* Read until a chunk is ready or the file has ended.  0 or -1. */
static int
read_file(chunked *self)
{
    do {
        PyObject *read = Py_NewRef(self->read);
        PyObject *data =
            PyObject_CallFunction(read, "n", (Py_ssize_t)self->chunks.machine.size);
        Py_DECREF(read);
        int status = data == NULL ? -1 : feed_read(self, data);
        Py_XDECREF(data);
        if (status < 0) {
            stream_note("while reading part %zd of the file", self->stream.pulled);
            return -1;
        }
        self->stream.pulled++;
        chunks_tick(&self->chunks);
    } while (!self->chunks.finished && !coalescer_is_ready(&self->chunks.machine));
    return 0;
}

/* ---- the stream's own ---- */

static PyObject *
chunked_next(stream *base)
{
    chunked *self = (chunked *)base;
    chunks_ask(&self->chunks);
    for (;;) {
        PyObject *chunk = chunks_take(&self->chunks);
        if (chunk != NULL || PyErr_Occurred() || self->chunks.finished) {
            return chunk;
        }
        int status = self->read != NULL ? read_file(self) : pull_pieces(self, &chunk);
        if (chunk != NULL) {
            return chunk;
        }
        if (status < 0 && !chunks_fail(&self->chunks)) {
            return NULL;
        }
    }
}

static int
chunked_release(stream *base)
{
    chunked *self = (chunked *)base;
    chunks_close(&self->chunks);
    text_encoder_close(&self->text);
    Py_CLEAR(self->read);
    return 0;
}

static const stream_kind chunked_kind = {chunked_next, chunked_release};

static int
chunked_traverse(PyObject *op, visitproc visit, void *arg)
{
    chunked *self = (chunked *)op;
    Py_VISIT(self->read);
    int status = chunks_traverse(&self->chunks, visit, arg);
    if (status == 0) {
        status = text_encoder_traverse(&self->text, visit, arg);
    }
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

static int
chunked_clear(PyObject *op)
{
    chunked_release((stream *)op);
    return stream_clear(op);
}

/* ---- making one ---- */

/* The method that reads a binary file: 1 and *read, 0 where `object` is none, or
   -1.  A buffered file gives what it has with read1(), and does not wait for more. */
static int
find_read(generators_state *state, PyObject *object, PyObject **read)
{
    *read = PyObject_GetAttrString(object, "read");
    if (*read == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    PyObject *type = PyObject_GetAttrString(state->io, "BufferedReader");
    if (type != NULL && (PyObject *)Py_TYPE(object) == type) {
        Py_SETREF(*read, PyObject_GetAttrString(object, "read1"));
    }
    Py_XDECREF(type);
    return type == NULL || *read == NULL ? -1 : 1;
}

static int
is_text_file(generators_state *state, PyObject *object)
{
    PyObject *type = PyObject_GetAttrString(state->io, "TextIOBase");
    int is = type == NULL ? -1 : PyObject_IsInstance(object, type);
    Py_XDECREF(type);
    return is;
}

static int
open_pieces(chunked *self, generators_state *state, PyObject *pieces)
{
    if (PyUnicode_Check(pieces) || PyObject_CheckBuffer(pieces)) {
        PyErr_Format(PyExc_TypeError,
                     "pieces must be an iterable of pieces or a binary file object, not "
                     "'%.200s': pass [data] to cut one",
                     Py_TYPE(pieces)->tp_name);
        return -1;
    }
    int found = find_read(state, pieces, &self->read);
    if (found > 0) {
        found = is_text_file(state, pieces);
        if (found > 0) {
            PyErr_SetString(PyExc_TypeError,
                            "the file is in text mode: open it in binary mode, or pass its "
                            "lines as pieces: chunked(iter(file.readline, ''))");
            return -1;
        }
        return found;
    }
    if (found < 0 || stream_open(&self->stream, state, pieces) < 0) {
        return -1;
    }
    self->instant = chunks_is_instant(&self->chunks, self->stream.source);
    return 0;
}

static int
chunked_init(chunked *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"pieces", "size", "max_delay", "encoding", NULL};
    PyObject *pieces, *size = NULL, *max_delay = NULL, *encoding = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O$OU:chunked", keywords, &pieces, &size,
                                     &max_delay, &encoding) ||
        chunks_open(&self->chunks, size, max_delay) < 0 ||
        text_encoder_open(&self->text, encoding, "strict") < 0) {
        return -1;
    }
    return open_pieces(self, state, pieces);
}

static PyObject *
chunked_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    chunked *self = (chunked *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &chunked_kind;
    if (chunked_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(chunked_doc,
             "chunked(pieces, size=65536, *, max_delay=0.1, encoding='utf-8')\n"
             "--\n\n"
             "The pieces (str, bytes or other buffers) or the content of a binary file\n"
             "object, as bytes of exactly `size`.\n\n"
             "A chunk is shorter, and never empty, at the end; where FLUSH stands among\n"
             "the pieces; and when a piece arrives `max_delay` seconds or more after the\n"
             "first byte held was given or, if that is later, the chunk was asked for.\n"
             "0 passes every piece on at once, None never sends a chunk early.  A bytes\n"
             "object of exactly `size` that arrives while nothing is held is handed on\n"
             "as it is.\n\n"
             "A generator given as `pieces` is closed when the stream ends; a file stays\n"
             "open.  When the pieces end in an error, the bytes before it come first.\n"
             "A piece of another type is a TypeError; see batched() for those.\n\n"
             ">>> list(chunked(['ab', b'cde', 'f'], 4))\n"
             "[b'abcd', b'ef']");

static PyType_Slot chunked_slots[] = {
    {Py_tp_doc, (char *)chunked_doc},
    {Py_tp_new, chunked_new},
    {Py_tp_traverse, chunked_traverse},
    {Py_tp_clear, chunked_clear},
    {0, NULL},
};

PyType_Spec chunked_spec = {
    .name = "generators.chunked",
    .basicsize = sizeof(chunked),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = chunked_slots,
};
