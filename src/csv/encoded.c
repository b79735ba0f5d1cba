/* csv_encode: rows in, chunks of CSV text out.
 *
 * The synchronous face of the encoder and the coalescer: it pulls rows, writes
 * each to the encoder's block, and feeds the line's bytes to the chunks.
 *
 * States: those of a stream.  The byte order mark and the header go out with the
 * first row, or alone when there is none, and never before a source that fails
 * at once.  When the rows end in an error, the lines before it go out first.
 *
 * Owned: the source, by the stream; the columns, the labels, the encoder's and
 * the chunks' memory; all until the end.  User code runs in the source, in rows,
 * in str() and in codecs, under `running`.  Threads: see stream.c.
 */
#include "csv/csv.h"

#include <string.h>

#include "core/utf8.h"
#include "stream/chunks.h"
#include "stream/text.h"

#define ROWS_BETWEEN_CHECKS 1024 /* for signals */

typedef struct {
    stream stream;
    csv_encoder encoder;
    csv_columns columns;
    chunks chunks;
    text_encoder text;
    buffer bytes;     /* UTF-8 of a line that is not ASCII */
    PyObject *labels; /* owned: the header's, a tuple, or NULL where they are the names */
    bool has_header;
    bool has_mark;
    bool begun;   /* mark and header were written */
    bool instant; /* see chunked.c */
    uint64_t row_count;
} encoded;

/* ---- errors ---- */

/* The name of the column where the line broke off, or its index: a new reference. */
static PyObject *
column_of(encoded *self, Py_ssize_t index)
{
    PyObject *names = self->columns.names;
    if (names != NULL && index >= 0 && index < PyTuple_GET_SIZE(names)) {
        return Py_NewRef(PyTuple_GET_ITEM(names, index));
    }
    return index < 0 ? NULL : PyLong_FromSsize_t(index);
}

/* "row 3" or "the header": a new reference. */
static PyObject *
name_of_row(encoded *self, bool header)
{
    return header ? PyUnicode_FromString("the header")
                  : PyUnicode_FromFormat("row %zd", self->stream.pulled - 1);
}

/* Raise CSVError, with what is raised now as its cause. */
static void
raise_error(encoded *self, bool header, PyObject *column, PyObject *message)
{
    PyObject *cause = PyErr_GetRaisedException();
    PyObject *where = name_of_row(self, header);
    csv_place place = {.record = (int64_t)self->row_count + 1 + (self->has_header && !header),
                       .line = -1,
                       .byte = -1,
                       .column = column};
    if (where != NULL) {
        if (cause != NULL) {
            PyErr_SetRaisedException(cause);
            cause = NULL;
        }
        csv_raise(generators_state_of((PyObject *)self), &place, "%U: %S", where, message);
    }
    Py_XDECREF(cause);
    Py_XDECREF(where);
}

static void
raise_written(encoded *self, bool header, csv_written result, PyObject *row, Py_ssize_t index)
{
    PyObject *message = csv_written_message(result, row);
    PyObject *column = result == CSV_NOT_ITERABLE ? NULL : column_of(self, index);
    if (message != NULL && !PyErr_Occurred()) {
        raise_error(self, header, column, message);
    }
    Py_XDECREF(message);
    Py_XDECREF(column);
}

/* An exception of the user's own code comes through, and says where. */
static void
note_row(encoded *self, bool header, Py_ssize_t index)
{
    if (header) {
        stream_note("while reading the header");
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *column = column_of(self, index);
    PyErr_SetRaisedException(raised);
    if (column != NULL) {
        stream_note("while reading row %zd, column %R", self->stream.pulled - 1, column);
    }
    else {
        stream_note("while reading row %zd", self->stream.pulled - 1);
    }
    Py_XDECREF(column);
}

/* The cell that cannot be encoded: its index, or -1 where it cannot be told. */
static Py_ssize_t
find_unencodable(encoded *self, PyObject *row)
{
    if (!PyList_CheckExact(row) && !PyTuple_CheckExact(row)) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(row); i++) {
        PyObject *cell = PySequence_Fast_GET_ITEM(row, i);
        if (PyUnicode_CheckExact(cell)) {
            PyObject *bytes = text_encode(&self->text, cell);
            if (bytes == NULL) {
                bool found = PyErr_ExceptionMatches(PyExc_UnicodeError);
                PyErr_Clear(); /* another is being raised already */
                return found ? i : -1;
            }
            Py_DECREF(bytes);
        }
    }
    return -1;
}

