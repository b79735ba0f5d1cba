/* acsv_encode: rows of an async source in, chunks of CSV text out.
 *
 * The async front end of csv_lines. chunks/achunks.c pulls the rows.
 *
 * States and threads: those of an async stream.  It owns the source, and the machine with all
 * that the machine owns, until the end.
 */
#include "csv/write/aencoded.h"

#include "csv/write/lines.h"
#include "chunks/achunks.h"
#include "source/async_source.h"
#include "runtime/attributes.h"

typedef struct {
    astream stream;
    bool asked; /* the chunk that is being made was asked for */
    csv_lines lines;
} aencoded;

/* ---- the stream's own ---- */

static astream_outcome
aencoded_step(astream *base, astream_answer answer, PyObject **value)
{
    aencoded *self = (aencoded *)base;
    return achunks_step(&self->asked, base, &self->lines.chunks, &csv_lines_kind, answer,
                        value);
}

static int
aencoded_release(astream *base)
{
    aencoded *self = (aencoded *)base;
    csv_lines_close(&self->lines);
    return 0;
}

static void
aencoded_measure(astream *base, measures *into)
{
    chunks_measure(&((aencoded *)base)->lines.chunks, into);
}

static const astream_kind aencoded_kind = {
    .step = aencoded_step, .release = aencoded_release, .measure = aencoded_measure};

static int
aencoded_traverse(PyObject *op, visitproc visit, void *arg)
{
    aencoded *self = (aencoded *)op;
    int status = csv_lines_traverse(&self->lines, visit, arg);
    return status != 0 ? status : astream_traverse(op, visit, arg);
}

static int
aencoded_clear(PyObject *op)
{
    aencoded_release((astream *)op);
    return astream_clear(op);
}

/* ---- making one ---- */

static int
aencoded_init(aencoded *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    PyObject *rows;
    if (csv_lines_open(&self->lines, state, "acsv_encode", args, kwargs, &rows,
                       &self->stream.close_with_task) < 0) {
        return -1;
    }
    return async_source_open(&self->stream, state, rows, 0,
                             "rows must be an async iterable of rows");
}

static PyObject *
aencoded_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    aencoded *self = (aencoded *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &aencoded_kind;
    self->stream.is_timed = true;
    csv_lines_init(&self->lines);
    if (aencoded_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyGetSetDef aencoded_attributes[] = {
    {"row_num", attributes_get_count, NULL, "The number of rows written, without the header.",
     (void *)offsetof(aencoded, lines.row_count)},
    {NULL},
};

PyDoc_STRVAR(
    aencoded_doc,
    "acsv_encode(rows, *, columns=None, header=None, extra=None, missing=...,\n"
    "            size=65536, max_delay=..., dialect='excel', delimiter=',',\n"
    "            quotechar='\"', escapechar=None, doublequote=True,\n"
    "            skipinitialspace=False, lineterminator='\\r\\n',\n"
    "            quoting=0, strict=False, encoding='utf-8', errors='strict',\n"
    "            bom=False, escape_formulas=False, null=None, true=None, false=None,\n"
    "            float_format=None, datetime_format=None, decimal='.',\n"
    "            close_with_task=False)\n"
    "--\n\n"
    "An async iterator over the rows of an async iterable as CSV text, in bytes objects,\n"
    "as csv_encode() makes them.  The other arguments are described there.  The items may\n"
    "also be Arrow batches: objects with __arrow_c_array__() or __arrow_c_stream__().\n"
    "\n"
    "On an asyncio event loop, a chunk that is not full is yielded after `max_delay`\n"
    "seconds, even if no further row comes, as by achunked().  Cancelling a pending step\n"
    "loses nothing: the next step resumes it.\n"
    "\n"
    "close_with_task=True closes the stream when the asyncio task that took its first\n"
    "chunk ends.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> async def rows():\n"
    "...     yield {'a': 1, 'b': 'x,y'}\n"
    ">>> async def main():\n"
    "...     return [chunk async for chunk in acsv_encode(rows(), header=True)]\n"
    ">>> asyncio.run(main())\n"
    "[b'a,b\\r\\n1,\"x,y\"\\r\\n']");

static PyType_Slot aencoded_slots[] = {
    {Py_tp_doc, (char *)aencoded_doc},   {Py_tp_new, aencoded_new},
    {Py_tp_traverse, aencoded_traverse}, {Py_tp_clear, aencoded_clear},
    {Py_tp_getset, aencoded_attributes}, {0, NULL},
};

PyType_Spec acsv_encode_spec = {
    .name = "native_generators.acsv_encode",
    .basicsize = sizeof(aencoded),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = aencoded_slots,
};
