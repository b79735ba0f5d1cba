/* Decoding: bytes that the parser does not read as they are, and checks of the first bytes.
 *
 * The incremental decoder of a codec turns such bytes into text.  Bytes that it rejects are a
 * fault that comes after the text before them; `bad` then holds the rejected bytes and `rest`
 * those after them.
 *
 * User code runs in codecs and error handlers that the user registered.
 */
#include "csv/parse/decode.h"

#include <string.h>

#include "csv/parse/error.h"
#include "runtime/raising.h"
#include "source/codec.h"

/* ---- encodings ---- */

static bool
decode_is_within(const scan_set *set, uint32_t most)
{
    return (set->delimiter == SCAN_ABSENT || set->delimiter <= most) &&
           (set->quote == SCAN_ABSENT || set->quote <= most) &&
           (set->escape == SCAN_ABSENT || set->escape <= most);
}

static csv_encoding
decode_native_encoding(PyObject *name, const scan_set *set, const char *errors)
{
    if (PyUnicode_CompareWithASCIIString(name, "iso8859-1") == 0) {
        return CSV_LATIN1;
    }
    /* Other error handlers add text that is not in the data. */
    if (strcmp(errors, "strict") == 0 && decode_is_within(set, 0x7F)) {
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

/* Make the incremental decoder of a codec.  For 'utf-8' it is one that drops a byte order
   mark. */
static PyObject *
decode_new_decoder(PyObject *name, const char *errors)
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
    self->encoding = decode_native_encoding(name, &self->dialect.fields.set, errors);
    /* Each step runs only if the one before succeeded: an API that is called with an exception
       set may lose it. */
    int status = (self->encoding_name = PyUnicode_FromObject(encoding)) == NULL || /* exact */
                         (self->errors_name = PyUnicode_FromString(errors)) == NULL ||
                         (self->encoding == CSV_DECODED &&
                          (self->decoder = decode_new_decoder(name, errors)) == NULL)
                     ? -1
                     : 0;
    Py_DECREF(name);
    return status;
}

/* ---- codecs of one byte ---- */

#define NO_CHARACTER 0xFFFF

/* The character of one byte: NO_CHARACTER if the codec rejects it; UINT32_MAX if it gives
   another number of characters than one; or -1 with an exception set. */
static int64_t
decode_byte(PyObject *decoder, generators_state *state, unsigned char byte)
{
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)&byte, 1);
    PyObject *text = bytes == NULL ? NULL : codec_decode(decoder, state, bytes, false);
    Py_XDECREF(bytes);
    if (text == NULL) {
        return raising_forgive(PyExc_UnicodeError) < 0 ? -1 : NO_CHARACTER;
    }
    int64_t character =
        PyUnicode_GET_LENGTH(text) == 1 ? (int64_t)PyUnicode_READ_CHAR(text, 0) : UINT32_MAX;
    Py_DECREF(text);
    return character;
}

/* Decode each byte by itself.  1, 0 if some byte is no character of its own, or -1. */
static int
decode_all_bytes(PyObject *decoder, generators_state *state, uint16_t *characters)
{
    for (int byte = 0; byte < 256; byte++) {
        int64_t character = decode_byte(decoder, state, (unsigned char)byte);
        if (character < 0) {
            return -1;
        }
        if (character > NO_CHARACTER || (byte < 0x80) != (character < 0x80) ||
            (byte < 0x80 && character != byte)) {
            return 0;
        }
        characters[byte] = (uint16_t)character;
    }
    return 1;
}

