/* Decoding: bytes that the parser does not read as they are, and what a file begins as.
 *
 * A codec's incremental decoder makes text of them.  What it refuses is the fault that
 * comes after the text before; `bad` and `rest` are then the bytes it refused and those
 * behind them.
 *
 * User code runs in codecs that the user registered.
 */
#include "csv/parse/decode.h"

#include <string.h>

#include "source/codec.h"
#include "csv/parse/error.h"
#include "csv/parse/parser.h"

/* ---- encodings ---- */

static bool
separators_within(const scan_set *set, uint32_t most)
{
    return (set->delimiter == SCAN_ABSENT || set->delimiter <= most) &&
           (set->quote == SCAN_ABSENT || set->quote <= most) &&
           (set->escape == SCAN_ABSENT || set->escape <= most);
}

static csv_encoding
native_encoding(PyObject *name, const scan_set *set, const char *errors)
{
    if (PyUnicode_CompareWithASCIIString(name, "iso8859-1") == 0) {
        return CSV_LATIN1;
    }
    /* Other ways of handling errors put text of their own into the data. */
    if (strcmp(errors, "strict") == 0 && separators_within(set, 0x7F)) {
        if (PyUnicode_CompareWithASCIIString(name, "utf-8") == 0 ||
            PyUnicode_CompareWithASCIIString(name, "utf-8-sig") == 0) {
            return CSV_UTF8;
        }
        if (PyUnicode_CompareWithASCIIString(name, "ascii") == 0) {
            return CSV_ASCII;
        }
    }
    return CSV_DECODED;
}

/* The incremental decoder of a codec; 'utf-8' drops a mark at the start. */
static PyObject *
new_decoder(PyObject *name, const char *errors)
{
    const char *codec = PyUnicode_AsUTF8(name);
    if (codec == NULL) {
        return NULL;
    }
    return PyCodec_IncrementalDecoder(strcmp(codec, "utf-8") == 0 ? "utf-8-sig" : codec,
                                      errors);
}

int
csv_parser_open_decoder(csv_parser *self, PyObject *encoding, const char *errors)
{
    PyObject *name = codec_name(encoding);
    PyObject *handler = name == NULL ? NULL : PyCodec_LookupError(errors);
    if (handler == NULL) {
        Py_XDECREF(name);
        return -1;
    }
    Py_DECREF(handler);
    self->encoding = native_encoding(name, &self->dialect.fields.set, errors);
    if (self->encoding == CSV_DECODED) {
        self->decoder = new_decoder(name, errors);
    }
    Py_DECREF(name);
    return self->encoding == CSV_DECODED && self->decoder == NULL ? -1 : 0;
}

/* ---- what the first bytes tell ---- */

static const char *
archive_advice(const uint8_t *b, size_t count)
{
    if (count >= 3 && memcmp(b, "\x1f\x8b\x08", 3) == 0) {
        return "gzip data: pass gzip.open(path)";
    }
    if (count >= 4 && memcmp(b, "\x28\xb5\x2f\xfd", 4) == 0) {
        return "zstd data: pass a file object that decompresses it";
    }
    if (count >= 4 && memcmp(b, "PK\x03\x04", 4) == 0) {
        return "a zip archive: pass zipfile.ZipFile(path).open(name)";
    }
    return NULL;
}

static const char *
wide_advice(const uint8_t *b, size_t count)
{
    if (count >= 4 &&
        (memcmp(b, "\xff\xfe\0\0", 4) == 0 || memcmp(b, "\0\0\xfe\xff", 4) == 0)) {
        return "UTF-32 text: pass encoding='utf-32'";
    }
    if (count >= 2 && (memcmp(b, "\xff\xfe", 2) == 0 || memcmp(b, "\xfe\xff", 2) == 0)) {
        return "UTF-16 text: pass encoding='utf-16'";
    }
    return NULL;
}

static bool
names_wide_encoding(PyObject *encoding)
{
    Py_ssize_t end = PyUnicode_GET_LENGTH(encoding);
    for (Py_ssize_t i = 0; i + 1 < end; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(encoding, i), d = PyUnicode_READ_CHAR(encoding, i + 1);
        if ((c == '1' && d == '6') || (c == '3' && d == '2')) {
            return true;
        }
    }
    return false;
}

int
csv_parser_check_head(csv_parser *self, generators_state *state, const uint8_t *bytes,
                      size_t count)
{
    self->head_seen = true;
    const char *advice = archive_advice(bytes, count);
    if (advice == NULL && !names_wide_encoding(self->encoding_name)) {
        advice = wide_advice(bytes, count);
    }
    if (advice != NULL) {
        csv_place place = {self->path, -1, -1, 0, NULL, NULL};
        csv_raise(state, &place, "the source begins as %s", advice);
        return -1;
    }
    return 0;
}

/* ---- decoding ---- */

