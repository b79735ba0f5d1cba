/* csv_formats: how values are written, where that is not as csv.writer does.
 *
 * Each parameter that is not given leaves its values to str().  What pandas has in place of
 * None (NaT, NA, and NaT of numpy) is written as None in any case.  NaN is a float that
 * csv.writer writes as "nan", so it is written as None only if the text of None was given, or
 * if the float comes out of a frame of pandas.
 *
 * Types of numpy and pandas are known by their names, so that neither is imported.
 *
 * The owner of the struct owns what it holds.  User code runs in str(), isoformat() and
 * strftime() of values.
 */
#include "csv/write/formats.h"

#include <math.h>
#include <string.h>

#include "csv/write/formula.h"

#define MOST_PRECISION 350 /* what a float has before and after its point, about */

/* ---- parameters ---- */

static bool
is_given(PyObject *value)
{
    return value != NULL && value != Py_None;
}

/* Read a text: 0 with *text NULL if it is not given, or an exact str; or -1. */
static int
read_text(PyObject *given, const char *name, PyObject **text)
{
    if (!is_given(given)) {
        return 0;
    }
    if (!PyUnicode_Check(given)) {
        PyErr_Format(PyExc_TypeError, "%s must be a str or None, not '%.200s'", name,
                     Py_TYPE(given)->tp_name);
        return -1;
    }
    *text = PyUnicode_FromObject(given);
    return *text == NULL || PyUnicode_READY(*text) < 0 ? -1 : 0;
}

/* Read a format such as ".2f", "%.3e" or "+g".  False if it is another. */
static bool
parse_float_format(csv_formats *self, const char *at)
{
    at += *at == '%';
    self->float_flags = *at == '+' ? Py_DTSF_SIGN : 0;
    at += *at == '+';
    self->float_precision = 6;
    if (*at == '.') {
        const char *digits = ++at;
        for (self->float_precision = 0; *at >= '0' && *at <= '9'; at++) {
            self->float_precision = 10 * self->float_precision + (*at - '0');
            if (self->float_precision > MOST_PRECISION) {
                return false;
            }
        }
        if (at == digits) {
            return false;
        }
    }
    self->float_type = *at;
    return *at != '\0' && strchr("eEfFgG", *at) != NULL && at[1] == '\0';
}

static int
read_float_format(csv_formats *self, PyObject *given)
{
    PyObject *text = NULL;
    if (read_text(given, "float_format", &text) < 0) {
        Py_XDECREF(text);
        return -1;
    }
    if (text == NULL) {
        return 0;
    }
    Py_ssize_t count;
    const char *format = PyUnicode_AsUTF8AndSize(text, &count);
    int status = format == NULL ? -1 : 0;
    if (format != NULL &&
        (strlen(format) != (size_t)count || !parse_float_format(self, format))) {
        PyErr_Format(PyExc_ValueError,
                     "float_format must be a format such as '.2f', '%%.3e' or '+g', with a "
                     "precision of %d at most, not %R",
                     MOST_PRECISION, text);
        status = -1;
    }
    Py_DECREF(text);
    return status;
}

static int
read_datetime_format(csv_formats *self, PyObject *given)
{
    if (!is_given(given)) {
        return 0;
    }
    PyObject *module = NULL;
    if (read_text(given, "datetime_format", &self->moments) == 0) {
        module = PyImport_ImportModule("datetime");
    }
    if (module == NULL) {
        return -1;
    }
    self->datetime = PyObject_GetAttrString(module, "datetime");
    Py_DECREF(module);
    if (self->datetime == NULL) {
        return -1;
    }
    if (PyUnicode_CompareWithASCIIString(self->moments, "iso") == 0) {
        Py_CLEAR(self->moments);
    }
    else if (PyUnicode_FindChar(self->moments, '%', 0, PyUnicode_GET_LENGTH(self->moments),
                                1) < 0) {
        PyErr_Format(PyExc_ValueError,
                     "datetime_format must be 'iso' or a format of strftime(), not %R",
                     self->moments);
        return -1;
    }
    return 0;
}

