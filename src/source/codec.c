/* Python's codecs, by name. */
#include "source/codec.h"

#include "compat.h"

PyObject *
codec_name(PyObject *encoding)
{
    PyObject *codecs = PyImport_ImportModule("codecs");
    PyObject *info =
        codecs == NULL ? NULL : PyObject_CallMethod(codecs, "lookup", "O", encoding);
    Py_XDECREF(codecs);
    if (info == NULL) {
        return NULL;
    }
    PyObject *name = NULL;
    int is_text = compat_is_text_encoding(info, encoding);
    if (is_text == 0) {
        PyErr_Format(PyExc_LookupError, "%R is not a text encoding", encoding);
    }
    else if (is_text > 0) {
        name = PyObject_GetAttrString(info, "name");
    }
    Py_DECREF(info);
    if (name != NULL && !PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "codec name must be str, not %.200s",
                     Py_TYPE(name)->tp_name);
        Py_CLEAR(name);
    }
    return name;
}

PyObject *
codec_decode(PyObject *decoder, generators_state *state, PyObject *bytes, bool final)
{
    Py_INCREF(decoder); /* its code may have its owner drop it */
    PyObject *text = PyObject_CallMethodObjArgs(decoder, state->str_decode, bytes,
                                                final ? Py_True : Py_False, NULL);
    Py_DECREF(decoder);
    if (text != NULL && !PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "decoder should return a string result, not '%.200s'",
                     Py_TYPE(text)->tp_name);
        Py_CLEAR(text);
    }
    if (text != NULL && PyUnicode_READY(text) < 0) {
        Py_CLEAR(text);
    }
    return text;
}
