/* What is said of bytes that are no text of an encoding: see undecodable.h.
 *
 * An encoding is named if it reads the line with the wrong bytes, or the part of it that is
 * known.  There is no state.  User code runs in codecs that the user registered.
 */
#include "source/undecodable.h"

#include <string.h>

#include "runtime/raising.h"

#define LINE_SEEN 2000 /* bytes on each side of the wrong ones that are tried */
#define NAMED_MOST 3   /* encodings */

/* By how much their text says when they read bytes that another one does not. */
static const char *const candidates[] = {
    "utf-8", "shift_jis", "gb18030", "cp1252", "latin-1",
};

static bool
undecodable_ends_line(uint8_t c)
{
    return c == '\n' || c == '\r';
}

/* Whether the encoding reads the bytes.  1, 0 or -1. */
static int
undecodable_is_read(const char *encoding, const uint8_t *bytes, size_t count)
{
    PyObject *text = PyUnicode_Decode((const char *)bytes, (Py_ssize_t)count, encoding, NULL);
    if (text == NULL) {
        return raising_forgive(PyExc_UnicodeError);
    }
    Py_DECREF(text);
    return 1;
}

/* Encodings of several bytes read most bytes in some way, if there are few. */
static bool
undecodable_is_likely(const char *encoding, const uint8_t *bytes, size_t count)
{
    size_t high = 0, alone = 0;
    if (strcmp(encoding, "shift_jis") != 0 && strcmp(encoding, "gb18030") != 0) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] >= 0x80) {
            high++;
            alone +=
                (i == 0 || bytes[i - 1] < 0x80) && (i + 1 == count || bytes[i + 1] < 0x80);
        }
    }
    return high >= 4 && alone * 4 < high;
}

/* Append the names of encodings that read the bytes to a message, which is stolen.  A new
   reference, or NULL. */
static PyObject *
undecodable_name_others(PyObject *message, PyObject *encoding, const uint8_t *bytes,
                        size_t count)
{
    int named = 0;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(candidates) && named < NAMED_MOST; i++) {
        const char *name = candidates[i];
        if (PyUnicode_CompareWithASCIIString(encoding, name) == 0 ||
            !undecodable_is_likely(name, bytes, count)) {
            continue;
        }
        int is = undecodable_is_read(name, bytes, count);
        PyObject *longer =
            is <= 0      ? NULL
            : named == 0 ? PyUnicode_FromFormat("%U; it can be read as '%s'", message, name)
                         : PyUnicode_FromFormat("%U, '%s'", message, name);
        if (is != 0) {
            Py_DECREF(message);
            message = longer;
            named++;
        }
        if (message == NULL) {
            return NULL;
        }
    }
    return message;
}

PyObject *
undecodable_message(const undecodable *self, PyObject *encoding, PyObject *error)
{
    const size_t at = self->at;
    size_t begin = at, end = at;
    while (begin > 0 && !undecodable_ends_line(self->bytes[begin - 1])) {
        begin--;
    }
    while (end < self->count && end - at < LINE_SEEN &&
           !undecodable_ends_line(self->bytes[end])) {
        end++;
    }
    PyObject *message;
    if (at >= self->count) {
        message = PyUnicode_FromFormat("the source is not valid %U", encoding);
    }
    else if (begin > 0 || self->begins_line) {
        message =
            PyUnicode_FromFormat("the source is not valid %U: byte 0x%x is at offset %zu "
                                 "of the line",
                                 encoding, self->bytes[at], at - begin);
    }
    else {
        message = PyUnicode_FromFormat("the source is not valid %U: byte 0x%x", encoding,
                                       self->bytes[at]);
    }
    if (message == NULL || at >= self->count ||
        !PyObject_TypeCheck(error, (PyTypeObject *)PyExc_UnicodeDecodeError)) {
        return message;
    }
    begin = at - begin > LINE_SEEN ? at - LINE_SEEN : begin;
    return undecodable_name_others(message, encoding, self->bytes + begin, end - begin);
}

PyObject *
undecodable_message_of(PyObject *encoding, PyObject *error)
{
    Py_ssize_t start = 0;
    PyObject *object = NULL;
    undecodable found = {(const uint8_t *)"", 0, 0, false};
    if (PyObject_TypeCheck(error, (PyTypeObject *)PyExc_UnicodeDecodeError)) {
        object = PyUnicodeDecodeError_GetObject(error);
        if (object == NULL || PyUnicodeDecodeError_GetStart(error, &start) < 0) {
            Py_XDECREF(object);
            return NULL;
        }
        found.bytes = (const uint8_t *)PyBytes_AS_STRING(object);
        found.count = (size_t)PyBytes_GET_SIZE(object);
        found.at = start < 0 ? 0 : (size_t)start;
    }
    PyObject *message = undecodable_message(&found, encoding, error);
    Py_XDECREF(object);
    return message;
}
