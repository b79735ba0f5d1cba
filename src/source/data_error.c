/* DataError: a ValueError with the place of the error, for data that can't be read.
 *
 * Each format may have a subclass, as CSVError.  There is no state here.  User code runs in
 * the reprs of what a place holds.
 */
#include "source/data_error.h"

#include "runtime/raising.h"

#define TEXT_SHOWN 80 /* characters of the offending text that are kept */

PyDoc_STRVAR(
    error_doc,
    "DataError(*args)\n"
    "--\n\n"
    "Raised for data that can't be read.  Its attributes say where the error is.\n"
    "\n"
    "It is a subclass of ValueError.  An attribute that is unknown is None:\n"
    "\n"
    "    path    path of the file, or the name of the file object\n"
    "    record  number of the record, counted from 1, including blank records\n"
    "    line    number of the physical line with the error, counted from 1\n"
    "    byte    offset of the error in the source, in bytes; for a compressed source,\n"
    "            the offset in the decompressed data, or in the compressed data if that\n"
    "            is damaged\n"
    "    text    the text that can't be read, shortened\n"
    "\n"
    "If another exception caused the error, that is its __cause__.");

static const char *const attributes[] = {"path", "record", "line", "byte", "column", "text"};
static const char *const formats[] = {"%S",      "record %S", "line %S",
                                      "byte %S", "column %R", "%R"};
#define ATTRIBUTES (sizeof attributes / sizeof *attributes)

/* ---- classes ---- */

/* The inherited visitor is that of a static class, whose objects have no type to visit.  This
   one is also called for a class derived in Python, and visits the type for it. */
static int
error_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return ((PyTypeObject *)PyExc_ValueError)->tp_traverse(op, visit, arg);
}

int
data_error_add_attribute(PyObject *type, const char *name, PyObject *value)
{
    int status = PyObject_SetAttrString(type, name, value);
    if (status < 0 && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_NoMemory(); /* 3.14 says this where it has no memory for the name */
    }
    return status;
}

PyObject *
data_error_subclass(const char *name, const char *doc, PyObject *bases,
                    const char *const *names)
{
    PyType_Slot slots[] = {
        {Py_tp_doc, (char *)doc},
        {Py_tp_traverse, error_traverse},
        {Py_tp_clear, ((PyTypeObject *)PyExc_ValueError)->tp_clear},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = name,
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };
    PyObject *error = bases == NULL ? NULL : PyType_FromSpecWithBases(&spec, bases);
    if (error == NULL && !PyErr_Occurred()) {
        PyErr_NoMemory(); /* 3.13 says nothing where it has no memory for a name */
    }
    Py_XDECREF(bases);
    for (; error != NULL && *names != NULL; names++) {
        if (data_error_add_attribute(error, *names, Py_None) < 0) {
            Py_CLEAR(error);
        }
    }
    return error;
}

PyObject *
data_error_type(void)
{
    static const char *const names[] = {"path", "record", "line", "byte", "text", NULL};
    return data_error_subclass("native_generators.DataError", error_doc,
                               PyTuple_Pack(1, PyExc_ValueError), names);
}

/* ---- raising ---- */

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

/* "message (data.csv, record 3, line 4, byte 56, column 'x', 'text')" */
static PyObject *
whole_message(PyObject *message, PyObject *const values[ATTRIBUTES])
{
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
make_error(PyObject *type, const data_place *place, PyObject *message)
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
        error = PyObject_CallOneArg(type, whole);
        Py_DECREF(whole);
    }
    for (i = 0; i < ATTRIBUTES; i++) {
        /* The class has None for what is unknown. */
        if (error != NULL && values[i] != Py_None &&
            PyObject_SetAttrString(error, attributes[i], values[i]) < 0) {
            Py_CLEAR(error);
        }
        Py_XDECREF(values[i]);
    }
    if (error != NULL && place->record_line > 0) {
        PyObject *line = PyLong_FromLongLong(place->record_line);
        if (line == NULL || PyObject_SetAttrString(error, "record_line", line) < 0) {
            Py_CLEAR(error);
        }
        Py_XDECREF(line);
    }
    if (error != NULL && place->problems != NULL &&
        PyObject_SetAttrString(error, "problems", place->problems) < 0) {
        Py_CLEAR(error);
    }
    return error;
}

void
data_error_raise_va(PyObject *type, const data_place *place, const char *format,
                    va_list arguments)
{
    PyObject *cause = PyErr_GetRaisedException();
    PyObject *message = PyUnicode_FromFormatV(format, arguments);
    PyObject *error = message == NULL ? NULL : make_error(type, place, message);
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

void
data_error_raise(PyObject *type, const data_place *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    data_error_raise_va(type, place, format, arguments);
    va_end(arguments);
}

PyObject *
data_error_excerpt(const void *bytes, size_t count)
{
    /* One more than is shown, so that it is seen to be cut; a character has up to 4 bytes. */
    size_t most = 4 * (TEXT_SHOWN + 1);
    return PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)(count < most ? count : most),
                                "backslashreplace");
}
