/* Where a reader stands, to be gone on from by another.
 *
 * A checkpoint is a dict that JSON takes: the place of the next record, counters, the
 * header, and what tells that the file and the dialect are the same.  It is had of
 * files that can be sought, in encodings whose bytes are the units that are parsed.
 */
#include "csv/parse/checkpoint.h"

#include "csv/parse/parser.h"
#include "csv/row/block.h"
#include "csv/rows/records.h"
#include "source/source.h"
#include "runtime/raising.h"

#define VERSION 1

/* ---- the file ---- */

/* An attribute that is an integer, which -1 may not be, or -1 with an exception. */
static int64_t
number_of(PyObject *object, const char *name)
{
    PyObject *value = object == NULL ? NULL : PyObject_GetAttrString(object, name);
    int64_t number = value == NULL ? -1 : PyLong_AsLongLong(value);
    Py_XDECREF(value);
    return number;
}

/* What a method without arguments returns; the same. */
static int64_t
call_for_number(PyObject *object, const char *method)
{
    PyObject *value = PyObject_CallMethod(object, method, NULL);
    int64_t number = value == NULL ? -1 : PyLong_AsLongLong(value);
    Py_XDECREF(value);
    return number;
}

/* What a file says of itself may be nothing. */
static int
forgive(void)
{
    return PyErr_Occurred() ? raising_forgive_answer() : 0;
}

static int
read_status(csv_origin *self, PyObject *file)
{
    PyObject *os = PyImport_ImportModule("os");
    int64_t descriptor = os == NULL ? -1 : call_for_number(file, "fileno");
    if (descriptor >= 0) {
        PyObject *status = PyObject_CallMethod(os, "fstat", "L", (long long)descriptor);
        self->size = number_of(status, "st_size");
        self->mtime = self->size < 0 ? -1 : number_of(status, "st_mtime_ns");
        Py_XDECREF(status);
    }
    Py_XDECREF(os);
    return forgive();
}

/* The size of what is in memory. */
static int
read_memory_size(csv_origin *self, generators_state *state, PyObject *file)
{
    PyObject *type = PyObject_GetAttrString(state->io, "BytesIO");
    bool memory = type != NULL && (PyObject *)Py_TYPE(file) == type;
    Py_XDECREF(type);
    if (memory) {
        PyObject *view = PyObject_CallMethod(file, "getbuffer", NULL);
        self->size = view == NULL ? -1 : number_of(view, "nbytes");
        Py_XDECREF(view);
    }
    return forgive();
}

int
csv_origin_read(csv_origin *self, generators_state *state, const csv_source *source)
{
    *self = (csv_origin){.base = -1, .size = -1, .mtime = -1};
    if (source->file == NULL) {
        return 0;
    }
    PyObject *file = source->file; /* held by the source: no other call comes in */
    PyObject *answer = PyObject_CallMethod(file, "seekable", NULL);
    int seekable = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    if (seekable > 0) {
        self->base = call_for_number(file, "tell");
    }
    if (self->base < 0) {
        return forgive();
    }
    if (read_status(self, file) < 0) {
        return -1;
    }
    return self->size < 0 ? read_memory_size(self, state, file) : 0;
}

/* ---- the place ---- */

void
csv_mark_next(csv_mark *self, const csv_parser *parser)
{
    const fields *machine = &parser->machine;
    bool listed = machine->taken < machine->records_length;
    uint32_t start = listed ? machine->records[machine->taken].start : machine->record_start;
    self->byte = parser->block_byte + start;
    self->carriage = parser->started
                         ? !listed && machine->after_carriage && machine->state == START_RECORD
                         : parser->after_carriage;
    self->record_count = parser->record_count;
    self->line_count = parser->line_count;
}

void
csv_mark_record(csv_mark *self, const csv_parser *parser, const fields_record *record,
                uint64_t line_count)
{
    self->byte = parser->block_byte + record->start;
    self->carriage = false;
    self->record_count = parser->record_count - 1;
    self->line_count = line_count - record->lines;
}

/* ---- the dict ---- */

/* Everything of the dialect that says how text is read. */
static PyObject *
fingerprint(const csv_parser *parser)
{
    const fields_dialect *d = &parser->dialect.fields;
    static const char *const encodings[] = {"utf-8", "ascii", "latin-1", "other"};
    return Py_BuildValue("[LLLiiiis]", (long long)(int32_t)d->set.delimiter,
                         (long long)(int32_t)d->set.quote, (long long)(int32_t)d->set.escape,
                         (int)d->doublequote, (int)d->skip_space, (int)d->strict,
                         parser->dialect.quoting, encodings[parser->encoding]);
}

PyObject *
csv_checkpoint_new(generators_state *state, const csv_origin *origin, const csv_parser *parser,
                   const csv_mark *mark, PyObject *header, uint32_t width)
{
    if (origin->base < 0 || !csv_parser_reads_natively(parser) || parser->from_text) {
        PyObject *error = PyObject_GetAttrString(state->io, "UnsupportedOperation");
        if (error != NULL) {
            PyErr_SetString(error, "a checkpoint needs a path or a seekable binary file, in "
                                   "UTF-8, Latin-1 or ASCII with errors='strict'");
            Py_DECREF(error);
        }
        return NULL;
    }
    PyObject *names = header == NULL ? Py_NewRef(Py_None) : PySequence_List(header);
    PyObject *dialect = fingerprint(parser);
    PyObject *result = NULL;
    if (names != NULL && dialect != NULL) {
        result = Py_BuildValue(
            "{sisLsKsOsKsKsKsKsOsIsOsLsL}", "version", VERSION, "base",
            (long long)origin->base, "offset", (unsigned long long)mark->byte, "carriage",
            mark->carriage ? Py_True : Py_False, "record",
            (unsigned long long)mark->record_count, "line",
            (unsigned long long)mark->line_count, "row", (unsigned long long)mark->row_count,
            "errors", (unsigned long long)mark->error_count, "header", names, "width",
            (unsigned)width, "dialect", dialect, "size", (long long)origin->size, "mtime",
            (long long)origin->mtime);
    }
    Py_XDECREF(names);
    Py_XDECREF(dialect);
    return result;
}

