/* Bytes and text of a source in, lines out: see line_reader.h.
 *
 * Bytes in UTF-8, ASCII and Latin-1 are cut into lines as they are, and each line is decoded
 * by itself.  Text, and what another codec decodes, is cut as UTF-8.  A codec's error is kept
 * until the lines before it are taken.
 *
 * It owns everything in the struct.  User code runs in codecs and error handlers that the user
 * registered, while the front end is `running`.
 */
#include "text/line_reader.h"

#include <string.h>

#include "runtime/raising.h"
#include "source/codec.h"
#include "source/undecodable.h"

/* ---- raising ---- */

void
line_reader_raise(const line_reader *self, generators_state *state, uint64_t line,
                  uint64_t byte, const uint8_t *bytes, size_t count, size_t within,
                  const char *format, ...)
{
    PyObject *cause = PyErr_GetRaisedException();
    PyObject *text = bytes == NULL ? NULL : data_error_excerpt(bytes, count);
    if (bytes != NULL && text == NULL) {
        raising_chain(cause);
        return;
    }
    data_place place = {
        .path = self->path,
        .record = -1,
        .line = (int64_t)line,
        .byte = line_reader_is_native(self) ? (int64_t)(byte + within) : -1,
        .text = text,
    };
    if (cause != NULL) {
        PyErr_SetRaisedException(cause);
    }
    va_list arguments;
    va_start(arguments, format);
    data_error_raise_va(state->data_error, &place, format, arguments);
    va_end(arguments);
    Py_XDECREF(text);
}

void
line_reader_raise_failure(line_reader *self, generators_state *state)
{
    data_place place = {
        .path = self->path,
        .record = -1,
        .line = (int64_t)self->machine.line_count + 1,
        .byte = (int64_t)self->failure_byte,
    };
    PyObject *message = undecodable_message_of(self->encoding_name, self->failure);
    if (message != NULL) {
        PyErr_SetRaisedException(Py_NewRef(self->failure)); /* the cause */
        data_error_raise(state->data_error, &place, "%U", message);
        Py_DECREF(message);
    }
}

static int
reader_check_buffer(const line_reader *self, generators_state *state, buffer_status status)
{
    if (status == BUFFER_NO_MEMORY) {
        PyErr_NoMemory();
    }
    else if (status != BUFFER_OK) {
        line_reader_raise(self, state, self->machine.line_count + 1,
                          lines_byte(&self->machine), NULL, 0, 0, "line longer than %zu bytes",
                          BUFFER_LIMIT);
    }
    return status == BUFFER_OK ? 0 : -1;
}

/* ---- the first bytes ---- */

/* Check whether the source is text of the encoding, as far as its first bytes tell.  `final`:
   no more bytes follow.  0, or -1 with DataError. */
static int
reader_check_head(line_reader *self, generators_state *state, const void *bytes, size_t count,
                  bool final)
{
    if (self->head_checked) {
        return 0;
    }
    size_t room = HEAD_LENGTH - self->head_length;
    size_t more = count < room ? count : room;
    if (more > 0) {
        memcpy(self->head + self->head_length, bytes, more);
        self->head_length += more;
    }
    if (head_is_open(self->head, self->head_length, self->is_utf8_only) && !final) {
        return 0;
    }
    self->head_checked = true;
    const char *advice =
        head_advice(self->head, self->head_length, self->encoding_name, self->is_utf8_only);
    if (advice == NULL) {
        return 0;
    }
    data_place place = {.path = self->path, .record = -1, .line = -1, .byte = 0};
    data_error_raise(state->data_error, &place, "the source begins as %s", advice);
    return -1;
}

/* ---- feeding ---- */

static int
reader_feed(line_reader *self, generators_state *state, const void *bytes, size_t count)
{
    return reader_check_buffer(self, state, lines_feed(&self->machine, bytes, count));
}

