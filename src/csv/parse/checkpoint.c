/* Checkpoints: the position of a reader, from which another reader can resume.
 *
 * A checkpoint is a dict that JSON can store: the offset of the next record, counters, the
 * header, and data that identifies the file and the dialect.  A reader has checkpoints only if
 * its file is seekable and its encoding is one in which each unit is a byte.
 *
 * A part of a file is a checkpoint with an end, behind the last of its records: see
 * csv_split().  A reader of a part reads no further, and its checkpoints have the same end.
 */
#include "csv/parse/checkpoint.h"

#include "csv/parse/lead.h"
#include "runtime/raising.h"

#define VERSION 1

/* ---- marks ---- */

void
csv_mark_next(csv_mark *self, const csv_parser *parser)
{
    const fields *machine = &parser->machine;
    bool listed = machine->taken < machine->records_length;
    if (parser->lead != NULL) {
        /* The lines above the first record are passed over again. */
        *self = (csv_mark){0};
        return;
    }
    self->record_count = parser->record_count;
    if (listed) {
        const fields_record *next = &machine->records[machine->taken];
        self->byte = parser->block_byte + next->start;
        self->line_count =
            csv_parser_lines_before(parser, next, parser->line_count + next->lines);
        self->carriage = self->torn = false;
        return;
    }
    self->byte = parser->block_byte + machine->record_start;
    self->line_count = parser->line_count;
    self->carriage = parser->started
                         ? machine->after_carriage && machine->state == START_RECORD
                         : parser->after_carriage;
    self->torn = parser->torn;
    if (parser->started) {
        self->line_count += machine->flags & FIELDS_FOLLOWS ? machine->passed : 0;
        self->byte -= machine->in_comment ? machine->comment_read : 0;
    }
}

void
csv_mark_fault(csv_mark *self, const csv_parser *parser)
{
    const fields *machine = &parser->machine;
    *self = (csv_mark){
        .byte = parser->block_byte + machine->record_start,
        .record_count = parser->record_count,
        .line_count = parser->line_count,
    };
    for (size_t i = machine->taken; i < machine->records_length; i++) {
        self->record_count++;
        self->line_count += machine->records[i].lines;
    }
    self->line_count += machine->flags & FIELDS_FOLLOWS ? machine->passed : 0;
}

void
csv_mark_record(csv_mark *self, const csv_parser *parser, const fields_record *record,
                uint64_t line_count)
{
    self->byte = parser->block_byte + record->start;
    self->carriage = false;
    self->torn = false;
    self->record_count = parser->record_count - 1;
    self->line_count = csv_parser_lines_before(parser, record, line_count);
}

/* ---- the dict ---- */

/* Add what is not of csv, where it was asked for.  0 or -1. */
static int
checkpoint_add_lines(PyObject *dialect, const fields_dialect *d)
{
    PyObject *comment = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, d->comment,
                                                  (Py_ssize_t)d->comment_length);
    PyObject *lines =
        comment == NULL ? NULL : Py_BuildValue("[Ni]", comment, (int)!d->one_line);
    int status = lines == NULL ? -1 : PyList_Append(dialect, lines);
    Py_XDECREF(lines);
    return status;
}

/* Everything in the dialect that changes how text is read: a new list. */
static PyObject *
checkpoint_dialect(const csv_parser *parser)
{
    const fields_dialect *d = &parser->dialect.fields;
    static const char *const encodings[] = {"utf-8", "ascii", "latin-1", "other"};
    PyObject *encoding = parser->single_byte != NULL
                             ? Py_NewRef(parser->single_byte)
                             : PyUnicode_FromString(encodings[parser->encoding]);
    PyObject *dialect = encoding == NULL
                            ? NULL
                            : Py_BuildValue("[LLLiiiiN]", (long long)(int32_t)d->set.delimiter,
                                            (long long)(int32_t)d->set.quote,
                                            (long long)(int32_t)d->set.escape,
                                            (int)d->doublequote, (int)d->skip_space,
                                            (int)d->strict, parser->dialect.quoting, encoding);
    if (dialect != NULL && (d->one_line || d->comment_length > 0) &&
        checkpoint_add_lines(dialect, d) < 0) {
        Py_CLEAR(dialect);
    }
    return dialect;
}

/* Whether the parser's source can have checkpoints.  If not, raise io.UnsupportedOperation. */
static bool
checkpoint_is_possible(generators_state *state, const file_origin *origin,
                       const csv_parser *parser)
{
    if (origin->base >= 0 && csv_parser_counts_bytes(parser)) {
        return true;
    }
    checkpoint_refuse(state, "a checkpoint needs a path or a seekable binary file, in UTF-8, "
                             "Latin-1, ASCII or another encoding of one byte per character "
                             "that contains ASCII, with errors='strict'");
    return false;
}

