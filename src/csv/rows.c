/* csv_rows: the records of a CSV source, one by one.
 *
 * The synchronous face: it pulls pieces with csv_source, feeds them to csv_parser,
 * and makes each record into a row.  It pulls only when no complete record is
 * left, so that nothing is read ahead but what the last piece held.
 *
 * States: those of a stream.  The header, where there is one, is read at the
 * first step, or when `.header` is asked for.
 *
 * Owned: the source (closed if it was opened here) and the parser's memory, both
 * until the end; the header, which outlives the end with the counters.
 *
 * User code runs when the source is pulled, in codecs and in `names`; meanwhile
 * `running` is set, and every other call is refused.  Threads: see stream.c.
 */
#include "csv/csv.h"

#include <string.h>

#include "csv/plan.h"

typedef PyObject *(*record_maker)(const csv_parser *parser, generators_state *state,
                                  const fields_record *record, Py_ssize_t *bad);

typedef struct {
    stream stream;
    csv_source source;
    csv_parser parser;
    csv_plan plan;
    record_maker plain_maker; /* where there is no need of the plan, else NULL */
    PyObject *names;          /* owned: what the user gave as `names`, or NULL */
    PyObject *on_error;       /* owned: NULL to raise, None to skip, or whom to tell */
    PyObject *header; /* owned: a tuple, or NULL while not read and where there is none */
    Py_ssize_t width; /* fields that a record must have; -1 for any number */
    bool reads_header;
    bool keyed; /* rows are read by name: records are not blank and have `width` fields */
    uint64_t row_count;
    uint64_t error_count;
} csv_rows;

/* ---- records ---- */

/* The next record, pulling pieces as needed; NULL at the end or with an exception.
 *fault: it is a CSVError of the next record. */
static const fields_record *
next_record(csv_rows *self, generators_state *state, bool *fault)
{
    *fault = false;
    for (;;) {
        const fields_record *record = csv_parser_next(&self->parser);
        if (record != NULL) {
            return record;
        }
        if (csv_parser_failed(&self->parser)) {
            csv_parser_raise(&self->parser, state);
            *fault = true;
            return NULL;
        }
        if (self->parser.finished ||
            csv_source_pull(&self->source, state, &self->stream, &self->parser) < 0) {
            return NULL;
        }
    }
}

/* A record as a row; otherwise as csv_plan_row(). */
static PyObject *
make_row(csv_rows *self, generators_state *state, const fields_record *record, bool *fault)
{
    if (self->plain_maker == NULL) {
        return csv_plan_row(&self->plan, &self->parser, state, record, fault);
    }
    Py_ssize_t bad;
    PyObject *row = self->plain_maker(&self->parser, state, record, &bad);
    *fault = row == NULL && bad >= 0;
    if (*fault) {
        PyObject *header = self->header;
        bool named = header != NULL && bad < PyTuple_GET_SIZE(header);
        csv_parser_raise_field(&self->parser, state, record, bad,
                               named ? PyTuple_GET_ITEM(header, bad) : NULL);
    }
    return row;
}

/* Does a record that is read by name have a field for each?  If not, that is raised. */
static bool
has_width(csv_rows *self, generators_state *state, const fields_record *record)
{
    Py_ssize_t count = (Py_ssize_t)fields_count(&self->parser.machine, record);
    if (self->width < 0 || self->width == count) {
        return true;
    }
    csv_parser_raise_ragged(&self->parser, state, record, self->width);
    return false;
}

/* ---- the header ---- */

/* What `names` makes of the names read: a new reference to an iterable. */
static PyObject *
replaced_names(csv_rows *self, PyObject *header)
{
    PyObject *names = self->names;
    if (names == NULL) {
        return Py_NewRef(header);
    }
    if (!PyCallable_Check(names)) {
        return Py_NewRef(names);
    }
    /* str.lower is over one name, any other callable over all. */
    if (Py_IS_TYPE(names, &PyMethodDescr_Type) && PyDescr_TYPE(names) == &PyUnicode_Type) {
        Py_ssize_t count = PyTuple_GET_SIZE(header);
        PyObject *result = PyTuple_New(count);
        for (Py_ssize_t i = 0; result != NULL && i < count; i++) {
            PyObject *name = PyObject_CallOneArg(names, PyTuple_GET_ITEM(header, i));
            if (name == NULL) {
                Py_CLEAR(result);
                break;
            }
            PyTuple_SET_ITEM(result, i, name);
        }
        return result;
    }
    return PyObject_CallOneArg(names, header);
}

