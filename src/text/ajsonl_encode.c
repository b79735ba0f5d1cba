/* ajsonl_encode: rows of an async source in, chunks of JSON lines out.
 *
 * The async front end of json_lines. chunks/achunks.c pulls the rows.
 *
 * States and threads: those of an async stream.  It owns the source, and the machine with all
 * that the machine owns, until the end.
 */
#include "text/ajsonl_encode.h"

#include "chunks/achunks.h"
#include "runtime/attributes.h"
#include "source/async_source.h"
#include "text/json_lines.h"

typedef struct {
    astream stream;
    bool asked; /* the chunk that is being made was asked for */
    json_lines lines;
} ajsonl_encoded;

/* ---- the stream's own ---- */

static astream_outcome
ajsonl_encoded_step(astream *base, astream_answer answer, PyObject **value)
{
    ajsonl_encoded *self = (ajsonl_encoded *)base;
    return achunks_step(&self->asked, base, &self->lines.chunks, &json_lines_kind, answer,
                        value);
}

static int
ajsonl_encoded_release(astream *base)
{
    json_lines_close(&((ajsonl_encoded *)base)->lines);
    return 0;
}

static void
ajsonl_encoded_measure(astream *base, measures *into)
{
    chunks_measure(&((ajsonl_encoded *)base)->lines.chunks, into);
}

static const astream_kind ajsonl_encoded_kind = {.step = ajsonl_encoded_step,
                                                 .release = ajsonl_encoded_release,
                                                 .measure = ajsonl_encoded_measure};

static int
ajsonl_encoded_traverse(PyObject *op, visitproc visit, void *arg)
{
    int status = json_lines_traverse(&((ajsonl_encoded *)op)->lines, visit, arg);
    return status != 0 ? status : astream_traverse(op, visit, arg);
}

static int
ajsonl_encoded_clear(PyObject *op)
{
    ajsonl_encoded_release((astream *)op);
    return astream_clear(op);
}

/* ---- making one ---- */

static int
ajsonl_encoded_init(ajsonl_encoded *self, generators_state *state, PyObject *args,
                    PyObject *kwargs)
{
    PyObject *rows;
    if (json_lines_open(&self->lines, "ajsonl_encode", args, kwargs, &rows,
                        &self->stream.close_with_task) < 0) {
        return -1;
    }
    return async_source_open(&self->stream, state, rows, 0,
                             "rows must be an async iterable of rows");
}

static PyObject *
ajsonl_encoded_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    ajsonl_encoded *self = (ajsonl_encoded *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &ajsonl_encoded_kind;
    self->stream.is_timed = true;
    if (ajsonl_encoded_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyGetSetDef ajsonl_encoded_attributes[] = {
    {"row_num", attributes_get_count, NULL, "Rows written.",
     (void *)offsetof(ajsonl_encoded, lines.row_count)},
    {NULL},
};

PyDoc_STRVAR(
    ajsonl_encoded_doc,
    "ajsonl_encode(rows, *, dumps=None, size=65536, max_delay=...,\n"
    "              close_with_task=False)\n"
    "--\n\n"
    "An async iterator over the rows of an async iterable as JSON lines, in bytes\n"
    "objects, as jsonl_encode() makes them.  The other arguments are described there.\n"
    "\n"
    "On an asyncio event loop, a chunk that is not full is yielded after `max_delay`\n"
    "seconds, even if no further row comes, as by achunked().  Cancelling a pending step\n"
    "loses nothing: the next step resumes it.\n"
    "\n"
    "close_with_task=True closes the stream when the asyncio task that took its first chunk\n"
    "ends.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> async def rows():\n"
    "...     yield {'a': 1}\n"
    "...     yield ['x', None]\n"
    ">>> async def main():\n"
    "...     return [chunk async for chunk in ajsonl_encode(rows())]\n"
    ">>> asyncio.run(main())\n"
    "[b'{\"a\":1}\\n[\"x\",null]\\n']");

static PyType_Slot ajsonl_encoded_slots[] = {
    {Py_tp_doc, (char *)ajsonl_encoded_doc},   {Py_tp_new, ajsonl_encoded_new},
    {Py_tp_traverse, ajsonl_encoded_traverse}, {Py_tp_clear, ajsonl_encoded_clear},
    {Py_tp_getset, ajsonl_encoded_attributes}, {0, NULL},
};

PyType_Spec ajsonl_encode_spec = {
    .name = "native_generators.ajsonl_encode",
    .basicsize = sizeof(ajsonl_encoded),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = ajsonl_encoded_slots,
};