/* A limit as it was given. */
static PyObject *
checkpoint_limit(size_t limit)
{
    return limit == SIZE_MAX ? Py_NewRef(Py_None) : PyLong_FromSize_t(limit);
}

/* The limits that the parts of a plan depend on: a new list. */
static PyObject *
checkpoint_limits(const csv_parser *parser)
{
    PyObject *field = checkpoint_limit(parser->dialect.fields.max_field);
    PyObject *record =
        field == NULL ? NULL : checkpoint_limit(parser->dialect.fields.max_record);
    PyObject *limits = record == NULL ? NULL : Py_BuildValue("[OO]", field, record);
    Py_XDECREF(field);
    Py_XDECREF(record);
    return limits;
}

/* ---- parts ---- */

/* A checksum of what a part says, so that a part that was changed by hand or by accident is
   not read: a new int. */
PyObject *
csv_part_check(PyObject *part)
{
    static const char *const keys[] = {"base",   "offset", "carriage", "record", "line",
                                       "header", "width",  "dialect",  "limits", "size",
                                       "mtime",  "end",    "open"};
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < Py_ARRAY_LENGTH(keys); i++) {
        PyObject *value = PyMapping_GetItemString(part, keys[i]);
        PyObject *text = value == NULL ? NULL : PyObject_ASCII(value);
        Py_ssize_t length = 0;
        const char *letters = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &length);
        for (Py_ssize_t j = 0; letters != NULL && j <= length; j++) {
            hash = (hash ^ (unsigned char)letters[j]) * 16777619u;
        }
        Py_XDECREF(value);
        Py_XDECREF(text);
        if (letters == NULL) {
            return NULL;
        }
    }
    return PyLong_FromUnsignedLong(hash);
}

/* Make a checkpoint one of a part, whose rows are those up to `end`.  0 or -1. */
static int
checkpoint_add_end(PyObject *checkpoint, const csv_parser *parser, int64_t end)
{
    PyObject *number = PyLong_FromLongLong(end);
    PyObject *limits = checkpoint_limits(parser), *check = NULL;
    if (number != NULL && limits != NULL &&
        PyDict_SetItemString(checkpoint, "end", number) == 0 &&
        PyDict_SetItemString(checkpoint, "limits", limits) == 0) {
        check = csv_part_check(checkpoint);
    }
    int status = check == NULL ? -1 : PyDict_SetItemString(checkpoint, "check", check);
    Py_XDECREF(number);
    Py_XDECREF(limits);
    Py_XDECREF(check);
    return status;
}

/* Read where a checkpoint's part ends: -1 in *end if it is none of a part.  0 or -1. */
static int
checkpoint_read_end(PyObject *start, const csv_parser *parser, int64_t *end)
{
    *end = -1;
    PyObject *number = PyMapping_GetItemString(start, "end");
    if (number == NULL) {
        return raising_forgive(PyExc_KeyError);
    }
    Py_DECREF(number);
    if (checkpoint_counter(start, "end", end) < 0) {
        return checkpoint_malformed();
    }
    PyObject *mine = csv_part_check(start);
    if (mine == NULL) {
        return checkpoint_malformed();
    }
    PyObject *theirs = PyMapping_GetItemString(start, "check");
    int same = theirs == NULL ? -1 : PyObject_RichCompareBool(theirs, mine, Py_EQ);
    Py_XDECREF(theirs);
    Py_DECREF(mine);
    if (same < 0) {
        return checkpoint_malformed();
    }
    if (!same) {
        PyErr_SetString(PyExc_ValueError, "the part is not as csv_split() made it");
        return -1;
    }
    return checkpoint_compare(start, "limits", checkpoint_limits(parser),
                              "max_field or max_record");
}

