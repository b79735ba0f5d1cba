/* Lines in, items out: see line_rows.h.
 *
 * An item is a line, or what `loads` makes of it.  A line that can't be read is a DataError,
 * which is raised, or handled by `on_error`.
 *
 * It owns everything in the struct.  User code runs in codecs, in `loads` and in `on_error`.
 * Meanwhile the front end is `running` and refuses every other call, so that the bytes of the
 * line stay where they are.  The front end also locks.
 */
#include "text/line_rows.h"

#include <string.h>

#include "runtime/raising.h"
#include "source/undecodable.h"

/* ---- marks ---- */

static line_mark
rows_position(const line_rows *self)
{
    const lines *machine = &self->reader.machine;
    return (line_mark){
        .byte = lines_byte(machine),
        .line_count = machine->line_count,
        .row_count = self->row_count,
        .error_count = self->error_count,
        .after_carriage = machine->after_carriage,
    };
}

line_mark
line_rows_mark(const line_rows *self, bool primed)
{
    return primed ? self->first : self->marked ? self->mark : rows_position(self);
}

void
line_rows_resume(line_rows *self, const line_mark *mark)
{
    lines_resume(&self->reader.machine, mark->byte, mark->after_carriage, mark->line_count);
    self->reader.head_checked = self->reader.head_checked || mark->byte > 0;
    self->row_count = mark->row_count;
    self->error_count = mark->error_count;
    self->first = *mark;
}

/* ---- errors ---- */

/* A line that was taken, or is the next one if it is too long. */
typedef struct {
    lines_span span;
    uint64_t byte;   /* where it starts */
    uint64_t number; /* from 1 */
} line_place;

/* Whether the exception that is set is a fault of the data. */
static bool
rows_is_fault(void)
{
    return PyErr_ExceptionMatches(PyExc_Exception) &&
           !PyErr_ExceptionMatches(PyExc_StopIteration) &&
           !PyErr_ExceptionMatches(PyExc_MemoryError);
}