/* A U+FEFF before the first name is no part of it. */
static int
drop_mark(PyObject *header)
{
    PyObject *name = PyTuple_GET_SIZE(header) > 0 ? PyTuple_GET_ITEM(header, 0) : NULL;
    if (name == NULL || !PyUnicode_Check(name) || PyUnicode_GET_LENGTH(name) == 0 ||
        PyUnicode_READ_CHAR(name, 0) != 0xFEFF) {
        return 0;
    }
    PyObject *rest = PyUnicode_Substring(name, 1, PyUnicode_GET_LENGTH(name));
    if (rest == NULL) {
        return -1;
    }
    PyTuple_SET_ITEM(header, 0, rest); /* nobody else has seen the tuple yet */
    Py_DECREF(name);
    return 0;
}

/* Rows will be read by the names of the header. */
static int
key_rows(csv_rows *self, generators_state *state)
{
    csv_names *names = csv_names_new(state, self->header);
    if (names == NULL) {
        return -1;
    }
    self->width = PyTuple_GET_SIZE(csv_names_tuple(names));
    csv_block_set_names(self->parser.rows, names);
    Py_DECREF((PyObject *)names);
    return 0;
}

/* The same of names that were read: what is wrong with them is at the first record. */
static int
key_rows_by_names_read(csv_rows *self, generators_state *state)
{
    int status = key_rows(self, state);
    if (status < 0 && self->names == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyObject *cause = PyErr_GetRaisedException();
        csv_place place = {self->parser.path, 1, 1, -1, NULL, NULL};
        PyErr_SetRaisedException(Py_NewRef(cause));
        csv_raise(state, &place, "%S", cause);
        Py_DECREF(cause);
    }
    return status;
}

/* What the names rule out is said of the record that they are in. */
static int
settle_plan(csv_rows *self, generators_state *state, PyObject *header, uint32_t width)
{
    if (self->plain_maker != NULL || csv_plan_settle(&self->plan, state, header, width) == 0) {
        return 0;
    }
    if (PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyObject *error = PyErr_GetRaisedException();
        csv_place place = {
            .path = self->parser.path,
            .record = (int64_t)self->parser.record_count,
            .line = (int64_t)self->parser.line_count,
            .byte = -1,
        };
        csv_raise(state, &place, "%S", error);
        Py_DECREF(error);
    }
    return -1;
}

/* The first record: a new reference to a tuple; NULL at the end or with an exception. */
static PyObject *
first_record(csv_rows *self, generators_state *state)
{
    bool fault;
    const fields_record *record = next_record(self, state, &fault);
    if (record == NULL) {
        self->error_count += fault;
        return NULL;
    }
    Py_ssize_t bad;
    PyObject *header = csv_record_tuple(&self->parser, state, record, &bad);
    if (header == NULL && bad >= 0) {
        csv_parser_raise_field(&self->parser, state, record, bad, NULL);
    }
    return header;
}

static int
read_header(csv_rows *self, generators_state *state)
{
    self->reads_header = false;
    PyObject *header = first_record(self, state);
    if (header == NULL) {
        if (PyErr_Occurred()) {
            return -1;
        }
        self->header = PyTuple_New(0);
        return self->header == NULL ? -1 : 0;
    }
    if (drop_mark(header) < 0) {
        Py_DECREF(header);
        return -1;
    }
    PyObject *names = replaced_names(self, header);
    Py_DECREF(header);
    if (names == NULL) {
        return -1;
    }
    self->header = PySequence_Tuple(names);
    Py_DECREF(names);
    if (self->header == NULL) {
        return -1;
    }
    return self->keyed ? key_rows_by_names_read(self, state)
                       : settle_plan(self, state, self->header, 0);
}

/* As a body for stream_run(). */
static int
header_body(stream *base)
{
    return read_header((csv_rows *)base, generators_state_of((PyObject *)base));
}

/* ---- the stream's own ---- */

/* A source without a header: what the first record tells is how many fields there are. */
static int
settle_without_header(csv_rows *self, generators_state *state, const fields_record *record)
{
    uint32_t width = self->plan.ragged == CSV_RAGGED_ALLOW
                         ? 0
                         : fields_count(&self->parser.machine, record);
    return settle_plan(self, state, self->header, width);
}

static bool
is_blank(const csv_rows *self, const fields_record *record)
{
    return fields_count(&self->parser.machine, record) == 0;
}

