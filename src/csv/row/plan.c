/* csv_plan: how rows are made, as the user asked for it.
 *
 * States: new, with the parameters checked as far as this is possible without the names; then
 * settled, with a column for each field that is built (see settle.c).
 *
 * Errors in the parameters are TypeError or ValueError.
 */
#include "csv/row/plan.h"

#include "csv/row/plan_inner.h"
#include "runtime/attributes.h"
#include "runtime/callables.h"

/* ---- the parameters ---- */

/* Whether `into` is a NamedTuple class: 1, 0 or -1. */
static int
is_named_tuple(PyObject *into)
{
    if (!PyType_Check(into) || !PyType_IsSubtype((PyTypeObject *)into, &PyTuple_Type)) {
        return 0;
    }
    return attributes_has(into, "_fields");
}

/* Whether `into` is a dataclass: 1, 0 or -1. */
static int
is_dataclass(PyObject *into)
{
    return PyType_Check(into) ? attributes_has(into, "__dataclass_fields__") : 0;
}

/* Whether `into` is a class, or Class[...]: 1, 0 or -1. */
static int
is_class(PyObject *into)
{
    if (PyType_Check(into)) {
        return 1;
    }
    if (PyFunction_Check(into) || PyMethod_Check(into) || PyCFunction_Check(into)) {
        return 0;
    }
    return attributes_has(into, "__origin__");
}

/* What _shapes.py says of a class: a new reference, which is None if it says nothing. */
static PyObject *
describe(PyObject *into)
{
    PyObject *module = PyImport_ImportModule("native_generators._shapes");
    PyObject *described =
        module == NULL ? NULL : PyObject_CallMethod(module, "describe", "O", into);
    Py_XDECREF(module);
    return described;
}

/* Read a callable that may be a class to be called with names.  0 or -1. */
static int
read_described(csv_plan *self, PyObject *into)
{
    PyObject *class, *list;
    int is = is_class(into);
    PyObject *described = is > 0 ? describe(into) : NULL;
    if (described == NULL || described == Py_None) {
        Py_XDECREF(described);
        self->into = CSV_INTO_CALL;
        self->target = Py_NewRef(into);
        return is < 0 || PyErr_Occurred() ? -1 : callables_refuse_async(into, "into");
    }
    int status = -1;
    if (PyArg_ParseTuple(described, "O!O", &PyType_Type, &class, &list)) {
        self->into = CSV_INTO_DATACLASS;
        self->target = Py_NewRef(class);
        status = csv_signature_of_description(&self->signature, list);
    }
    Py_DECREF(described);
    return status;
}

static int
read_class(csv_plan *self, PyObject *into)
{
    int is = is_named_tuple(into);
    if (is > 0) {
        self->into = CSV_INTO_NAMED_TUPLE;
        self->target = Py_NewRef(into);
        return csv_signature_of_named_tuple(&self->signature, into, &self->direct);
    }
    if (is == 0 && (is = is_dataclass(into)) > 0 && (is = csv_dataclass_is_plain(into)) > 0) {
        self->into = CSV_INTO_DATACLASS;
        self->target = Py_NewRef(into);
        return csv_signature_of_dataclass(&self->signature, into, &self->init);
    }
    return is < 0 ? -1 : read_described(self, into);
}

int
csv_into_resolve(PyObject **into)
{
    PyObject *given = *into;
    if (given == NULL || PyType_Check(given) || !PyCallable_Check(given) ||
        PyFunction_Check(given)) {
        Py_XINCREF(given);
        return 0;
    }
    PyObject *class, *list, *described = NULL, *found = NULL;
    int is = is_class(given);
    if (is > 0) {
        described = describe(given);
    }
    if (is == 0 || described == Py_None) {
        found = Py_NewRef(given);
    }
    else if (described != NULL && PyArg_ParseTuple(described, "OO", &class, &list)) {
        found = Py_NewRef(list == Py_None ? class : given);
    }
    Py_XDECREF(described);
    *into = found;
    return found == NULL ? -1 : 0;
}