/* Feed text as UTF-8.  Lone surrogates stay what they are. */
static int
reader_feed_text(line_reader *self, generators_state *state, PyObject *text)
{
    if (PyUnicode_IS_ASCII(text)) {
        return reader_feed(self, state, PyUnicode_DATA(text),
                           (size_t)PyUnicode_GET_LENGTH(text));
    }
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
    if (bytes == NULL) {
        return -1;
    }
    int status =
        reader_feed(self, state, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return status;
}

/* ---- codecs ---- */

/* Where in `bytes` those begin that the decoder rejected: before `bytes`, if it had kept some.
   0 if a codec's error does not say.  0 or -1. */
static int
reader_find_bad(PyObject *error, PyObject *bytes, Py_ssize_t *at)
{
    Py_ssize_t start;
    *at = 0;
    if (!PyObject_TypeCheck(error, (PyTypeObject *)PyExc_UnicodeDecodeError)) {
        return 0;
    }
    PyObject *object = PyUnicodeDecodeError_GetObject(error);
    if (object == NULL || PyUnicodeDecodeError_GetStart(error, &start) < 0) {
        Py_XDECREF(object);
        return -1;
    }
    Py_ssize_t size = PyBytes_GET_SIZE(bytes);
    *at = start - (PyBytes_GET_SIZE(object) - size);
    *at = *at < size ? *at : size;
    Py_DECREF(object);
    return 0;
}

/* Feed the text of the first `count` bytes, after the decoder has its old state again. */
static int
reader_feed_accepted(line_reader *self, generators_state *state, PyObject *decoder_state,
                     PyObject *bytes, Py_ssize_t count)
{
    PyObject *decoder = Py_NewRef(self->decoder);
    PyObject *done = PyObject_CallMethod(decoder, "setstate", "(O)", decoder_state);
    Py_DECREF(decoder);
    PyObject *before =
        done == NULL ? NULL : PyBytes_FromStringAndSize(PyBytes_AS_STRING(bytes), count);
    PyObject *text = before == NULL ? NULL : codec_decode(self->decoder, state, before, false);
    Py_XDECREF(done);
    Py_XDECREF(before);
    int status = text == NULL ? -1 : reader_feed_text(self, state, text);
    Py_XDECREF(text);
    return status;
}

/* The decoder rejected the bytes: keep its error, and feed the text before it. */
static int
reader_keep_failure(line_reader *self, generators_state *state, PyObject *decoder_state,
                    PyObject *bytes)
{
    if (!PyErr_ExceptionMatches(PyExc_UnicodeError)) {
        return -1;
    }
    PyObject *error = PyErr_GetRaisedException();
    Py_ssize_t at;
    if (reader_find_bad(error, bytes, &at) < 0 ||
        (at > 0 && reader_feed_accepted(self, state, decoder_state, bytes, at) < 0)) {
        raising_chain(error);
        return -1;
    }
    int64_t byte = (int64_t)self->byte_count - (int64_t)PyBytes_GET_SIZE(bytes) + at;
    self->failure_byte = byte > 0 ? (uint64_t)byte : 0;
    Py_XSETREF(self->failure, error);
    return 0;
}

static int
reader_feed_undecoded(line_reader *self, generators_state *state, PyObject *bytes, bool final)
{
    PyObject *decoder = Py_NewRef(self->decoder);
    PyObject *decoder_state = PyObject_CallMethod(decoder, "getstate", NULL);
    Py_DECREF(decoder);
    if (decoder_state == NULL) {
        return -1;
    }
    self->byte_count += (uint64_t)PyBytes_GET_SIZE(bytes);
    PyObject *text = codec_decode(self->decoder, state, bytes, final);
    int status = text != NULL ? reader_feed_text(self, state, text)
                              : reader_keep_failure(self, state, decoder_state, bytes);
    Py_DECREF(decoder_state);
    Py_XDECREF(text);
    return status;
}

/* ---- as a sink ---- */

static int
sink_feed_bytes(void *target, generators_state *state, const void *bytes, size_t count)
{
    line_reader *self = target;
    if (reader_check_head(self, state, bytes, count, false) < 0) {
        return -1;
    }
    if (self->encoding != LINE_DECODED) {
        return reader_feed(self, state, bytes, count);
    }
    PyObject *piece = PyBytes_FromStringAndSize(bytes, (Py_ssize_t)count);
    int status = piece == NULL ? -1 : reader_feed_undecoded(self, state, piece, false);
    Py_XDECREF(piece);
    return status;
}

static int
sink_feed_text(void *target, generators_state *state, PyObject *text)
{
    line_reader *self = target;
    self->from_text = true;
    self->head_checked = true;
    if (!self->is_utf8_only) {
        self->machine.drops_mark = false; /* in text it is a character */
    }
    return reader_feed_text(self, state, text);
}

/* Let check_item() see one of the first items of text.  0 or -1. */
static int
sink_check_text(line_reader *self, PyObject *text)
{
    if (self->check_item == NULL || self->checked < 0 || !PyUnicode_IS_ASCII(text)) {
        return 0;
    }
    int suspicious = self->check_item(PyUnicode_DATA(text), (size_t)PyUnicode_GET_LENGTH(text),
                                      self->checked++);
    if (suspicious <= 0) {
        self->checked = -1;
    }
    return suspicious < 0 ? -1 : 0;
}

/* An item of text: one line, or text cut anywhere, for which the lines are the same. */
static int
sink_feed_line(void *target, generators_state *state, PyObject *line)
{
    line_reader *self = target;
    Py_ssize_t length = PyUnicode_GET_LENGTH(line);
    if (!self->has_item_lines && sink_check_text(self, line) < 0) {
        return -1;
    }
    if (sink_feed_text(self, state, line) < 0) {
        return -1;
    }
    bool is_cut =
        self->has_item_lines && (length == 0 || PyUnicode_READ_CHAR(line, length - 1) != '\n');
    return is_cut ? reader_feed(self, state, "\n", 1) : 0;
}

static int
reader_feed_undecoded_line(line_reader *self, generators_state *state, PyObject *line)
{
    PyObject *text = codec_decode(self->decoder, state, line, false);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_UnicodeError)) {
        PyObject *error = PyErr_GetRaisedException();
        self->failure_byte = self->byte_count;
        Py_XSETREF(self->failure, error);
        return 0;
    }
    self->byte_count += (uint64_t)PyBytes_GET_SIZE(line);
    int status = text == NULL ? -1 : sink_feed_line(self, state, text);
    self->from_text = false;
    Py_XDECREF(text);
    return status;
}

