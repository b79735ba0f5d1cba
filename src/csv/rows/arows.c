/* acsv_rows: the records of an async CSV source, one by one.
 *
 * The async front end of csv_records.  It waits for a piece and feeds it only when no complete
 * record is left.
 *
 * States and threads: those of an async stream.  The header, if there is one, is read with the
 * first row.
 *
 * It owns the parser's memory until the end, and the header and the counters for longer.  User
 * code runs in the source and in csv_records, while the stream is `running`.
 */
#include "csv/rows/arows.h"

#include "csv/parse/feed.h"
#include "csv/rows/options.h"
#include "runtime/attributes.h"
#include "source/async_source.h"

typedef struct {
    astream stream;
    data_source pieces; /* how pieces are fed; it has no source itself */
    csv_records records;
} arows;

/* ---- the stream's own ---- */

static astream_outcome
arows_step(astream *base, astream_answer answer, PyObject **value)
{
    arows *self = (arows *)base;
    generators_state *state = generators_state_of((PyObject *)self);
    if (answer == ASTREAM_ASKED) {
        csv_step step = csv_records_next(&self->records, state, value);
        if (step != CSV_MORE) {
            return step == CSV_DONE   ? ASTREAM_ITEM
                   : step == CSV_OVER ? ASTREAM_END
                                      : ASTREAM_ERROR;
        }
    }
    const source_sink sink = csv_parser_sink(&self->records.parser);
    return async_source_step(base, &self->pieces, state, &sink, answer, value);
}

static int
arows_release(astream *base)
{
    arows *self = (arows *)base;
    csv_records_release(&self->records);
    return data_source_close(&self->pieces);
}

static void
arows_measure(astream *base, measures *into)
{
    measures_count_errors(into, ((arows *)base)->records.error_count);
}

static const astream_kind arows_kind = {
    .step = arows_step, .release = arows_release, .measure = arows_measure};

static int
arows_traverse(PyObject *op, visitproc visit, void *arg)
{
    arows *self = (arows *)op;
    int status = csv_records_traverse(&self->records, visit, arg);
    if (status == 0) {
        status = data_source_traverse(&self->pieces, visit, arg);
    }
    return status != 0 ? status : astream_traverse(op, visit, arg);
}

static int
arows_clear(PyObject *op)
{
    arows *self = (arows *)op;
    csv_records_clear(&self->records);
    if (data_source_close(&self->pieces) < 0) {
        raising_unraisable(op);
    }
    return astream_clear(op);
}

/* ---- making one ---- */

static int
arows_init(arows *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    csv_options options = {.is_async = true};
    if (csv_options_read(&options, state, args, kwargs, CSV_ASYNC_OPTIONS ":acsv_rows",
                         &self->records) < 0) {
        return -1;
    }
    self->stream.close_with_task = options.close_with_task;
    return async_source_open_pieces(&self->stream, &self->pieces, state, options.source,
                                    &options.opening, options.items);
}

static PyObject *
arows_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    arows *self = (arows *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &arows_kind;
    if (arows_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- attributes ---- */

static PyObject *
arows_get_header(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *header;
    Py_BEGIN_CRITICAL_SECTION(op);
    header = Py_XNewRef(((arows *)op)->records.header);
    Py_END_CRITICAL_SECTION();
    return header != NULL ? header : Py_NewRef(Py_None);
}

static PyObject *
arows_get_total_bytes(PyObject *Py_UNUSED(op), void *Py_UNUSED(closure))
{
    Py_RETURN_NONE;
}

#define COUNT(member) (void *)offsetof(arows, member)

static PyGetSetDef arows_attributes[] = {
    {"header", arows_get_header, NULL,
     "The names of the columns, as a tuple.  It is () for an empty source, and None\n"
     "if the source has no header.  Unless the names were given, it is also None\n"
     "before the first step or aprime().",
     NULL},
    {"line_num", attributes_get_count, NULL,
     "The number of physical lines read, as csv.reader counts them.  A record may\n"
     "span several lines.",
     COUNT(records.parser.line_count)},
    {"row_num", attributes_get_count, NULL,
     "The number of rows delivered, without the header.", COUNT(records.row_count)},
    {"bytes_read", attributes_get_count, NULL,
     "The number of bytes read from the source.  For a compressed source, it counts\n"
     "compressed bytes.  It is 0 for a source of text.",
     COUNT(pieces.bytes_read)},
    {"total_bytes", arows_get_total_bytes, NULL,
     "Always None, because the size of an async source is unknown.", NULL},
    {"errors", attributes_get_count, NULL, "The number of records that could not be read.",
     COUNT(records.error_count)},
    {NULL},
};

PyDoc_STRVAR(
    arows_doc,
    "acsv_rows(source, *, into=None, header=None, names=None, duplicates='error',\n"
    "          columns=None, types=None, null=(), ragged=None, dialect='excel',\n"
    "          delimiter=',', quotechar='\"', escapechar=None, doublequote=True,\n"
    "          skipinitialspace=False, lineterminator='\\r\\n', quoting=0, strict=False,\n"
    "          skip=None, comment=None, footer=0, blank=None, multiline=True,\n"
    "          encoding='utf-8', errors='strict', items='auto', compression='infer',\n"
    "          member=None, complete=False, max_field=131072,\n"
    "          max_record=67108864, on_error='raise', close_with_task=False)\n"
    "--\n\n"
    "An async iterator over the rows of a CSV source, as csv_rows() reads them.  The\n"
    "other arguments are described there.\n"
    "\n"
    "source is an async iterable of bytes, in pieces that may be cut anywhere (empty ones\n"
    "are skipped), or of str, each of them a line; or an object whose read(n) is a\n"
    "coroutine function, such as an UploadFile or a StreamReader.  An async generator is\n"
    "closed at the end.\n"
    "\n"
    "The header is read with the first row: .header is None until then, or until aprime()\n"
    "is awaited.  Cancelling a step loses nothing: the next step returns the item that\n"
    "the cancelled one would have returned.  close_with_task=True closes the stream when\n"
    "the asyncio task that read its first row ends.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> async def chunks():\n"
    "...     yield b'id,name\\n1,\"Ann'\n"
    "...     yield b'a\"\\n'\n"
    ">>> async def main():\n"
    "...     return [row async for row in acsv_rows(chunks())]\n"
    ">>> asyncio.run(main())\n"
    "[['id', 'name'], ['1', 'Anna']]");

static PyType_Slot arows_slots[] = {
    {Py_tp_doc, (char *)arows_doc},   {Py_tp_new, arows_new},
    {Py_tp_traverse, arows_traverse}, {Py_tp_clear, arows_clear},
    {Py_tp_getset, arows_attributes}, {0, NULL},
};

PyType_Spec acsv_rows_spec = {
    .name = "native_generators.acsv_rows",
    .basicsize = sizeof(arows),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = arows_slots,
};