static int
read_into(csv_plan *self, generators_state *state, PyObject *into)
{
    if (into == NULL || into == (PyObject *)&PyList_Type) {
        self->into = CSV_INTO_LIST;
        return 0;
    }
    if (into == (PyObject *)&PyTuple_Type) {
        self->into = CSV_INTO_TUPLE;
        return 0;
    }
    if (into == (PyObject *)&PyDict_Type) {
        self->into = CSV_INTO_DICT;
        return 0;
    }
    if (into == (PyObject *)state->csv_row_type) {
        self->into = CSV_INTO_ROW;
        return 0;
    }
    if (!PyCallable_Check(into)) {
        PyErr_Format(
            PyExc_TypeError,
            "into must be list, tuple, dict, a NamedTuple or dataclass, or a callable, "
            "not %R",
            into);
        return -1;
    }
    return read_class(self, into);
}

/* A column's name as an exact str, or its index as an exact int that is not negative: a new
   reference, or NULL.  The user's own object is not kept, because it could be part of a cycle
   or run code when it is compared. */
static PyObject *
plain_reference(const char *parameter, PyObject *column)
{
    if (PyUnicode_Check(column)) {
        return PyUnicode_FromObject(column);
    }
    if (!PyLong_Check(column) || PyBool_Check(column)) {
        PyErr_Format(PyExc_TypeError, "%s: a column must be a name or an index, not %R",
                     parameter, column);
        return NULL;
    }
    int overflow;
    long index = PyLong_AsLongAndOverflow(column, &overflow);
    if (overflow != 0 || index < 0 || index >= INT32_MAX) {
        PyErr_Format(PyExc_ValueError, "%s: there is no column %R", parameter, column);
        return NULL;
    }
    return PyLong_FromLong(index);
}

static PyObject *
plain_spelling(const char *parameter, PyObject *spelling)
{
    if (!PyUnicode_Check(spelling)) {
        PyErr_Format(PyExc_TypeError, "%s: a spelling must be str, not %R", parameter,
                     spelling);
        return NULL;
    }
    PyObject *plain = PyUnicode_FromObject(spelling);
    if (plain != NULL && PyUnicode_READY(plain) < 0) {
        Py_CLEAR(plain);
    }
    return plain;
}

/* Make a tuple by calling `plain` on each item of an iterable: a new reference, or NULL. */
static PyObject *
plain_tuple(PyObject *given, const char *parameter,
            PyObject *(*plain)(const char *parameter, PyObject *item))
{
    PyObject *items = PySequence_Tuple(given);
    PyObject *result = items == NULL ? NULL : PyTuple_New(PyTuple_GET_SIZE(items));
    for (Py_ssize_t i = 0; result != NULL && i < PyTuple_GET_SIZE(items); i++) {
        PyObject *item = plain(parameter, PyTuple_GET_ITEM(items, i));
        if (item == NULL) {
            Py_CLEAR(result);
            break;
        }
        PyTuple_SET_ITEM(result, i, item);
    }
    Py_XDECREF(items);
    return result;
}

static int
read_columns(csv_plan *self, PyObject *columns)
{
    if (columns == NULL) {
        return 0;
    }
    if (PyUnicode_Check(columns) || PyBytes_Check(columns)) {
        PyErr_Format(PyExc_TypeError,
                     "columns must be a sequence of names or indices, not %.200s",
                     Py_TYPE(columns)->tp_name);
        return -1;
    }
    if (PyAnySet_Check(columns)) {
        PyErr_Format(
            PyExc_TypeError,
            "columns must be a sequence of names or indices, not %.200s, which has no "
            "order",
            Py_TYPE(columns)->tp_name);
        return -1;
    }
    self->chosen = plain_tuple(columns, "columns", plain_reference);
    return self->chosen == NULL ? -1 : 0;
}