PyObject *
csv_parser_call_decoder(csv_parser *self, generators_state *state, PyObject *bytes, bool final)
{
    PyObject *text = PyObject_CallMethodObjArgs(self->decoder, state->str_decode, bytes,
                                                final ? Py_True : Py_False, NULL);
    if (text != NULL && !PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "decoder should return a string result, not '%.200s'",
                     Py_TYPE(text)->tp_name);
        Py_CLEAR(text);
    }
    return text;
}

/* Where in `bytes` the decoding error is, or -1: what the decoder complains of
   ends where `bytes` ends. */
static Py_ssize_t
error_offset(PyObject *error, PyObject *bytes)
{
    Py_ssize_t start, offset = -1;
    PyObject *object = PyUnicodeDecodeError_GetObject(error);
    if (object != NULL && PyUnicodeDecodeError_GetStart(error, &start) == 0) {
        offset = start - (PyBytes_GET_SIZE(object) - PyBytes_GET_SIZE(bytes));
    }
    Py_XDECREF(object);
    PyErr_Clear();
    return offset;
}

/* Bytes of the decoder's own buffer may be among the bad ones. */
static int
keep_bad_bytes(csv_parser *self, PyObject *error, PyObject *bytes, Py_ssize_t offset)
{
    Py_ssize_t first, end;
    PyObject *object = PyUnicodeDecodeError_GetObject(error);
    if (object == NULL || PyUnicodeDecodeError_GetStart(error, &first) < 0 ||
        PyUnicodeDecodeError_GetEnd(error, &end) < 0) {
        Py_XDECREF(object);
        return -1;
    }
    Py_ssize_t rest = offset + (end - first);
    rest = rest < 0 ? 0 : rest > PyBytes_GET_SIZE(bytes) ? PyBytes_GET_SIZE(bytes) : rest;
    Py_XSETREF(self->bad,
               PyBytes_FromStringAndSize(PyBytes_AS_STRING(object) + first, end - first));
    Py_XSETREF(self->rest, PyBytes_FromStringAndSize(PyBytes_AS_STRING(bytes) + rest,
                                                     PyBytes_GET_SIZE(bytes) - rest));
    Py_DECREF(object);
    return self->bad == NULL || self->rest == NULL ? -1 : 0;
}

/* The decoder refused `bytes`: take the error as the fault that comes after what
   can be read before it. */
static int
keep_decoding_error(csv_parser *self, generators_state *state, PyObject *decoder_state,
                    PyObject *bytes)
{
    if (!PyErr_ExceptionMatches(PyExc_UnicodeError)) {
        return -1;
    }
    PyObject *error = PyErr_GetRaisedException();
    Py_ssize_t offset = -1;
    if (PyObject_TypeCheck(error, (PyTypeObject *)PyExc_UnicodeDecodeError)) {
        offset = error_offset(error, bytes);
    }
    int status = 0;
    if (PyObject_TypeCheck(error, (PyTypeObject *)PyExc_UnicodeDecodeError)) {
        status = keep_bad_bytes(self, error, bytes, offset);
    }
    if (status == 0 && offset > 0) {
        PyObject *reset = PyObject_CallMethod(self->decoder, "setstate", "(O)", decoder_state);
        PyObject *before = PyBytes_FromStringAndSize(PyBytes_AS_STRING(bytes), offset);
        PyObject *text = NULL;
        if (reset != NULL && before != NULL) {
            text = csv_parser_call_decoder(self, state, before, false);
        }
        status = text == NULL ? -1 : csv_parser_feed_units(self, state, text);
        Py_XDECREF(reset);
        Py_XDECREF(before);
        Py_XDECREF(text);
    }
    if (status < 0) {
        Py_DECREF(error);
        return -1;
    }
    self->failure = error;
    self->failure_byte = self->byte_count - (uint64_t)PyBytes_GET_SIZE(bytes) +
                         (uint64_t)(offset > 0 ? offset : 0);
    return 0;
}

static int
csv_parser_feed_decoder(csv_parser *self, generators_state *state, PyObject *bytes, bool final)
{
    PyObject *decoder_state = PyObject_CallMethod(self->decoder, "getstate", NULL);
    if (decoder_state == NULL) {
        return -1;
    }
    PyObject *text = csv_parser_call_decoder(self, state, bytes, final);
    int status;
    if (text != NULL) {
        status = csv_parser_feed_units(self, state, text);
        Py_DECREF(text);
    }
    else {
        status = keep_decoding_error(self, state, decoder_state, bytes);
    }
    Py_DECREF(decoder_state);
    return status;
}

int
csv_parser_feed_rest(csv_parser *self, generators_state *state)
{
    PyObject *rest = self->rest;
    self->rest = NULL;
    PyObject *before = PyObject_CallMethod(self->decoder, "getstate", NULL);
    PyObject *done = NULL;
    if (before != NULL && PyTuple_Check(before) && PyTuple_GET_SIZE(before) == 2) {
        /* What it holds is of the bytes that it refused. */
        done = PyObject_CallMethod(self->decoder, "setstate", "((yO))", "",
                                   PyTuple_GET_ITEM(before, 1));
    }
    else if (before != NULL) {
        PyErr_SetString(PyExc_TypeError, "illegal decoder state");
    }
    int status =
        done == NULL ? -1 : csv_parser_feed_decoder(self, state, rest, self->finished);
    Py_XDECREF(before);
    Py_XDECREF(done);
    Py_DECREF(rest);
    return status;
}