static int
read_decimal(csv_formats *self, PyObject *given)
{
    if (!is_given(given)) {
        return 0;
    }
    if (!PyUnicode_Check(given)) {
        PyErr_Format(PyExc_TypeError, "decimal must be '.' or ',', not '%.200s'",
                     Py_TYPE(given)->tp_name);
        return -1;
    }
    self->comma = PyUnicode_CompareWithASCIIString(given, ",") == 0;
    if (!self->comma && PyUnicode_CompareWithASCIIString(given, ".") != 0) {
        PyErr_Format(PyExc_ValueError, "decimal must be '.' or ',', not %R", given);
        return -1;
    }
    return 0;
}

int
csv_formats_open(csv_formats *self, const csv_given_formats *given)
{
    if (read_text(given->null, "null", &self->null) < 0 ||
        read_text(given->yes, "true", &self->yes) < 0 ||
        read_text(given->no, "false", &self->no) < 0 ||
        read_float_format(self, given->float_format) < 0 ||
        read_datetime_format(self, given->datetime_format) < 0) {
        return -1;
    }
    self->nan_is_null = self->null != NULL;
    return read_decimal(self, given->decimal);
}

void
csv_formats_close(csv_formats *self)
{
    Py_CLEAR(self->null);
    Py_CLEAR(self->yes);
    Py_CLEAR(self->no);
    Py_CLEAR(self->datetime);
    Py_CLEAR(self->moments);
}

int
csv_formats_traverse(const csv_formats *self, visitproc visit, void *arg)
{
    Py_VISIT(self->datetime);
    return 0;
}

/* ---- floats ---- */

void
csv_formats_set_point(const csv_formats *self, char *text, size_t count)
{
    char *point = self->comma ? memchr(text, '.', count) : NULL;
    if (point != NULL) {
        *point = ',';
    }
}

int
csv_formats_float(const csv_formats *self, double value, csv_number *number)
{
    number->owned = NULL;
    if (self->nan_is_null && isnan(value)) {
        return 0;
    }
    char *text = number->room;
    number->count = self->float_type == 0 ? spell_double(value, text) : 0;
    if (number->count == 0) {
        bool has_format = self->float_type != 0;
        text = PyOS_double_to_string(value, has_format ? self->float_type : 'r',
                                     has_format ? self->float_precision : 0,
                                     has_format ? self->float_flags : Py_DTSF_ADD_DOT_0, NULL);
        if (text == NULL) {
            return -1;
        }
        number->owned = text;
        number->count = strlen(text);
    }
    csv_formats_set_point(self, text, number->count);
    number->text = text;
    return 1;
}

void
csv_number_free(csv_number *number)
{
    PyMem_Free(number->owned);
}

/* ---- other values ---- */