/* A copy of the items of a mapping, as a tuple of tuples: a new reference, or NULL. */
static PyObject *
items_of(PyObject *mapping)
{
    PyObject *dict = PyDict_New();
    PyObject *list = NULL, *items = NULL;
    if (dict != NULL && PyDict_Update(dict, mapping) == 0) {
        list = PyDict_Items(dict);
    }
    if (list != NULL) {
        items = PyList_AsTuple(list);
    }
    Py_XDECREF(dict);
    Py_XDECREF(list);
    return items;
}

/* Check the type of one column and store it.  0 or -1. */
static int
add_type(csv_plan *self, generators_state *state, PyObject *column, PyObject *given)
{
    csv_type type;
    const bool is_default = column == Py_None;
    PyObject *plain = is_default ? Py_NewRef(column) : plain_reference("types", column);
    if (plain == NULL) {
        return -1;
    }
    int status = csv_type_read(&type, state, given, plain, CSV_TYPE_GIVEN);
    if (status == 0) {
        Py_XDECREF(type.given);
    }
    if (status == 0 && is_default) {
        self->default_type = Py_NewRef(given);
    }
    else if (status == 0) {
        status = PyDict_SetItem(self->types, plain, given);
    }
    Py_DECREF(plain);
    return status;
}

static int
read_types(csv_plan *self, generators_state *state, PyObject *types)
{
    if (types == NULL) {
        return 0;
    }
    int is = PyDict_Check(types) ? 1 : attributes_has(types, "keys");
    if (is < 0) {
        return -1;
    }
    if (!is) {
        PyErr_Format(PyExc_TypeError, "types must be a mapping, not %.200s",
                     Py_TYPE(types)->tp_name);
        return -1;
    }
    self->types = PyDict_New();
    PyObject *items = self->types == NULL ? NULL : items_of(types);
    int status = items == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; status == 0 && i < PyTuple_GET_SIZE(items); i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        status = add_type(self, state, PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1));
    }
    Py_XDECREF(items);
    return status;
}

static int
read_null(csv_plan *self, PyObject *null)
{
    if (null != NULL && (PyUnicode_Check(null) || PyBytes_Check(null))) {
        PyErr_Format(PyExc_TypeError, "null must be a collection of spellings, not %.200s",
                     Py_TYPE(null)->tp_name);
        return -1;
    }
    self->null = null == NULL ? PyTuple_New(0) : plain_tuple(null, "null", plain_spelling);
    return self->null == NULL ? -1 : 0;
}

