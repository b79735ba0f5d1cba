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
    {"row_num", attributes_get_count, NULL, "The number of rows written, without the header.",
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
    "An iterator over rows as CSV text, in bytes objects of exactly `size`; the last one\n"
    "may be shorter.  The text is exactly what csv.writer of CPython 3.13 writes.\n"
    "`size`, `max_delay` and FLUSH among the rows say where the text is cut, as for\n"
    "chunked().\n"
    "\n"
    "A row is an iterable of fields.  If `columns` or `header` is given, a mapping, a\n"
    "dataclass, a NamedTuple or a row of a database is read by name, and any other object\n"
    "that is not a sequence is read by its attributes, such as a model of Django,\n"
    "SQLAlchemy, attrs or pydantic.  Without them, a mapping raises ValueError.\n"
    "\n"
    "`columns` are the names to write, in this order.  A name in the row that is not\n"
    "among them is an error unless extra='ignore'.  `missing` is written for a name that\n"
    "the row does not have; if it is not given, that is an error.  `header` is True to\n"
    "write the names first, or an iterable of labels to write in their place.  The number\n"
    "of fields of a row must be the number of names.\n"
    "\n"
    "For a database cursor, the names of the columns are read from the cursor:\n"
    "header=True writes them, even if there is no row, and `columns` selects some of\n"
    "them.  A numpy array must have two dimensions, or fields with names.\n"
    "\n"
    "Arrow data is any object with __arrow_c_stream__() or __arrow_c_array__(), such as a\n"
    "pyarrow Table or RecordBatchReader, or a DataFrame of polars or pandas.  It is\n"
    "written without making a Python object for each value, and one batch is read at a\n"
    "time.  The text is what csv.writer writes for the values of pyarrow's to_pylist().\n"
    "The names are written unless header=False.  `columns` selects some of the columns;\n"
    "with extra='raise', a column that is not selected is an error.  The items of an\n"
    "iterable may also be batches.\n"
    "\n"
    "escape_formulas=True writes an apostrophe before text that a spreadsheet would\n"
    "evaluate as a formula.  It does not change numbers, nor text that is a number.\n"
    "bom=True writes a byte order mark first, for Excel.\n"
    "\n"
    "The following parameters choose how values are written.  With None, the default of\n"
    "all but decimal, values are written as by csv.writer:\n"
    "\n"
    "null is the text of None, and of NaN.  Under QUOTE_MINIMAL, the same text in a field\n"
    "    of text is quoted, so that csv_rows(null=[...]) can tell the two apart.  NaT and\n"
    "    NA of pandas, and NaN in its frames, are always written as None.\n"
    "true and false are the texts of True and False.\n"
    "float_format is a format such as '.2f', '.3e' or '+g', for floats.\n"
    "datetime_format is 'iso' for isoformat(), with T between date and time, or a format\n"
    "    of strftime().\n"
    "decimal=',' writes a decimal comma, in floats and Decimals.\n"
    "\n"
    "Raises CSVError for a row that can't be written.  Its message names the index of the\n"
    "row, counted from 0, and the column.  A generator given as `rows` is closed when the\n"
    "stream ends.\n"
    "\n"
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
