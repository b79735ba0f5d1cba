/* csv_batches: the records of a CSV source as Arrow record batches.
 *
 * The sync front end of csv_batcher, as csv_rows is the one of csv_records: it pulls a piece
 * from a data_source when no complete record is left.
 *
 * States: those of a stream.  `__arrow_c_stream__` hands the stream over, once: `exported` is
 * set, and a consumer takes the batches that are left as next() would.  The schema is known
 * when the names are.  If the first values decide it, the first batch is made and held, as
 * prime() does.
 *
 * It owns the source (and closes it if it opened it) and the parser's memory until the end,
 * and the header, the schema and the counters for longer.
 *
 * User code runs when the source is pulled, and in csv_batcher.  Meanwhile `running` is set,
 * and every other call is refused.  Threads: see stream.c.
 */
#include "csv/batches/batches.h"

#include "arrow/capsule.h"
#include "arrow/stream.h"
#include "core/columns_piece.h"
#include "csv/batches/ahead.h"
#include "csv/batches/batch.h"
#include "csv/batches/options.h"
#include "csv/parse/feed.h"
#include "csv/rows/header.h"
#include "runtime/attributes.h"
#include "runtime/raising.h"

typedef struct {
    stream stream;
    data_source source;
    csv_batcher batcher;
    csv_ahead ahead;
    file_origin origin;  /* of the source, for checkpoints */
    csv_mark asked;      /* of the last checkpoint that was asked for */
    PyObject *requested; /* borrowed: a schema that is requested, during such a call */
    bool exported;       /* as an Arrow stream */
} csv_batches;

/* ---- the stream's own ---- */

/* Feed the parser.  0 or -1. */
static int
batches_pull(csv_batches *self, generators_state *state)
{
    csv_batcher *batcher = &self->batcher;
    const csv_ahead_reader reader = {
        .records = &batcher->records,
        .work = &columns_piece_work,
        .context = &batcher->plan.layout,
        .ready = batcher->opened && !batcher->asking && batcher->plan.undecided_count == 0,
        .urgent = batcher->records.row_count == 0,
    };
    int status = csv_ahead_pull(&self->ahead, &reader, &self->source, &self->stream, state);
    columns *piece = self->ahead.piece;
    if (piece != NULL && piece->rows > 0) {
        batcher->piece = piece;
        batcher->piece_row = 0;
    }
    return status;
}

/* Stop the threads. */
static void
batches_stop_threads(csv_batches *self)
{
    self->batcher.piece = NULL;
    csv_ahead_release(&self->ahead);
}

static PyObject *
batches_next(stream *base)
{
    csv_batches *self = (csv_batches *)base;
    generators_state *state = generators_state_of((PyObject *)self);
    if (csv_ahead_check(&self->ahead, "csv_batches") < 0) {
        return NULL;
    }
    for (;;) {
        PyObject *batch;
        csv_step step = csv_batcher_next(&self->batcher, state, &batch);
        if (step == CSV_MORE) {
            if (batches_pull(self, state) == 0) {
                continue;
            }
            step = csv_batcher_fail(&self->batcher, state, &batch);
        }
        return step == CSV_DONE ? batch : NULL;
    }
}

/* Called by stream_run(). */
static int
batches_read_header(stream *base)
{
    csv_batches *self = (csv_batches *)base;
    generators_state *state = generators_state_of((PyObject *)self);
    for (;;) {
        csv_step step = csv_records_read_header(&self->batcher.records, state);
        if (step != CSV_MORE) {
            return step == CSV_DONE ? 0 : -1;
        }
        if (batches_pull(self, state) < 0) {
            return -1;
        }
    }
}

/* Called by stream_run(): find out the names and types of the columns. */
static int
batches_settle(stream *base)
{
    csv_batches *self = (csv_batches *)base;
    generators_state *state = generators_state_of((PyObject *)self);
    while (!base->ended && !self->batcher.plan.settled) {
        csv_step step = csv_batcher_prepare(&self->batcher, state);
        if (step == CSV_RAISED_ERROR || (step == CSV_MORE && batches_pull(self, state) < 0)) {
            return -1;
        }
    }
    return 0;
}

