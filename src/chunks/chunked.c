/* chunked: pieces of text or bytes as chunks of one size.
 *
 * The sync front end of pieces.c.  It pulls pieces from an iterator, or calls read() of a
 * binary file, until a chunk is complete, FLUSH comes, or the bytes held have waited long
 * enough.  It reads the clock only when a piece arrives.
 *
 * States: those of a stream.  When the source ends or fails, the bytes held are delivered
 * first; then comes the end, or the error.
 *
 * Until the end, the stream owns the source, and this type owns the bytes held and the bound
 * read() of a file.  A file that was handed in stays open; that of a path is closed.  User
 * code runs in the source and in codecs, while `running` is set.  Threads: see stream.c.
 */
#include "chunks/chunked.h"

#include "chunks/pieces.h"
#include "runtime/attributes.h"

typedef struct {
    stream stream;
    piece_chunks pieces;
    PyObject *read; /* owned: read() of a binary file, or NULL if items of `source` are read */
    PyObject *file; /* owned: the file of a path, or NULL */
    bool instant;   /* see chunks_is_instant() */
} chunked;

/* ---- a file ---- */

static int
feed_read(chunked *self, PyObject *data)
{
    if (data == Py_None) {
        PyErr_SetString(PyExc_BlockingIOError, "the file is non-blocking and has no data yet");
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
        return length < 0 ? -1 : pieces_end(&self->pieces.chunks);
    }
    return pieces_feed(&self->pieces, data, self->stream.pulled);
}

/* Read until a chunk is ready or the file has ended.  0 or -1. */
static int
read_file(stream *base, PyObject **Py_UNUSED(whole))
{
    chunked *self = (chunked *)base;
    do {
        PyObject *read = Py_NewRef(self->read);
        PyObject *data =
            PyObject_CallFunction(read, "n", (Py_ssize_t)self->pieces.chunks.machine.size);
        Py_DECREF(read);
        int status = data == NULL ? -1 : feed_read(self, data);
        Py_XDECREF(data);
        if (status < 0) {
            stream_note("while reading part %zd of the file", self->stream.pulled);
            return -1;
        }
        self->stream.pulled++;
        chunks_tick(&self->pieces.chunks);
    } while (!self->pieces.chunks.finished &&
             !coalescer_is_ready(&self->pieces.chunks.machine));
    return 0;
}

/* ---- the stream's own ---- */

static int
pull_pieces(stream *base, PyObject **whole)
{
    chunked *self = (chunked *)base;
    return chunks_pull(&self->pieces.chunks, base, &pieces_kind, self->instant, whole);
}

static PyObject *
chunked_next(stream *base)
{
    chunked *self = (chunked *)base;
    return chunks_next(&self->pieces.chunks, base,
                       self->read != NULL ? read_file : pull_pieces);
}

static int
chunked_release(stream *base)
{
    chunked *self = (chunked *)base;
    PyObject *file = self->file, *closed = Py_None;
    self->file = NULL;
    chunks_close(&self->pieces.chunks);
    Py_CLEAR(self->read);
    if (file != NULL) {
        closed = PyObject_CallMethod(file, "close", NULL);
        Py_XDECREF(closed);
        Py_DECREF(file);
    }
    return closed == NULL ? -1 : 0;
}

static void
chunked_measure(stream *base, measures *into)
{
    chunks_measure(&((chunked *)base)->pieces.chunks, into);
}

static const stream_kind chunked_kind = {
    .next = chunked_next, .release = chunked_release, .measure = chunked_measure};