PyObject *
csv_checkpoint_new(generators_state *state, const file_origin *origin,
                   const csv_parser *parser, const csv_mark *mark, PyObject *header,
                   uint32_t width)
{
    if (!checkpoint_is_possible(state, origin, parser)) {
        return NULL;
    }
    PyObject *names = header == NULL ? Py_NewRef(Py_None) : PySequence_List(header);
    PyObject *dialect = checkpoint_dialect(parser);
    PyObject *result = NULL;
    if (names != NULL && dialect != NULL) {
        result = Py_BuildValue(
            "{sisLsKsOsKsKsKsKsOsIsOsOsLsL}", "version", VERSION, "base",
            (long long)origin->base, "offset", (unsigned long long)mark->byte, "carriage",
            mark->carriage ? Py_True : Py_False, "record",
            (unsigned long long)mark->record_count, "line",
            (unsigned long long)mark->line_count, "row", (unsigned long long)mark->row_count,
            "errors", (unsigned long long)mark->error_count, "header", names, "width",
            (unsigned)width, "dialect", dialect, "open", mark->torn ? Py_True : Py_False,
            "size", (long long)origin->size, "mtime", (long long)origin->mtime);
    }
    Py_XDECREF(names);
    Py_XDECREF(dialect);
    if (result != NULL && origin->end >= 0 &&
        checkpoint_add_end(result, parser, origin->end) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

/* ---- resuming ---- */

/* A reader that begins behind the lines above the first record does not pass over them, and
   has the delimiter that they gave.  0 or -1. */
static int
checkpoint_pass_lead(PyObject *start, csv_parser *parser, int64_t offset)
{
    if (parser->lead == NULL || offset == 0) {
        return 0;
    }
    if (csv_lead_gives_delimiter(parser)) {
        PyObject *dialect = PyMapping_GetItemString(start, "dialect");
        PyObject *first = dialect == NULL ? NULL : PySequence_GetItem(dialect, 0);
        const long delimiter = first == NULL ? -1 : PyLong_AsLong(first);
        Py_XDECREF(dialect);
        Py_XDECREF(first);
        if (delimiter < 0 || delimiter > 0x10FFFF) {
            return PyErr_Occurred() ? checkpoint_malformed() : 0;
        }
        parser->dialect.fields.set.delimiter = (uint32_t)delimiter;
    }
    csv_lead_end(parser);
    return 0;
}

#define OTHER_DIALECT "dialect or another encoding"

static int
checkpoint_header(PyObject *start, PyObject **header)
{
    PyObject *names = PyMapping_GetItemString(start, "header");
    if (names == NULL) {
        return -1;
    }
    *header = names == Py_None ? NULL : PySequence_Tuple(names);
    Py_DECREF(names);
    return PyErr_Occurred() ? -1 : 0;
}

/* Check that the file is the one of the checkpoint.  `open`: it ended within the record before
   the checkpoint.  0 or -1. */
static int
checkpoint_check(PyObject *start, const data_source *source, file_origin *origin, int64_t base,
                 int64_t offset, bool open, checkpoint_changed changed)
{
    PyObject *file = Py_NewRef(source->file);
    int status = origin->end < 0 ? 0 : file_origin_measure(origin, file);
    int grown = status < 0 ? -1 : checkpoint_check_file(start, origin, changed);
    if (grown > 0 && open) {
        PyErr_SetString(PyExc_ValueError, "the file has changed since the checkpoint, and its "
                                          "last record was not complete then");
        grown = -1;
    }
    if (grown > 0) {
        grown = checkpoint_check_end(file, base, offset, "\r\n", 2);
    }
    Py_DECREF(file);
    return grown;
}

int
csv_checkpoint_resume(PyObject *start, checkpoint_changed changed, generators_state *state,
                      data_source *source, csv_parser *parser, file_origin *origin,
                      csv_mark *mark, PyObject **header, uint32_t *width)
{
    int64_t version, base, offset, carriage, record, line, row, errors, fields_wanted, open;
    if (!PyMapping_Check(start) || checkpoint_number(start, "version", &version) < 0 ||
        version != VERSION || checkpoint_counter(start, "base", &base) < 0 ||
        checkpoint_counter(start, "offset", &offset) < 0 ||
        checkpoint_number(start, "carriage", &carriage) < 0 ||
        checkpoint_counter(start, "record", &record) < 0 ||
        checkpoint_counter(start, "line", &line) < 0 ||
        checkpoint_counter(start, "row", &row) < 0 ||
        checkpoint_counter(start, "errors", &errors) < 0 ||
        checkpoint_number(start, "open", &open) < 0 ||
        checkpoint_counter(start, "width", &fields_wanted) < 0 || fields_wanted > UINT32_MAX ||
        base > INT64_MAX - offset || checkpoint_header(start, header) < 0) {
        return checkpoint_malformed();
    }
    if (!checkpoint_is_possible(state, origin, parser) ||
        checkpoint_pass_lead(start, parser, offset) < 0 ||
        checkpoint_compare(start, "dialect", checkpoint_dialect(parser), OTHER_DIALECT) < 0 ||
        checkpoint_read_end(start, parser, &origin->end) < 0 ||
        checkpoint_check(start, source, origin, base, offset, open != 0, changed) < 0 ||
        data_source_seek(source, origin, base, offset) < 0) {
        return -1;
    }
    if (origin->end >= 0 && origin->end < offset) {
        return checkpoint_malformed();
    }
    parser->byte_count = parser->block_byte = (uint64_t)offset;
    parser->head_checked = offset > 0;
    parser->ends_whole = origin->end >= 0 && base + origin->end < origin->size;
    *mark = (csv_mark){
        .byte = (uint64_t)offset,
        .record_count = (uint64_t)record,
        .line_count = (uint64_t)line,
        .row_count = (uint64_t)row,
        .error_count = (uint64_t)errors,
        .carriage = carriage != 0,
        .torn = open != 0,
    };
    parser->after_carriage = mark->carriage;
    parser->torn = mark->torn;
    parser->record_count = mark->record_count;
    parser->line_count = mark->line_count;
    *width = (uint32_t)fields_wanted;
    return 0;
}
