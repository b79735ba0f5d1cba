/* Faults of the data: their places, their CSVErrors, and the recovery from them.
 *
 * A parser keeps a fault until the records before it are taken.  A record that was taken may
 * also turn out to be a fault.
 */
#include "csv/parse/fault.h"

#include "core/fields_span.h"
#include "csv/parse/decode.h"
#include "csv/parse/error.h"
#include "csv/parse/feed.h"
#include "source/undecodable.h"

/* Of a record's text, in bytes or characters: kept even where max_record is less. */
#define RAW_LEAST 65536

/* ---- raising ---- */

/* The physical line of the unit at `pos` in a record, after `lines_before`. */
static uint64_t
fault_line(const csv_parser *self, uint32_t record_start, uint32_t pos, uint64_t lines_before)
{
    int width;
    if (self->machine.mode == FIELDS_LINES && !self->holds_back) {
        return self->lines_fed;
    }
    const void *units = csv_parser_units(self, &width);
    uint64_t line = lines_before + fields_count_lines(units, width, record_start, pos) + 1;
    /* The '\n' of "\r\n" belongs to the line that the '\r' ends. */
    if (pos > record_start && pos < self->block.length &&
        buffer_unit(&self->block, pos) == '\n' && buffer_unit(&self->block, pos - 1) == '\r') {
        line--;
    }
    return line;
}

/* The physical line of the quote at `pos` of the record in progress. */
static uint64_t
fault_quote_line(const csv_parser *self, uint32_t pos, uint64_t lines_before)
{
    int width;
    const void *units = csv_parser_units(self, &width);
    return lines_before + 1 +
           fields_count_lines(units, width, self->machine.record_start, pos);
}

/* Whether the fault is inside a quoted field, and where that opens. */
static bool
fault_find_quote(const csv_parser *self, uint32_t *pos)
{
    const fields *machine = &self->machine;
    int width;
    const void *units = csv_parser_units(self, &width);
    const size_t length = csv_parser_length(self);
    const uint32_t end = machine->error_pos < length ? machine->error_pos : (uint32_t)length;
    return machine->error != FIELDS_FINE && machine->error != FIELDS_BAD_QUOTE &&
           fields_find_quote(&machine->dialect, units, width, machine->record_start, end, pos);
}

static void
fault_raise_decoding(csv_parser *self, generators_state *state, data_place *place)
{
    place->byte = self->from_text || self->machine.mode == FIELDS_LINES
                      ? -1
                      : (int64_t)self->failure_byte;
    PyObject *message;
    if (csv_parser_holds_bytes(self) && self->bad == NULL) {
        const undecodable bytes = {
            .bytes = self->block.data + self->machine.record_start,
            .count = self->block.length - self->machine.record_start,
            .at = self->valid - self->machine.record_start,
            .begins_line = true,
        };
        message = undecodable_message(&bytes, self->encoding_name, self->failure);
    }
    else {
        message = undecodable_message_of(self->encoding_name, self->failure);
    }
    if (message != NULL) {
        PyErr_SetRaisedException(Py_NewRef(self->failure)); /* the cause */
        csv_raise(state, place, "%U", message);
        Py_DECREF(message);
    }
}

PyObject *
csv_parser_fault(const csv_parser *self)
{
    switch (self->machine.error) {
    case FIELDS_BAD_QUOTE:
        return PyUnicode_FromFormat("'%c' expected after '%c'",
                                    (int)self->dialect.fields.set.delimiter,
                                    (int)self->dialect.fields.set.quote);
    case FIELDS_UNEXPECTED_END:
        return PyUnicode_FromString("unexpected end of data");
    case FIELDS_STRAY_NEWLINE:
        return PyUnicode_FromString("new-line character seen in unquoted field - "
                                    "do you need to open the file with newline=''?");
    case FIELDS_OPEN_LINE:
        return PyUnicode_FromString(
            "the record goes on in the next line, but multiline is False");
    case FIELDS_FIELD_LIMIT:
        return PyUnicode_FromFormat("field larger than field limit (%zu)",
                                    self->dialect.fields.max_field);
    default:
        return PyUnicode_FromFormat("record larger than max_record (%zu)",
                                    self->dialect.fields.max_record);
    }
}

/* What the message of csv_parser_fault() does not say.  `open`: a quote is not closed. */
static const char *
fault_advice(fields_error error, bool open)
{
    switch (error) {
    case FIELDS_UNEXPECTED_END:
        return open ? ": the quote that opens here is not closed" : "";
    case FIELDS_OPEN_LINE:
        return open ? ": the quote that opens here is not closed in its line" : "";
    case FIELDS_FIELD_LIMIT:
        return open ? ": if the quote that opens here is closed somewhere, pass a larger "
                      "max_field"
                    : ": pass a larger max_field";
    case FIELDS_RECORD_LIMIT:
        return open ? ": if the quote that opens here is closed somewhere, pass a larger "
                      "max_record"
                    : ": pass a larger max_record";
    default:
        return "";
    }
}

