/* csv_rows: the records of a CSV source, one by one.
 *
 * The sync front end of csv_records.  It pulls pieces from a data_source, which feeds them to
 * the parser.  It pulls only when no complete record is left, so nothing is read ahead but the
 * rest of the last piece.
 *
 * States: those of a stream.  The header, if there is one, is read at the first step, or when
 * `.header` is asked for.
 *
 * It owns the source (and closes it if it opened it) and the parser's memory until the end,
 * and the header and the counters for longer.
 *
 * User code runs when the source is pulled, and in csv_records.  Meanwhile `running` is set,
 * and every other call is refused.  Threads: see stream.c.
 */
#include "csv/rows/rows.h"

#include "csv/parse/feed.h"
#include "csv/rows/header.h"
#include "csv/rows/options.h"
#include "runtime/attributes.h"
#include "runtime/raising.h"

typedef struct {
    stream stream;
    data_source source;
    csv_records records;
    file_origin origin; /* of the source, for checkpoints */
    csv_mark asked;     /* of the last checkpoint that was asked for */
    uint64_t passed_to; /* see rows_pass() */
} csv_rows;

/* ---- the stream's own ---- */

/* Feed the parser.  0 or -1. */
static int
rows_pull(csv_rows *self, generators_state *state)
{
    const source_sink sink = csv_parser_sink(&self->records.parser);
    return data_source_pull(&self->source, state, &self->stream, &sink);
}

static PyObject *
rows_next(stream *base)
{
    csv_rows *self = (csv_rows *)base;
    generators_state *state = generators_state_of((PyObject *)self);
    for (;;) {
        PyObject *row;
        csv_step step = csv_records_next(&self->records, state, &row);
        if (step == CSV_DONE) {
            return row;
        }
        if (step != CSV_MORE || rows_pull(self, state) < 0) {
            return NULL;
        }
    }
}

/* Called by stream_run(). */
static int
rows_read_header(stream *base)
{
    csv_rows *self = (csv_rows *)base;
    generators_state *state = generators_state_of((PyObject *)self);
    for (;;) {
        csv_step step = csv_records_read_header(&self->records, state);
        if (step != CSV_MORE) {
            return step == CSV_DONE ? 0 : -1;
        }
        if (rows_pull(self, state) < 0) {
            return -1;
        }
    }
}

static int
rows_release(stream *base)
{
    csv_rows *self = (csv_rows *)base;
    csv_records_release(&self->records);
    return data_source_close(&self->source);
}

static void
rows_measure(stream *base, measures *into)
{
    csv_rows *self = (csv_rows *)base;
    measures_count_errors(into, self->records.error_count);
    measures_name_source(into, self->records.parser.path);
}

static const stream_kind rows_kind = {
    .next = rows_next, .release = rows_release, .measure = rows_measure};