static int
read_ragged(csv_plan *self, PyObject *ragged)
{
    static const char *const names[] = {"allow", "pad", "error"};
    self->ragged = self->into <= CSV_INTO_TUPLE ? CSV_RAGGED_ALLOW : CSV_RAGGED_ERROR;
    if (ragged == NULL) {
        return 0;
    }
    for (int i = 0; i < 3; i++) {
        if (PyUnicode_Check(ragged) &&
            PyUnicode_CompareWithASCIIString(ragged, names[i]) == 0) {
            self->ragged = (csv_ragged)i;
            if (self->into == CSV_INTO_ROW && self->ragged != CSV_RAGGED_ERROR) {
                PyErr_Format(PyExc_ValueError,
                             "ragged=%R is not possible: a CSVRow has a field for each column",
                             ragged);
                return -1;
            }
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "ragged must be 'allow', 'pad' or 'error', not %R", ragged);
    return -1;
}

csv_plan *
csv_plan_new(generators_state *state, PyObject *into, PyObject *columns, PyObject *types,
             PyObject *null, PyObject *ragged)
{
    csv_plan *self = PyMem_Calloc(1, sizeof *self);
    if (self == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (read_into(self, state, into) < 0 || read_columns(self, columns) < 0 ||
        read_types(self, state, types) < 0 || read_null(self, null) < 0 ||
        read_ragged(self, ragged) < 0) {
        csv_plan_free(self);
        return NULL;
    }
    return self;
}

int
csv_plan_check_null(const csv_plan *self)
{
    bool typed = PyTuple_GET_SIZE(self->null) == 0 || self->types != NULL;
    for (Py_ssize_t i = 0; i < self->signature.count; i++) {
        typed |= self->signature.items[i].hint != NULL;
    }
    if (!typed) {
        PyErr_SetString(PyExc_ValueError,
                        "null needs `types`, or a class with annotations: without them every "
                        "field is text, and none can be None");
    }
    return typed ? 0 : -1;
}

void
csv_plan_free(csv_plan *self)
{
    if (self == NULL) {
        return;
    }
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_XDECREF(self->columns[i].type.given);
        Py_XDECREF(self->columns[i].missing);
        Py_XDECREF(self->columns[i].name);
    }
    csv_signature_free(&self->signature);
    Py_XDECREF(self->target);
    Py_XDECREF(self->init);
    Py_XDECREF(self->chosen);
    Py_XDECREF(self->types);
    Py_XDECREF(self->default_type);
    Py_XDECREF(self->null);
    Py_XDECREF(self->header);
    Py_XDECREF(self->places);
    Py_XDECREF(self->by_index);
    Py_XDECREF(self->keywords);
    Py_XDECREF(self->model);
    PyMem_Free(self->columns);
    PyMem_Free(self->values);
    PyMem_Free(self->last);
    PyMem_Free(self);
}

int
csv_plan_traverse(csv_plan *self, visitproc visit, void *arg)
{
    if (self == NULL) {
        return 0;
    }
    Py_VISIT(self->target);
    Py_VISIT(self->init);
    Py_VISIT(self->types);
    Py_VISIT(self->default_type);
    Py_VISIT(self->by_index);
    Py_VISIT(self->header);
    Py_VISIT(self->places);
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_VISIT(self->columns[i].type.given);
        Py_VISIT(self->columns[i].missing);
        Py_VISIT(self->columns[i].name); /* a name that is not a str may be any object */
    }
    return csv_signature_traverse(&self->signature, visit, arg);
}

static bool
holds_name(PyObject *columns)
{
    PyObject *column, *value;
    Py_ssize_t at = 0;
    if (columns != NULL && PyTuple_Check(columns)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(columns); i++) {
            if (PyUnicode_Check(PyTuple_GET_ITEM(columns, i))) {
                return true;
            }
        }
        return false;
    }
    while (columns != NULL && PyDict_Next(columns, &at, &column, &value)) {
        if (PyUnicode_Check(column)) {
            return true;
        }
    }
    return false;
}

bool
csv_plan_needs_names(const csv_plan *self)
{
    if (self == NULL) {
        return false;
    }
    return (self->into >= CSV_INTO_DICT && self->into <= CSV_INTO_DATACLASS) ||
           holds_name(self->chosen) || holds_name(self->types);
}

bool
csv_plan_is_plain(const csv_plan *self, bool *tuple)
{
    *tuple = self->into == CSV_INTO_TUPLE;
    return self->into <= CSV_INTO_TUPLE && self->chosen == NULL && self->types == NULL &&
           self->ragged == CSV_RAGGED_ALLOW;
}

bool
csv_plan_makes_lists(const csv_plan *self)
{
    return self != NULL && self->into <= CSV_INTO_TUPLE;
}

bool
csv_plan_keeps_blank(const csv_plan *self)
{
    return csv_plan_makes_lists(self) && self->types == NULL;
}

bool
csv_plan_is_ragged(const csv_plan *self)
{
    return self->ragged == CSV_RAGGED_ALLOW;
}

uint32_t
csv_plan_width(const csv_plan *self, uint32_t unsettled)
{
    if (self == NULL || !self->settled) {
        return unsettled;
    }
    return self->header == NULL ? self->width : 0;
}