/* Raise the fault at `pos`. */
static void
fault_raise_structure(csv_parser *self, generators_state *state, data_place *place,
                      uint32_t pos, bool open)
{
    uint64_t byte;
    if (csv_parser_byte_at(self, pos, &byte)) {
        place->byte = (int64_t)byte;
    }
    PyObject *message = csv_parser_fault(self);
    if (message != NULL) {
        csv_raise(state, place, "%U%s", message, fault_advice(self->machine.error, open));
        Py_DECREF(message);
    }
}

/* The records that are listed and were not taken, and how many lines they have. */
static uint64_t
fault_records_ahead(const csv_parser *self, uint64_t *lines)
{
    const fields *machine = &self->machine;
    *lines = 0;
    for (size_t i = machine->taken; i < machine->records_length; i++) {
        *lines += machine->records[i].lines;
    }
    return machine->records_length - machine->taken;
}

void
csv_parser_raise(csv_parser *self, generators_state *state)
{
    const fields *machine = &self->machine;
    bool structure = machine->error != FIELDS_FINE;
    uint32_t pos = structure ? machine->error_pos : (uint32_t)self->valid;
    uint32_t quote;
    const bool open = fault_find_quote(self, &quote);
    uint64_t lines_before;
    self->record_count += fault_records_ahead(self, &lines_before) + 1;
    lines_before += self->line_count;
    if (machine->error == FIELDS_UNEXPECTED_END) {
        self->line_count = lines_before + machine->lines;
    }
    lines_before += machine->flags & FIELDS_FOLLOWS ? machine->passed : 0;
    if (machine->error != FIELDS_UNEXPECTED_END) {
        self->line_count = fault_line(self, machine->record_start, pos, lines_before);
    }
    data_place place = {
        .path = self->path,
        .record = (int64_t)self->record_count,
        .line = (int64_t)self->line_count,
        .byte = -1,
        .record_line = (int64_t)lines_before + 1,
    };
    if (open) {
        place.line = (int64_t)fault_quote_line(self, quote, lines_before);
    }
    if (structure) {
        fault_raise_structure(self, state, &place, open ? quote : pos, open);
    }
    else {
        fault_raise_decoding(self, state, &place);
    }
}

void
csv_parser_raise_at(csv_parser *self, generators_state *state, const fields_record *record,
                    uint32_t pos, PyObject *column, PyObject *text, PyObject *problems)
{
    if (PyErr_ExceptionMatches(PyExc_MemoryError)) {
        return; /* the exception could not be made */
    }
    PyObject *cause = PyErr_GetRaisedException();
    uint64_t byte;
    const uint64_t before = csv_parser_lines_before(self, record, self->line_count);
    self->line_count = fault_line(self, record->start, pos, before);
    data_place place = {
        .path = self->path,
        .record = (int64_t)self->record_count,
        .line = (int64_t)self->line_count,
        .byte = csv_parser_byte_at(self, pos, &byte) ? (int64_t)byte : -1,
        .column = column,
        .text = text,
        .record_line = (int64_t)before + 1,
        .problems = problems,
    };
    PyErr_SetRaisedException(Py_NewRef(cause));
    csv_raise(state, &place, "%S", cause);
    Py_DECREF(cause);
}

void
csv_parser_raise_record(csv_parser *self, generators_state *state, const fields_record *record)
{
    csv_parser_raise_at(self, state, record, record->start, NULL, NULL, NULL);
}

void
csv_parser_raise_ragged(const csv_parser *self, generators_state *state,
                        const fields_record *record, Py_ssize_t expected)
{
    uint64_t byte;
    const int64_t line = (int64_t)csv_parser_lines_before(self, record, self->line_count) + 1;
    data_place place = {
        .path = self->path,
        .record = (int64_t)self->record_count,
        .line = line,
        .byte = csv_parser_byte_at(self, record->start, &byte) ? (int64_t)byte : -1,
        .record_line = line,
    };
    Py_ssize_t count = (Py_ssize_t)fields_count(&self->machine, record);
    csv_raise(state, &place, "expected %zd field%s, got %zd", expected,
              expected == 1 ? "" : "s", count);
}

/* ---- recovery ---- */

void
csv_raw_begin(csv_raw *raw, const csv_parser *self, bool wanted)
{
    size_t max_record = self->dialect.fields.max_record;
    buffer_init(&raw->units);
    raw->limit = !wanted ? 0 : max_record < RAW_LEAST ? RAW_LEAST : max_record;
    raw->cut = false;
}