/* ---- bad records ---- */

static int
pull(csv_rows *self, generators_state *state)
{
    return csv_source_pull(&self->source, state, &self->stream, &self->parser);
}

/* Get over the fault: its raw text, and the parser ready for the next record.  `record`
   is the one at fault if it was taken, else NULL.  0 or -1. */
static int
get_over(csv_rows *self, generators_state *state, const fields_record *record, csv_raw *raw)
{
    int done;
    if (record == NULL) {
        while ((done = csv_parser_recover(&self->parser, state, raw)) == 0) {
            if (pull(self, state) < 0) {
                return -1;
            }
        }
        return done < 0 ? -1 : 0;
    }
    if (self->on_error == Py_None) {
        return 0;
    }
    done = csv_raw_record(raw, &self->parser, record);
    while (done == 0) {
        if (pull(self, state) < 0) {
            return -1;
        }
        done = csv_raw_newline(raw, &self->parser);
    }
    return done < 0 ? -1 : 0;
}

static int
report(csv_rows *self, PyObject *error, csv_raw *raw)
{
    PyObject *value = csv_raw_value(raw, &self->parser);
    PyObject *result = NULL;
    if (value != NULL) {
        result = PyObject_CallFunctionObjArgs(self->on_error, error, value, NULL);
        Py_DECREF(value);
    }
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* A CSVError of a record is being raised: 0 to go on without it, -1 to raise it, or what
   comes in its place.  `line_count` is right once the record is behind. */
static int
handle_fault(csv_rows *self, generators_state *state, const fields_record *record,
             uint64_t line_count)
{
    self->error_count++;
    /* Another stands for a CSVError that could not be made. */
    if (self->on_error == NULL || !PyErr_ExceptionMatches(state->csv_error)) {
        return -1;
    }
    if (record != NULL) {
        self->parser.line_count = line_count;
    }
    PyObject *error = PyErr_GetRaisedException();
    csv_raw raw = {.bytes = NULL};
    buffer_init(&raw.units);
    int status = get_over(self, state, record, &raw);
    if (status == 0 && self->on_error != Py_None) {
        status = report(self, error, &raw);
    }
    csv_raw_free(&raw);
    Py_DECREF(error);
    return status;
}

static PyObject *
rows_next(stream *base)
{
    csv_rows *self = (csv_rows *)base;
    generators_state *state = generators_state_of((PyObject *)self);
    if (self->reads_header && read_header(self, state) < 0) {
        return NULL;
    }
    for (;;) {
        bool fault;
        const fields_record *record = next_record(self, state, &fault);
        PyObject *row = NULL;
        uint64_t line_count = self->parser.line_count;
        if (record != NULL) {
            if (self->plain_maker == NULL && !self->plan.settled && !is_blank(self, record) &&
                settle_without_header(self, state, record) < 0) {
                return NULL;
            }
            if (self->keyed && is_blank(self, record)) {
                continue;
            }
            fault = self->keyed && !has_width(self, state, record);
            if (!fault) {
                row = make_row(self, state, record, &fault);
            }
        }
        if (row != NULL) {
            self->row_count++;
            return row;
        }
        if (fault ? handle_fault(self, state, record, line_count) < 0
                  : record == NULL || PyErr_Occurred()) {
            return NULL;
        }
    }
}

static int
rows_release(stream *base)
{
    csv_rows *self = (csv_rows *)base;
    self->reads_header = false;
    Py_CLEAR(self->names);
    Py_CLEAR(self->on_error);
    csv_plan_free(&self->plan);
    csv_parser_free(&self->parser);
    return csv_source_close(&self->source);
}

static const stream_kind rows_kind = {rows_next, rows_release};

static int
rows_traverse(PyObject *op, visitproc visit, void *arg)
{
    csv_rows *self = (csv_rows *)op;
    Py_VISIT(self->names);
    Py_VISIT(self->header);
    Py_VISIT(self->on_error);
    int status = csv_plan_traverse(&self->plan, visit, arg);
    if (status == 0) {
        status = csv_source_traverse(&self->source, visit, arg);
    }
    if (status == 0) {
        status = csv_parser_traverse(&self->parser, visit, arg);
    }
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

static int
rows_clear(PyObject *op)
{
    csv_rows *self = (csv_rows *)op;
    Py_CLEAR(self->names);
    Py_CLEAR(self->header);
    Py_CLEAR(self->on_error);
    csv_plan_free(&self->plan);
    csv_parser_free(&self->parser);
    if (csv_source_close(&self->source) < 0) {
        PyErr_WriteUnraisable(op);
    }
    return stream_clear(op);
}

/* ---- making one ---- */

static int
read_limit(PyObject *value, const char *name, size_t *limit)
{
    if (value == NULL) {
        return 0;
    }
    if (value == Py_None) {
        *limit = SIZE_MAX;
        return 0;
    }
    PyObject *index = PyNumber_Index(value);
    if (index == NULL) {
        return -1;
    }
    Py_ssize_t number = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    if (number < 0) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError, "%s must not be negative", name);
        }
        return -1;
    }
    *limit = (size_t)number;
    return 0;
}

