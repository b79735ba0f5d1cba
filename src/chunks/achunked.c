/* achunked: pieces of an async source as chunks of one size.
 *
 * The async front end of pieces.c. achunks.c pulls the pieces.
 *
 * States and threads: those of an async stream.  Until the end it owns the source or its
 * read(), and the bytes held.
 */
#include "chunks/achunked.h"

#include "chunks/achunks.h"
#include "source/async_source.h"
#include "chunks/pieces.h"

typedef struct {
    astream stream;
    bool asked; /* the chunk that is being made was asked for */
    piece_chunks pieces;
} achunked;

/* ---- the stream's own ---- */

static astream_outcome
achunked_step(astream *base, astream_answer answer, PyObject **value)
{
    achunked *self = (achunked *)base;
    return achunks_step(&self->asked, base, &self->pieces.chunks, &pieces_kind, answer, value);
}

static int
achunked_release(astream *base)
{
    achunked *self = (achunked *)base;
    chunks_close(&self->pieces.chunks);
    return 0;
}

static void
achunked_measure(astream *base, measures *into)
{
    chunks_measure(&((achunked *)base)->pieces.chunks, into);
}

static const astream_kind achunked_kind = {
    .step = achunked_step, .release = achunked_release, .measure = achunked_measure};

static int
achunked_traverse(PyObject *op, visitproc visit, void *arg)
{
    achunked *self = (achunked *)op;
    int status = chunks_traverse(&self->pieces.chunks, visit, arg);
    return status != 0 ? status : astream_traverse(op, visit, arg);
}

static int
achunked_clear(PyObject *op)
{
    achunked_release((astream *)op);
    return astream_clear(op);
}

/* ---- making one ---- */

static int
achunked_init(achunked *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"pieces",          "size", "max_delay", "encoding",
                               "close_with_task", NULL};
    PyObject *source, *size = NULL, *max_delay = NULL, *encoding = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O$OUp:achunked", keywords, &source,
                                     &size, &max_delay, &encoding,
                                     &self->stream.close_with_task) ||
        pieces_open(&self->pieces, size, max_delay, encoding) < 0) {
        return -1;
    }
    size_t length = self->pieces.chunks.machine.size;
    int status =
        async_source_open(&self->stream, state, source, (Py_ssize_t)length,
                          "pieces must be an async iterable of pieces, or an object whose "
                          "read() is a coroutine function");
    self->pieces.from_file = self->stream.read != NULL;
    return status;
}

static PyObject *
achunked_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    achunked *self = (achunked *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &achunked_kind;
    self->stream.is_timed = true;
    if (achunked_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(
    achunked_doc,
    "achunked(pieces, size=65536, *, max_delay=..., encoding='utf-8',\n"
    "         close_with_task=False)\n"
    "--\n\n"
    "An async iterator that joins pieces into bytes objects of exactly `size`; the last\n"
    "one may be shorter.  The pieces are str, bytes or other buffers of an async\n"
    "iterable, or the content of an object whose read() is a coroutine function.\n"
    "\n"
    "This is chunked() for `async for`.  In addition, on an asyncio event loop a shorter\n"
    "chunk is yielded after `max_delay` seconds, even if no further piece comes; the\n"
    "source continues its step.  If `max_delay` is not given, it is 0.1, or None if\n"
    "`size` is given: then a chunk is yielded only when it is full, or at the end.\n"
    "Cancelling a pending step loses nothing: the next step resumes it.\n"
    "\n"
    "close_with_task=True closes the stream when the asyncio task that took its first\n"
    "chunk ends.  An async generator given as `pieces` is closed when the stream ends; a\n"
    "file stays open.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> async def pieces():\n"
    "...     for piece in ('ab', b'cde', 'f'):\n"
    "...         yield piece\n"
    ">>> async def main():\n"
    "...     return [chunk async for chunk in achunked(pieces(), 4)]\n"
    ">>> asyncio.run(main())\n"
    "[b'abcd', b'ef']");

static PyType_Slot achunked_slots[] = {
    {Py_tp_doc, (char *)achunked_doc},
    {Py_tp_new, achunked_new},
    {Py_tp_traverse, achunked_traverse},
    {Py_tp_clear, achunked_clear},
    {0, NULL},
};

PyType_Spec achunked_spec = {
    .name = "native_generators.achunked",
    .basicsize = sizeof(achunked),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = achunked_slots,
};
