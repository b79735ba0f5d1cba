/* CSVError: a csv.Error and ValueError with the place of the error. */
#include "csv/parse/error.h"

#include <string.h>

#include "runtime/raising.h"

#define TEXT_SHOWN 80 /* characters of the offending text that are kept */

PyDoc_STRVAR(error_doc,
             "Raised for CSV data that can't be read; says where it is.\n\n"
             "It is a csv.Error and a ValueError.  An attribute is None if it is\n"
             "unknown:\n\n"
             "    path    of the file, or the file object's name\n"
             "    record  counted from 1, including the header and blank records\n"
             "    line    physical line, counted from 1, where it was found\n"
             "    byte    offset in the source, in bytes, where it was found\n"
             "    column  name of the column, or its index counted from 0\n"
             "    text    the offending text, shortened\n\n"
             "The exception that it comes from, if there is one, is its __cause__.");

static const char *const attributes[] = {"path", "record", "line", "byte", "column", "text"};
#define ATTRIBUTES (sizeof attributes / sizeof *attributes)

PyObject *
csv_error_type(void)
{
    PyObject *bases = NULL, *names = NULL, *error = NULL;
    PyObject *csv = PyImport_ImportModule(COMPAT_CSV);
    PyObject *csv_error = csv == NULL ? NULL : PyObject_GetAttrString(csv, "Error");
    if (csv_error != NULL) {
        bases = PyTuple_Pack(2, csv_error, PyExc_ValueError);
        names = PyDict_New();
    }
    if (bases != NULL && names != NULL) {
        size_t i = 0;
        while (i < ATTRIBUTES && PyDict_SetItemString(names, attributes[i], Py_None) == 0) {
            i++;
        }
        if (i == ATTRIBUTES) {
            error = PyErr_NewExceptionWithDoc("generators.CSVError", error_doc, bases, names);
        }
    }
    Py_XDECREF(csv);
    Py_XDECREF(csv_error);
    Py_XDECREF(bases);
    Py_XDECREF(names);
    return error;
}

static PyObject *
number_or_none(int64_t number)
{
    return number < 0 ? Py_NewRef(Py_None) : PyLong_FromLongLong(number);
}

static PyObject *
shortened(PyObject *text)
{
    if (text == NULL) {
        return Py_NewRef(Py_None);
    }
    if (!PyUnicode_Check(text) || PyUnicode_GET_LENGTH(text) <= TEXT_SHOWN) {
        return Py_NewRef(text);
    }
    PyObject *start = PyUnicode_Substring(text, 0, TEXT_SHOWN);
    if (start == NULL) {
        return NULL;
    }
    PyObject *shown = PyUnicode_FromFormat("%U...", start);
    Py_DECREF(start);
    return shown;
}

/* "message (data.csv, record 3, line 4, byte 56, column 'x': 'text')" */
static PyObject *
whole_message(PyObject *message, PyObject *const values[ATTRIBUTES])
{
    static const char *const formats[ATTRIBUTES] = {"%S",      "record %S", "line %S",
                                                    "byte %S", "column %R", "%R"};
    PyObject *parts = PyList_New(0);
    if (parts == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        if (values[i] == Py_None) {
            continue;
        }
        PyObject *part = PyUnicode_FromFormat(formats[i], values[i]);
        int status = part == NULL ? -1 : PyList_Append(parts, part);
        Py_XDECREF(part);
        if (status < 0) {
            Py_DECREF(parts);
            return NULL;
        }
    }
    PyObject *whole = NULL;
    PyObject *comma = PyUnicode_FromString(", ");
    PyObject *place = comma == NULL ? NULL : PyUnicode_Join(comma, parts);
    if (place != NULL) {
        whole = PyList_GET_SIZE(parts) == 0 ? Py_NewRef(message)
                                            : PyUnicode_FromFormat("%U (%U)", message, place);
    }
    Py_DECREF(parts);
    Py_XDECREF(comma);
    Py_XDECREF(place);
    return whole;
}

static PyObject *
make_error(generators_state *state, const csv_place *place, PyObject *message)
{
    PyObject *error = NULL, *whole = NULL;
    PyObject *values[ATTRIBUTES] = {
        place->path == NULL ? Py_NewRef(Py_None) : Py_NewRef(place->path),
        number_or_none(place->record),
        number_or_none(place->line),
        number_or_none(place->byte),
        place->column == NULL ? Py_NewRef(Py_None) : Py_NewRef(place->column),
        shortened(place->text),
    };
    size_t i = 0;
    while (i < ATTRIBUTES && values[i] != NULL) {
        i++;
    }
    if (i == ATTRIBUTES) {
        whole = whole_message(message, values);
    }
    if (whole != NULL) {
        error = PyObject_CallOneArg(state->csv_error, whole);
        Py_DECREF(whole);
    }
    for (i = 0; i < ATTRIBUTES; i++) {
        if (error != NULL && PyObject_SetAttrString(error, attributes[i], values[i]) < 0) {
            Py_CLEAR(error);
        }
        Py_XDECREF(values[i]);
    }
    return error;
}

void
csv_raise(generators_state *state, const csv_place *place, const char *format, ...)
{
    PyObject *cause = PyErr_GetRaisedException();
    va_list arguments;
    va_start(arguments, format);
    PyObject *message = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    PyObject *error = message == NULL ? NULL : make_error(state, place, message);
    Py_XDECREF(message);
    if (error == NULL) {
        raising_chain(cause); /* the context of the exception that was raised instead */
        return;
    }
    if (cause != NULL) {
        PyException_SetContext(error, Py_NewRef(cause));
        PyException_SetCause(error, cause);
    }
    PyErr_SetRaisedException(error);
}
