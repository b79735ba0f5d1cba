/* Checkpoints: the position of a reader, from which another reader can resume.
 *
 * A checkpoint is a dict that JSON can store: the offset of the next record, counters, the
 * header, and data that identifies the file and the dialect.  A reader has checkpoints only if
 * its file is seekable and its encoding is one whose bytes are parsed as units.
 */
#include "csv/parse/checkpoint.h"

#include "source/checkpoint.h"

#define VERSION 1

/* ---- marks ---- */

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

/* Everything in the dialect that changes how text is read: a new list. */
static PyObject *
checkpoint_dialect(const csv_parser *parser)
{
    const fields_dialect *d = &parser->dialect.fields;
    static const char *const encodings[] = {"utf-8", "ascii", "latin-1", "other"};
    return Py_BuildValue("[LLLiiiis]", (long long)(int32_t)d->set.delimiter,
                         (long long)(int32_t)d->set.quote, (long long)(int32_t)d->set.escape,
                         (int)d->doublequote, (int)d->skip_space, (int)d->strict,
                         parser->dialect.quoting, encodings[parser->encoding]);
}

/* Whether the parser's source can have checkpoints.  If not, raise io.UnsupportedOperation. */
static bool
checkpoint_is_possible(generators_state *state, const file_origin *origin,
                       const csv_parser *parser)
{
    if (origin->base >= 0 && csv_parser_reads_natively(parser) && !parser->from_text) {
        return true;
    }
    checkpoint_refuse(state, "a checkpoint needs a path or a seekable binary file, in UTF-8, "
                             "Latin-1 or ASCII with errors='strict'");
    return false;
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

/* ---- resuming ---- */

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

int
csv_checkpoint_resume(PyObject *start, generators_state *state, data_source *source,
                      csv_parser *parser, file_origin *origin, csv_mark *mark,
                      PyObject **header, uint32_t *width)
{
    int64_t version, base, offset, carriage, record, line, row, errors, fields_wanted;
    if (!PyMapping_Check(start) || checkpoint_number(start, "version", &version) < 0 ||
        version != VERSION || checkpoint_counter(start, "base", &base) < 0 ||
        checkpoint_counter(start, "offset", &offset) < 0 ||
        checkpoint_number(start, "carriage", &carriage) < 0 ||
        checkpoint_counter(start, "record", &record) < 0 ||
        checkpoint_counter(start, "line", &line) < 0 ||
        checkpoint_counter(start, "row", &row) < 0 ||
        checkpoint_counter(start, "errors", &errors) < 0 ||
        checkpoint_counter(start, "width", &fields_wanted) < 0 || fields_wanted > UINT32_MAX ||
        base > INT64_MAX - offset || checkpoint_header(start, header) < 0) {
        return checkpoint_malformed();
    }
    if (!checkpoint_is_possible(state, origin, parser) ||
        checkpoint_compare(start, "dialect", checkpoint_dialect(parser), OTHER_DIALECT) < 0 ||
        checkpoint_check_file(start, origin) < 0 ||
        data_source_seek(source, origin, base, offset) < 0) {
        return -1;
    }
    parser->byte_count = parser->block_byte = (uint64_t)offset;
    parser->head_checked = offset > 0;
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
