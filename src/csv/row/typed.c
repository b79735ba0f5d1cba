/* The type of a column, and the values that it makes of text.
 *
 * core/number.h reads the common spellings.  Any other text is passed to the type itself, so
 * that the value, or the error, is always Python's own.
 */
#include "csv/row/typed.h"

#include <string.h>

#include "core/number.h"
#include "core/number_moment.h"
#include "csv/row/converter.h"
#include "csv/row/library.h"
#include "runtime/callables.h"
#include "runtime/raising.h"

/* ---- types ---- */

/* Whether a type has the name of a class of the standard library.  If an interpreter cannot
   import the C module, the class is written in Python, and its name has no module. */
static bool
is_named(PyObject *type, const char *module_name, const char *name)
{
    const char *given = ((PyTypeObject *)type)->tp_name;
    size_t length = strlen(module_name);
    if (strncmp(given, module_name, length) == 0 && given[length] == '.') {
        given += length + 1;
    }
    return strcmp(given, name) == 0;
}

/* Set *kind if the type is a class of the standard library.  The module is imported only for a
   type of that name.  0 or -1. */
static int
library_kind(generators_state *state, PyObject *type, csv_kind *kind)
{
    if (is_named(type, "decimal", "Decimal")) {
        if (csv_import_decimal(state) < 0) {
            return -1;
        }
        *kind = type == state->decimal ? CSV_AS_DECIMAL : *kind;
    }
    else if (is_named(type, "datetime", "date") || is_named(type, "datetime", "datetime") ||
             is_named(type, "datetime", "time")) {
        if (csv_import_dates(state) < 0) {
            return -1;
        }
        *kind = type == state->date       ? CSV_AS_DATE
                : type == state->datetime ? CSV_AS_DATETIME
                : type == state->time     ? CSV_AS_TIME
                                          : *kind;
    }
    return 0;
}

/* The type X of `X | None`: a new reference; NULL without an exception set for a union of
   several types. */
static PyObject *
without_none(PyObject *given, bool *allows_none)
{
    PyObject *typing = PyImport_ImportModule("typing");
    PyObject *arguments = NULL, *found = NULL;
    bool several = false;
    if (typing != NULL) {
        arguments = PyObject_CallMethod(typing, "get_args", "O", given);
        Py_DECREF(typing);
    }
    if (arguments == NULL || !PyTuple_Check(arguments)) {
        Py_XDECREF(arguments);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(arguments); i++) {
        PyObject *argument = PyTuple_GET_ITEM(arguments, i);
        if (argument == (PyObject *)Py_TYPE(Py_None)) {
            *allows_none = true;
        }
        else {
            several |= found != NULL;
            found = argument;
        }
    }
    found = several ? NULL : found;
    Py_XINCREF(found);
    Py_DECREF(arguments);
    return found;
}

/* Whether `given` is a union: types.UnionType, or the class of typing.Union.  In 3.14 they are
 * the same.
 */
static bool
is_union(PyObject *given)
{
    const char *name = Py_TYPE(given)->tp_name;
    return strcmp(name, "types.UnionType") == 0 || strcmp(name, "typing.Union") == 0 ||
           strcmp(name, "_UnionGenericAlias") == 0;
}

/* Whether `given` is a typing.Annotated[...]. */
static bool
is_annotated(PyObject *given)
{
    return strcmp(Py_TYPE(given)->tp_name, "_AnnotatedAlias") == 0;
}

/* The type X of Annotated[X, ...], or the converter among what stands after it.  That X may be
   None is noted either way.  A new reference or NULL. */
static PyObject *
without_notes(generators_state *state, PyObject *given, bool *allows_none)
{
    PyObject *notes = PyObject_GetAttrString(given, "__metadata__");
    PyObject *type = notes == NULL ? NULL : PyObject_GetAttrString(given, "__origin__");
    PyObject *converter = NULL;
    for (Py_ssize_t i = 0; type != NULL && PyTuple_Check(notes) && i < PyTuple_GET_SIZE(notes);
         i++) {
        if (csv_converter_check(state, PyTuple_GET_ITEM(notes, i))) {
            converter = Py_NewRef(PyTuple_GET_ITEM(notes, i));
            break;
        }
    }
    Py_XDECREF(notes);
    if (converter == NULL) {
        return type;
    }
    PyObject *one = is_union(type) ? without_none(type, allows_none) : NULL;
    Py_DECREF(type);
    Py_XDECREF(one);
    if (PyErr_Occurred()) {
        Py_CLEAR(converter);
    }
    return converter;
}

