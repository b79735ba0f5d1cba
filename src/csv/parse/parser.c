/* csv_parser: pieces in, records out.
 *
 * Bytes become units of the block: UTF-8, ASCII and Latin-1 as they are (the
 * separators are single bytes in them, and a block is checked before the machine
 * sees it), other encodings through a codec's incremental decoder.  A line that
 * is a str is read in place, and copied only while its record goes on.
 *
 * States: new; started, when the first piece has told whether lines or chunks
 * come; finished.  A fault in the data is kept until the records before it
 * are taken; then the face raises it, and the parser is of no more use.
 *
 * Owned: the block and, in turn, the line that is read.  Units that records
 * point into stand until more is fed, which the face does only when it has taken
 * every record.
 *
 * Threads: the face locks.  The GIL is let go of while a very large piece of the
 * block, which nobody else can reach, is checked and scanned.
 */
#include "csv/parse/parser.h"

#include <string.h>

#include "core/utf8.h"
#include "csv/parse/decode.h"
#include "csv/parse/dialect.h"
#include "csv/row/block.h"
#include "csv/row/memo.h"

/* Units from which on the GIL is let go of.  To get it back from a busy thread takes
   5 ms, in which a hundred ordinary pieces are scanned: for those it does not pay. */
#define SCAN_WITHOUT_GIL (4 * 1024 * 1024)
#define LINES_BEFORE_MEMO 16

/* ---- setting up ---- */

static void
init_empty(csv_parser *self, const csv_dialect *dialect)
{
    memset(self, 0, sizeof *self);
    buffer_init(&self->block);
    self->dialect = *dialect;
}