/* Called by stream_run(): find out the schema, which the first batch may decide. */
static int
batches_read_schema(stream *base)
{
    csv_batches *self = (csv_batches *)base;
    if (batches_settle(base) < 0) {
        return -1;
    }
    if (self->requested != NULL && !self->batcher.opened && !base->ended &&
        csv_batch_plan_request(&self->batcher.plan, &self->batcher.records.parser,
                               self->requested) < 0) {
        return -1;
    }
    if (self->batcher.plan.undecided_count > 0 && !base->ended && base->first == NULL) {
        base->first = batches_next(base);
        if (base->first == NULL && PyErr_Occurred()) {
            return -1;
        }
        csv_batch_plan_decide(&self->batcher.plan);
    }
    return 0;
}

static int
batches_release(stream *base)
{
    csv_batches *self = (csv_batches *)base;
    batches_stop_threads(self);
    csv_batcher_release(&self->batcher);
    return data_source_close(&self->source);
}

static const stream_kind batches_kind = {.next = batches_next, .release = batches_release};

static int
batches_traverse(PyObject *op, visitproc visit, void *arg)
{
    csv_batches *self = (csv_batches *)op;
    int status = csv_batcher_traverse(&self->batcher, visit, arg);
    if (status == 0) {
        status = csv_ahead_traverse(&self->ahead, visit, arg);
    }
    if (status == 0) {
        status = data_source_traverse(&self->source, visit, arg);
    }
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

static int
batches_clear(PyObject *op)
{
    csv_batches *self = (csv_batches *)op;
    batches_stop_threads(self);
    csv_batcher_clear(&self->batcher);
    if (data_source_close(&self->source) < 0) {
        raising_unraisable(op);
    }
    return stream_clear(op);
}

/* ---- making one ---- */

static int
batches_init(csv_batches *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    csv_options options = {.is_async = false};
    csv_records *records = &self->batcher.records;
    if (csv_batch_options_read(&options, state, args, kwargs, CSV_BATCH_OPTIONS ":csv_batches",
                               &self->batcher) < 0 ||
        options_read_opening(&options.opening, &self->source) < 0 ||
        data_source_open(&self->source, state, &self->stream, options.source, options.items,
                         csv_parser_reads_natively(&records->parser),
                         &records->parser.path) < 0 ||
        csv_options_find_origin(records, state, &self->source, &self->origin) < 0) {
        return -1;
    }
    csv_ahead_init(&self->ahead, self->batcher.threads, &self->source);
    return options.start == NULL
               ? 0
               : csv_options_resume(&options, state, records, &self->source, &self->origin);
}

static PyObject *
batches_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    csv_batches *self = (csv_batches *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &batches_kind;
    if (batches_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- Arrow ---- */

/* The schema, held once, or NULL: for arrow_source_kind. */
static arrow_fields *
batches_fields(PyObject *op)
{
    csv_batches *self = (csv_batches *)op;
    if (stream_run(&self->stream, batches_read_schema) < 0) {
        return NULL;
    }
    arrow_fields *schema = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (self->batcher.plan.settled) {
        schema = arrow_fields_hold(self->batcher.plan.fields);
    }
    Py_END_CRITICAL_SECTION();
    if (schema == NULL) {
        PyErr_SetString(PyExc_ValueError, "the generator was closed before it had a schema");
    }
    return schema;
}

static int
batches_next_for_stream(PyObject *op, arrow_batch **batch)
{
    csv_batches *self = (csv_batches *)op;
    bool closed;
    Py_BEGIN_CRITICAL_SECTION(op);
    closed = self->stream.ended && self->stream.first == NULL && !self->batcher.exhausted;
    Py_END_CRITICAL_SECTION();
    if (closed) {
        PyErr_SetString(PyExc_ValueError, "the generator of this stream was closed");
        return -1;
    }
    PyObject *next = Py_TYPE(op)->tp_iternext(op);
    if (next == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    *batch = arrow_batch_hold(((csv_batch *)next)->data);
    Py_DECREF(next);
    return 1;
}

static int
batches_close_for_stream(PyObject *op)
{
    PyObject *done = PyObject_CallMethod(op, "close", NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static const arrow_source_kind batches_source = {batches_fields, batches_next_for_stream,
                                                 batches_close_for_stream};

PyDoc_STRVAR(c_schema_doc,
             "__arrow_c_schema__($self, /)\n"
             "--\n\n"
             "Return a capsule of the schema of the batches, for the Arrow PyCapsule\n"
             "interface. The header is read if necessary.  If a column of datetime may have\n"
             "a time zone, the first batch is made and kept, because the schema depends on\n"
             "its values.");

static PyObject *
batches_c_schema(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    arrow_fields *schema = batches_fields(op);
    PyObject *capsule = schema == NULL ? NULL : arrow_capsule_of_fields(schema);
    arrow_fields_release(schema);
    return capsule;
}

/* Mark it as exported: true if it may be. */
static bool
batches_hand_over(csv_batches *self)
{
    const stream *base = &self->stream;
    const char *reason = NULL;
    bool whole =
        !base->started && self->batcher.exhausted; /* prime() found that it is empty */
    if (self->exported) {
        reason = "the batches were handed over already: an Arrow stream is taken once";
    }
    else if (base->ended && base->first == NULL && !whole) {
        reason = "the generator has ended: there are no batches to hand over";
    }
    if (reason != NULL) {
        PyErr_SetString(PyExc_ValueError, reason);
        return false;
    }
    self->exported = true;
    return true;
}

/* Called by stream_run(). */
static int
batches_settle_requested(stream *base)
{
    csv_batches *self = (csv_batches *)base;
    return self->requested == NULL ? 0 : batches_read_schema(base);
}

PyDoc_STRVAR(c_stream_doc,
             "__arrow_c_stream__($self, /, requested_schema=None)\n"
             "--\n\n"
             "Return the remaining batches as a capsule of an Arrow stream, for the Arrow\n"
             "PyCapsule interface.  This is possible only once; a second call raises\n"
             "ValueError. The stream closes the generator when it is released.\n"
             "\n"
             "If no batch has been made yet, columns that are in neither types nor schema\n"
             "get the types of requested_schema.  ValueError is raised for a schema with\n"
             "other names, or with types that are not made from CSV.");

static PyObject *
batches_c_stream(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"requested_schema", NULL};
    csv_batches *self = (csv_batches *)op;
    PyObject *requested = Py_None;
    bool allowed;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:__arrow_c_stream__", keywords,
                                     &requested) ||
        (requested != Py_None && arrow_capsule_schema(requested) == NULL)) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    allowed = batches_hand_over(self);
    if (allowed) {
        self->requested = requested == Py_None ? NULL : requested;
    }
    Py_END_CRITICAL_SECTION();
    if (!allowed) {
        return NULL;
    }
    int status = stream_run(&self->stream, batches_settle_requested);
    struct ArrowArrayStream exported;
    Py_BEGIN_CRITICAL_SECTION(op);
    self->requested = NULL;
    Py_END_CRITICAL_SECTION();
    return status < 0 || arrow_export_stream(op, &batches_source, &exported) < 0
               ? NULL
               : arrow_capsule_of_stream(&exported);
}

/* ---- checkpoints ---- */

PyDoc_STRVAR(checkpoint_doc,
             "checkpoint($self, /)\n"
             "--\n\n"
             "Return the position after the batches delivered so far, as a dict that can be\n"
             "stored as JSON.  csv_batches(path, start=checkpoint) continues from there,\n"
             "also in another process.  The dialect must be the same and the file must not\n"
             "have changed; otherwise ValueError is raised.\n"
             "\n"
             "The source must be a path or a seekable binary file, in UTF-8, Latin-1 or\n"
             "ASCII.  Otherwise io.UnsupportedOperation is raised.");

/* Called by stream_run(). */
static int
batches_read_mark(stream *base)
{
    csv_batches *self = (csv_batches *)base;
    if (batches_read_header(base) < 0) {
        return -1;
    }
    self->asked = csv_records_mark(&self->batcher.records, base->first != NULL);
    return 0;
}

static PyObject *
batches_checkpoint(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    csv_batches *self = (csv_batches *)op;
    if (stream_run(&self->stream, batches_read_mark) < 0 ||
        checkpoint_check_source(generators_state_of(op), &self->source) < 0) {
        return NULL;
    }
    /* Another thread may have asked meanwhile, or taken batches.  This mark is still valid. */
    csv_mark mark;
    PyObject *header;
    uint32_t width;
    Py_BEGIN_CRITICAL_SECTION(op);
    mark = self->asked;
    header = Py_XNewRef(self->batcher.records.header);
    width = csv_batcher_width(&self->batcher);
    Py_END_CRITICAL_SECTION();
    PyObject *checkpoint =
        csv_checkpoint_new(generators_state_of(op), &self->origin,
                           &self->batcher.records.parser, &mark, header, width);
    Py_XDECREF(header);
    return checkpoint;
}

static PyMethodDef batches_methods[] = {
    {"checkpoint", batches_checkpoint, METH_NOARGS, checkpoint_doc},
    {"__arrow_c_schema__", batches_c_schema, METH_NOARGS, c_schema_doc},
    {"__arrow_c_stream__", (PyCFunction)(void (*)(void))batches_c_stream,
     METH_VARARGS | METH_KEYWORDS, c_stream_doc},
    {NULL},
};

/* ---- attributes ---- */

static PyObject *
batches_get_header(PyObject *op, void *Py_UNUSED(closure))
{
    csv_batches *self = (csv_batches *)op;
    bool unread;
    Py_BEGIN_CRITICAL_SECTION(op);
    unread = self->batcher.records.reads_header;
    Py_END_CRITICAL_SECTION();
    if (unread && stream_run(&self->stream, batches_read_header) < 0) {
        return NULL;
    }
    PyObject *header;
    Py_BEGIN_CRITICAL_SECTION(op);
    header = Py_XNewRef(self->batcher.records.header);
    Py_END_CRITICAL_SECTION();
    return header != NULL ? header : Py_NewRef(Py_None);
}

static PyObject *
batches_get_total_bytes(PyObject *op, void *closure)
{
    /* Set once, when the reader is made. */
    if (((csv_batches *)op)->source.total_bytes == FILE_SIZE_UNKNOWN) {
        Py_RETURN_NONE;
    }
    return attributes_get_count(op, closure);
}

#define COUNT(member) (void *)offsetof(csv_batches, member)

static PyGetSetDef batches_attributes[] = {
    {"header", batches_get_header, NULL,
     "The names of the columns, as a tuple.  If necessary, the first record is read\n"
     "for them.  It is () for an empty file, and None if the source has no header and\n"
     "no names were given.",
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
     COUNT(source.bytes_read)},
    {"total_bytes", batches_get_total_bytes, NULL,
     "The total number of bytes to read; None if it is unknown.", COUNT(source.total_bytes)},
    {"errors", attributes_get_count, NULL, "The number of records that could not be read.",
     COUNT(batcher.records.error_count)},
    {NULL},
};

PyDoc_STRVAR(
    batches_doc,
    "csv_batches(source, *, types=None, schema=None, columns=None, rows=65536,\n"
    "            threads=None, header=True, names=None, duplicates='error', null=(),\n"
    "            ragged='error', dialect='excel', delimiter=',', quotechar='\"',\n"
    "            escapechar=None, doublequote=True, skipinitialspace=False,\n"
    "            lineterminator='\\r\\n', quoting=0, strict=False, skip=None,\n"
    "            comment=None, footer=0, blank=None, multiline=True,\n"
    "            encoding='utf-8', errors='strict', items='auto', compression='infer',\n"
    "            member=None, complete=False, max_field=131072, max_record=67108864,\n"
    "            on_error='raise', start=None, changed='error')\n"
    "--\n\n"
    "An iterator over the records of a CSV source as Arrow record batches, each a\n"
    "CSVBatch.  The records are those of csv_rows().  They are stored by column, and no\n"
    "Python object is made for a value.\n"
    "\n"
    ">>> from generators import csv_batches\n"
    ">>> for batch in csv_batches(b'id,name\\n1,Ann\\n2,Bob\\n', types={'id': int}):\n"
    "...     print(len(batch), batch.column_names)\n"
    "2 ('id', 'name')\n"
    "\n"
    "The iterator is also an Arrow stream: pyarrow.table(csv_batches(path)),\n"
    "polars.DataFrame(...), pandas.DataFrame.from_arrow(...) and duckdb read all batches,\n"
    "without a copy.\n"
    "\n"
    "types maps names or indices, or None for all other columns, to a type or a converter\n"
    "    of generators.convert.  A type is str, bytes, int (64 bits), float, bool, date,\n"
    "    time or datetime (microseconds).  If the first value of a column of datetime has\n"
    "    a time zone, every value must have one, and the column is in UTC.\n"
    "schema is an object with __arrow_c_schema__, such as a pyarrow.Schema or a polars\n"
    "    schema, with fields for some or all of the columns.  Their types are integers\n"
    "    and floats of every size, bool, string, large_string, string_view, binary,\n"
    "    date32, time64[us], timestamp of every unit and zone, decimal128, and dictionary\n"
    "    of string with int32 indices.  Columns in neither types nor schema are strings.\n"
    "columns are the names or indices of the columns to include in a batch, in this\n"
    "    order.\n"
    "rows is the maximum number of rows in a batch.  A batch has fewer rows at the end,\n"
    "    before an error, and where a column would have more than 2 GiB of text.\n"
    "threads is the number of threads that read the source, with the calling thread.  The\n"
    "    default is the number of cores that the process may use, at most 16; it is 1 for\n"
    "    a source of less than 4 MiB or of unknown size.  The batches are the same for\n"
    "    any number.\n"
    "header is True by default.  header=False names the columns f0, f1, ... unless names\n"
    "    are given.\n"
    "null is a collection of texts that are null in an unquoted field.  In a column of\n"
    "    strings, an empty field is null only if null contains ''; in other columns it is\n"
    "    always null.\n"
    "ragged is 'error', or 'pad' to fill missing fields with null.\n"
    "blank is 'skip', the default, or 'error'.\n"
    "footer=n leaves out the last n records, and reads with one thread.\n"
    "\n"
    "The other parameters are described in csv_rows().\n"
    "\n"
    "Raises CSVError, a subclass of csv.Error and ValueError, for data that can't be read\n"
    "or doesn't have the type of its column, after a batch of the rows before it.\n"
    "OSError is raised at once for a path that can't be opened.  An exception of the\n"
    "source is raised unchanged, after the rows before it, with a note that says where it\n"
    "occurred.");

static PyType_Slot batches_slots[] = {
    {Py_tp_doc, (char *)batches_doc},
    {Py_tp_new, batches_new},
    {Py_tp_traverse, batches_traverse},
    {Py_tp_clear, batches_clear},
    {Py_tp_methods, batches_methods},
    {Py_tp_getset, batches_attributes},
    {0, NULL},
};

PyType_Spec csv_batches_spec = {
    .name = "native_generators.csv_batches",
    .basicsize = sizeof(csv_batches),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = batches_slots,
};
