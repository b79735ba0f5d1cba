/* Errors of records, and telling the user of them.
 *
 * There is no state here but that of csv_records.  User code runs in `on_error`.
 */
#include "csv/rows/blame.h"

#include "csv/parse/error.h"
#include "runtime/raising.h"

void
csv_records_mark_next(const csv_records *self, csv_mark *mark)
{
    csv_mark_next(mark, &self->parser);
    mark->row_count = self->row_count;
    mark->error_count = self->error_count;
}

void
csv_records_blame_names(csv_records *self, generators_state *state)
{
    if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
        return;
    }
    PyObject *error = PyErr_GetRaisedException();
    data_place place = {
        .path = self->parser.path,
        .record = (int64_t)self->parser.record_count,
        .line = (int64_t)self->parser.line_count,
        .byte = -1,
    };
    csv_raise(state, &place, "%S", error);
    Py_DECREF(error);
}

void
csv_records_raise_blank(csv_records *self, generators_state *state,
                        const fields_record *record)
{
    const int64_t line =
        (int64_t)csv_parser_lines_before(&self->parser, record, self->parser.line_count) + 1;
    uint64_t byte;
    const data_place place = {
        .path = self->parser.path,
        .record = (int64_t)self->parser.record_count,
        .line = line,
        .byte = csv_parser_byte_at(&self->parser, record->start, &byte) ? (int64_t)byte : -1,
        .record_line = line,
    };
    csv_raise(state, &place, "a blank record, and blank is 'error'");
}

PyObject *
csv_records_raw_text(csv_records *self, PyObject *error)
{
    PyObject *value = csv_raw_value(&self->raw, &self->parser);
    if (value != NULL && self->raw.cut &&
        raising_add_note(
            error, PyUnicode_FromFormat("the text given to on_error is cut at %zu %s",
                                        self->raw.limit,
                                        PyBytes_Check(value) ? "bytes" : "characters")) < 0) {
        Py_CLEAR(value);
    }
    return value;
}

int
csv_records_report(csv_records *self, PyObject *error, PyObject *text)
{
    PyObject *on_error = Py_NewRef(self->on_error);
    PyObject *result = PyObject_CallFunctionObjArgs(on_error, error, text, NULL);
    Py_DECREF(on_error);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}
