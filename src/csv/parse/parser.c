/* csv_parser: units in, records out.
 *
 * Bytes become units of the block.  UTF-8, ASCII and Latin-1 are read as they are, because
 * their separators are single bytes; what is added to a block is checked before the machine
 * reads it.  Other encodings go through a codec's incremental decoder: see decode.c.  A line
 * that is a str is read in place, and is copied into the block only if its record continues:
 * see feed.c.
 *
 * States: new; started, after the first piece has told whether lines or chunks are fed;
 * finished.  A fault in the data is kept until the records before it are taken.  Then the
 * front end raises it, and either recovers (see fault.c) or stops using the parser.
 *
 * The parser owns the block, the line that is read in place, and the borrower, which is an
 * object that points into the units.  Units that records point into stay until more is fed.
 * The front end feeds only after it has taken every record.
 *
 * Threads: the front end locks.  The GIL is released while a very large part of the block is
 * checked and scanned.  Nobody else can reach that part.
 */
#include "csv/parse/parser.h"

#include <string.h>

#include "core/fields_feed.h"
#include "core/fields_span.h"
#include "core/utf8.h"

/* The GIL is released for that many units or more.  Getting it back from a busy thread takes 5
   ms, which is enough to scan a hundred pieces of the usual size. */
#define SCAN_WITHOUT_GIL (4 * 1024 * 1024)

/* ---- lifetime ---- */

static void
parser_init_empty(csv_parser *self, const csv_dialect *dialect)
{
    memset(self, 0, sizeof *self);
    buffer_init(&self->block);
    self->dialect = *dialect;
}