/* Whether text of all pairs of bytes is that of the bytes.  1, 0 or -1. */
static int
decode_all_pairs(PyObject *decoder, generators_state *state, const uint16_t *characters)
{
    const size_t most = 2 * 256 * 256;
    uint8_t *bytes = PyMem_Malloc(most);
    uint16_t *expected = PyMem_Malloc(most * sizeof *expected);
    size_t count = 0;
    PyObject *pairs = NULL, *text = NULL, *whole = NULL;
    if (bytes == NULL || expected == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (int pair = 0; pair < 256 * 256; pair++) {
        const uint8_t two[2] = {(uint8_t)(pair >> 8), (uint8_t)pair};
        if (characters[two[0]] != NO_CHARACTER && characters[two[1]] != NO_CHARACTER) {
            for (int i = 0; i < 2; i++) {
                bytes[count] = two[i];
                expected[count++] = characters[two[i]];
            }
        }
    }
    pairs = PyBytes_FromStringAndSize((const char *)bytes, (Py_ssize_t)count);
    whole = PyUnicode_FromKindAndData(PyUnicode_2BYTE_KIND, expected, (Py_ssize_t)count);
    text = pairs == NULL || whole == NULL ? NULL : codec_decode(decoder, state, pairs, true);
done:
    PyMem_Free(bytes);
    PyMem_Free(expected);
    int same = text == NULL ? -1 : PyObject_RichCompareBool(text, whole, Py_EQ);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_UnicodeError)) {
        same = raising_forgive(PyExc_UnicodeError);
    }
    Py_XDECREF(pairs);
    Py_XDECREF(whole);
    Py_XDECREF(text);
    return same;
}

/* Look at the codec of that name.  1, 0 or -1. */
static int
decode_is_single_byte(PyObject *name, generators_state *state)
{
    uint16_t characters[256];
    PyObject *decoder = decode_new_decoder(name, "strict");
    int single = decoder == NULL ? -1 : decode_all_bytes(decoder, state, characters);
    single = single > 0 ? decode_all_pairs(decoder, state, characters) : single;
    Py_XDECREF(decoder);
    return single;
}

/* The same, for a codec that was not looked at before: that takes a millisecond. */
static int
decode_recall_single_byte(PyObject *name, generators_state *state)
{
    PyObject *known;
    if (PyDict_GetItemRef(state->csv_single_bytes, name, &known) < 0) {
        return -1;
    }
    if (known != NULL) {
        int single = known == Py_True;
        Py_DECREF(known);
        return single;
    }
    int single = decode_is_single_byte(name, state);
    if (single >= 0 &&
        PyDict_SetItem(state->csv_single_bytes, name, single ? Py_True : Py_False) < 0) {
        return -1;
    }
    return single;
}

int
csv_parser_find_bytes(csv_parser *self, generators_state *state)
{
    if (self->encoding != CSV_DECODED ||
        PyUnicode_CompareWithASCIIString(self->errors_name, "strict") != 0) {
        return 0; /* other error handlers add text that is not in the data */
    }
    PyObject *name = codec_name(self->encoding_name);
    PyObject *exact = name == NULL ? NULL : PyUnicode_FromObject(name);
    Py_XDECREF(name);
    int single = exact == NULL ? -1 : decode_recall_single_byte(exact, state);
    if (single > 0) {
        self->single_byte = Py_NewRef(exact);
    }
    Py_XDECREF(exact);
    return single < 0 ? -1 : 0;
}

/* ---- checks of the first bytes ---- */

int
csv_parser_check_head(csv_parser *self, generators_state *state, const uint8_t *bytes,
                      size_t count)
{
    self->head_checked = true;
    const char *advice = head_advice(bytes, count, self->encoding_name, true);
    if (advice != NULL) {
        data_place place = {.path = self->path, .record = -1, .line = -1};
        csv_raise(state, &place, "the source begins as %s", advice);
        return -1;
    }
    return 0;
}

/* ---- decoding ---- */

/* The decoder's getstate(): a new reference, or NULL. */
static PyObject *
decode_get_state(csv_parser *self)
{
    PyObject *decoder = Py_NewRef(self->decoder);
    PyObject *decoder_state = PyObject_CallMethod(decoder, "getstate", NULL);
    Py_DECREF(decoder);
    return decoder_state;
}