static int
read_items(const char *name, csv_items *items)
{
    static const char *const names[] = {"auto", "lines", "chunks"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(name, names[i]) == 0) {
            *items = (csv_items)i;
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "items must be 'auto', 'lines' or 'chunks', not '%s'",
                 name);
    return -1;
}

static int
read_names(csv_rows *self, PyObject *names, PyObject *header)
{
    int wanted = names != NULL || self->keyed || csv_plan_needs_names(&self->plan);
    if (header != NULL && header != Py_None) {
        wanted = PyObject_IsTrue(header);
        if (wanted < 0) {
            return -1;
        }
    }
    self->reads_header = wanted;
    if (names == NULL) {
        if (!wanted && csv_plan_needs_names(&self->plan)) {
            PyErr_SetString(PyExc_ValueError,
                            "`into`, `columns` or `types` needs the columns' "
                            "names: header is False and there are no `names`");
            return -1;
        }
        return 0;
    }
    if (PyUnicode_Check(names) || PyBytes_Check(names)) {
        PyErr_Format(PyExc_TypeError,
                     "names must be a sequence of names or a callable, not %.200s",
                     Py_TYPE(names)->tp_name);
        return -1;
    }
    if (PyCallable_Check(names)) {
        if (!wanted) {
            PyErr_SetString(
                PyExc_ValueError,
                "a callable `names` needs a header to work on, and header is False");
            return -1;
        }
        self->names = Py_NewRef(names);
        return 0;
    }
    self->names = PySequence_Tuple(names);
    if (self->names != NULL && !wanted) {
        self->header = Py_NewRef(self->names);
    }
    return self->names == NULL ? -1 : 0;
}

static int
open_block(csv_rows *self, generators_state *state)
{
    self->parser.rows = csv_block_new(state, &self->parser);
    if (self->parser.rows == NULL) {
        return -1;
    }
    return self->header == NULL ? 0 : key_rows(self, state);
}

static int
read_on_error(csv_rows *self, PyObject *on_error)
{
    if (on_error == NULL || (PyUnicode_Check(on_error) &&
                             PyUnicode_CompareWithASCIIString(on_error, "raise") == 0)) {
        return 0;
    }
    if (PyUnicode_Check(on_error) && PyUnicode_CompareWithASCIIString(on_error, "skip") == 0) {
        self->on_error = Py_NewRef(Py_None);
        return 0;
    }
    if (!PyCallable_Check(on_error)) {
        PyErr_Format(PyUnicode_Check(on_error) ? PyExc_ValueError : PyExc_TypeError,
                     "on_error must be 'raise', 'skip' or a callable, not %R", on_error);
        return -1;
    }
    self->on_error = Py_NewRef(on_error);
    return 0;
}

static PyObject *
not_none(PyObject *value)
{
    return value == Py_None ? NULL : value;
}

/* A CSVRow needs no plan: it finds its fields when they are asked for. */
static int
read_lazy_shape(csv_rows *self, bool planned)
{
    if (planned) {
        PyErr_SetString(PyExc_TypeError,
                        "into=CSVRow takes no columns, types, null or ragged: its fields are "
                        "made when they are asked for");
        return -1;
    }
    self->plain_maker = csv_record_row;
    self->keyed = true;
    return 0;
}

static int
read_shape(csv_rows *self, generators_state *state, PyObject *into, PyObject *columns,
           PyObject *types, PyObject *null, PyObject *ragged)
{
    columns = not_none(columns);
    types = not_none(types);
    null = not_none(null);
    ragged = not_none(ragged);
    if (into == (PyObject *)state->csv_row_type) {
        return read_lazy_shape(self, columns != NULL || types != NULL || null != NULL ||
                                         ragged != NULL);
    }
    if (csv_plan_read(&self->plan, state, into, columns, types, null, ragged) < 0) {
        return -1;
    }
    if (csv_plan_is_plain(&self->plan)) {
        self->plain_maker =
            self->plan.into == CSV_INTO_LIST ? csv_record_list : csv_record_tuple;
    }
    return 0;
}