static bool
has_prefix(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Whether the name of a type ends with this one, after a dot or alone. */
static bool
has_name(const char *name, const char *last)
{
    const char *dot = strrchr(name, '.');
    return strcmp(dot == NULL ? name : dot + 1, last) == 0;
}

static bool
is_equal(PyObject *text, const char *ascii)
{
    return PyUnicode_CompareWithASCIIString(text, ascii) == 0;
}

/* Whether a value is written as None: its type, and its text. */
static bool
is_null(const csv_formats *self, PyObject *value, PyObject *text)
{
    const char *name = Py_TYPE(value)->tp_name;
    switch (PyUnicode_GET_LENGTH(text)) {
    case 3:
        if (is_equal(text, "NaT")) {
            return has_name(name, "NaTType") || has_prefix(name, "numpy.datetime64") ||
                   has_prefix(name, "numpy.timedelta64");
        }
        return self->nan_is_null && PyNumber_Check(value) &&
               (is_equal(text, "nan") || is_equal(text, "NaN"));
    case 4:
        return is_equal(text, "<NA>") && has_name(name, "NAType");
    default:
        return false;
    }
}

/* A text of a number with its decimal point as it is asked for: steals and returns a
   reference, or NULL. */
static PyObject *
set_point(const csv_formats *self, PyObject *value, PyObject *text)
{
    if (!self->comma || !PyNumber_Check(value) || !PyUnicode_IS_ASCII(text) ||
        !csv_formula_is_number((const char *)PyUnicode_1BYTE_DATA(text),
                               (size_t)PyUnicode_GET_LENGTH(text))) {
        return text;
    }
    Py_ssize_t count = PyUnicode_GET_LENGTH(text);
    PyObject *changed = PyUnicode_New(count, 127);
    if (changed != NULL) {
        char *units = (char *)PyUnicode_1BYTE_DATA(changed);
        memcpy(units, PyUnicode_1BYTE_DATA(text), (size_t)count);
        csv_formats_set_point(self, units, (size_t)count);
    }
    Py_DECREF(text);
    return changed;
}

/* The text of a datetime as it is asked for: a new reference, or NULL. */
static PyObject *
moment_text(const csv_formats *self, PyObject *value)
{
    PyObject *text = self->moments == NULL
                         ? PyObject_CallMethod(value, "isoformat", NULL)
                         : PyObject_CallMethod(value, "strftime", "O", self->moments);
    if (text != NULL && !PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "%s() should have returned a str, not '%.200s'",
                     self->moments == NULL ? "isoformat" : "strftime", Py_TYPE(text)->tp_name);
        Py_CLEAR(text);
    }
    return text;
}

/* The text of a datetime64 of numpy by strftime(): a new reference, or NULL. */
static PyObject *
moment64_text(const csv_formats *self, PyObject *value)
{
    PyObject *whole = PyObject_CallMethod(value, "astype", "s", "datetime64[us]");
    PyObject *moment = whole == NULL ? NULL : PyObject_CallMethod(whole, "item", NULL);
    PyObject *text = moment == NULL ? NULL : moment_text(self, moment);
    Py_XDECREF(whole);
    Py_XDECREF(moment);
    return text;
}

/* The text of a float that is not exactly one: 1, 0 or -1 as for csv_formats_text(). */
static int
float_text(const csv_formats *self, PyObject *value, PyObject **text)
{
    csv_number number;
    double content = PyFloat_AsDouble(value);
    if (content == -1.0 && PyErr_Occurred()) {
        return -1;
    }
    int status = csv_formats_float(self, content, &number);
    if (status > 0) {
        *text = PyUnicode_FromStringAndSize(number.text, (Py_ssize_t)number.count);
        csv_number_free(&number);
        status = *text == NULL ? -1 : 1;
    }
    return status;
}

int
csv_formats_text(const csv_formats *self, PyObject *value, PyObject **text)
{
    const char *name = Py_TYPE(value)->tp_name;
    if (self->float_type != 0 && (PyFloat_Check(value) || has_prefix(name, "numpy.float"))) {
        return float_text(self, value, text);
    }
    int is_moment = 0;
    if (self->datetime != NULL && !has_name(name, "NaTType")) {
        is_moment = PyObject_IsInstance(value, self->datetime);
        if (is_moment < 0) {
            return -1;
        }
    }
    *text = is_moment ? moment_text(self, value) : PyObject_Str(value);
    if (*text == NULL || PyUnicode_READY(*text) < 0) {
        Py_CLEAR(*text);
        return -1;
    }
    if (is_null(self, value, *text)) {
        Py_CLEAR(*text);
        return 0;
    }
    if (self->moments != NULL && has_prefix(name, "numpy.datetime64")) {
        PyObject *plain = *text;
        *text = moment64_text(self, value);
        Py_DECREF(plain);
    }
    else if (has_prefix(name, "numpy.bool")) {
        PyObject *given = is_equal(*text, "True") ? self->yes : self->no;
        if (given != NULL) {
            Py_SETREF(*text, Py_NewRef(given));
        }
    }
    else {
        *text = set_point(self, value, *text);
    }
    return *text == NULL ? -1 : 1;
}