static int
sink_feed_bytes_line(void *target, generators_state *state, PyObject *line)
{
    line_reader *self = target;
    Py_ssize_t count = PyBytes_GET_SIZE(line);
    if (reader_check_head(self, state, PyBytes_AS_STRING(line), (size_t)count, true) < 0) {
        return -1;
    }
    if (self->encoding == LINE_DECODED) {
        return reader_feed_undecoded_line(self, state, line);
    }
    if (reader_feed(self, state, PyBytes_AS_STRING(line), (size_t)count) < 0) {
        return -1;
    }
    return count == 0 || PyBytes_AS_STRING(line)[count - 1] != '\n'
               ? reader_feed(self, state, "\n", 1)
               : 0;
}

static uint8_t *
sink_room(void *target, generators_state *state, size_t count)
{
    line_reader *self = target;
    buffer_status status;
    uint8_t *room = lines_room(&self->machine, count, &status);
    return reader_check_buffer(self, state, status) < 0 ? NULL : room;
}

static int
sink_filled(void *target, generators_state *state, size_t count)
{
    line_reader *self = target;
    const uint8_t *bytes = self->machine.block.data + self->machine.block.length;
    lines_filled(&self->machine, count);
    return reader_check_head(self, state, bytes, count, false);
}

static int
sink_finish(void *target, generators_state *state)
{
    line_reader *self = target;
    if (reader_check_head(self, state, NULL, 0, true) < 0) {
        return -1;
    }
    if (self->encoding == LINE_DECODED && !self->from_text) {
        PyObject *nothing = PyBytes_FromStringAndSize(NULL, 0);
        int status = nothing == NULL ? -1 : reader_feed_undecoded(self, state, nothing, true);
        Py_XDECREF(nothing);
        if (status < 0 || self->failure != NULL) {
            return status; /* the line that was begun is not given */
        }
    }
    const lines *machine = &self->machine;
    if (self->ends_complete &&
        (machine->skipping || (!machine->holds && machine->block.length > machine->start))) {
        line_reader_raise(self, state, machine->line_count + 1, lines_byte(machine),
                          machine->block.data + machine->start,
                          machine->block.length - machine->start, 0,
                          "the source is not complete: its last line has no line end");
        return -1;
    }
    lines_finish(&self->machine);
    return 0;
}

static int
sink_check_item(void *target, const void *bytes, size_t count, int earlier)
{
    const line_reader *self = target;
    return self->check_item == NULL ? 0 : self->check_item(bytes, count, earlier);
}

static void
sink_raise(void *target, generators_state *state, PyObject *message, int64_t byte)
{
    const line_reader *self = target;
    data_place place = {
        .path = self->path,
        .record = -1,
        .line = byte < 0 ? (int64_t)self->machine.line_count + 1 : -1,
        .byte = byte,
    };
    data_error_raise(state->data_error, &place, "%U", message);
}

source_sink
line_reader_sink(line_reader *self)
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
        .raise = sink_raise,
    };
    return (source_sink){&kind, self};
}

/* ---- lines as text ---- */

PyObject *
line_reader_text(const line_reader *self, const uint8_t *bytes, size_t count)
{
    const char *start = (const char *)bytes;
    Py_ssize_t length = (Py_ssize_t)count;
    if (!line_reader_is_native(self)) {
        return PyUnicode_DecodeUTF8(start, length, "surrogatepass");
    }
    if (self->encoding == LINE_LATIN1) {
        return PyUnicode_DecodeLatin1(start, length, NULL);
    }
    const char *errors = PyUnicode_AsUTF8(self->errors_name);
    return errors == NULL                 ? NULL
           : self->encoding == LINE_ASCII ? PyUnicode_DecodeASCII(start, length, errors)
                                          : PyUnicode_DecodeUTF8(start, length, errors);
}

/* ---- lifetime ---- */