/* Whether `given` is a typing.NewType: 1, 0 or -1.  Any other object may have any
   attribute. */
static int
is_new_type(PyObject *given)
{
    if (!is_named((PyObject *)Py_TYPE(given), "typing", "NewType")) {
        return 0;
    }
    PyObject *typing = PyImport_ImportModule("typing");
    PyObject *type = typing == NULL ? NULL : PyObject_GetAttrString(typing, "NewType");
    int same = type == NULL ? -1 : (PyObject *)Py_TYPE(given) == type;
    Py_XDECREF(typing);
    Py_XDECREF(type);
    return same;
}

#define MOST_LAYERS 100 /* of one another, in a chain that may be endless */

/* Replace *type by what is within a union with None, an Annotated or a NewType.  1; 0 if it is
   none of them; or -1, with *type NULL and no exception set for a union of several types. */
static int
unwrap_type(generators_state *state, PyObject **type, bool *allows_none)
{
    PyObject *given = *type;
    int is = is_union(given) || is_annotated(given) ? 1 : is_new_type(given);
    if (is == 0) {
        return 0;
    }
    *type = is < 0                ? NULL
            : is_union(given)     ? without_none(given, allows_none)
            : is_annotated(given) ? without_notes(state, given, allows_none)
                                  : PyObject_GetAttrString(given, "__supertype__");
    Py_DECREF(given);
    return *type == NULL ? -1 : 1;
}

/* The type that is within all of them: a new reference.  NULL as unwrap_type() leaves it. */
static PyObject *
plain_type(generators_state *state, PyObject *given, bool *allows_none)
{
    PyObject *type = Py_NewRef(given);
    for (int i = 0; i < MOST_LAYERS; i++) {
        if (unwrap_type(state, &type, allows_none) <= 0) {
            return type;
        }
    }
    Py_DECREF(type);
    PyErr_Format(PyExc_TypeError, "%R is more than %d NewTypes of one another", given,
                 MOST_LAYERS);
    return NULL;
}

/* Raise TypeError, or take it as text. */
static int
refuse_type(csv_type *self, PyObject *given, PyObject *column, csv_type_origin origin)
{
    if (origin == CSV_TYPE_LOOSE) {
        self->kind = CSV_AS_STR;
        return 0;
    }
    PyErr_Format(PyExc_TypeError,
                 origin == CSV_TYPE_HINT
                     ? "column %R: %R is not a type that a field can be converted to; "
                       "give `types` a callable for it"
                     : "types: column %R must have a type or a callable, not %R",
                 column, given);
    return -1;
}

static int
read_converter(csv_type *self, generators_state *state, PyObject *converter)
{
    self->kind =
        csv_converter_rule(converter)->kind == CONVERT_STRIP ? CSV_AS_STRIP : CSV_AS_CONVERTER;
    return csv_converter_prepare(state, converter);
}

static int
read_class(csv_type *self, generators_state *state, PyObject *type, csv_type_origin origin)
{
    /* Not static: on Windows the address of what another library has is no constant. */
    const struct {
        PyTypeObject *type;
        csv_kind kind;
    } builtin_kinds[] = {
        {&PyUnicode_Type, CSV_AS_STR}, {&PyLong_Type, CSV_AS_INT},
        {&PyFloat_Type, CSV_AS_FLOAT}, {&PyBool_Type, CSV_AS_BOOL},
        {&PyBytes_Type, CSV_AS_BYTES},
    };
    self->kind = CSV_AS_CALL;
    for (size_t i = 0; i < sizeof builtin_kinds / sizeof *builtin_kinds; i++) {
        if (type == (PyObject *)builtin_kinds[i].type) {
            self->kind = builtin_kinds[i].kind;
        }
    }
    if (origin != CSV_TYPE_GIVEN && type == (PyObject *)&PyBaseObject_Type) {
        self->kind = CSV_AS_READ;
        return 0;
    }
    if (library_kind(state, type, &self->kind) < 0) {
        return -1;
    }
    if (self->kind == CSV_AS_CALL && origin == CSV_TYPE_LOOSE) {
        self->kind = CSV_AS_STR;
    }
    return 0;
}

static int
read_plain_type(csv_type *self, generators_state *state, PyObject *type, PyObject *column,
                csv_type_origin origin)
{
    if (csv_converter_check(state, type)) {
        return read_converter(self, state, type);
    }
    if (PyType_Check(type)) {
        return read_class(self, state, type, origin);
    }
    self->kind = CSV_AS_CALL;
    return origin != CSV_TYPE_GIVEN || !PyCallable_Check(type)
               ? refuse_type(self, type, column, origin)
               : callables_refuse_async(type, "types");
}

