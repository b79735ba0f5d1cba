/* The type of a column, and the values that it makes of text.
 *
 * core/number.h reads the common spellings.  Any other text is passed to the type itself, so
 * that the value, or the error, is always Python's own.
 *
 * datetime and decimal are imported when a column first needs them.  The C interface of
 * datetime is used if its capsule can be imported; not every subinterpreter can do this.
 * Otherwise the class is called.
 */
#include "csv/row/typed.h"

#include <datetime.h>
#include <string.h>

#include "core/number.h"
#include "core/number_moment.h"
#include "runtime/raising.h"

/* ---- types ---- */

static int
import_once(generators_state *state, PyObject **place, const char *module_name,
            const char *name)
{
    if (generators_late(state, place) != NULL) {
        return 0;
    }
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *value = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    Py_XDECREF(module);
    if (value == NULL) {
        return -1;
    }
    generators_set_late(state, place, value);
    return 0;
}

int
csv_import_dates(generators_state *state)
{
    if (state->datetime_api == NULL) {
        (void)PyDateTimeAPI; /* a static of the header, not used here */
        state->datetime_api = PyCapsule_Import(PyDateTime_CAPSULE_NAME, 0);
        if (state->datetime_api == NULL && raising_forgive_answer() < 0) {
            return -1;
        }
    }
    return import_once(state, &state->date, "datetime", "date") < 0 ||
                   import_once(state, &state->datetime, "datetime", "datetime") < 0
               ? -1
               : 0;
}

int
csv_import_decimal(generators_state *state)
{
    return import_once(state, &state->decimal, "decimal", "Decimal");
}

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
    else if (is_named(type, "datetime", "date") || is_named(type, "datetime", "datetime")) {
        if (csv_import_dates(state) < 0) {
            return -1;
        }
        *kind = type == state->date       ? CSV_AS_DATE
                : type == state->datetime ? CSV_AS_DATETIME
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
        else if (found != NULL) {
            Py_DECREF(arguments);
            return NULL;
        }
        else {
            found = argument;
        }
    }
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

#define MOST_NEW_TYPES 100 /* of one another, in a chain that may be endless */

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

/* The type that a NewType stands for, or else `given`: a new reference or NULL. */
static PyObject *
plain_type(PyObject *given)
{
    PyObject *type = Py_NewRef(given);
    for (int i = 0; i < MOST_NEW_TYPES; i++) {
        int is = is_new_type(type);
        if (is == 0) {
            return type;
        }
        PyObject *below = is < 0 ? NULL : PyObject_GetAttrString(type, "__supertype__");
        Py_DECREF(type);
        if (below == NULL) {
            return NULL;
        }
        type = below;
    }
    Py_DECREF(type);
    PyErr_Format(PyExc_TypeError, "%R is more than %d NewTypes of one another", given,
                 MOST_NEW_TYPES);
    return NULL;
}

static int
refuse_type(PyObject *given, PyObject *column, bool annotation)
{
    PyErr_Format(PyExc_TypeError,
                 annotation ? "column %R: %R is not a type that a field can be converted to; "
                              "give `types` a callable for it"
                            : "types: column %R must have a type or a callable, not %R",
                 column, given);
    return -1;
}

static int
read_plain_type(csv_type *self, generators_state *state, PyObject *type, PyObject *column,
                bool annotation)
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
    if (PyType_Check(type)) {
        if (annotation && type == (PyObject *)&PyBaseObject_Type) {
            self->kind = CSV_AS_READ;
            return 0;
        }
        return library_kind(state, type, &self->kind);
    }
    return annotation || !PyCallable_Check(type) ? refuse_type(type, column, annotation) : 0;
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
              bool annotation)
{
    *self = (csv_type){.kind = CSV_AS_READ, .allows_none = !annotation};
    int any = annotation ? is_any(given) : 0;
    if (any != 0) {
        return any < 0 ? -1 : 0;
    }
    PyObject *one =
        is_union(given) ? without_none(given, &self->allows_none) : Py_NewRef(given);
    if (one == NULL) {
        return PyErr_Occurred() ? -1 : refuse_type(given, column, annotation);
    }
    PyObject *plain = plain_type(one);
    Py_DECREF(one);
    if (plain == NULL) {
        return -1;
    }
    if (read_plain_type(self, state, plain, column, annotation) < 0) {
        Py_DECREF(plain);
        return -1;
    }
    self->given = plain;
    if (self->kind == CSV_AS_STR && plain == given) {
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
new_date(generators_state *state, const number_date_value *v)
{
    PyDateTime_CAPI *api = state->datetime_api;
    if (api != NULL) {
        return api->Date_FromDate(v->year, v->month, v->day, api->DateType);
    }
    return PyObject_CallFunction(state->date, "iii", v->year, v->month, v->day);
}

static PyObject *
new_datetime(generators_state *state, const number_datetime_value *v)
{
    PyDateTime_CAPI *api = state->datetime_api;
    if (api != NULL) {
        return api->DateTime_FromDateAndTime(v->date.year, v->date.month, v->date.day, v->hour,
                                             v->minute, v->second, v->microsecond, Py_None,
                                             api->DateTimeType);
    }
    return PyObject_CallFunction(state->datetime, "iiiiiii", v->date.year, v->date.month,
                                 v->date.day, v->hour, v->minute, v->second, v->microsecond);
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
        return number_date(text, count, &value) == NUMBER_OK ? new_date(state, &value) : NULL;
    }
    case CSV_AS_DATETIME: {
        number_datetime_value value;
        return number_datetime(text, count, &value) == NUMBER_OK ? new_datetime(state, &value)
                                                                 : NULL;
    }
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
    default:
        return PyObject_CallOneArg(type->given, text);
    }
}
