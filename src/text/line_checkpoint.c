/* Checkpoints of lines and jsonl_rows: the position of a stream, from which another can
 * resume.
 *
 * A checkpoint is a dict that JSON can store: the offset of the next line, counters, and data
 * that identifies the file and the format.  A stream has checkpoints only if its file is
 * seekable and its bytes are cut into lines as they are.
 */
#include "text/line_checkpoint.h"

#define VERSION 1

/* Everything that changes where lines end and what they are: a new list. */
static PyObject *
checkpoint_format(const line_rows *rows)
{
    const line_reader *reader = &rows->reader;
    static const char *const encodings[] = {NULL, "utf-8", "ascii", "latin-1", "other"};
    PyObject *newline =
        PyUnicode_DecodeLatin1((const char *)reader->machine.newline,
                               (Py_ssize_t)reader->machine.newline_length, NULL);
    return newline == NULL ? NULL
                           : Py_BuildValue("[sNz]", rows->is_json ? "jsonl" : "lines", newline,
                                           encodings[reader->encoding]);
}

/* Whether the source can have checkpoints.  If not, raise io.UnsupportedOperation. */
static bool
checkpoint_is_possible(generators_state *state, const file_origin *origin,
                       const line_rows *rows)
{
    if (origin->base >= 0 && line_reader_is_native(&rows->reader)) {
        return true;
    }
    checkpoint_refuse(state,
                      "a checkpoint needs a path or a seekable binary file, of bytes or "
                      "in UTF-8, ASCII or Latin-1");
    return false;
}

PyObject *
line_checkpoint_new(generators_state *state, const file_origin *origin, const line_rows *rows,
                    const line_mark *mark)
{
    if (!checkpoint_is_possible(state, origin, rows)) {
        return NULL;
    }
    PyObject *format = checkpoint_format(rows);
    if (format == NULL) {
        return NULL;
    }
    return Py_BuildValue("{sisLsKsOsKsKsKsNsLsL}", "version", VERSION, "base",
                         (long long)origin->base, "offset", (unsigned long long)mark->byte,
                         "carriage", mark->after_carriage ? Py_True : Py_False, "line",
                         (unsigned long long)mark->line_count, "row",
                         (unsigned long long)mark->row_count, "errors",
                         (unsigned long long)mark->error_count, "format", format, "size",
                         (long long)origin->size, "mtime", (long long)origin->mtime);
}

/* Check that the file is the one of the checkpoint.  0 or -1. */
static int
checkpoint_check(PyObject *start, data_source *source, const line_rows *rows,
                 const file_origin *origin, int64_t base, int64_t offset,
                 checkpoint_changed changed)
{
    const lines *machine = &rows->reader.machine;
    int grown = checkpoint_check_file(start, origin, changed);
    if (grown <= 0) {
        return grown;
    }
    const size_t length = machine->newline_length;
    PyObject *file = Py_NewRef(source->file);
    int status = length == 0 ? checkpoint_check_end(file, base, offset, "\r\n", 2)
                             : checkpoint_check_end(file, base, offset,
                                                    machine->newline + length - 1, 1);
    Py_DECREF(file);
    return status;
}

int
line_checkpoint_resume(PyObject *start, generators_state *state, data_source *source,
                       line_rows *rows, file_origin *origin, checkpoint_changed changed)
{
    int64_t version, base, offset, carriage, line, row, errors;
    if (!PyMapping_Check(start) || checkpoint_number(start, "version", &version) < 0 ||
        version != VERSION || checkpoint_counter(start, "base", &base) < 0 ||
        checkpoint_counter(start, "offset", &offset) < 0 ||
        checkpoint_number(start, "carriage", &carriage) < 0 ||
        checkpoint_counter(start, "line", &line) < 0 ||
        checkpoint_counter(start, "row", &row) < 0 ||
        checkpoint_counter(start, "errors", &errors) < 0 || base > INT64_MAX - offset) {
        return checkpoint_malformed();
    }
    if (!checkpoint_is_possible(state, origin, rows) ||
        checkpoint_compare(start, "format", checkpoint_format(rows),
                           "format, newline or encoding") < 0 ||
        checkpoint_check(start, source, rows, origin, base, offset, changed) < 0 ||
        data_source_seek(source, origin, base, offset) < 0) {
        return -1;
    }
    line_rows_resume(rows, &(line_mark){
                               .byte = (uint64_t)offset,
                               .line_count = (uint64_t)line,
                               .row_count = (uint64_t)row,
                               .error_count = (uint64_t)errors,
                               .after_carriage = carriage != 0,
                           });
    return 0;
}