static int
chunked_traverse(PyObject *op, visitproc visit, void *arg)
{
    chunked *self = (chunked *)op;
    Py_VISIT(self->read);
    Py_VISIT(self->file);
    int status = chunks_traverse(&self->pieces.chunks, visit, arg);
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

static int
chunked_clear(PyObject *op)
{
    chunked_release((stream *)op);
    return stream_clear(op);
}

/* ---- making one ---- */

/* Find the method that reads a binary file: 1 with *read set, 0 if `object` has no read(), or
   -1.  For a buffered file this is read1(), which returns the data at hand and does not wait
   for more. */
static int
find_read(generators_state *state, PyObject *object, PyObject **read)
{
    int found = attributes_has(object, "read");
    if (found <= 0) {
        return found;
    }
    PyObject *type = PyObject_GetAttrString(state->io, "BufferedReader");
    if (type != NULL) {
        bool buffered = (PyObject *)Py_TYPE(object) == type;
        *read = PyObject_GetAttrString(object, buffered ? "read1" : "read");
    }
    Py_XDECREF(type);
    return *read == NULL ? -1 : 1;
}

static int
is_text_file(generators_state *state, PyObject *object)
{
    PyObject *type = PyObject_GetAttrString(state->io, "TextIOBase");
    int is = type == NULL ? -1 : PyObject_IsInstance(object, type);
    Py_XDECREF(type);
    return is;
}

/* Whether pieces are a path: 1, 0 or -1. */
static int
is_path(PyObject *pieces)
{
    return PyUnicode_Check(pieces) ? 1
                                   : attributes_has((PyObject *)Py_TYPE(pieces), "__fspath__");
}

/* Open the file of a path, for this stream to read and to close.  0 or -1. */
static int
open_path(chunked *self, generators_state *state, PyObject *given)
{
    PyObject *path = PyOS_FSPath(given);
    if (path != NULL && PyUnicode_Check(path) &&
        PyUnicode_FindChar(path, '\n', 0, PyUnicode_GET_LENGTH(path), 1) >= 0) {
        PyErr_SetString(PyExc_ValueError,
                        "pieces is a str, which is taken as a path, but it holds a line end: "
                        "pass [text] to cut a text");
        Py_CLEAR(path);
    }
    if (path != NULL) {
        self->file = PyObject_CallMethod(state->io, "FileIO", "Os", path, "rb");
        Py_DECREF(path);
    }
    if (self->file == NULL) {
        return -1;
    }
    self->pieces.from_file = true;
    self->read = PyObject_GetAttrString(self->file, "read");
    return self->read == NULL ? -1 : 0;
}

static int
open_pieces(chunked *self, generators_state *state, PyObject *pieces)
{
    if (PyObject_CheckBuffer(pieces)) {
        PyErr_Format(PyExc_TypeError,
                     "pieces must be an iterable of pieces, a binary file object or a path, "
                     "not '%.200s': pass [data] to cut one",
                     Py_TYPE(pieces)->tp_name);
        return -1;
    }
    int path = is_path(pieces);
    if (path != 0) {
        return path < 0 ? -1 : open_path(self, state, pieces);
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
        self->pieces.from_file = true;
        return found;
    }
    if (found < 0 || stream_open(&self->stream, state, pieces) < 0) {
        return -1;
    }
    self->instant = chunks_is_instant(&self->pieces.chunks, self->stream.source);
    return 0;
}

static int
chunked_init(chunked *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"pieces", "size", "max_delay", "encoding", NULL};
    PyObject *pieces, *size = NULL, *max_delay = NULL, *encoding = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O$OU:chunked", keywords, &pieces, &size,
                                     &max_delay, &encoding) ||
        pieces_open(&self->pieces, size, max_delay, encoding) < 0) {
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

PyDoc_STRVAR(
    chunked_doc,
    "chunked(pieces, size=65536, *, max_delay=..., encoding='utf-8')\n"
    "--\n\n"
    "An iterator that joins pieces into bytes objects of exactly `size`.  `pieces` is an\n"
    "iterable of str, bytes or other buffers; or a path or a binary file object, whose\n"
    "content is read.  str is encoded with `encoding`.\n"
    "\n"
    "A chunk may be shorter, but is never empty.  It is shorter at the end, before FLUSH\n"
    "among the pieces, and when a piece comes `max_delay` seconds or more after the first\n"
    "byte of the chunk, or after the chunk was requested if that is later.  max_delay=0\n"
    "yields each piece at once; None waits until a chunk is full.  If `max_delay` is not\n"
    "given, it is 0.1, or None if `size` is given: then every chunk but the last has that\n"
    "size, as the parts of an upload must.  A bytes object of exactly `size` is yielded\n"
    "as it is if no other bytes are waiting.\n"
    "\n"
    "A generator given as `pieces` is closed when the stream ends, and so is a file that\n"
    "was opened from a path; a file object stays open.  If the pieces end in an\n"
    "exception, the bytes before it are yielded first.  A piece of another type raises\n"
    "TypeError; batched() accepts any items.  A surrogate pair that is split between two\n"
    "pieces of text is joined.\n"
    "\n"
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
    .name = "native_generators.chunked",
    .basicsize = sizeof(chunked),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = chunked_slots,
};