static void
raise_unencodable(encoded *self, bool header, PyObject *row)
{
    if (!PyErr_ExceptionMatches(PyExc_UnicodeError)) {
        return;
    }
    PyObject *cause = PyErr_GetRaisedException();
    Py_ssize_t index = find_unencodable(self, row);
    PyObject *column = column_of(self, index);
    PyErr_SetRaisedException(Py_NewRef(cause));
    raise_error(self, header, column, cause);
    Py_DECREF(cause);
    Py_XDECREF(column);
}

/* ---- lines ---- */

static int
feed_text(encoded *self, PyObject *text)
{
    PyObject *bytes = text == NULL ? NULL : text_encode(&self->text, text);
    if (bytes == NULL) {
        return -1;
    }
    int status = chunks_feed(&self->chunks, bytes, PyBytes_AS_STRING(bytes),
                             (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return status;
}

static int
feed_bytes(encoded *self, const void *bytes, size_t count)
{
    return coalescer_put(&self->chunks.machine, bytes, count)
               ? 0
               : chunks_feed(&self->chunks, NULL, bytes, count);
}

/* 1 where the line is fed as UTF-8, 0 where it holds a surrogate, or -1. */
static int
feed_utf8(encoded *self, const void *units, size_t count)
{
    int width = self->encoder.block.width;
    buffer_cut(&self->bytes, 0);
    buffer_status status = count > BUFFER_LIMIT / 4
                               ? BUFFER_TOO_LONG
                               : buffer_reserve(&self->bytes, 4 * count, 1);
    if (status != BUFFER_OK) {
        return status == BUFFER_TOO_LONG ? 0 : (PyErr_NoMemory(), -1);
    }
    size_t length;
    if (!utf8_encode(units, width, count, self->bytes.data, &length)) {
        return 0;
    }
    return feed_bytes(self, self->bytes.data, length) < 0 ? -1 : 1;
}

static int
feed_line(encoded *self, const csv_line *line)
{
    size_t count;
    const void *units = csv_line_units(&self->encoder, line, &count);
    text_encoding encoding = self->text.encoding;
    bool bytes = self->encoder.block.width == 1 &&
                 (line->ascii ? encoding != TEXT_CODEC : encoding == TEXT_LATIN1);
    if (bytes) {
        return feed_bytes(self, units, count);
    }
    if (encoding == TEXT_UTF8) {
        int status = feed_utf8(self, units, count);
        if (status != 0) {
            return status < 0 ? -1 : 0;
        }
    }
    PyObject *text = csv_line_text(&self->encoder, line);
    int status = feed_text(self, text);
    Py_XDECREF(text);
    return status;
}

/* Write one row whose values are known. 0 or -1. */
static int
write_values(encoded *self, PyObject *values, bool header)
{
    csv_line line;
    csv_written result = csv_encode_row(&self->encoder, &line, values);
    int status = -1;
    if (result == CSV_WRITTEN) {
        status = feed_line(self, &line);
        if (status < 0) {
            raise_unencodable(self, header, values);
        }
    }
    else if (result != CSV_RAISED) {
        raise_written(self, header, result, values, line.count);
    }
    else {
        note_row(self, header, line.count);
    }
    csv_line_end(&self->encoder, &line);
    return status;
}

/* ---- the beginning ---- */

/* The mark and the header, once: before the first row, or at the end. */
static int
begin(encoded *self)
{
    self->begun = true;
    PyObject *labels = self->labels != NULL ? self->labels : self->columns.names;
    if (self->has_mark) {
        PyObject *mark = PyUnicode_FromOrdinal(0xFEFF);
        int status = feed_text(self, mark);
        Py_XDECREF(mark);
        if (status < 0) {
            return -1;
        }
    }
    if (!self->has_header || labels == NULL) {
        return 0;
    }
    labels = Py_NewRef(labels);
    int status = write_values(self, labels, true);
    Py_DECREF(labels);
    return status;
}

static int
begin_with_row(encoded *self)
{
    if (self->has_header && self->labels == NULL && self->columns.names == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "header=True needs `columns`, or a first row that has names");
        return -1;
    }
    return begin(self);
}

/* ---- rows ---- */

static int
refuse_text(encoded *self, PyObject *row)
{
    PyErr_Format(PyExc_TypeError,
                 "row %zd is '%.200s', not a sequence of fields: was a list forgotten?",
                 self->stream.pulled - 1, Py_TYPE(row)->tp_name);
    return -1;
}

/* An unknown or a missing name is CSVError; all else comes through. */
static void
raise_selection(encoded *self)
{
    PyObject *fault = self->columns.fault;
    if (fault == NULL) {
        note_row(self, false, -1);
        return;
    }
    self->columns.fault = NULL;
    PyObject *error = PyErr_GetRaisedException();
    raise_error(self, false, fault, error);
    Py_DECREF(error);
    Py_DECREF(fault);
}

static int
write_row(encoded *self, PyObject *row)
{
    if (PyUnicode_Check(row) || PyBytes_Check(row) || PyByteArray_Check(row)) {
        return refuse_text(self, row);
    }
    PyObject *values = row;
    if (self->columns.by_name) {
        generators_state *state = generators_state_of((PyObject *)self);
        values = csv_columns_select(&self->columns, state, row);
        if (values == NULL) {
            raise_selection(self);
            return -1;
        }
    }
    else {
        Py_INCREF(values);
    }
    int status = self->begun ? 0 : begin_with_row(self);
    if (status == 0) {
        status = write_values(self, values, false);
    }
    Py_DECREF(values);
    self->row_count += status == 0;
    return status;
}

static int
end_of_rows(encoded *self)
{
    if (!self->begun && (self->labels != NULL || self->columns.names != NULL) &&
        begin(self) < 0) {
        return -1;
    }
    PyObject *bytes = text_encode_end(&self->text);
    if (bytes == NULL && PyErr_Occurred()) {
        return -1;
    }
    int status = 0;
    if (bytes != NULL) {
        status = chunks_feed(&self->chunks, bytes, PyBytes_AS_STRING(bytes),
                             (size_t)PyBytes_GET_SIZE(bytes));
        Py_DECREF(bytes);
    }
    chunks_finish(&self->chunks);
    return status;
}

/* Write rows until a chunk is ready or the source has ended.  0 or -1. */
static int
pull_rows(encoded *self)
{
    PyObject *flush = generators_state_of((PyObject *)self)->flush;
    for (unsigned count = 1;; count++) {
        PyObject *row;
        int status = stream_pull(&self->stream, &row);
        if (status <= 0) {
            return status < 0 ? -1 : end_of_rows(self);
        }
        if (row == flush) {
            coalescer_flush(&self->chunks.machine);
        }
        else {
            status = write_row(self, row);
        }
        Py_DECREF(row);
        if (status < 0) {
            return -1;
        }
        if (!self->instant || count % CHUNKS_BETWEEN_TICKS == 0) {
            chunks_tick(&self->chunks);
        }
        if (coalescer_is_ready(&self->chunks.machine)) {
            return 0;
        }
        if (count % ROWS_BETWEEN_CHECKS == 0 && PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
}

/* ---- the stream's own ---- */

static PyObject *
encoded_next(stream *base)
{
    encoded *self = (encoded *)base;
    chunks_ask(&self->chunks);
    for (;;) {
        PyObject *chunk = chunks_take(&self->chunks);
        if (chunk != NULL || PyErr_Occurred() || self->chunks.finished) {
            return chunk;
        }
        if (pull_rows(self) < 0 && !chunks_fail(&self->chunks)) {
            return NULL;
        }
    }
}

static int
encoded_release(stream *base)
{
    encoded *self = (encoded *)base;
    chunks_close(&self->chunks);
    csv_encoder_close(&self->encoder);
    csv_columns_close(&self->columns);
    text_encoder_close(&self->text);
    buffer_free(&self->bytes);
    Py_CLEAR(self->labels);
    return 0;
}

static const stream_kind encoded_kind = {encoded_next, encoded_release};

static int
encoded_traverse(PyObject *op, visitproc visit, void *arg)
{
    encoded *self = (encoded *)op;
    Py_VISIT(self->labels);
    int status = csv_columns_traverse(&self->columns, visit, arg);
    if (status == 0) {
        status = chunks_traverse(&self->chunks, visit, arg);
    }
    if (status == 0) {
        status = text_encoder_traverse(&self->text, visit, arg);
    }
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

static int
encoded_clear(PyObject *op)
{
    encoded_release((stream *)op);
    return stream_clear(op);
}

/* ---- making one ---- */

/* The names of the columns, or the labels of the header: a new tuple, or NULL. */
static PyObject *
read_names(PyObject *names, const char *what)
{
    if (PyUnicode_Check(names) || PyBytes_Check(names)) {
        PyErr_Format(PyExc_TypeError, "%s must be an iterable of names, not '%.200s'", what,
                     Py_TYPE(names)->tp_name);
        return NULL;
    }
    return PySequence_Tuple(names);
}

static int
read_columns(csv_columns *columns, PyObject *given, const char *extra, PyObject *missing)
{
    if (strcmp(extra, "ignore") == 0) {
        columns->ignores_extra = true;
    }
    else if (strcmp(extra, "raise") != 0) {
        PyErr_Format(PyExc_ValueError, "extra must be 'raise' or 'ignore', not '%s'", extra);
        return -1;
    }
    columns->missing = Py_XNewRef(missing);
    if (given != NULL && given != Py_None) {
        columns->by_name = true;
        columns->names = read_names(given, "columns");
        return columns->names == NULL ? -1 : 0;
    }
    return 0;
}

static int
read_header(encoded *self, PyObject *header)
{
    csv_columns *columns = &self->columns;
    if (header == NULL || header == Py_False || header == Py_None) {
        return 0;
    }
    self->has_header = true;
    columns->by_name = true;
    if (header == Py_True) {
        return 0;
    }
    self->labels = read_names(header, "header");
    if (self->labels == NULL) {
        return -1;
    }
    if (columns->names == NULL) {
        columns->names = Py_NewRef(self->labels);
    }
    else if (PyTuple_GET_SIZE(columns->names) != PyTuple_GET_SIZE(self->labels)) {
        PyErr_Format(PyExc_ValueError, "the header has %zd labels for %zd columns",
                     PyTuple_GET_SIZE(self->labels), PyTuple_GET_SIZE(columns->names));
        return -1;
    }
    return 0;
}

/* Whether U+FEFF is to be written, which some codecs do by themselves. */
static int
read_mark(encoded *self, PyObject *encoding)
{
    self->has_mark = self->text.encoding == TEXT_UTF8;
    if (self->has_mark) {
        return 0;
    }
    PyObject *name = text_codec_name(encoding);
    const char *codec = name == NULL ? NULL : PyUnicode_AsUTF8(name);
    int status = codec == NULL ? -1 : 0;
    if (codec != NULL && strncmp(codec, "utf-", 4) != 0) {
        PyErr_Format(PyExc_ValueError, "bom=True needs an encoding of Unicode, not %R",
                     encoding);
        status = -1;
    }
    self->has_mark =
        status == 0 && (strstr(codec, "le") != NULL || strstr(codec, "be") != NULL);
    Py_XDECREF(name);
    return status;
}

static int
open_encoder(encoded *self, generators_state *state, const csv_parameters *given)
{
    csv_dialect dialect = {.quoting = 0};
    PyObject *standard = csv_dialect_make(&dialect, state, given);
    if (standard == NULL) {
        return -1;
    }
    int status = csv_encoder_open(&self->encoder, state, &dialect, standard);
    Py_DECREF(standard);
    return status;
}

static int
encoded_init(encoded *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {
        "rows",
        "columns",
        "header",
        "extra",
        "missing",
        "size",
        "max_delay",
        "dialect",
        "delimiter",
        "quotechar",
        "escapechar",
        "doublequote",
        "skipinitialspace",
        "lineterminator",
        "quoting",
        "strict",
        "encoding",
        "errors",
        "bom",
        "escape_formulas",
        NULL,
    };
    PyObject *rows, *columns = NULL, *header = NULL, *missing = NULL, *size = NULL;
    PyObject *max_delay = NULL, *encoding = NULL;
    const char *extra = "raise", *errors = "strict";
    int bom = 0, escape_formulas = 0;
    csv_parameters given = {NULL};

    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "O|$OOsOOOOOOOOOOOOUspp:csv_encode", keywords, &rows, &columns,
            &header, &extra, &missing, &size, &max_delay, &given.dialect, &given.delimiter,
            &given.quotechar, &given.escapechar, &given.doublequote, &given.skipinitialspace,
            &given.lineterminator, &given.quoting, &given.strict, &encoding, &errors, &bom,
            &escape_formulas) ||
        read_columns(&self->columns, columns, extra, missing) < 0 ||
        read_header(self, header) < 0 || chunks_open(&self->chunks, size, max_delay) < 0 ||
        open_encoder(self, state, &given) < 0 ||
        text_encoder_open(&self->text, encoding, errors) < 0 ||
        (bom && read_mark(self, encoding) < 0)) {
        return -1;
    }
    self->encoder.escape_formulas = escape_formulas;
    if (PyUnicode_Check(rows) || PyObject_CheckBuffer(rows) || PyDict_Check(rows)) {
        PyErr_Format(PyExc_TypeError, "rows must be an iterable of rows, not '%.200s'",
                     Py_TYPE(rows)->tp_name);
        return -1;
    }
    if (stream_open(&self->stream, state, rows) < 0) {
        return -1;
    }
    self->instant = chunks_is_instant(&self->chunks, self->stream.source);
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
    buffer_init(&self->bytes);
    buffer_init(&self->encoder.block);
    if (encoded_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyMemberDef encoded_members[] = {
    {"row_num", Py_T_ULONGLONG, offsetof(encoded, row_count), Py_READONLY,
     "Rows written; the header is none."},
    {NULL},
};

PyDoc_STRVAR(
    encoded_doc,
    "csv_encode(rows, *, columns=None, header=False, extra='raise', missing=<raise>,\n"
    "           size=65536, max_delay=0.1, dialect='excel', delimiter=',',\n"
    "           quotechar='\"', escapechar=None, doublequote=True,\n"
    "           skipinitialspace=False, lineterminator='\\r\\n',\n"
    "           quoting=csv.QUOTE_MINIMAL, strict=False, encoding='utf-8',\n"
    "           errors='strict', bom=False, escape_formulas=False)\n"
    "--\n\n"
    "The rows as CSV text, in bytes of exactly `size`: what csv.writer of CPython\n"
    "3.13 writes, cut as chunked() cuts, with `max_delay` and FLUSH among the rows.\n\n"
    "A row is an iterable of fields.  Where `columns` or `header` is given, a mapping,\n"
    "a dataclass, a NamedTuple or a database's row is read by name.  `columns` names\n"
    "and orders what is written of it; a name in the row that no column has is an\n"
    "error unless extra='ignore', and `missing` stands for what the row lacks, which\n"
    "is an error otherwise.  `header` is True for the names, or the labels to write.\n\n"
    "escape_formulas=True puts an apostrophe before text that a spreadsheet would\n"
    "run; numbers stay numbers.  bom=True begins with a byte order mark, for Excel.\n\n"
    "CSVError names the row's index, counted from 0, and the column.  A generator\n"
    "given as `rows` is closed when the stream ends.\n\n"
    ">>> b''.join(csv_encode([{'a': 1, 'b': 'x,y'}], header=True))\n"
    "b'a,b\\r\\n1,\"x,y\"\\r\\n'");

static PyType_Slot encoded_slots[] = {
    {Py_tp_doc, (char *)encoded_doc},   {Py_tp_new, encoded_new},
    {Py_tp_traverse, encoded_traverse}, {Py_tp_clear, encoded_clear},
    {Py_tp_members, encoded_members},   {0, NULL},
};

PyType_Spec csv_encode_spec = {
    .name = "generators.csv_encode",
    .basicsize = sizeof(encoded),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = encoded_slots,
};