static int
make_memo(csv_parser *self)
{
    self->memo = PyMem_Calloc(1, sizeof *self->memo);
    if (self->memo == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

int
csv_parser_init(csv_parser *self, generators_state *state, const csv_dialect *dialect,
                PyObject *encoding, const char *errors)
{
    (void)state;
    init_empty(self, dialect);
    if (make_memo(self) < 0) {
        return -1;
    }
    self->encoding_name = Py_NewRef(encoding);
    self->errors_name = PyUnicode_FromString(errors);
    if (self->errors_name == NULL) {
        return -1;
    }
    return csv_parser_open_decoder(self, encoding, errors);
}

void
csv_parser_free(csv_parser *self)
{
    if (self->rows != NULL) {
        csv_block_leave(self->rows);
        Py_CLEAR(self->rows);
    }
    fields_free(&self->machine);
    buffer_free(&self->block);
    csv_memo_free(self->memo);
    self->memo = NULL;
    Py_CLEAR(self->encoding_name);
    Py_CLEAR(self->errors_name);
    Py_CLEAR(self->path);
    Py_CLEAR(self->decoder);
    Py_CLEAR(self->line);
    Py_CLEAR(self->held);
    Py_CLEAR(self->failure);
    Py_CLEAR(self->bad);
    Py_CLEAR(self->rest);
}

int
csv_parser_traverse(csv_parser *self, visitproc visit, void *arg)
{
    Py_VISIT(self->decoder);
    Py_VISIT(self->path);
    Py_VISIT(self->line);
    Py_VISIT(self->failure);
    return 0;
}

void
csv_parser_start(csv_parser *self, generators_state *state, fields_mode mode)
{
    if (!self->started) {
        fields_dialect dialect = self->dialect.fields;
        dialect.utf8 = self->encoding == CSV_UTF8 && !self->from_text && mode == FIELDS_STREAM;
        fields_init(&self->machine, &dialect, state->kernel, mode);
        self->machine.after_carriage = self->after_carriage;
        self->started = true;
    }
}

void
csv_parser_init_lines(csv_parser *self, generators_state *state, const csv_dialect *dialect)
{
    init_empty(self, dialect);
    self->from_text = true;
    csv_parser_start(self, state, FIELDS_LINES);
}

static int
raise_buffer(buffer_status status)
{
    if (status == BUFFER_TOO_LONG) {
        PyErr_SetString(PyExc_OverflowError, "a record of 4 GiB or more");
    }
    else if (status != BUFFER_OK) {
        PyErr_NoMemory();
    }
    return status == BUFFER_OK ? 0 : -1;
}

/* Rows that point into the block get what is theirs before it changes. */
static int
move_rows(csv_parser *self)
{
    return self->rows == NULL ? 0 : csv_block_move_rows(self->rows);
}

/* Every record was taken: what came before the one under way is not needed. */
static int
drop_taken(csv_parser *self)
{
    if (move_rows(self) < 0) {
        return -1;
    }
    size_t drop = self->started ? fields_rewind(&self->machine) : 0;
    if (self->line != NULL) {
        Py_CLEAR(self->line);
        return 0;
    }
    buffer_drop(&self->block, drop);
    self->valid -= drop;
    self->block_byte += drop;
    return 0;
}

/* ---- the block ---- */

/* Most text is ASCII, and what is not is mostly right. */
static size_t
utf8_prefix(const scan_kernel *kernel, const uint8_t *bytes, size_t count)
{
    size_t valid = utf8_ascii_prefix(bytes, count);
    if (valid < count) {
        valid += kernel->utf8_blocks(bytes + valid, count - valid);
        valid += utf8_valid_prefix(bytes + valid, count - valid);
    }
    return valid;
}

/* How many more units of the block are whole text of the encoding. */
static size_t
text_prefix(const csv_parser *self)
{
    size_t count = self->block.length - self->valid;
    if (count == 0) {
        return 0;
    }
    const uint8_t *bytes = self->block.data + self->valid;
    switch (self->encoding) {
    case CSV_UTF8:
        return utf8_prefix(self->machine.kernel, bytes, count);
    case CSV_ASCII:
        return utf8_ascii_prefix(bytes, count);
    default:
        return count;
    }
}

/* Let CPython say what is wrong with the bytes behind the valid ones.  Bytes
   that are only cut short are left for the next piece, unless it is the last. */
static void
judge_rest(csv_parser *self, bool final)
{
    const char *rest = (const char *)self->block.data + self->valid;
    size_t count = self->block.length - self->valid;
    /* Four bytes are enough to tell; more would only be copied. */
    Py_ssize_t length = count < 16 ? (Py_ssize_t)count : 16;
    Py_ssize_t consumed;
    PyObject *text;
    if (self->encoding == CSV_ASCII) {
        text = PyUnicode_DecodeASCII(rest, length, "strict");
    }
    else {
        text = PyUnicode_DecodeUTF8Stateful(rest, length, "strict", final ? NULL : &consumed);
    }
    if (text == NULL) {
        self->failure = PyErr_GetRaisedException();
        self->failure_byte = self->block_byte + self->valid;
    }
    Py_XDECREF(text);
}

static int
scan_block(csv_parser *self, generators_state *state, bool final)
{
    csv_parser_start(self, state, FIELDS_STREAM);
    const bool native = csv_parser_reads_natively(self) && !self->from_text;
    const bool large = self->block.length - self->valid >= SCAN_WITHOUT_GIL;
    PyThreadState *thread = large ? PyEval_SaveThread() : NULL;
    self->valid += native ? text_prefix(self) : self->block.length - self->valid;
    bool fine = fields_feed(&self->machine, self->block.data, self->block.width, self->valid);
    if (large) {
        PyEval_RestoreThread(thread);
    }
    if (!fine) {
        PyErr_NoMemory();
        return -1;
    }
    if (self->valid < self->block.length && self->machine.error == FIELDS_FINE) {
        judge_rest(self, final);
    }
    return 0;
}

/* The block has grown by bytes of a native encoding. */
static int
take_bytes(csv_parser *self, generators_state *state, bool final)
{
    if (!self->head_seen) {
        if (self->block.length < CSV_HEAD && !final) {
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
    return scan_block(self, state, final);
}

uint8_t *
csv_parser_room(csv_parser *self, generators_state *state, size_t count)
{
    (void)state;
    if (drop_taken(self) < 0 || raise_buffer(buffer_reserve(&self->block, count, 1)) < 0) {
        return NULL;
    }
    return self->block.data + self->block.length;
}

int
csv_parser_filled(csv_parser *self, generators_state *state, size_t count)
{
    self->block.length += count;
    self->byte_count += count;
    return take_bytes(self, state, false);
}

/* ---- feeding ---- */

int
csv_parser_feed_units(csv_parser *self, generators_state *state, PyObject *text)
{
    if (drop_taken(self) < 0) {
        return -1;
    }
    buffer_status status =
        buffer_append(&self->block, PyUnicode_DATA(text), (size_t)PyUnicode_GET_LENGTH(text),
                      (int)PyUnicode_KIND(text));
    return raise_buffer(status) < 0 ? -1 : scan_block(self, state, false);
}

int
csv_parser_feed_bytes(csv_parser *self, generators_state *state, const void *bytes,
                      size_t count)
{
    if (csv_parser_reads_natively(self)) {
        uint8_t *room = csv_parser_room(self, state, count);
        if (room == NULL) {
            return -1;
        }
        if (count > 0) {
            memcpy(room, bytes, count);
        }
        return csv_parser_filled(self, state, count);
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

static int
line_end(csv_parser *self)
{
    int width;
    if (fields_wants_newline(&self->machine)) {
        /* The line's end is escaped, and part of a field that goes on. */
        if (raise_buffer(buffer_append_unit(&self->block, '\n')) < 0) {
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

/* The line read in place is part of a record that goes on. */
static int
keep_line(csv_parser *self)
{
    PyObject *line = self->line;
    self->line = NULL;
    buffer_status status =
        buffer_append(&self->block, PyUnicode_DATA(line), (size_t)PyUnicode_GET_LENGTH(line),
                      (int)PyUnicode_KIND(line));
    Py_DECREF(line);
    return raise_buffer(status);
}

/* A line that begins a record is read in place: 1 where it was all of one. */
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

/* Read on in the line in place, or in the block. */
static int
read_on(csv_parser *self)
{
    int width;
    const void *units = csv_parser_units(self, &width);
    size_t length =
        self->line == NULL ? self->block.length : (size_t)PyUnicode_GET_LENGTH(self->line);
    if (!fields_feed(&self->machine, units, width, length)) {
        PyErr_NoMemory();
        return -1;
    }
    if (self->machine.error != FIELDS_FINE) {
        return 0;
    }
    if (self->line != NULL && fields_wants_newline(&self->machine) && keep_line(self) < 0) {
        return -1;
    }
    if (line_end(self) < 0) {
        return -1;
    }
    return self->line != NULL && csv_parser_is_open(self) ? keep_line(self) : 0;
}

int
csv_parser_feed_line(csv_parser *self, generators_state *state, PyObject *line)
{
    csv_parser_start(self, state, FIELDS_LINES);
    if (move_rows(self) < 0) {
        return -1;
    }
    if (++self->lines_fed == LINES_BEFORE_MEMO && self->memo == NULL && make_memo(self) < 0) {
        return -1;
    }
    size_t length = (size_t)PyUnicode_GET_LENGTH(line);
    if (length > BUFFER_LIMIT) {
        return raise_buffer(BUFFER_TOO_LONG);
    }
    if (!csv_parser_is_open(self)) {
        int read = feed_first_line(self, line, length);
        if (read != 0) {
            return read < 0 ? -1 : 0;
        }
    }
    else {
        buffer_status status = buffer_append(&self->block, PyUnicode_DATA(line), length,
                                             (int)PyUnicode_KIND(line));
        if (raise_buffer(status) < 0) {
            return -1;
        }
    }
    return read_on(self);
}

/* The bytes are over: what was held back is read, or is a fault. */
static int
finish_bytes(csv_parser *self, generators_state *state)
{
    if (drop_taken(self) < 0) {
        return -1;
    }
    if (csv_parser_reads_natively(self)) {
        return take_bytes(self, state, true);
    }
    PyObject *nothing = PyBytes_FromStringAndSize(NULL, 0);
    if (nothing == NULL) {
        return -1;
    }
    int status = 0;
    if (self->machine.mode == FIELDS_STREAM) {
        status = csv_parser_feed_undecoded(self, state, nothing, true);
    }
    else {
        PyObject *text = csv_parser_call_decoder(self, state, nothing, true);
        if (text == NULL && PyErr_ExceptionMatches(PyExc_UnicodeError)) {
            self->failure = PyErr_GetRaisedException();
        }
        else if (text == NULL) {
            status = -1;
        }
        Py_XDECREF(text);
    }
    Py_DECREF(nothing);
    return status;
}

static int
finish_machine(csv_parser *self)
{
    if (!self->started || csv_parser_failed(self)) {
        return 0;
    }
    if (self->machine.mode == FIELDS_STREAM && fields_wants_newline(&self->machine) &&
        raise_buffer(buffer_append_unit(&self->block, '\n')) < 0) {
        return -1;
    }
    if (!fields_finish(&self->machine, self->block.data, self->block.width)) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

void
csv_parser_restart(csv_parser *self)
{
    fields_restart(&self->machine);
    buffer_drop(&self->block, self->block.length);
    self->valid = 0;
    self->finished = false;
    Py_CLEAR(self->line);
    Py_CLEAR(self->failure);
}

int
csv_parser_finish(csv_parser *self, generators_state *state)
{
    if (move_rows(self) < 0) {
        return -1;
    }
    self->finished = true;
    bool native_lines = self->machine.mode == FIELDS_LINES && csv_parser_reads_natively(self);
    if (!self->from_text && !native_lines && finish_bytes(self, state) < 0) {
        return -1;
    }
    return finish_machine(self);
}

int
csv_parser_go_on(csv_parser *self, generators_state *state)
{
    int status = move_rows(self);
    if (status < 0) {
        return -1;
    }
    if (self->rest != NULL && self->failure == NULL) {
        status = csv_parser_feed_rest(self, state);
    }
    else if (self->machine.mode == FIELDS_STREAM) {
        status = scan_block(self, state, self->finished);
    }
    return status == 0 && self->finished ? finish_machine(self) : status;
}
