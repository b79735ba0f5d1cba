/* Feeding a parser: bytes, text and lines become units, and the units are parsed.
 *
 * Each function first makes the borrower detach, because the units that it points into change.
 * The front end has taken every record before.
 *
 * User code runs in a codec's decoder, and when a line that was read in place is released.
 */
#include "csv/parse/feed.h"

#include <string.h>

#include "core/fields_feed.h"
#include "core/fields_span.h"
#include "csv/parse/decode.h"
#include "csv/parse/error.h"
#include "csv/parse/lead.h"
#include "source/data_source.h"

#define LINES_BEFORE_MEMO 16
#define SUSPICIOUS_ITEMS \
    8 /* consecutive bytes items that look like lines without a line end \ */

/* ---- bytes ---- */

/* More bytes of a native encoding were added to the block. */
static int
feed_block(csv_parser *self, generators_state *state, bool final)
{
    if (!self->head_checked) {
        if (!final && head_is_open(self->block.data, self->block.length, true)) {
            return 0;
        }
        if (csv_parser_check_head(self, state, self->block.data, self->block.length) < 0) {
            return -1;
        }
        if (self->encoding == CSV_UTF8 && self->block.length >= 3 &&
            memcmp(self->block.data, "\xef\xbb\xbf", 3) == 0) {
            buffer_drop(&self->block, 3);
            self->block_byte += 3;
        }
    }
    return csv_parser_scan(self, state, final);
}

/* Make room in the block for that many bytes of a native encoding.  Returns its address, or
   NULL. */
static uint8_t *
feed_room(csv_parser *self, size_t count)
{
    if (csv_parser_drop_taken(self) < 0 ||
        csv_parser_check_buffer(buffer_reserve(&self->block, count, 1)) < 0) {
        return NULL;
    }
    return self->block.data + self->block.length;
}

static int
feed_filled(csv_parser *self, generators_state *state, size_t count)
{
    self->block.length += count;
    self->byte_count += count;
    return feed_block(self, state, false);
}

int
csv_parser_feed_bytes(csv_parser *self, generators_state *state, const void *bytes,
                      size_t count)
{
    if (csv_parser_reads_natively(self)) {
        uint8_t *room = feed_room(self, count);
        if (room == NULL) {
            return -1;
        }
        if (count > 0) {
            memcpy(room, bytes, count);
        }
        return feed_filled(self, state, count);
    }
    self->byte_count += count;
    PyObject *piece = PyBytes_FromStringAndSize(bytes, (Py_ssize_t)count);
    if (piece == NULL) {
        return -1;
    }
    int status = csv_parser_feed_undecoded(self, state, piece, false);
    Py_DECREF(piece);
    return status;
}

int
csv_parser_feed_text(csv_parser *self, generators_state *state, PyObject *text)
{
    self->from_text = true;
    return csv_parser_feed_units(self, state, text);
}

/* ---- lines ---- */