static int
raw_append(csv_raw *raw, const void *units, uint32_t from, uint32_t through, int width)
{
    size_t count = through - from;
    size_t room = raw->units.length < raw->limit ? raw->limit - raw->units.length : 0;
    raw->cut = raw->cut || count > room;
    count = count < room ? count : room;
    const uint8_t *start = (const uint8_t *)units + (size_t)from * (size_t)width;
    if (count > 0 && buffer_append(&raw->units, start, count, width) != BUFFER_OK) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* Append the units so far to the bytes, encoded as in the source.  0 or -1. */
static int
raw_encode(csv_raw *raw, const csv_parser *self)
{
    PyObject *bytes, *text;
    const buffer *units = &raw->units;
    if (csv_parser_holds_bytes(self)) {
        bytes =
            PyBytes_FromStringAndSize((const char *)units->data, (Py_ssize_t)units->length);
    }
    else {
        text = PyUnicode_FromKindAndData(units->width, units->data, (Py_ssize_t)units->length);
        bytes = text == NULL ? NULL : csv_parser_encode(self, text);
        Py_XDECREF(text);
    }
    buffer_drop(&raw->units, units->length);
    if (bytes != NULL && raw->bytes != NULL) {
        PyBytes_ConcatAndDel(&raw->bytes, bytes);
    }
    else {
        raw->bytes = bytes;
    }
    return raw->bytes == NULL ? -1 : 0;
}

/* The bytes that a codec rejected stand between two texts. */
static int
raw_append_bad(csv_raw *raw, csv_parser *self)
{
    if (self->bad == NULL) {
        return 0;
    }
    if (raw_encode(raw, self) < 0) {
        return -1;
    }
    PyObject *bad = self->bad;
    self->bad = NULL;
    self->block_byte += (uint64_t)PyBytes_GET_SIZE(bad); /* what is read next is behind them */
    PyBytes_ConcatAndDel(&raw->bytes, bad);
    return raw->bytes == NULL ? -1 : 0;
}

/* Forget a decoding error, which is this fault or the next one. */
static int
fault_drop_decoding(csv_parser *self, csv_raw *raw)
{
    Py_CLEAR(self->failure);
    return raw_append_bad(raw, self);
}

int
csv_parser_recover(csv_parser *self, generators_state *state, csv_raw *raw)
{
    fields *machine = &self->machine;
    bool failure = machine->error == FIELDS_FINE;
    if (failure) {
        fields_fail(machine, (uint32_t)self->valid);
    }
    for (;;) {
        int width;
        const void *units = csv_parser_units(self, &width);
        size_t length = csv_parser_length(self);
        bool final = self->finished && self->failure == NULL && self->rest == NULL;
        uint32_t from, through;
        bool found =
            fields_resume(machine, units, width, length, final && !failure, &from, &through);
        self->valid = self->valid < through ? through : self->valid;
        if (raw_append(raw, units, from, through, width) < 0) {
            return -1;
        }
        if (failure || (!found && self->failure != NULL)) {
            failure = false;
            if (fault_drop_decoding(self, raw) < 0) {
                return -1;
            }
            if (found) {
                return csv_parser_resume(self, state) < 0 ? -1 : 1;
            }
        }
        else if (found) {
            return csv_parser_resume(self, state) < 0 ? -1 : 1;
        }
        else if (self->rest == NULL) {
            return 0;
        }
        if (self->rest != NULL && csv_parser_feed_rest(self, state) < 0) {
            return -1;
        }
    }
}

int
csv_raw_record(csv_raw *raw, const csv_parser *self, const fields_record *record)
{
    int width;
    const void *units = csv_parser_units(self, &width);
    if (self->machine.mode == FIELDS_LINES) {
        uint32_t length = (uint32_t)csv_parser_length(self);
        return raw_append(raw, units, record->start, length, width) < 0 ? -1 : 1;
    }
    uint32_t length = (uint32_t)self->block.length;
    uint32_t end = self->machine.ends[record->last - 1];
    uint32_t last = end < length ? buffer_unit(&self->block, end) : 0;
    end += end < length;
    bool cut = last == '\r' && end == length && !self->finished;
    if (last == '\r' && end < length && buffer_unit(&self->block, end) == '\n') {
        end++;
    }
    return raw_append(raw, units, record->start, end, width) < 0 ? -1 : !cut;
}

int
csv_raw_newline(csv_raw *raw, const csv_parser *self)
{
    if (self->block.length == 0) {
        return self->finished || csv_parser_failed(self);
    }
    if (buffer_unit(&self->block, 0) == '\n' && !raw->cut &&
        buffer_append_unit(&raw->units, '\n') != BUFFER_OK) {
        PyErr_NoMemory();
        return -1;
    }
    return 1;
}

PyObject *
csv_raw_value(csv_raw *raw, const csv_parser *self)
{
    const buffer *units = &raw->units;
    if (self->from_text) {
        return PyUnicode_FromKindAndData(units->width, units->data, (Py_ssize_t)units->length);
    }
    if (raw_encode(raw, self) < 0) {
        return NULL;
    }
    if ((size_t)PyBytes_GET_SIZE(raw->bytes) > raw->limit) {
        raw->cut = true;
        return PyBytes_FromStringAndSize(PyBytes_AS_STRING(raw->bytes),
                                         (Py_ssize_t)raw->limit);
    }
    return Py_NewRef(raw->bytes);
}

void
csv_raw_free(csv_raw *raw)
{
    buffer_free(&raw->units);
    Py_CLEAR(raw->bytes);
}