static int
rows_init(csv_rows *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {
        "source",         "into",
        "header",         "names",
        "columns",        "types",
        "null",           "ragged",
        "dialect",        "delimiter",
        "quotechar",      "escapechar",
        "doublequote",    "skipinitialspace",
        "lineterminator", "quoting",
        "strict",         "encoding",
        "errors",         "items",
        "max_field",      "max_record",
        "on_error",       NULL,
    };
    PyObject *source, *into = NULL, *header = NULL, *names = NULL, *encoding = NULL;
    PyObject *columns = NULL, *types = NULL, *null = NULL, *ragged = NULL;
    PyObject *max_field = NULL, *max_record = NULL, *on_error = NULL;
    const char *errors = "strict", *items_name = "auto";
    csv_parameters given = {NULL};
    csv_dialect dialect = {.fields = {.max_field = 131072, .max_record = (size_t)64 << 20}};
    csv_items items;

    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "O|$OOOOOOOOOOOOOOOOUssOOO:csv_rows", keywords, &source, &into,
            &header, &names, &columns, &types, &null, &ragged, &given.dialect,
            &given.delimiter, &given.quotechar, &given.escapechar, &given.doublequote,
            &given.skipinitialspace, &given.lineterminator, &given.quoting, &given.strict,
            &encoding, &errors, &items_name, &max_field, &max_record, &on_error) ||
        read_on_error(self, on_error) < 0 ||
        read_shape(self, state, into, columns, types, null, ragged) < 0 ||
        read_items(items_name, &items) < 0 ||
        read_limit(max_field, "max_field", &dialect.fields.max_field) < 0 ||
        read_limit(max_record, "max_record", &dialect.fields.max_record) < 0 ||
        read_names(self, not_none(names), header) < 0 ||
        csv_dialect_read(&dialect, state, &given) < 0) {
        return -1;
    }
    encoding = encoding == NULL ? PyUnicode_FromString("utf-8") : Py_NewRef(encoding);
    if (encoding == NULL) {
        return -1;
    }
    int status = csv_parser_init(&self->parser, state, &dialect, encoding, errors);
    Py_DECREF(encoding);
    if (status < 0 || (self->keyed && open_block(self, state) < 0)) {
        return -1;
    }
    return csv_source_open(&self->source, state, &self->stream, source, items,
                           csv_parser_reads_natively(&self->parser), &self->parser.path);
}