static bool
newline_is_ascii(PyObject *newline)
{
    for (Py_ssize_t i = 0; i < PyBytes_GET_SIZE(newline); i++) {
        if ((unsigned char)PyBytes_AS_STRING(newline)[i] > 0x7F) {
            return false;
        }
    }
    return true;
}

/* The bytes of `newline`, of which *bytes is a new reference or NULL.  0 or -1. */
static int
reader_read_newline(const line_reader_options *options, PyObject **bytes)
{
    *bytes = NULL;
    PyObject *newline = options->newline;
    if (newline == NULL) {
        return 0;
    }
    if (PyUnicode_Check(newline)) {
        *bytes = options->encoding == NULL ? PyUnicode_AsASCIIString(newline)
                                           : PyUnicode_AsUTF8String(newline);
    }
    else if (PyBytes_Check(newline)) {
        *bytes = PyBytes_FromObject(newline);
    }
    else {
        PyErr_Format(PyExc_TypeError, "newline must be None, str or bytes, not '%.200s'",
                     Py_TYPE(newline)->tp_name);
    }
    if (*bytes == NULL) {
        return -1;
    }
    Py_ssize_t count = PyBytes_GET_SIZE(*bytes);
    if (PyBytes_Check(newline) && options->encoding != NULL && !newline_is_ascii(*bytes)) {
        PyErr_SetString(PyExc_ValueError, "newline must be a str if `encoding` is given and "
                                          "it has other characters than ASCII");
        Py_CLEAR(*bytes);
        return -1;
    }
    if (count < 1 || count > LINES_LONGEST_NEWLINE) {
        PyErr_Format(PyExc_ValueError, "newline must have 1 to %d bytes, not %zd",
                     LINES_LONGEST_NEWLINE, count);
        Py_CLEAR(*bytes);
        return -1;
    }
    return 0;
}

/* What is read as it is.  In Latin-1, a newline of other characters than ASCII is not, because
   the machine looks for its UTF-8. */
static line_encoding
reader_choose(const line_reader *self, PyObject *name, PyObject *newline)
{
    if (PyUnicode_CompareWithASCIIString(name, "utf-8") == 0 ||
        PyUnicode_CompareWithASCIIString(name, "utf-8-sig") == 0) {
        return LINE_UTF8;
    }
    if (self->is_utf8_only || (newline != NULL && !newline_is_ascii(newline))) {
        return LINE_DECODED;
    }
    return PyUnicode_CompareWithASCIIString(name, "ascii") == 0       ? LINE_ASCII
           : PyUnicode_CompareWithASCIIString(name, "iso8859-1") == 0 ? LINE_LATIN1
                                                                      : LINE_DECODED;
}

static int
reader_open_codec(line_reader *self, const line_reader_options *options, PyObject *newline)
{
    PyObject *name = codec_name(options->encoding);
    PyObject *handler = name == NULL ? NULL : PyCodec_LookupError(options->errors);
    const char *codec = handler == NULL ? NULL : PyUnicode_AsUTF8(name);
    Py_XDECREF(handler);
    int status = -1;
    if (codec != NULL &&
        (self->encoding_name = PyUnicode_FromObject(options->encoding)) != NULL && /* exact */
        (self->errors_name = PyUnicode_FromString(options->errors)) != NULL) {
        self->encoding = reader_choose(self, name, newline);
        status = 0;
    }
    if (status == 0 && self->encoding == LINE_DECODED) {
        self->decoder = PyCodec_IncrementalDecoder(codec, options->errors);
        status = self->decoder == NULL ? -1 : 0;
    }
    Py_XDECREF(name);
    return status;
}

int
line_reader_open(line_reader *self, generators_state *state,
                 const line_reader_options *options)
{
    PyObject *newline;
    if (reader_read_newline(options, &newline) < 0) {
        return -1;
    }
    lines_init(&self->machine, state->kernel,
               newline == NULL ? NULL : PyBytes_AS_STRING(newline),
               newline == NULL ? 0 : (size_t)PyBytes_GET_SIZE(newline), options->keeps_ends,
               options->max_line);
    int status = options->encoding == NULL ? 0 : reader_open_codec(self, options, newline);
    Py_XDECREF(newline);
    self->head_checked = options->encoding == NULL;
    self->machine.drops_mark = self->is_utf8_only || self->encoding == LINE_UTF8;
    return status;
}

void
line_reader_close(line_reader *self)
{
    lines_free(&self->machine);
    Py_CLEAR(self->path);
    Py_CLEAR(self->decoder);
    Py_CLEAR(self->failure);
}

void
line_reader_clear(line_reader *self)
{
    line_reader_close(self);
    Py_CLEAR(self->encoding_name);
    Py_CLEAR(self->errors_name);
}

int
line_reader_traverse(line_reader *self, visitproc visit, void *arg)
{
    Py_VISIT(self->decoder);
    Py_VISIT(self->failure);
    return 0;
}