/* The decoder's setstate().  0 or -1. */
static int
decode_set_state(csv_parser *self, PyObject *decoder_state)
{
    PyObject *decoder = Py_NewRef(self->decoder);
    PyObject *done = PyObject_CallMethod(decoder, "setstate", "(O)", decoder_state);
    Py_DECREF(decoder);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Get the bytes that a UnicodeDecodeError is about (*object, a new reference), and which of
   them it rejects.  0, or -1 if a codec made an error without these attributes. */
static int
decode_read_error(PyObject *error, PyObject **object, Py_ssize_t *first, Py_ssize_t *end)
{
    *object = PyUnicodeDecodeError_GetObject(error);
    if (*object == NULL || PyUnicodeDecodeError_GetStart(error, first) < 0 ||
        PyUnicodeDecodeError_GetEnd(error, end) < 0) {
        Py_CLEAR(*object);
        return -1;
    }
    Py_ssize_t size = PyBytes_GET_SIZE(*object);
    *first = *first < 0 ? 0 : *first > size ? size : *first;
    *end = *end < *first ? *first : *end > size ? size : *end;
    return 0;
}

/* Stash the bytes that the decoder rejected, and those after them, from a UnicodeDecodeError.
   *offset is the position in `bytes` where the bytes of the error begin.  They end where
   `bytes` ends, but may begin before `bytes`, with bytes that the decoder had kept.  0 or
   -1. */
static int
decode_stash_bad(csv_parser *self, PyObject *error, PyObject *bytes, Py_ssize_t *offset)
{
    Py_ssize_t first, end;
    PyObject *object;
    if (decode_read_error(error, &object, &first, &end) < 0) {
        return -1;
    }
    const Py_ssize_t size = PyBytes_GET_SIZE(bytes);
    *offset = first - (PyBytes_GET_SIZE(object) - size);
    Py_ssize_t rest = *offset + (end - first);
    rest = rest < 0 ? 0 : rest > size ? size : rest;
    PyObject *bad = PyBytes_FromStringAndSize(PyBytes_AS_STRING(object) + first, end - first);
    PyObject *after = PyBytes_FromStringAndSize(PyBytes_AS_STRING(bytes) + rest, size - rest);
    Py_DECREF(object);
    Py_XSETREF(self->bad, bad);
    Py_XSETREF(self->rest, after);
    return bad == NULL || after == NULL ? -1 : 0;
}

/* Parse the text of the first `count` bytes, which the decoder accepts.  First put the decoder
   back into the state that it was in before them.  0 or -1. */
static int
decode_feed_before(csv_parser *self, generators_state *state, PyObject *decoder_state,
                   PyObject *bytes, Py_ssize_t count)
{
    if (decode_set_state(self, decoder_state) < 0) {
        return -1;
    }
    PyObject *before = PyBytes_FromStringAndSize(PyBytes_AS_STRING(bytes), count);
    PyObject *text = before == NULL ? NULL : codec_decode(self->decoder, state, before, false);
    int status = text == NULL ? -1 : csv_parser_feed_units(self, state, text);
    Py_XDECREF(before);
    Py_XDECREF(text);
    return status;
}

/* The decoder rejected `bytes`.  The error is a fault that comes after the text before it. */
static int
decode_stash_failure(csv_parser *self, generators_state *state, PyObject *decoder_state,
                     PyObject *bytes)
{
    if (!PyErr_ExceptionMatches(PyExc_UnicodeError)) {
        return -1;
    }
    PyObject *error = PyErr_GetRaisedException();
    Py_ssize_t offset = 0;
    int status = 0;
    if (PyObject_TypeCheck(error, (PyTypeObject *)PyExc_UnicodeDecodeError)) {
        status = decode_stash_bad(self, error, bytes, &offset);
    }
    if (status == 0 && offset > 0) {
        status = decode_feed_before(self, state, decoder_state, bytes, offset);
    }
    if (status < 0) {
        raising_chain(error);
        return -1;
    }
    Py_XSETREF(self->failure, error);
    self->failure_byte = self->byte_count - (uint64_t)PyBytes_GET_SIZE(bytes) +
                         (uint64_t)(offset > 0 ? offset : 0);
    return 0;
}

static int
decode_feed(csv_parser *self, generators_state *state, PyObject *bytes, bool final)
{
    PyObject *decoder_state = decode_get_state(self);
    if (decoder_state == NULL) {
        return -1;
    }
    PyObject *text = codec_decode(self->decoder, state, bytes, final);
    int status;
    if (text != NULL) {
        status = csv_parser_feed_units(self, state, text);
        Py_DECREF(text);
    }
    else {
        status = decode_stash_failure(self, state, decoder_state, bytes);
    }
    Py_DECREF(decoder_state);
    return status;
}

/* Drop the bytes that the decoder keeps: they belong to those that it rejected.  0 or -1. */
static int
decode_drop_kept(csv_parser *self)
{
    PyObject *before = decode_get_state(self);
    PyObject *without = NULL;
    if (before != NULL && PyTuple_Check(before) && PyTuple_GET_SIZE(before) == 2) {
        without = Py_BuildValue("(yO)", "", PyTuple_GET_ITEM(before, 1));
    }
    else if (before != NULL) {
        PyErr_SetString(PyExc_TypeError, "illegal decoder state");
    }
    Py_XDECREF(before);
    int status = without == NULL ? -1 : decode_set_state(self, without);
    Py_XDECREF(without);
    return status;
}

int
csv_parser_feed_rest(csv_parser *self, generators_state *state)
{
    PyObject *rest = self->rest;
    self->rest = NULL;
    int status = decode_drop_kept(self);
    if (status == 0) {
        status = decode_feed(self, state, rest, self->finished);
    }
    Py_DECREF(rest);
    return status;
}

int
csv_parser_feed_undecoded(csv_parser *self, generators_state *state, PyObject *bytes,
                          bool final)
{
    if (self->head_checked) {
        return decode_feed(self, state, bytes, final);
    }
    PyObject *head = self->head;
    self->head = NULL;
    if (head == NULL) {
        head = Py_NewRef(bytes);
    }
    else {
        PyBytes_Concat(&head, bytes);
        if (head == NULL) {
            return -1;
        }
    }
    if (!final && head_is_open((const uint8_t *)PyBytes_AS_STRING(head),
                               (size_t)PyBytes_GET_SIZE(head), true)) {
        self->head = head;
        return 0;
    }
    int status = csv_parser_check_head(self, state, (const uint8_t *)PyBytes_AS_STRING(head),
                                       (size_t)PyBytes_GET_SIZE(head));
    if (status == 0) {
        status = decode_feed(self, state, head, final);
    }
    Py_DECREF(head);
    return status;
}

int
csv_parser_end_undecoded(csv_parser *self, generators_state *state)
{
    PyObject *nothing = PyBytes_FromStringAndSize(NULL, 0);
    int status = nothing == NULL ? -1 : csv_parser_feed_undecoded(self, state, nothing, true);
    Py_XDECREF(nothing);
    return status;
}

/* ---- encoding ---- */

static PyObject *
decode_encode(const csv_parser *self, PyObject *text)
{
    const char *errors = PyUnicode_AsUTF8(self->errors_name);
    const char *encoding = errors == NULL ? NULL : PyUnicode_AsUTF8(self->encoding_name);
    if (encoding == NULL) {
        return NULL;
    }
    PyObject *bytes = PyUnicode_AsEncodedString(text, encoding, errors);
    if (bytes == NULL && raising_forgive(PyExc_UnicodeEncodeError) == 0) {
        /* The error handler is for decoding only, or the text never was in the encoding. */
        bytes = PyUnicode_AsEncodedString(text, encoding, "strict");
    }
    return bytes;
}

PyObject *
csv_parser_encode(const csv_parser *self, PyObject *text)
{
    PyObject *bytes = decode_encode(self, text);
    if (bytes == NULL || self->encoding != CSV_DECODED) {
        return bytes;
    }
    /* Some codecs begin with a byte order mark, which is not part of a text within a file. */
    PyObject *nothing = PyUnicode_FromStringAndSize(NULL, 0);
    PyObject *mark = nothing == NULL ? NULL : decode_encode(self, nothing);
    Py_XDECREF(nothing);
    if (mark == NULL) {
        Py_DECREF(bytes);
        return NULL;
    }
    Py_ssize_t count = PyBytes_GET_SIZE(mark);
    if (count > 0 && PyBytes_GET_SIZE(bytes) >= count &&
        memcmp(PyBytes_AS_STRING(bytes), PyBytes_AS_STRING(mark), (size_t)count) == 0) {
        PyObject *rest = PyBytes_FromStringAndSize(PyBytes_AS_STRING(bytes) + count,
                                                   PyBytes_GET_SIZE(bytes) - count);
        Py_DECREF(bytes);
        bytes = rest;
    }
    Py_DECREF(mark);
    return bytes;
}

/* ---- lines of bytes ---- */

int
csv_parser_end_lines(csv_parser *self, generators_state *state)
{
    PyObject *nothing = PyBytes_FromStringAndSize(NULL, 0);
    if (nothing == NULL) {
        return -1;
    }
    PyObject *text = codec_decode(self->decoder, state, nothing, true);
    Py_DECREF(nothing);
    if (text == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeError)) {
            return -1;
        }
        PyObject *error = PyErr_GetRaisedException();
        Py_XSETREF(self->failure, error);
    }
    Py_XDECREF(text);
    return 0;
}