/* Call on_error with the DataError that is set and the line.  0 or -1. */
static int
rows_report(line_rows *self, PyObject *error, const lines_span *span)
{
    size_t count = span->length + span->end;
    PyObject *raw = PyBytes_FromStringAndSize((const char *)span->bytes, (Py_ssize_t)count);
    if (raw == NULL) {
        return -1;
    }
    PyObject *on_error = Py_NewRef(self->on_error);
    PyObject *result = PyObject_CallFunctionObjArgs(on_error, error, raw, NULL);
    Py_DECREF(on_error);
    Py_DECREF(raw);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* A line raises an exception.  Another reader resumes before it. */
static void
rows_mark_at(line_rows *self, const line_place *place)
{
    self->mark = rows_position(self);
    self->mark.byte = place->byte;
    self->mark.line_count = place->number - 1;
    self->mark.after_carriage = false;
    self->marked = true;
}

/* A DataError of a line is set: handle it by on_error.  0, or -1 with what is raised. */
static int
rows_fail(line_rows *self, const line_place *place)
{
    rows_mark_at(self, place);
    self->error_count++;
    /* Any other exception was raised while the DataError was made. */
    if (self->on_error == NULL || !PyErr_ExceptionMatches(self->state->data_error)) {
        return -1;
    }
    PyObject *error = PyErr_GetRaisedException();
    int status = self->on_error == Py_None ? 0 : rows_report(self, error, &place->span);
    Py_DECREF(error);
    self->marked = status < 0;
    return status;
}

/* The bytes of a line without the CR of a CR LF, which is none of JSON's. */
static size_t
span_json_length(const lines_span *span)
{
    size_t count = span->length;
    return count > 0 && span->bytes[count - 1] == '\r' ? count - 1 : count;
}

/* ---- items ---- */

/* What the codec rejected of a line becomes a DataError. */
static void
rows_raise_decoding(const line_rows *self, const line_place *place)
{
    if (!PyErr_ExceptionMatches(PyExc_UnicodeError)) {
        return;
    }
    PyObject *error = PyErr_GetRaisedException();
    Py_ssize_t within = 0;
    if (PyObject_TypeCheck(error, (PyTypeObject *)PyExc_UnicodeDecodeError) &&
        PyUnicodeDecodeError_GetStart(error, &within) < 0) {
        raising_chain(error);
        return;
    }
    const undecodable line = {place->span.bytes, place->span.length, (size_t)within, true};
    PyObject *message = undecodable_message(&line, self->reader.encoding_name, error);
    if (message == NULL) {
        raising_chain(error);
        return;
    }
    PyErr_SetRaisedException(error);
    line_reader_raise(&self->reader, self->state, place->number, place->byte,
                      place->span.bytes, place->span.length, (size_t)within, "%U", message);
    Py_DECREF(message);
}

static inline PyObject *
rows_make_ascii(generators_state *state, const uint8_t *bytes, size_t count)
{
    if (count < 2) {
        return Py_NewRef(count == 0 ? state->empty_text : state->latin1[bytes[0]]);
    }
    PyObject *text = generators_new_ascii(state->ascii_model, (Py_ssize_t)count);
    if (text != NULL) {
        memcpy(PyUnicode_DATA(text), bytes, count);
    }
    return text;
}

/* The line itself, as an item: a new reference, or NULL. */
static inline PyObject *
rows_make_line(const line_rows *self, const line_place *place)
{
    const lines_span *span = &place->span;
    const line_reader *reader = &self->reader;
    size_t count = span->length + (reader->machine.keeps_ends ? span->end : 0);
    if (reader->encoding == LINE_BYTES && !reader->from_text) {
        return PyBytes_FromStringAndSize((const char *)span->bytes, (Py_ssize_t)count);
    }
    PyObject *text = lines_is_ascii(&reader->machine, span)
                         ? rows_make_ascii(self->state, span->bytes, count)
                         : line_reader_text(reader, span->bytes, count);
    if (text == NULL) {
        rows_raise_decoding(self, place);
    }
    return text;
}

static bool
span_is_blank(const lines_span *span)
{
    for (size_t i = 0; i < span->length; i++) {
        uint8_t c = span->bytes[i];
        if (c != ' ' && c != '\t' && c != '\r') {
            return false;
        }
    }
    return true;
}

/* What `loads` makes of the line: a new reference.  NULL with an exception set: a DataError if
   the line is at fault, and then *fault is set. */
static PyObject *
rows_load(line_rows *self, const line_place *place, bool *fault)
{
    PyObject *line = PyBytes_FromStringAndSize((const char *)place->span.bytes,
                                               (Py_ssize_t)span_json_length(&place->span));
    if (line == NULL) {
        return NULL;
    }
    PyObject *loads = Py_NewRef(self->loads);
    PyObject *item = PyObject_CallOneArg(loads, line);
    Py_DECREF(loads);
    Py_DECREF(line);
    if (item == NULL && rows_is_fault()) {
        PyObject *cause = PyErr_GetRaisedException();
        PyErr_SetRaisedException(Py_NewRef(cause));
        line_reader_raise(&self->reader, self->state, place->number, place->byte,
                          place->span.bytes, span_json_length(&place->span), 0,
                          "loads() raised %s: %S", Py_TYPE(cause)->tp_name, cause);
        Py_DECREF(cause);
        *fault = true;
    }
    return item;
}

/* The item of a line that was taken: LINE_ROWS_ITEM, _ERROR, or _MORE if it gives none. */
static inline line_rows_step
rows_take(line_rows *self, const line_place *place, PyObject **item)
{
    bool fault = false;
    if (!self->is_json) {
        *item = rows_make_line(self, place);
        fault = *item == NULL && PyErr_ExceptionMatches(self->state->data_error);
    }
    else if (!span_is_blank(&place->span)) {
        *item = rows_load(self, place, &fault);
    }
    else if (self->refuses_blank) {
        line_reader_raise(&self->reader, self->state, place->number, place->byte, NULL, 0, 0,
                          "the line is blank");
        *item = NULL;
        fault = true;
    }
    else {
        return LINE_ROWS_MORE;
    }
    if (*item != NULL) {
        self->row_count++;
        return LINE_ROWS_ITEM;
    }
    if (fault) {
        return rows_fail(self, place) < 0 ? LINE_ROWS_ERROR : LINE_ROWS_MORE;
    }
    rows_mark_at(self, place);
    return LINE_ROWS_ERROR;
}

/* The next line is over the limit.  As above. */
static line_rows_step
rows_take_too_long(line_rows *self, const line_place *place)
{
    line_reader_raise(&self->reader, self->state, place->number, place->byte,
                      place->span.bytes, place->span.length, 0,
                      "line larger than max_line (%zu)", self->reader.machine.max_line);
    if (rows_fail(self, place) < 0) {
        return LINE_ROWS_ERROR;
    }
    lines_skip(&self->reader.machine);
    return LINE_ROWS_MORE;
}

line_rows_step
line_rows_next(line_rows *self, PyObject **item)
{
    lines *machine = &self->reader.machine;
    for (;;) {
        line_place place;
        line_rows_step step = LINE_ROWS_MORE;
        lines_result result = lines_next_quick(machine, &place.span)
                                  ? LINES_LINE
                                  : lines_next(machine, &place.span);
        switch (result) {
        case LINES_LINE:
            place.byte = lines_byte_of(machine, &place.span);
            place.number = machine->line_count;
            step = rows_take(self, &place, item);
            break;
        case LINES_TOO_LONG:
            place.byte = lines_byte(machine);
            place.number = machine->line_count + 1;
            step = rows_take_too_long(self, &place);
            break;
        case LINES_OVER:
            return LINE_ROWS_OVER;
        default:
            if (self->reader.failure == NULL) {
                return LINE_ROWS_MORE;
            }
            line_reader_raise_failure(&self->reader, self->state);
            self->error_count++;
            return LINE_ROWS_ERROR;
        }
        if (step != LINE_ROWS_MORE) {
            return step;
        }
    }
}

/* ---- lifetime ---- */

void
line_rows_release(line_rows *self)
{
    self->mark = line_rows_mark(self, false);
    self->marked = true;
    Py_CLEAR(self->loads);
    Py_CLEAR(self->on_error);
    line_reader_close(&self->reader);
}

void
line_rows_clear(line_rows *self)
{
    line_rows_release(self);
    line_reader_clear(&self->reader);
}

int
line_rows_traverse(line_rows *self, visitproc visit, void *arg)
{
    Py_VISIT(self->loads);
    Py_VISIT(self->on_error);
    return line_reader_traverse(&self->reader, visit, arg);
}