static int
feed_line_end(csv_parser *self)
{
    int width;
    if (fields_wants_newline(&self->machine)) {
        /* The line end is escaped: it is part of a field that continues. */
        if (csv_parser_check_buffer(buffer_append_unit(&self->block, '\n')) < 0) {
            return -1;
        }
    }
    const void *units = csv_parser_units(self, &width);
    if (!fields_line_end(&self->machine, units, width)) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* The line that is read in place is part of a record that continues.  Copy it into the
   block. */
static int
feed_copy_line(csv_parser *self)
{
    PyObject *line = self->line;
    self->line = NULL;
    buffer_status status =
        buffer_append(&self->block, PyUnicode_DATA(line), (size_t)PyUnicode_GET_LENGTH(line),
                      (int)PyUnicode_KIND(line));
    Py_DECREF(line);
    return csv_parser_check_buffer(status);
}

/* Read a line that begins a record in place.  1 if the record ends with the line, 0 if not, or
   -1. */
static int
feed_first_line(csv_parser *self, PyObject *line, size_t length)
{
    bool read;
    if (self->block.length > 0) {
        buffer_drop(&self->block, self->block.length);
    }
    Py_XSETREF(self->line, Py_NewRef(line));
    if (!fields_line(&self->machine, PyUnicode_DATA(line), (int)PyUnicode_KIND(line), length,
                     &read)) {
        PyErr_NoMemory();
        return -1;
    }
    return read;
}

/* Parse the rest of the line that is read in place, or of the block. */
static int
feed_rest_of_line(csv_parser *self)
{
    int width;
    const void *units = csv_parser_units(self, &width);
    if (!fields_feed(&self->machine, units, width, csv_parser_length(self))) {
        PyErr_NoMemory();
        return -1;
    }
    if (self->machine.error != FIELDS_FINE) {
        return 0;
    }
    if (self->line != NULL && fields_wants_newline(&self->machine) &&
        feed_copy_line(self) < 0) {
        return -1;
    }
    if (feed_line_end(self) < 0) {
        return -1;
    }
    return self->line != NULL && csv_parser_is_open(self) ? feed_copy_line(self) : 0;
}

/* The source ends, or a line does, where it must not: see `ends_complete`.  -1. */
static int
feed_refuse_end(csv_parser *self, generators_state *state)
{
    const fields *machine = &self->machine;
    uint32_t pos = machine->record_start;
    uint64_t byte, before = self->line_count, record = self->record_count + 1;
    int width;
    const void *units = csv_parser_units(self, &width);
    const bool quoted = fields_find_quote(&machine->dialect, units, width,
                                          machine->record_start, machine->pos, &pos);
    for (size_t i = machine->taken; i < machine->records_length; i++, record++) {
        before += machine->records[i].lines;
    }
    before += machine->flags & FIELDS_FOLLOWS ? machine->passed : 0;
    pos = quoted ? pos : machine->record_start;
    const uint64_t inside = fields_count_lines(units, width, machine->record_start, pos);
    const data_place place = {
        .path = self->path,
        .record = (int64_t)record,
        .line = (int64_t)(before + 1 + inside),
        .byte = csv_parser_byte_at(self, pos, &byte) ? (int64_t)byte : -1,
        .record_line = (int64_t)before + 1,
    };
    csv_raise(state, &place, "%s",
              quoted ? "the source is not complete: it ends within quotes, which opened here"
                     : "the source is not complete: its last record has no line end");
    return -1;
}

static bool
feed_line_is_whole(PyObject *line)
{
    const Py_ssize_t length = PyUnicode_GET_LENGTH(line);
    const Py_UCS4 last = length > 0 ? PyUnicode_READ_CHAR(line, length - 1) : 0;
    return last == '\n' || last == '\r';
}

int
csv_parser_feed_line(csv_parser *self, generators_state *state, PyObject *line)
{
    if (self->lead != NULL) {
        int begun = csv_lead_take_line(self, state, line);
        if (begun <= 0) {
            return begun;
        }
    }
    csv_parser_start(self, state, FIELDS_LINES);
    if (self->dialect.fields.comment_length > 0 && csv_parser_is_comment(self, line)) {
        self->lines_fed++;
        self->line_count++;
        return 0;
    }
    if (csv_parser_detach(self) < 0) {
        return -1;
    }
    if (self->ends_complete && !feed_line_is_whole(line)) {
        self->lines_fed++;
        return feed_refuse_end(self, state);
    }
    if (++self->lines_fed == LINES_BEFORE_MEMO && self->memo == NULL &&
        csv_parser_make_memo(self) < 0) {
        return -1;
    }
    size_t length = (size_t)PyUnicode_GET_LENGTH(line);
    if (length > BUFFER_LIMIT) {
        return csv_parser_raise_buffer(BUFFER_TOO_LONG);
    }
    if (!csv_parser_is_open(self) && !self->holds_back) {
        int read = feed_first_line(self, line, length);
        if (read != 0) {
            return read < 0 ? -1 : 0;
        }
    }
    else {
        if (self->holds_back && csv_parser_drop_taken(self) < 0) {
            return -1;
        }
        buffer_status status = buffer_append(&self->block, PyUnicode_DATA(line), length,
                                             (int)PyUnicode_KIND(line));
        if (csv_parser_check_buffer(status) < 0) {
            return -1;
        }
    }
    return feed_rest_of_line(self);
}

/* ---- the end ---- */

/* There are no more bytes.  Bytes that were held back are parsed, or are a fault. */
static int
feed_last_bytes(csv_parser *self, generators_state *state)
{
    if (csv_parser_drop_taken(self) < 0) {
        return -1;
    }
    if (csv_parser_reads_natively(self)) {
        return feed_block(self, state, true);
    }
    return self->machine.mode == FIELDS_STREAM ? csv_parser_end_undecoded(self, state)
                                               : csv_parser_end_lines(self, state);
}

static int
feed_finish_machine(csv_parser *self, generators_state *state)
{
    if (!self->started || csv_parser_failed(self)) {
        return 0;
    }
    if (self->ends_complete && csv_parser_is_open(self)) {
        return feed_refuse_end(self, state);
    }
    self->torn |= csv_parser_is_open(self);
    if (self->torn && self->ends_whole) {
        PyErr_SetString(PyExc_ValueError,
                        "the part does not end where a record ends: the file has changed, or "
                        "the part was made in another way");
        return -1;
    }
    if (self->machine.mode == FIELDS_STREAM && fields_wants_newline(&self->machine) &&
        csv_parser_check_buffer(buffer_append_unit(&self->block, '\n')) < 0) {
        return -1;
    }
    if (!fields_finish(&self->machine, self->block.data, self->block.width)) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

int
csv_parser_finish(csv_parser *self, generators_state *state)
{
    if (csv_parser_detach(self) < 0) {
        return -1;
    }
    self->finished = true;
    bool native_lines = self->machine.mode == FIELDS_LINES && csv_parser_reads_natively(self);
    if (!self->from_text && !native_lines && feed_last_bytes(self, state) < 0) {
        return -1;
    }
    /* What was text was fed as text that may go on. */
    if (self->lead != NULL && csv_parser_scan(self, state, true) < 0) {
        return -1;
    }
    return feed_finish_machine(self, state);
}

int
csv_parser_resume(csv_parser *self, generators_state *state)
{
    int status = csv_parser_detach(self);
    if (status < 0) {
        return -1;
    }
    if (self->rest != NULL && self->failure == NULL) {
        status = csv_parser_feed_rest(self, state);
    }
    else if (self->machine.mode == FIELDS_STREAM) {
        status = csv_parser_scan(self, state, self->finished);
    }
    return status == 0 && self->finished ? feed_finish_machine(self, state) : status;
}

/* ---- as a sink ---- */

static int
sink_feed_bytes(void *target, generators_state *state, const void *bytes, size_t count)
{
    return csv_parser_feed_bytes(target, state, bytes, count);
}

static int
sink_feed_text(void *target, generators_state *state, PyObject *text)
{
    return csv_parser_feed_text(target, state, text);
}

static int
sink_feed_line(void *target, generators_state *state, PyObject *line)
{
    ((csv_parser *)target)->from_text = true;
    return csv_parser_feed_line(target, state, line);
}

static int
sink_feed_bytes_line(void *target, generators_state *state, PyObject *line)
{
    csv_parser *self = target;
    if (csv_lead_pass_unseen(self)) {
        return 0;
    }
    PyObject *text = csv_parser_decode_line(self, state, line);
    if (text == NULL) {
        return PyErr_Occurred() ? -1 : 0; /* 0: a fault in the data */
    }
    PyObject *whole = data_source_whole_line(state, text);
    Py_DECREF(text);
    int status = whole == NULL ? -1 : csv_parser_feed_line(self, state, whole);
    Py_XDECREF(whole);
    return status;
}

static uint8_t *
sink_room(void *target, generators_state *Py_UNUSED(state), size_t count)
{
    return feed_room(target, count);
}

static int
sink_filled(void *target, generators_state *state, size_t count)
{
    return feed_filled(target, state, count);
}

static int
sink_finish(void *target, generators_state *state)
{
    return csv_parser_finish(target, state);
}

/* Lines without line ends would become one record if they were read as chunks. */
static int
sink_check_item(void *target, const void *bytes, size_t count, int earlier)
{
    uint32_t delimiter = ((const csv_parser *)target)->dialect.fields.set.delimiter;
    if (delimiter > 0x7F || memchr(bytes, (int)delimiter, count) == NULL ||
        memchr(bytes, '\n', count) != NULL || memchr(bytes, '\r', count) != NULL) {
        return 0;
    }
    if (earlier + 1 < SUSPICIOUS_ITEMS) {
        return 1;
    }
    PyErr_Format(PyExc_ValueError,
                 "the first %d items each hold a delimiter and no line end: pass "
                 "items='lines' if they are lines, or items='chunks' if they are not",
                 SUSPICIOUS_ITEMS);
    return -1;
}

static bool
sink_is_one(const void *target)
{
    const csv_parser *self = target;
    /* Lines that were passed over have ended, too. */
    return self->record_count == 0 && self->machine.records_length == 0 &&
           self->line_count == 0 && !(self->machine.flags & FIELDS_FOLLOWS) &&
           !csv_parser_failed(self) && (self->block.length > 0 || self->head != NULL);
}

static void
sink_raise(void *target, generators_state *state, PyObject *message, int64_t byte)
{
    const csv_parser *self = target;
    data_place place = {.path = self->path, .record = -1, .line = -1, .byte = byte};
    if (byte < 0) {
        place.record = (int64_t)self->record_count + 1;
        if (self->machine.mode == FIELDS_LINES) {
            place.line = (int64_t)self->lines_fed;
        }
    }
    csv_raise(state, &place, "%U", message);
}

source_sink
csv_parser_sink(csv_parser *self)
{
    static const source_sink_kind kind = {
        .feed_bytes = sink_feed_bytes,
        .feed_text = sink_feed_text,
        .feed_line = sink_feed_line,
        .feed_bytes_line = sink_feed_bytes_line,
        .room = sink_room,
        .filled = sink_filled,
        .finish = sink_finish,
        .check_item = sink_check_item,
        .is_one = sink_is_one,
        .raise = sink_raise,
    };
    return (source_sink){&kind, self};
}