int
csv_parser_make_memo(csv_parser *self)
{
    self->memo = PyMem_Calloc(1, sizeof *self->memo);
    if (self->memo == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

int
csv_parser_init(csv_parser *self, const csv_dialect *dialect)
{
    parser_init_empty(self, dialect);
    return csv_parser_make_memo(self);
}

void
csv_parser_init_lines(csv_parser *self, generators_state *state, const csv_dialect *dialect)
{
    parser_init_empty(self, dialect);
    self->from_text = true;
    csv_parser_start(self, state, FIELDS_LINES);
}

void
csv_parser_free(csv_parser *self)
{
    PyObject *borrower = self->borrower;
    if (borrower != NULL) {
        self->borrower_kind->abandon(borrower);
        self->borrower = NULL;
        Py_DECREF(borrower);
    }
    fields_free(&self->machine);
    buffer_free(&self->block);
    csv_lead *lead = self->lead;
    self->lead = NULL;
    if (lead != NULL) {
        self->lead_kind->free(lead);
    }
    csv_memo *memo = self->memo;
    self->memo = NULL;
    csv_memo_free(memo);
    Py_CLEAR(self->encoding_name);
    Py_CLEAR(self->errors_name);
    Py_CLEAR(self->path);
    Py_CLEAR(self->decoder);
    Py_CLEAR(self->line);
    Py_CLEAR(self->head);
    Py_CLEAR(self->failure);
    Py_CLEAR(self->bad);
    Py_CLEAR(self->rest);
}

/* The names are exact str, and `head`, `bad` and `rest` are exact bytes. */
int
csv_parser_traverse(csv_parser *self, visitproc visit, void *arg)
{
    Py_VISIT(self->decoder);
    Py_VISIT(self->path);
    Py_VISIT(self->line);
    Py_VISIT(self->failure);
    return self->lead == NULL ? 0 : self->lead_kind->traverse(self->lead, visit, arg);
}

/* The dialect has the comment as characters: make it what it is as units. */
static void
parser_encode_comment(fields_dialect *d)
{
    uint32_t units[FIELDS_COMMENT_MOST];
    uint32_t count = 0;
    for (uint32_t i = 0; i < d->comment_length && count + 4 <= FIELDS_COMMENT_MOST; i++) {
        const uint32_t c = d->comment[i];
        if (c < 0x80) {
            units[count++] = c;
            continue;
        }
        if (c < 0x800) {
            units[count++] = 0xC0 | c >> 6;
        }
        else {
            if (c < 0x10000) {
                units[count++] = 0xE0 | c >> 12;
            }
            else {
                units[count++] = 0xF0 | c >> 18;
                units[count++] = 0x80 | (c >> 12 & 0x3F);
            }
            units[count++] = 0x80 | (c >> 6 & 0x3F);
        }
        units[count++] = 0x80 | (c & 0x3F);
    }
    memcpy(d->comment, units, count * sizeof *units);
    d->comment_length = count;
}

void
csv_parser_set_mode(csv_parser *self, generators_state *state, fields_mode mode)
{
    fields_dialect dialect = self->dialect.fields;
    dialect.utf8 = self->encoding == CSV_UTF8 && !self->from_text && mode == FIELDS_STREAM;
    if (dialect.utf8) {
        parser_encode_comment(&dialect);
    }
    fields_init(&self->machine, &dialect, state->kernel, mode);
    self->machine.after_carriage = self->after_carriage;
    self->started = true;
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

/* ---- the block ---- */

int
csv_parser_raise_buffer(buffer_status status)
{
    if (status == BUFFER_TOO_LONG) {
        PyErr_SetString(PyExc_OverflowError, "a record of 4 GiB or more");
    }
    else {
        PyErr_NoMemory();
    }
    return -1;
}

int
csv_parser_drop_taken(csv_parser *self)
{
    if (csv_parser_detach(self) < 0) {
        return -1;
    }
    size_t drop = self->started ? fields_rewind(&self->machine) : 0;
    if (self->line != NULL) {
        Py_CLEAR(self->line);
        return 0;
    }
    buffer_drop(&self->block, drop);
    self->valid -= drop < self->valid ? drop : self->valid; /* 0 for lines */
    self->block_byte += drop;
    return 0;
}

/* Most text is ASCII, and most other text is valid. */
static size_t
parser_utf8_prefix(const scan_kernel *kernel, const uint8_t *bytes, size_t count)
{
    size_t valid = utf8_ascii_prefix(bytes, count);
    if (valid < count) {
        valid += kernel->utf8_blocks(bytes + valid, count - valid);
        valid += utf8_valid_prefix(bytes + valid, count - valid);
    }
    return valid;
}

size_t
csv_parser_text_prefix(const scan_kernel *kernel, csv_encoding encoding, const uint8_t *bytes,
                       size_t count)
{
    switch (encoding) {
    case CSV_UTF8:
        return count == 0 ? 0 : parser_utf8_prefix(kernel, bytes, count);
    case CSV_ASCII:
        return utf8_ascii_prefix(bytes, count);
    default:
        return count;
    }
}

/* Let CPython find the fault in the bytes after the valid ones.  Bytes that are only cut short
   are left for the next piece, unless this is the last.  0 or -1. */
static int
parser_check_rest(csv_parser *self, bool final)
{
    const char *rest = (const char *)self->block.data + self->valid;
    size_t count = self->block.length - self->valid;
    /* Four bytes are enough to find it; more would only be copied. */
    Py_ssize_t length = count < 16 ? (Py_ssize_t)count : 16;
    Py_ssize_t consumed;
    PyObject *text;
    if (self->encoding == CSV_ASCII) {
        text = PyUnicode_DecodeASCII(rest, length, "strict");
    }
    else {
        text = PyUnicode_DecodeUTF8Stateful(rest, length, "strict", final ? NULL : &consumed);
    }
    if (text != NULL) {
        Py_DECREF(text);
        return 0;
    }
    if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        return -1;
    }
    self->failure = PyErr_GetRaisedException();
    self->failure_byte = self->block_byte + self->valid;
    return 0;
}

uint64_t
csv_parser_lines_before(const csv_parser *self, const fields_record *record,
                        uint64_t line_count)
{
    if (!(record->flags & FIELDS_FOLLOWS)) {
        return line_count - record->lines;
    }
    /* Some of the lines are those of comments before it. */
    int width;
    const void *units = csv_parser_units(self, &width);
    return line_count - 1 -
           fields_count_lines(units, width, record->start,
                              self->machine.ends[record->last - 1]);
}

bool
csv_parser_is_comment(const csv_parser *self, PyObject *line)
{
    const fields_dialect *d = &self->dialect.fields;
    if (csv_parser_is_open(self)) {
        return false;
    }
    const Py_ssize_t length = PyUnicode_GET_LENGTH(line);
    const bool first = self->lines_fed == 0;
    const Py_ssize_t start = first && length > 0 && PyUnicode_READ_CHAR(line, 0) == 0xFEFF;
    if (length - start < (Py_ssize_t)d->comment_length) {
        return false;
    }
    for (uint32_t i = 0; i < d->comment_length; i++) {
        if (PyUnicode_READ_CHAR(line, start + (Py_ssize_t)i) != d->comment[i]) {
            return false;
        }
    }
    return true;
}

int
csv_parser_scan(csv_parser *self, generators_state *state, bool final)
{
    if (self->lead != NULL) {
        int begun = self->lead_kind->pass(self, state, final);
        if (begun <= 0) {
            return begun;
        }
    }
    csv_parser_start(self, state, FIELDS_STREAM);
    const bool native = csv_parser_reads_natively(self) && !self->from_text;
    const bool large = self->block.length - self->valid >= SCAN_WITHOUT_GIL;
    PyThreadState *thread = large ? PyEval_SaveThread() : NULL;
    const size_t more = self->block.length - self->valid;
    self->valid += native && more > 0
                       ? csv_parser_text_prefix(self->machine.kernel, self->encoding,
                                                self->block.data + self->valid, more)
                       : more;
    bool fine = fields_feed(&self->machine, self->block.data, self->block.width, self->valid);
    if (large) {
        PyEval_RestoreThread(thread);
    }
    if (!fine) {
        PyErr_NoMemory();
        return -1;
    }
    if (self->valid < self->block.length && self->machine.error == FIELDS_FINE) {
        return parser_check_rest(self, final);
    }
    return 0;
}

int
csv_parser_feed_units(csv_parser *self, generators_state *state, PyObject *text)
{
    if (csv_parser_drop_taken(self) < 0) {
        return -1;
    }
    buffer_status status =
        buffer_append(&self->block, PyUnicode_DATA(text), (size_t)PyUnicode_GET_LENGTH(text),
                      (int)PyUnicode_KIND(text));
    return csv_parser_check_buffer(status) < 0 ? -1 : csv_parser_scan(self, state, false);
}