static PyObject *
rows_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    csv_rows *self = (csv_rows *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &rows_kind;
    self->width = -1;
    if (rows_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- attributes ---- */

static PyObject *
rows_get_header(PyObject *op, void *Py_UNUSED(closure))
{
    csv_rows *self = (csv_rows *)op;
    if (self->reads_header && stream_run(&self->stream, header_body) < 0) {
        return NULL;
    }
    return self->header == NULL ? Py_NewRef(Py_None) : Py_NewRef(self->header);
}

static PyObject *
rows_get_count(PyObject *op, void *closure)
{
    return PyLong_FromUnsignedLongLong(*(uint64_t *)((char *)op + (size_t)closure));
}

static PyObject *
rows_get_total_bytes(PyObject *op, void *Py_UNUSED(closure))
{
    csv_rows *self = (csv_rows *)op;
    if (self->source.total_bytes == CSV_SIZE_UNKNOWN) {
        Py_RETURN_NONE;
    }
    return PyLong_FromUnsignedLongLong(self->source.total_bytes);
}

#define COUNT(member) (void *)offsetof(csv_rows, member)

static PyGetSetDef rows_attributes[] = {
    {"header", rows_get_header, NULL,
     "The names, as a tuple, reading the first record if need be; () for an empty\n"
     "file, None where the source has no header and no names were given.",
     NULL},
    {"line_num", rows_get_count, NULL,
     "Physical lines read, as csv.reader counts them: a record may take several.",
     COUNT(parser.line_count)},
    {"row_num", rows_get_count, NULL, "Rows delivered; the header is none.", COUNT(row_count)},
    {"bytes_read", rows_get_count, NULL, "Bytes taken from the source; 0 for one of text.",
     COUNT(source.bytes_read)},
    {"total_bytes", rows_get_total_bytes, NULL,
     "Bytes that there are to be read; None where that is not known.", NULL},
    {"errors", rows_get_count, NULL, "Records that could not be read.", COUNT(error_count)},
    {NULL},
};

PyDoc_STRVAR(
    rows_doc,
    "csv_rows(source, *, into=list, header=None, names=None, columns=None, types=None,\n"
    "         null=(), ragged=None, dialect='excel', delimiter=',', quotechar='\"',\n"
    "         escapechar=None, doublequote=True, skipinitialspace=False,\n"
    "         lineterminator='\\r\\n', quoting=csv.QUOTE_MINIMAL, strict=False,\n"
    "         encoding='utf-8', errors='strict', items='auto', max_field=131072,\n"
    "         max_record=67108864, on_error='raise')\n"
    "--\n"
    "\n"
    "An iterator of the records of a CSV source, exactly as csv.reader of\n"
    "CPython 3.13 reads them, each in the shape and of the types asked for.\n"
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
    "    a binary file object, read with read(n), or a text file object, read\n"
    "    by its own iteration; it is not closed;\n"
    "    bytes or any other buffer;\n"
    "    an iterable of str, each a line, as csv.reader takes them;\n"
    "    an iterable of bytes, cut anywhere.\n"
    "A generator, given or made by iter(source), is closed at the end.\n"
    "Bytes are read as a text file opened with newline='' would be.\n"
    "\n"
    "into is list, tuple, dict, CSVRow (see there), a NamedTuple or dataclass,\n"
    "    whose fields are found by name and read as they are annotated, or a\n"
    "    callable, called with the fields.  Blank records are [] and (), and no row in other "
    "shapes.\n"
    "header=True takes the first record as the names, for .header; it is then\n"
    "    no row.  It is True by default where names are given or needed.\n"
    "names replaces the names read: a sequence, a method of str such as\n"
    "    str.lower, called with each, or a callable of the tuple of names that\n"
    "    gives the new ones.  With header=False the file has no header.\n"
    "columns are the names or indices of those that are built, in this order.\n"
    "types maps names or indices to int, float, bool (true/false, t/f, yes/no,\n"
    "    1/0 in any case), str, bytes (as in the source), Decimal, date or\n"
    "    datetime, with exactly what T(field) or T.fromisoformat(field) gives, or\n"
    "    to a callable of one str.  An empty field is None in a column of\n"
    "    types, but for str, and where an annotation allows None; so is one\n"
    "    without quotes that is spelled as in null.\n"
    "ragged says what becomes of records with more or fewer fields than there\n"
    "    are names, or than the first has: 'allow', for list and tuple, 'pad'\n"
    "    (None for what is missing), or 'error', for all else.  Allowed, a\n"
    "    chosen column that is missing is None, and what a dict has no name\n"
    "    for is a list under None, as in csv.DictReader.\n"
    "dialect and the formatting parameters are csv's, with its exceptions.\n"
    "encoding is any text encoding; 'utf-8' drops a mark at the start.\n"
    "errors is as in open().\n"
    "items='lines' is for an iterator whose items lost their line ends, which\n"
    "    are put back; items='chunks' is for str pieces cut anywhere.\n"
    "max_field is the longest field, in characters, and max_record the longest\n"
    "    record, in bytes (characters, for a source of text); None is no limit.\n"
    "on_error is what becomes of a record that can't be read: 'raise', 'skip', or a\n"
    "    callable of the CSVError and the record's source text, with its line\n"
    "    end and cut at 64 KiB (bytes, where the source is of bytes).  Reading\n"
    "    goes on at the next line.  .errors counts them.\n"
    "\n"
    "Raises CSVError, a csv.Error and a ValueError, for data that can't be read,\n"
    "after the rows before it; OSError for a path that can't be opened, at once.\n"
    "What the source itself raises comes through with a note of where.");

static PyType_Slot rows_slots[] = {
    {Py_tp_doc, (char *)rows_doc},   {Py_tp_new, rows_new},
    {Py_tp_traverse, rows_traverse}, {Py_tp_clear, rows_clear},
    {Py_tp_getset, rows_attributes}, {0, NULL},
};

PyType_Spec csv_rows_spec = {
    .name = "generators.csv_rows",
    .basicsize = sizeof(csv_rows),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = rows_slots,
};
