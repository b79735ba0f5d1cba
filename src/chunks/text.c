#include "chunks/text.h"
#include "source/codec.h"

#include <string.h>

static text_encoding
native_encoding(PyObject *name)
{
    static const struct {
        const char *name;
        text_encoding encoding;
    } native[] = {
        {"utf-8", TEXT_UTF8},
        {"ascii", TEXT_ASCII},
        {"iso8859-1", TEXT_LATIN1},
    };
    for (size_t i = 0; i < sizeof native / sizeof *native; i++) {
        if (PyUnicode_CompareWithASCIIString(name, native[i].name) == 0) {
            return native[i].encoding;
        }
    }
    return TEXT_CODEC;
}

static int
check_handler(const char *errors)
{
    PyObject *handler = PyCodec_LookupError(errors);
    Py_XDECREF(handler);
    return handler == NULL ? -1 : 0;
}

static int
open_codec(text_encoder *self, PyObject *name)
{
    self->encoding = native_encoding(name);
    if (self->encoding == TEXT_CODEC) {
        const char *codec = PyUnicode_AsUTF8(name);
        if (codec == NULL) {
            return -1;
        }
        self->codec = PyCodec_IncrementalEncoder(codec, self->errors);
    }
    return self->encoding == TEXT_CODEC && self->codec == NULL ? -1 : 0;
}

int
text_encoder_open(text_encoder *self, PyObject *encoding, const char *errors)
{
    *self = (text_encoder){.encoding = TEXT_UTF8};
    self->errors = PyMem_Malloc(strlen(errors) + 1);
    if (self->errors == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    strcpy(self->errors, errors);
    if (check_handler(errors) < 0) {
        return -1;
    }
    if (encoding == NULL) {
        return 0;
    }
    PyObject *name = codec_name(encoding);
    if (name == NULL) {
        return -1;
    }
    int status = open_codec(self, name);
    Py_DECREF(name);
    return status;
}

void
text_encoder_close(text_encoder *self)
{
    PyMem_Free(self->errors);
    self->errors = NULL;
    Py_CLEAR(self->codec);
}

int
text_encoder_traverse(text_encoder *self, visitproc visit, void *arg)
{
    Py_VISIT(self->codec);
    return 0;
}

static PyObject *
call_codec(text_encoder *self, PyObject *text, bool final)
{
    PyObject *codec = Py_NewRef(self->codec); /* its code may close the stream */
    PyObject *bytes =
        PyObject_CallMethod(codec, "encode", "OO", text, final ? Py_True : Py_False);
    Py_DECREF(codec);
    if (bytes != NULL && !PyBytes_Check(bytes)) {
        PyErr_Format(PyExc_TypeError, "encoder should return bytes, not '%.200s'",
                     Py_TYPE(bytes)->tp_name);
        Py_CLEAR(bytes);
    }
    return bytes;
}

PyObject *
text_encode(text_encoder *self, PyObject *text)
{
    switch (self->encoding) {
    case TEXT_UTF8:
        return PyUnicode_AsEncodedString(text, "utf-8", self->errors);
    case TEXT_ASCII:
        return PyUnicode_AsEncodedString(text, "ascii", self->errors);
    case TEXT_LATIN1:
        return PyUnicode_AsEncodedString(text, "iso8859-1", self->errors);
    default:
        self->used = true;
        return call_codec(self, text, false);
    }
}

PyObject *
text_encode_end(text_encoder *self)
{
    if (self->codec == NULL || !self->used) {
        return NULL;
    }
    self->used = false;
    PyObject *nothing = PyUnicode_FromStringAndSize(NULL, 0);
    PyObject *bytes = nothing == NULL ? NULL : call_codec(self, nothing, true);
    Py_XDECREF(nothing);
    return bytes;
}