/* Bytes for the decoder, held back until they tell what they are. */
int
csv_parser_feed_undecoded(csv_parser *self, generators_state *state, PyObject *bytes,
                          bool final)
{
    if (self->head_seen) {
        return csv_parser_feed_decoder(self, state, bytes, final);
    }
    PyObject *head = self->held;
    self->held = NULL;
    if (head == NULL) {
        head = Py_NewRef(bytes);
    }
    else {
        PyBytes_Concat(&head, bytes);
        if (head == NULL) {
            return -1;
        }
    }
    if (PyBytes_GET_SIZE(head) < CSV_HEAD && !final) {
        self->held = head;
        return 0;
    }
    int status = csv_parser_check_head(self, state, (const uint8_t *)PyBytes_AS_STRING(head),
                                       (size_t)PyBytes_GET_SIZE(head));
    if (status == 0) {
        status = csv_parser_feed_decoder(self, state, head, final);
    }
    Py_DECREF(head);
    return status;
}

/* ---- encoding ---- */

static PyObject *
encode(const csv_parser *self, PyObject *text)
{
    const char *errors = PyUnicode_AsUTF8(self->errors_name);
    PyObject *bytes =
        errors == NULL
            ? NULL
            : PyUnicode_AsEncodedString(text, PyUnicode_AsUTF8(self->encoding_name), errors);
    if (bytes == NULL && errors != NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        /* A handler of decoding errors alone, or text that never was in the encoding. */
        PyErr_Clear();
        bytes =
            PyUnicode_AsEncodedString(text, PyUnicode_AsUTF8(self->encoding_name), "strict");
    }
    return bytes;
}

PyObject *
csv_parser_encode(const csv_parser *self, PyObject *text)
{
    PyObject *bytes = encode(self, text);
    if (bytes == NULL || self->encoding != CSV_DECODED) {
        return bytes;
    }
    /* The mark that some codecs begin with is no part of a text within. */
    PyObject *nothing = PyUnicode_FromStringAndSize(NULL, 0);
    PyObject *mark = nothing == NULL ? NULL : encode(self, nothing);
    Py_XDECREF(nothing);
    if (mark == NULL) {
        Py_DECREF(bytes);
        return NULL;
    }
    Py_ssize_t count = PyBytes_GET_SIZE(mark);
    if (count > 0 && PyBytes_GET_SIZE(bytes) >= count &&
        memcmp(PyBytes_AS_STRING(bytes), PyBytes_AS_STRING(mark), (size_t)count) == 0) {
        Py_SETREF(bytes, PyBytes_FromStringAndSize(PyBytes_AS_STRING(bytes) + count,
                                                   PyBytes_GET_SIZE(bytes) - count));
    }
    Py_DECREF(mark);
    return bytes;
}

/* ---- lines that came as bytes ---- */

/* items='lines': give the line the end that was cut off. */
static PyObject *
with_line_end(PyObject *line)
{
    Py_ssize_t count = PyBytes_GET_SIZE(line);
    char last = count > 0 ? PyBytes_AS_STRING(line)[count - 1] : '\0';
    PyObject *whole = Py_NewRef(line);
    if (last != '\n' && last != '\r') {
        PyBytes_ConcatAndDel(&whole, PyBytes_FromStringAndSize("\n", 1));
    }
    return whole;
}

PyObject *
csv_parser_decode_line(csv_parser *self, generators_state *state, PyObject *line)
{
    PyObject *text;
    bool first = self->lines_fed == 0;
    if (self->encoding == CSV_DECODED) {
        text = csv_parser_call_decoder(self, state, line, false);
    }
    else {
        text =
            PyUnicode_FromEncodedObject(line, PyUnicode_AsUTF8(self->encoding_name), "strict");
        if (text != NULL && first && self->encoding == CSV_UTF8 &&
            PyUnicode_GET_LENGTH(text) > 0 && PyUnicode_READ_CHAR(text, 0) == 0xFEFF) {
            Py_SETREF(text, PyUnicode_Substring(text, 1, PyUnicode_GET_LENGTH(text)));
        }
    }
    if (text == NULL && PyErr_ExceptionMatches(PyExc_UnicodeError)) {
        csv_parser_start(self, state, FIELDS_LINES);
        self->lines_fed++;
        self->failure = PyErr_GetRaisedException();
        Py_XSETREF(self->bad, with_line_end(line));
        if (self->bad == NULL) {
            Py_CLEAR(self->failure);
            PyErr_NoMemory();
        }
    }
    return text;
}
