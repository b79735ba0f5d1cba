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

PyDoc_STRVAR(
    checkpoint_doc,
    "checkpoint($self, /)\n"
    "--\n\n"
    "The position after the rows delivered so far, as a dict that JSON can store.\n"
    "csv_rows(path, start=checkpoint) continues from there, also in another process,\n"
    "with the same dialect and a file that has not changed (ValueError).  Requires a\n"
    "path or a seekable binary file, in UTF-8 or in an encoding of one byte per\n"
    "character that contains ASCII (io.UnsupportedOperation).");

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

PyDoc_STRVAR(pass_to_doc, "_pass_to($self, byte, /)\n"
                          "--\n\n"
                          "Pass the records that begin before an offset, and return the\n"
                          "checkpoint behind them.  No rows are made.");

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
     "The names, as a tuple; the first record is read if necessary.  () for an empty\n"
     "file, None if the source has no header and no names were given.",
     NULL},
    {"line_num", attributes_get_count, NULL,
     "Physical lines read, as csv.reader counts them: a record may take several.",
     COUNT(records.parser.line_count)},
    {"row_num", attributes_get_count, NULL, "Rows delivered, without the header.",
     COUNT(records.row_count)},
    {"bytes_read", attributes_get_count, NULL,
     "Bytes taken from the source, of a compressed one compressed bytes; 0 for one of\n"
     "text.",
     COUNT(source.bytes_read)},
    {"total_bytes", rows_get_total_bytes, NULL,
     "Bytes that there are to read; None if that is unknown.", COUNT(source.total_bytes)},
    {"errors", attributes_get_count, NULL, "Records that could not be read.",
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
    "--\n"
    "\n"
    "An iterator over the records of a CSV source, exactly as csv.reader of CPython 3.13\n"
    "reads them, each in the shape and with the types asked for.\n"
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
    "    a path (str or os.PathLike), opened here and closed at the end;\n"
    "    a binary file object, read with read(n), or a text file object, read by\n"
    "    iterating over it; it is not closed;\n"
    "    bytes or any other buffer;\n"
    "    an iterable of str, each a line, as csv.reader takes them;\n"
    "    an iterable of bytes, cut anywhere.\n"
    "A generator, given or returned by iter(source), is closed at the end.\n"
    "Bytes are read as by a text file opened with newline=''.\n"
    "\n"
    "into is list (the default), tuple, dict, CSVRow, or a class whose fields are matched\n"
    "    by name and converted as annotated: a NamedTuple, dataclass or TypedDict, or one\n"
    "    of pydantic, attrs or msgspec; or a callable, called with the fields.\n"
    "header=True takes the first record as the names, for .header; it is not a row.\n"
    "    The default is True if names are given or needed.\n"
    "names replaces the names that were read: a sequence of as many names, a mapping\n"
    "    that renames some, a method of str such as str.strip, called with each name, or\n"
    "    a callable that takes the tuple of names and returns the new ones.  With\n"
    "    header=False, names are those of a file without a header.\n"
    "duplicates='number' makes names that repeat x, x_2, x_3, and empty ones column_3\n"
    "    for the third column.  The default is an error where rows are read by name.\n"
    "columns are the names or indices of the fields to build, in this order.\n"
    "types maps names or indices, and None for all others, to int, float, bool\n"
    "    (true/false, t/f, yes/no, 1/0 in any case), str, bytes (as in the source),\n"
    "    Decimal, date, time or datetime, which give exactly T(field) or\n"
    "    T.fromisoformat(field), to a converter of generators.convert, or to a callable\n"
    "    of one str.\n"
    "    An empty field is None in a typed column other than str, and where an\n"
    "    annotation allows None; so is an unquoted field that is in null,\n"
    "    which needs types.\n"
    "ragged is for records with more or fewer fields than there are names, or than the\n"
    "    first record has: 'allow' (default for list and tuple), 'pad' (None, or the\n"
    "    default of a class, for missing fields; more are an error), or 'error' (default\n"
    "    otherwise).  With 'allow', a chosen column that is missing is None, and the fields\n"
    "    of a dict without a name are a list under None, as in csv.DictReader.\n"
    "dialect and the formatting parameters are those of csv, with its exceptions.\n"
    "    lineterminator is taken and has no effect, as in csv.  delimiter=None is the\n"
    "    delimiter of a first line such as 'sep=;', or else ','; it needs dialect='excel'.\n"
    "skip passes over physical lines above the first record: a number of them, or all\n"
    "    before the first that begins with a str or bytes, or for which a callable, called\n"
    "    with the line as a str without its line end, is true.  It is an error if there is\n"
    "    no such line.  What is passed over need not be valid text.\n"
    "comment passes over physical lines that begin with this str where a record would\n"
    "    begin.\n"
    "footer=n drops the last n records, which need not be valid.\n"
    "blank is for records without fields: 'skip', 'keep' ([] or ()), or 'error'.  The\n"
    "    default is 'skip' if a header is read or rows are read by name or with types,\n"
    "    and else 'keep', as in csv.reader.\n"
    "multiline=False makes a quote that is not closed in its physical line an error of\n"
    "    that record; after on_error, reading continues at the next line.\n"
    "encoding is any text encoding; 'utf-8' drops a byte order mark.\n"
    "errors is as in open().\n"
    "items='lines' is for an iterator whose items have lost their line ends, which are\n"
    "    added; items='chunks' is for str cut anywhere.\n"
    "compression is 'infer', to decompress bytes that begin as gzip, bzip2, xz,\n"
    "    zstandard or zip data; 'gzip', 'bz2', 'xz', 'zstd' or 'zip', for nothing else; or\n"
    "    None.  member is the name of a file in a zip file that has several.  A path is\n"
    "    decompressed ahead on a thread.\n"
    "complete=True raises CSVError if the source ends within quotes or without a line end.\n"
    "max_field is the maximum length of a field, in characters.  max_record is the maximum\n"
    "    length of a record, in bytes (in characters, for a source of text).  None is no\n"
    "    limit.\n"
    "on_error is 'raise'; 'skip', to skip a record that can't be read; or a callable that\n"
    "    is called with the CSVError and the source text of such a record, with its line\n"
    "    end (bytes if the source is of bytes).  It is whole, unless the record is over\n"
    "    max_record: a note of the error then says where it is cut.  Reading continues at\n"
    "    the next line.  .errors counts these records.\n"
    "start is what checkpoint() returned: reading continues from there; or a part of the\n"
    "    file, from csv_split(): only its records are read.  changed='append' allows a file\n"
    "    that has only grown since then; the default is a ValueError.\n"
    "\n"
    "Raises CSVError, a csv.Error and a ValueError, for data that can't be read, after the\n"
    "rows before it; OSError at once for a path that can't be opened.  An exception of the\n"
    "source is raised unchanged, with a note that says where.");

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