static int
rows_traverse(PyObject *op, visitproc visit, void *arg)
{
    csv_rows *self = (csv_rows *)op;
    int status = csv_records_traverse(&self->records, visit, arg);
    if (status == 0) {
        status = data_source_traverse(&self->source, visit, arg);
    }
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

static int
rows_clear(PyObject *op)
{
    csv_rows *self = (csv_rows *)op;
    csv_records_clear(&self->records);
    if (data_source_close(&self->source) < 0) {
        raising_unraisable(op);
    }
    return stream_clear(op);
}

/* ---- making one ---- */

static int
rows_init(csv_rows *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    csv_options options = {.is_async = false};
    if (csv_options_read(&options, state, args, kwargs, CSV_OPTIONS ":csv_rows",
                         &self->records) < 0 ||
        options_read_opening(&options.opening, &self->source) < 0 ||
        data_source_open(&self->source, state, &self->stream, options.source, options.items,
                         csv_parser_reads_natively(&self->records.parser),
                         &self->records.parser.path) < 0 ||
        csv_options_find_origin(&self->records, state, &self->source, &self->origin) < 0) {
        return -1;
    }
    return options.start == NULL ? 0
                                 : csv_options_resume(&options, state, &self->records,
                                                      &self->source, &self->origin);
}

static PyObject *
rows_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    csv_rows *self = (csv_rows *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &rows_kind;
    if (rows_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- checkpoints ---- */

PyDoc_STRVAR(checkpoint_doc,
             "checkpoint($self, /)\n"
             "--\n\n"
             "Return the position after the rows delivered so far, as a dict that can be\n"
             "stored as JSON.  csv_rows(path, start=checkpoint) continues from there, also\n"
             "in another process.  The dialect must be the same and the file must not have\n"
             "changed; otherwise ValueError is raised.\n"
             "\n"
             "The source must be a path or a seekable binary file, in UTF-8 or in an\n"
             "encoding that contains ASCII and has one byte per character.  Otherwise\n"
             "io.UnsupportedOperation is raised.");

/* Called by stream_run(), which refuses a converter that asks for a checkpoint. */
static int
rows_read_mark(stream *base)
{
    csv_rows *self = (csv_rows *)base;
    if (rows_read_header(base) < 0) {
        return -1;
    }
    self->asked = csv_records_mark(&self->records, base->first != NULL);
    return 0;
}

static PyObject *
rows_checkpoint(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    csv_rows *self = (csv_rows *)op;
    if (stream_run(&self->stream, rows_read_mark) < 0 ||
        checkpoint_check_source(generators_state_of(op), &self->source) < 0) {
        return NULL;
    }
    /* Another thread may have asked meanwhile, or taken rows.  This mark is still valid. */
    csv_mark mark;
    PyObject *header;
    uint32_t width;
    Py_BEGIN_CRITICAL_SECTION(op);
    mark = self->asked;
    header = Py_XNewRef(self->records.header);
    width = csv_records_width(&self->records);
    Py_END_CRITICAL_SECTION();
    PyObject *checkpoint = csv_checkpoint_new(generators_state_of(op), &self->origin,
                                              &self->records.parser, &mark, header, width);
    Py_XDECREF(header);
    return checkpoint;
}

PyDoc_STRVAR(pass_to_doc,
             "_pass_to($self, byte, /)\n"
             "--\n\n"
             "Read past the records that begin before an offset, without making rows, and\n"
             "return the checkpoint after them.");

/* Called by stream_run(). */
static int
rows_pass(stream *base)
{
    csv_rows *self = (csv_rows *)base;
    csv_records *records = &self->records;
    generators_state *state = generators_state_of((PyObject *)self);
    csv_step step = CSV_DONE;
    while (step != CSV_OVER) {
        self->asked = csv_records_mark(records, false);
        /* A record behind a '\r' begins behind the '\n' that may follow. */
        bool open = self->asked.carriage && !records->parser.finished;
        if (self->asked.byte >= self->passed_to && !open && step == CSV_DONE) {
            return 0;
        }
        if (open || step == CSV_MORE) {
            if (rows_pull(self, state) < 0) {
                return -1;
            }
        }
        if (!open) {
            step = csv_records_pass(records, state);
        }
        if (step == CSV_RAISED_ERROR) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
rows_pass_to(PyObject *op, PyObject *byte)
{
    csv_rows *self = (csv_rows *)op;
    unsigned long long to = PyLong_AsUnsignedLongLong(byte);
    if (to == (unsigned long long)-1 && PyErr_Occurred()) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    self->passed_to = to;
    Py_END_CRITICAL_SECTION();
    if (stream_run(&self->stream, rows_pass) < 0) {
        return NULL;
    }
    return csv_checkpoint_new(generators_state_of(op), &self->origin, &self->records.parser,
                              &self->asked, self->records.header,
                              csv_records_width(&self->records));
}

static PyMethodDef rows_methods[] = {
    {"_pass_to", rows_pass_to, METH_O, pass_to_doc},
    {"checkpoint", rows_checkpoint, METH_NOARGS, checkpoint_doc},
    {NULL},
};

/* ---- attributes ---- */

static PyObject *
rows_get_header(PyObject *op, void *Py_UNUSED(closure))
{
    csv_rows *self = (csv_rows *)op;
    bool unread;
    Py_BEGIN_CRITICAL_SECTION(op);
    unread = self->records.reads_header;
    Py_END_CRITICAL_SECTION();
    if (unread && stream_run(&self->stream, rows_read_header) < 0) {
        return NULL;
    }
    PyObject *header;
    Py_BEGIN_CRITICAL_SECTION(op);
    header = Py_XNewRef(self->records.header);
    Py_END_CRITICAL_SECTION();
    return header != NULL ? header : Py_NewRef(Py_None);
}

static PyObject *
rows_get_total_bytes(PyObject *op, void *closure)
{
    /* Set once, when the reader is made. */
    if (((csv_rows *)op)->source.total_bytes == FILE_SIZE_UNKNOWN) {
        Py_RETURN_NONE;
    }
    return attributes_get_count(op, closure);
}

#define COUNT(member) (void *)offsetof(csv_rows, member)

static PyGetSetDef rows_attributes[] = {
    {"header", rows_get_header, NULL,
     "The names of the columns, as a tuple.  If necessary, the first record is read\n"
     "for them.  It is () for an empty file, and None if the source has no header and\n"
     "no names were given.",
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
     COUNT(source.bytes_read)},
    {"total_bytes", rows_get_total_bytes, NULL,
     "The total number of bytes to read; None if it is unknown.", COUNT(source.total_bytes)},
    {"errors", attributes_get_count, NULL, "The number of records that could not be read.",
     COUNT(records.error_count)},
    {NULL},
};

PyDoc_STRVAR(
    rows_doc,
    "csv_rows(source, *, into=None, header=None, names=None, duplicates='error',\n"
    "         columns=None, types=None, null=(), ragged=None, dialect='excel',\n"
    "         delimiter=',', quotechar='\"', escapechar=None, doublequote=True,\n"
    "         skipinitialspace=False, lineterminator='\\r\\n', quoting=0, strict=False,\n"
    "         skip=None, comment=None, footer=0, blank=None, multiline=True,\n"
    "         encoding='utf-8', errors='strict', items='auto', compression='infer',\n"
    "         member=None, complete=False, max_field=131072,\n"
    "         max_record=67108864, on_error='raise', start=None,\n"
    "         changed='error')\n"
    "--\n\n"
    "An iterator over the records of a CSV source.  It splits records into fields exactly\n"
    "as csv.reader of CPython 3.13 does.  `into` and `types` choose the type of the rows\n"
    "and of their values; the default is a list of str.\n"
    "\n"
    ">>> from generators import csv_rows\n"
    ">>> for row in csv_rows([b'id,name\\n1,\"Ann', b'a\"\\n']):\n"
    "...     print(row)\n"
    "['id', 'name']\n"
    "['1', 'Anna']\n"
    ">>> list(csv_rows(b'id,name\\n1,Ann\\n', into=dict, types={'id': int}))\n"
    "[{'id': 1, 'name': 'Ann'}]\n"
    "\n"
    "source is one of\n"
    "    a path (str or os.PathLike), which is opened at once and closed at the end;\n"
    "    a binary file object, which is read with read(n), or a text file object, which is\n"
    "    iterated over; a file object is not closed;\n"
    "    bytes or any other buffer;\n"
    "    an iterable of str, each of them a line, as for csv.reader;\n"
    "    an iterable of bytes, in pieces that may be cut anywhere.\n"
    "\n"
    "A generator is closed at the end, also one that iter(source) returned.  Bytes are\n"
    "decoded as by a text file opened with newline=''.\n"
    "\n"
    "into is the type of the rows.  It is list (the default), tuple, dict or CSVRow; or a\n"
    "    class whose fields are matched to columns by name and converted as annotated: a\n"
    "    NamedTuple, dataclass or TypedDict, or a class of pydantic, attrs or msgspec; or\n"
    "    a callable that is called with the fields of each record.\n"
    "header=True reads the first record as the names of the columns, which .header\n"
    "    returns; it is not a row.  The default is True if names are given or are needed\n"
    "    to make rows.\n"
    "names replaces the names that were read.  It is a sequence of as many names; a\n"
    "    mapping that renames some of them; a method of str, such as str.strip, which is\n"
    "    called with each name; or a callable that takes the tuple of names and returns\n"
    "    the new names.  With header=False, names are the names of a file without a\n"
    "    header.\n"
    "duplicates='number' numbers repeated names: x, x_2, x_3.  An empty name of the third\n"
    "    column becomes column_3.  The default, 'error', refuses such names where rows\n"
    "    are read by name.\n"
    "columns are the names or indices of the fields to include in a row, in this order.\n"
    "types maps names or indices, or None for all other columns, to a type, a converter\n"
    "    of generators.convert, or a callable that takes one str.  A type is int, float,\n"
    "    bool, str, bytes, Decimal, date, time or datetime.  The values are exactly those\n"
    "    of T(field) or T.fromisoformat(field); a bool is true/false, t/f, yes/no or 1/0\n"
    "    in any case; bytes are as in the source.  An empty field is None in a typed\n"
    "    column other than str, and where an annotation allows None.  An unquoted field\n"
    "    that is in null is None in the same places; null needs types.\n"
    "ragged says what happens to a record with more or fewer fields than there are names,\n"
    "    or than the first record has.  'allow', the default for list and tuple, keeps it\n"
    "    as it is; a selected column that is missing is None, and the additional fields\n"
    "    of a dict are a list under the key None, as in csv.DictReader.  'pad' fills\n"
    "    missing fields with None, or with the default of a class; additional fields are\n"
    "    an error.  'error', the default otherwise, refuses it.\n"
    "dialect and the formatting parameters are those of csv, and raise the same\n"
    "    exceptions.  lineterminator is accepted and has no effect, as in csv.reader.\n"
    "    delimiter=None reads the delimiter from a first line such as 'sep=;', and is ','\n"
    "    if there is no such line; it needs dialect='excel'.\n"
    "skip leaves out physical lines before the first record.  It is a number of lines; or\n"
    "    a str or bytes, to leave out all lines before the first that begins with it; or\n"
    "    a callable that is called with each line, a str without its line end, until it\n"
    "    returns true.  If there is no such line, that is an error.  The lines left out\n"
    "    need not be valid text.\n"
    "comment leaves out physical lines that begin with this str, where a record would\n"
    "    begin.\n"
    "footer=n leaves out the last n records, which need not be valid.\n"
    "blank says what happens to a record without fields.  'skip' leaves it out, 'keep'\n"
    "    yields [] or (), and 'error' refuses it.  The default is 'skip' if a header is\n"
    "    read, or if rows are read by name or with types, and otherwise 'keep', as in\n"
    "    csv.reader.\n"
    "multiline=False allows no line end in a quoted field: a quote that is not closed in\n"
    "    its physical line is an error of that record.  If on_error handles the error,\n"
    "    reading continues at the next line.\n"
    "encoding is the name of any text encoding; 'utf-8' removes a byte order mark.\n"
    "errors is as in open().\n"
    "items='lines' is for an iterator whose items are lines without their line ends; line\n"
    "    ends are added.  items='chunks' is for an iterator of str that may be cut\n"
    "    anywhere.\n"
    "compression is the format of a compressed source: 'gzip', 'bz2', 'xz', 'zstd' or\n"
    "    'zip'; None if it is not compressed; or 'infer', which recognizes these formats\n"
    "    by the first bytes.  member is the name of a file in a zip file that has\n"
    "    several.  A path is decompressed on a separate thread.\n"
    "complete=True raises CSVError if the source ends within quotes or without a line\n"
    "    end.\n"
    "max_field is the maximum length of a field, in characters.  max_record is the\n"
    "    maximum length of a record, in bytes, or in characters for a source of text.\n"
    "    None means no limit.\n"
    "on_error says what happens to a record that can't be read: 'raise' raises CSVError;\n"
    "    'skip' leaves the record out; a callable is called with the CSVError and the\n"
    "    source text of the record with its line end, as bytes if the source is of bytes.\n"
    "    The text of a record longer than max_record is cut, and a note of the error says\n"
    "    where.  Reading continues at the next line.  .errors counts these records.\n"
    "start is a checkpoint, as checkpoint() returned it, from which reading continues; or\n"
    "    a part of a file, from csv_split(), to read only the records of that part.\n"
    "    changed='append' accepts a file that has only grown since then.  By default,\n"
    "    ValueError is raised for a file that has changed.\n"
    "\n"
    "Raises CSVError, a subclass of csv.Error and ValueError, for data that can't be\n"
    "read, after the rows before it.  OSError is raised at once for a path that can't be\n"
    "opened.  An exception of the source is raised unchanged, with a note that says where\n"
    "it occurred.");

static PyType_Slot rows_slots[] = {
    {Py_tp_doc, (char *)rows_doc},
    {Py_tp_new, rows_new},
    {Py_tp_traverse, rows_traverse},
    {Py_tp_clear, rows_clear},
    {Py_tp_methods, rows_methods},
    {Py_tp_getset, rows_attributes},
    {0, NULL},
};

PyType_Spec csv_rows_spec = {
    .name = "native_generators.csv_rows",
    .basicsize = sizeof(csv_rows),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = rows_slots,
};
