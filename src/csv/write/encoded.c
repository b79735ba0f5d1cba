/* csv_encode: rows in, chunks of CSV text out.
 *
 * The sync front end of csv_lines.  It pulls the rows.
 *
 * States: those of a stream.  If the rows end in an error, the lines before the error are
 * delivered first.
 *
 * Until the end, the stream owns the source, and this type owns the machine with all that the
 * machine owns.  User code runs in the source and in the machine, while `running` is set.
 * Threads: see stream.c.
 */
#include "csv/write/encoded.h"

#include "csv/write/lines.h"
#include "runtime/attributes.h"

typedef struct {
    stream stream;
    csv_lines lines;
    bool instant; /* see chunked.c */
} encoded;

/* ---- the stream's own ---- */

static int
pull_rows(stream *base, PyObject **whole)
{
    encoded *self = (encoded *)base;
    return chunks_pull(&self->lines.chunks, base, &csv_lines_kind, self->instant, whole);
}

static PyObject *
encoded_next(stream *base)
{
    encoded *self = (encoded *)base;
    return chunks_next(&self->lines.chunks, base, pull_rows);
}

static int
encoded_release(stream *base)
{
    csv_lines_close(&((encoded *)base)->lines);
    return 0;
}

static void
encoded_measure(stream *base, measures *into)
{
    chunks_measure(&((encoded *)base)->lines.chunks, into);
}

static const stream_kind encoded_kind = {
    .next = encoded_next, .release = encoded_release, .measure = encoded_measure};

static int
encoded_traverse(PyObject *op, visitproc visit, void *arg)
{
    int status = csv_lines_traverse(&((encoded *)op)->lines, visit, arg);
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

static int
encoded_clear(PyObject *op)
{
    encoded_release((stream *)op);
    return stream_clear(op);
}

/* ---- making one ---- */

static int
encoded_init(encoded *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    PyObject *rows;
    if (csv_lines_open(&self->lines, state, "csv_encode", args, kwargs, &rows, NULL) < 0 ||
        stream_open(&self->stream, state, rows) < 0) {
        return -1;
    }
    self->instant = chunks_is_instant(&self->lines.chunks, self->stream.source);
    return 0;
}

static PyObject *
encoded_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    encoded *self = (encoded *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &encoded_kind;
    csv_lines_init(&self->lines);
    if (encoded_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyGetSetDef encoded_attributes[] = {
    {"row_num", attributes_get_count, NULL, "Rows written, without the header.",
     (void *)offsetof(encoded, lines.row_count)},
    {NULL},
};

PyDoc_STRVAR(
    encoded_doc,
    "csv_encode(rows, *, columns=None, header=None, extra=None, missing=...,\n"
    "           size=65536, max_delay=..., dialect='excel', delimiter=',',\n"
    "           quotechar='\"', escapechar=None, doublequote=True,\n"
    "           skipinitialspace=False, lineterminator='\\r\\n',\n"
    "           quoting=0, strict=False, encoding='utf-8', errors='strict',\n"
    "           bom=False, escape_formulas=False, null=None, true=None, false=None,\n"
    "           float_format=None, datetime_format=None, decimal='.')\n"
    "--\n\n"
    "Write rows as CSV text, in bytes objects of exactly `size`.  The text is exactly\n"
    "what csv.writer of CPython 3.13 writes.  It is cut into chunks as chunked() does, by\n"
    "`size`, `max_delay` and FLUSH among the rows.\n\n"
    "A row is an iterable of fields.  If `columns` or `header` is given, a mapping, a\n"
    "dataclass, a NamedTuple or the row of a database is read by name, and any other\n"
    "object that is no sequence by its attributes: a model of Django, SQLAlchemy,\n"
    "attrs or pydantic.  Without either, a mapping is a ValueError.  `columns` are\n"
    "the names to write, in order.  A name in the row that is not a column is an\n"
    "error unless extra='ignore'.  `missing` is written for a name that the row\n"
    "lacks; without it, that is an error.  `header` is True to write the names, or an\n"
    "iterable of labels to write instead.  A row that has not as many fields as there\n"
    "are names is an error.\n\n"
    "A database cursor tells the names of its columns itself: header=True writes\n"
    "them, also if there is no row, and `columns` chooses among them.  An array of\n"
    "numpy has two dimensions, or fields with names.\n\n"
    "An Arrow source is written by its columns: any object with __arrow_c_stream__() or\n"
    "__arrow_c_array__(), such as a pyarrow Table or RecordBatchReader, or a DataFrame of\n"
    "polars or pandas.  No Python object is made for a value, and one batch is read at a\n"
    "time.  The text is what csv.writer writes for the values of pyarrow's to_pylist().\n"
    "The names are written unless header=False.  `columns` chooses, unless extra='raise'.\n"
    "The items of an iterable may be batches, too.\n\n"
    "escape_formulas=True puts an apostrophe before text that a spreadsheet would run;\n"
    "numbers stay numbers, also those that are text.  bom=True writes a byte order mark\n"
    "first, for Excel.\n\n"
    "These say how values are written, in rows and in columns; None is as csv.writer does:\n\n"
    "null\n"
    "    The text of None, and of NaN.  Text that is the same is quoted, under\n"
    "    QUOTE_MINIMAL, so that csv_rows(null=[...]) can tell both apart.  NaT and NA of\n"
    "    pandas, and NaN in its frames, are written as None in any case.\n"
    "true, false\n"
    "    The texts of bools.\n"
    "float_format\n"
    "    A format such as '.2f', '.3e' or '+g', for floats.\n"
    "datetime_format\n"
    "    'iso' for isoformat(), with T between date and time, or a format of strftime().\n"
    "decimal\n"
    "    ',' for a decimal comma, in floats and Decimals.\n\n"
    "CSVError names the index of the row, counted from 0, and the column.  A generator\n"
    "given as `rows` is closed when the stream ends.\n\n"
    ">>> b''.join(csv_encode([{'a': 1, 'b': 'x,y'}], header=True))\n"
    "b'a,b\\r\\n1,\"x,y\"\\r\\n'");

static PyType_Slot encoded_slots[] = {
    {Py_tp_doc, (char *)encoded_doc},   {Py_tp_new, encoded_new},
    {Py_tp_traverse, encoded_traverse}, {Py_tp_clear, encoded_clear},
    {Py_tp_getset, encoded_attributes}, {0, NULL},
};

PyType_Spec csv_encode_spec = {
    .name = "native_generators.csv_encode",
    .basicsize = sizeof(encoded),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = encoded_slots,
};
