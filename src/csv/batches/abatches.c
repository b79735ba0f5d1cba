/* acsv_batches: the records of an async CSV source as Arrow record batches.
 *
 * The async front end of csv_batcher.  It waits for a piece and feeds it only when no complete
 * record is left.
 *
 * States and threads: those of an async stream.  The header, if there is one, is read with the
 * first batch.
 *
 * It owns the parser's memory until the end, and the header and the counters for longer.  User
 * code runs in the source and in csv_batcher, while the stream is `running`.
 */
#include "csv/batches/abatches.h"

#include "csv/batches/options.h"
#include "csv/parse/feed.h"
#include "runtime/attributes.h"
#include "source/async_source.h"

typedef struct {
    astream stream;
    data_source pieces; /* how pieces are fed; it has no source itself */
    csv_batcher batcher;
} abatches;

/* ---- the stream's own ---- */

static astream_outcome
abatches_outcome(csv_step step)
{
    return step == CSV_DONE ? ASTREAM_ITEM : step == CSV_OVER ? ASTREAM_END : ASTREAM_ERROR;
}

static astream_outcome
abatches_step(astream *base, astream_answer answer, PyObject **value)
{
    abatches *self = (abatches *)base;
    generators_state *state = generators_state_of((PyObject *)self);
    if (answer == ASTREAM_ASKED) {
        csv_step step = csv_batcher_next(&self->batcher, state, value);
        if (step != CSV_MORE) {
            return abatches_outcome(step);
        }
    }
    const source_sink sink = csv_parser_sink(&self->batcher.records.parser);
    astream_outcome outcome =
        async_source_step(base, &self->pieces, state, &sink, answer, value);
    switch (outcome) {
    case ASTREAM_END: /* cut */
        return abatches_outcome(csv_batcher_cut(&self->batcher, state, value));
    case ASTREAM_ERROR:
        return abatches_outcome(csv_batcher_fail(&self->batcher, state, value));
    default:
        return outcome;
    }
}

static int
abatches_release(astream *base)
{
    abatches *self = (abatches *)base;
    csv_batcher_release(&self->batcher);
    return data_source_close(&self->pieces);
}

static const astream_kind abatches_kind = {.step = abatches_step, .release = abatches_release};

static int
abatches_traverse(PyObject *op, visitproc visit, void *arg)
{
    abatches *self = (abatches *)op;
    int status = csv_batcher_traverse(&self->batcher, visit, arg);
    if (status == 0) {
        status = data_source_traverse(&self->pieces, visit, arg);
    }
    return status != 0 ? status : astream_traverse(op, visit, arg);
}

static int
abatches_clear(PyObject *op)
{
    abatches *self = (abatches *)op;
    csv_batcher_clear(&self->batcher);
    if (data_source_close(&self->pieces) < 0) {
        raising_unraisable(op);
    }
    return astream_clear(op);
}

/* ---- making one ---- */

static int
abatches_init(abatches *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    csv_options options = {.is_async = true};
    if (csv_batch_options_read(&options, state, args, kwargs,
                               CSV_ASYNC_BATCH_OPTIONS ":acsv_batches", &self->batcher) < 0) {
        return -1;
    }
    self->stream.close_with_task = options.close_with_task;
    return async_source_open_pieces(&self->stream, &self->pieces, state, options.source,
                                    &options.opening, options.items);
}

static PyObject *
abatches_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    abatches *self = (abatches *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &abatches_kind;
    if (abatches_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- attributes ---- */

static PyObject *
abatches_get_header(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *header;
    Py_BEGIN_CRITICAL_SECTION(op);
    header = Py_XNewRef(((abatches *)op)->batcher.records.header);
    Py_END_CRITICAL_SECTION();
    return header != NULL ? header : Py_NewRef(Py_None);
}

static PyObject *
abatches_get_total_bytes(PyObject *Py_UNUSED(op), void *Py_UNUSED(closure))
{
    Py_RETURN_NONE;
}

#define COUNT(member) (void *)offsetof(abatches, member)

static PyGetSetDef abatches_attributes[] = {
    {"header", abatches_get_header, NULL,
     "The names of the columns, as a tuple.  It is () for an empty source, and None\n"
     "if the source has no header.  Unless the names were given, it is also None\n"
     "before the first step or aprime().",
     NULL},
    {"line_num", attributes_get_count, NULL,
     "The number of physical lines read, as csv.reader counts them.  A record may\n"
     "span several lines.",
     COUNT(batcher.records.parser.line_count)},
    {"row_num", attributes_get_count, NULL,
     "The number of rows in the batches made so far, without the header.",
     COUNT(batcher.records.row_count)},
    {"bytes_read", attributes_get_count, NULL,
     "The number of bytes read from the source.  For a compressed source, it counts\n"
     "compressed bytes.  It is 0 for a source of text.",
     COUNT(pieces.bytes_read)},
    {"total_bytes", abatches_get_total_bytes, NULL,
     "Always None, because the size of an async source is unknown.", NULL},
    {"errors", attributes_get_count, NULL, "The number of records that could not be read.",
     COUNT(batcher.records.error_count)},
    {NULL},
};

PyDoc_STRVAR(
    abatches_doc,
    "acsv_batches(source, *, types=None, schema=None, columns=None, rows=65536,\n"
    "             threads=None, header=True, names=None, duplicates='error', null=(),\n"
    "             ragged='error', dialect='excel', delimiter=',', quotechar='\"',\n"
    "             escapechar=None, doublequote=True, skipinitialspace=False,\n"
    "             lineterminator='\\r\\n', quoting=0, strict=False, skip=None,\n"
    "             comment=None, footer=0, blank=None, multiline=True,\n"
    "             encoding='utf-8', errors='strict', items='auto', compression='infer',\n"
    "             member=None, complete=False, max_field=131072, max_record=67108864,\n"
    "             on_error='raise', close_with_task=False)\n"
    "--\n\n"
    "An async iterator over the batches of a CSV source, as csv_batches() makes them.\n"
    "The other arguments are described there.  Batches are made on the thread of the\n"
    "event loop; threads must be None or a number of at least 1, and has no effect.\n"
    "\n"
    "source is as for acsv_rows(): an async iterable of bytes, in pieces that may be cut\n"
    "anywhere, or of str, each of them a line; or an object whose read(n) is a coroutine\n"
    "function.\n"
    "\n"
    "The header is read with the first batch: .header is None until then, or until\n"
    "aprime() is awaited.  Cancelling a step loses nothing: the next step returns the\n"
    "item that the cancelled one would have returned.  close_with_task=True closes the\n"
    "stream when the asyncio task that read its first batch ends.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> async def chunks():\n"
    "...     yield b'id,name\\n1,\"Ann'\n"
    "...     yield b'a\"\\n2,Bob\\n'\n"
    ">>> async def main():\n"
    "...     return [batch async for batch in acsv_batches(chunks())]\n"
    ">>> asyncio.run(main())\n"
    "[<CSVBatch of 2 rows, 2 columns>]");

static PyType_Slot abatches_slots[] = {
    {Py_tp_doc, (char *)abatches_doc},   {Py_tp_new, abatches_new},
    {Py_tp_traverse, abatches_traverse}, {Py_tp_clear, abatches_clear},
    {Py_tp_getset, abatches_attributes}, {0, NULL},
};

PyType_Spec acsv_batches_spec = {
    .name = "native_generators.acsv_batches",
    .basicsize = sizeof(abatches),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = abatches_slots,
};
