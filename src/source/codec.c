/* The codecs of Python, by name. */
#include "source/codec.h"

#include "runtime/raising.h"

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
    PyObject *is_text = PyObject_GetAttrString(info, "_is_text_encoding");
    if (is_text == NULL && raising_forgive(PyExc_AttributeError) < 0) {
        Py_DECREF(info);
        return NULL;
    }
    if (is_text == Py_False) {
        PyErr_Format(PyExc_LookupError, "%R is not a text encoding", encoding);
    }
    else {
        name = PyObject_GetAttrString(info, "name");
    }
    Py_XDECREF(is_text);
    Py_DECREF(info);
    if (name != NULL && !PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "codec name must be str, not %.200s",
                     Py_TYPE(name)->tp_name);
        Py_CLEAR(name);
    }
    return name;
}