static int
is_any(PyObject *given)
{
    PyObject *typing = PyImport_ImportModule("typing");
    PyObject *any = typing == NULL ? NULL : PyObject_GetAttrString(typing, "Any");
    int same = any == NULL ? -1 : any == given;
    Py_XDECREF(typing);
    Py_XDECREF(any);
    return same;
}

int
csv_type_read(csv_type *self, generators_state *state, PyObject *given, PyObject *column,
              csv_type_origin origin)
{
    *self = (csv_type){.kind = CSV_AS_READ, .allows_none = origin == CSV_TYPE_GIVEN};
    PyObject *plain = plain_type(state, given, &self->allows_none);
    if (plain == NULL) {
        return PyErr_Occurred() ? -1 : refuse_type(self, given, column, origin);
    }
    int any = origin != CSV_TYPE_GIVEN ? is_any(plain) : 0;
    if (any != 0) {
        Py_DECREF(plain);
        return any < 0 ? -1 : 0;
    }
    if (read_plain_type(self, state, plain, column, origin) < 0) {
        Py_DECREF(plain);
        return -1;
    }
    self->given = plain;
    if ((self->kind == CSV_AS_STR || self->kind == CSV_AS_STRIP) && plain == given) {
        self->allows_none = false; /* every text is a str */
    }
    return 0;
}

int
csv_value_is_acyclic(generators_state *state, PyObject *value)
{
    if (!PyObject_IS_GC(value)) {
        return 1;
    }
    csv_kind kind = CSV_AS_CALL;
    if (library_kind(state, (PyObject *)Py_TYPE(value), &kind) < 0) {
        return -1;
    }
    return kind == CSV_AS_DECIMAL;
}

/* ---- values ---- */

static PyObject *
quick_time(generators_state *state, const uint8_t *text, size_t count)
{
    int64_t micro;
    if (number_time(text, count, &micro) != NUMBER_OK) {
        return NULL;
    }
    const int seconds = (int)(micro / 1000000);
    const number_datetime_value value = {.hour = seconds / 3600,
                                         .minute = seconds / 60 % 60,
                                         .second = seconds % 60,
                                         .microsecond = (int)(micro % 1000000)};
    return csv_new_time(state, &value);
}

PyObject *
csv_quick_value(const csv_type *type, generators_state *state, const uint8_t *text,
                size_t count)
{
    switch (type->kind) {
    case CSV_AS_INT: {
        int64_t value;
        return number_int(text, count, &value) == NUMBER_OK ? PyLong_FromLongLong(value)
                                                            : NULL;
    }
    case CSV_AS_FLOAT: {
        double value;
        return number_double(text, count, &value) == NUMBER_OK ? PyFloat_FromDouble(value)
                                                               : NULL;
    }
    case CSV_AS_BOOL: {
        bool value;
        return number_bool(text, count, &value) == NUMBER_OK ? PyBool_FromLong(value) : NULL;
    }
    case CSV_AS_DATE: {
        number_date_value value;
        return number_date(text, count, &value) == NUMBER_OK ? csv_new_date(state, &value)
                                                             : NULL;
    }
    case CSV_AS_DATETIME: {
        number_datetime_value value;
        return number_datetime(text, count, &value) == NUMBER_OK
                   ? csv_new_datetime(state, &value)
                   : NULL;
    }
    case CSV_AS_TIME:
        return quick_time(state, text, count);
    case CSV_AS_CONVERTER:
        return csv_converter_quick(state, type->given, text, count);
    default:
        return NULL;
    }
}

PyObject *
csv_text_value(const csv_type *type, generators_state *state, PyObject *text)
{
    switch (type->kind) {
    case CSV_AS_INT:
        return PyLong_FromUnicodeObject(text, 10);
    case CSV_AS_FLOAT:
        return PyFloat_FromString(text);
    case CSV_AS_BOOL:
        PyErr_Format(PyExc_ValueError, "invalid bool: %R", text);
        return NULL;
    case CSV_AS_DATE:
        return PyObject_CallMethod(state->date, "fromisoformat", "O", text);
    case CSV_AS_DATETIME:
        return PyObject_CallMethod(state->datetime, "fromisoformat", "O", text);
    case CSV_AS_TIME:
        return PyObject_CallMethod(state->time, "fromisoformat", "O", text);
    case CSV_AS_STRIP:
    case CSV_AS_CONVERTER:
        return csv_converter_value(state, type->given, text);
    default:
        return PyObject_CallOneArg(type->given, text);
    }
}