/* ---- going on ---- */

static int
malformed(void)
{
    if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_LookupError) ||
        PyErr_ExceptionMatches(PyExc_TypeError) ||
        PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        PyErr_SetString(PyExc_ValueError, "start is no checkpoint of this version");
    }
    return -1;
}

static int
get_number(PyObject *start, const char *key, int64_t *number)
{
    PyObject *value = PyMapping_GetItemString(start, key);
    if (value == NULL) {
        return -1;
    }
    *number = PyLong_AsLongLong(value);
    Py_DECREF(value);
    return *number == -1 && PyErr_Occurred() ? -1 : 0;
}

/* Those that count something: 0, or -1, with an error that names the one below zero. */
static int
get_counter(PyObject *start, const char *key, int64_t *number)
{
    if (get_number(start, key, number) < 0) {
        return -1;
    }
    if (*number < 0) {
        PyErr_Format(PyExc_ValueError, "the checkpoint's '%s' is negative: %lld", key,
                     (long long)*number);
        return -1;
    }
    return 0;
}

static int
check_dialect(PyObject *start, const csv_parser *parser)
{
    PyObject *theirs = PyMapping_GetItemString(start, "dialect");
    if (theirs == NULL) {
        return malformed();
    }
    PyObject *mine = fingerprint(parser);
    int same = mine == NULL ? -1 : PyObject_RichCompareBool(theirs, mine, Py_EQ);
    Py_DECREF(theirs);
    Py_XDECREF(mine);
    if (same == 0) {
        PyErr_SetString(PyExc_ValueError,
                        "the checkpoint is of another dialect or another encoding");
    }
    return same > 0 ? 0 : -1;
}

static int
check_file(PyObject *start, const csv_origin *origin)
{
    int64_t size, mtime;
    if (get_number(start, "size", &size) < 0 || get_number(start, "mtime", &mtime) < 0) {
        return malformed();
    }
    if (size != origin->size || mtime != origin->mtime) {
        PyErr_SetString(PyExc_ValueError, "the file has changed since the checkpoint");
        return -1;
    }
    return 0;
}

/* Put the file and the parser where the checkpoint was. */
static int
move_to(csv_source *source, csv_parser *parser, csv_origin *origin, int64_t base,
        int64_t offset)
{
    PyObject *done =
        PyObject_CallMethod(source->file, "seek", "L", (long long)(base + offset));
    if (done == NULL) {
        return -1;
    }
    Py_DECREF(done);
    if (source->total_bytes != CSV_SIZE_UNKNOWN) {
        source->total_bytes = (uint64_t)((int64_t)source->total_bytes + origin->base - base);
    }
    source->bytes_read = (uint64_t)offset;
    parser->byte_count = parser->block_byte = (uint64_t)offset;
    parser->head_seen = offset > 0;
    origin->base = base;
    return 0;
}

static int
read_header(PyObject *start, PyObject **header)
{
    PyObject *names = PyMapping_GetItemString(start, "header");
    if (names == NULL) {
        return -1;
    }
    *header = names == Py_None ? NULL : PySequence_Tuple(names);
    Py_DECREF(names);
    return PyErr_Occurred() ? -1 : 0;
}

int
csv_checkpoint_go_on(PyObject *start, generators_state *state, csv_source *source,
                     csv_parser *parser, csv_origin *origin, csv_mark *mark, PyObject **header,
                     uint32_t *width)
{
    int64_t version, base, offset, carriage, record, line, row, errors, fields_wanted;
    if (!PyMapping_Check(start) || get_number(start, "version", &version) < 0 ||
        version != VERSION || get_counter(start, "base", &base) < 0 ||
        get_counter(start, "offset", &offset) < 0 ||
        get_number(start, "carriage", &carriage) < 0 ||
        get_counter(start, "record", &record) < 0 || get_counter(start, "line", &line) < 0 ||
        get_counter(start, "row", &row) < 0 || get_counter(start, "errors", &errors) < 0 ||
        get_counter(start, "width", &fields_wanted) < 0 || fields_wanted > UINT32_MAX ||
        base > INT64_MAX - offset || read_header(start, header) < 0) {
        return malformed();
    }
    if (origin->base < 0 || !csv_parser_reads_natively(parser)) {
        /* Says what is asked for. */
        Py_XDECREF(
            csv_checkpoint_new(state, &(csv_origin){.base = -1}, parser, mark, NULL, 0));
        return -1;
    }
    if (check_dialect(start, parser) < 0 || check_file(start, origin) < 0 ||
        move_to(source, parser, origin, base, offset) < 0) {
        return -1;
    }
    *mark = (csv_mark){
        .byte = (uint64_t)offset,
        .record_count = (uint64_t)record,
        .line_count = (uint64_t)line,
        .row_count = (uint64_t)row,
        .error_count = (uint64_t)errors,
        .carriage = carriage != 0,
    };
    parser->after_carriage = mark->carriage;
    parser->record_count = mark->record_count;
    parser->line_count = mark->line_count;
    *width = (uint32_t)fields_wanted;
    return 0;
}