/* The line with its line end, which may be missing, as exact bytes. */
static PyObject *
decode_whole_line(PyObject *line)
{
    Py_ssize_t count = PyBytes_GET_SIZE(line);
    char last = count > 0 ? PyBytes_AS_STRING(line)[count - 1] : '\0';
    PyObject *whole = Py_NewRef(line);
    if (last != '\n' && last != '\r') {
        PyBytes_ConcatAndDel(&whole, PyBytes_FromStringAndSize("\n", 1));
    }
    return whole;
}

/* Decode a line in an encoding that is read natively.  Its codecs keep no part of a line. */
static PyObject *
decode_native_line(const csv_parser *self, PyObject *line)
{
    const char *encoding = PyUnicode_AsUTF8(self->encoding_name);
    PyObject *text =
        encoding == NULL ? NULL : PyUnicode_FromEncodedObject(line, encoding, "strict");
    if (text != NULL && self->lines_fed == 0 && self->encoding == CSV_UTF8 &&
        PyUnicode_GET_LENGTH(text) > 0 && PyUnicode_READ_CHAR(text, 0) == 0xFEFF) {
        PyObject *rest = PyUnicode_Substring(text, 1, PyUnicode_GET_LENGTH(text));
        Py_DECREF(text);
        return rest;
    }
    return text;
}

PyObject *
csv_parser_decode_line(csv_parser *self, generators_state *state, PyObject *line)
{
    PyObject *text = self->encoding == CSV_DECODED
                         ? codec_decode(self->decoder, state, line, false)
                         : decode_native_line(self, line);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_UnicodeError)) {
        PyObject *error = PyErr_GetRaisedException();
        PyObject *bad = decode_whole_line(line);
        if (bad == NULL) {
            Py_DECREF(error);
            return NULL;
        }
        csv_parser_start(self, state, FIELDS_LINES);
        self->lines_fed++;
        Py_XSETREF(self->failure, error);
        Py_XSETREF(self->bad, bad);
    }
    return text;
}
