/* csv_plan: what the user asked of the rows, and what that means for this file.
 *
 * States: read, with the parameters checked as far as they can be without the
 * names; settled, with a column for each field that is built.  An open plan has
 * as many columns as the longest record so far had fields.
 *
 * Faults of the parameters alone are TypeError or ValueError; what the names of
 * the file rule out is a ValueError, which the face gives a place.
 */
#include "csv/plan.h"

#include <string.h>

/* ---- the parameters ---- */

/* 1, 0 or -1, as the next. */
static int
is_named_tuple(PyObject *into)
{
    if (!PyType_Check(into) || !PyType_IsSubtype((PyTypeObject *)into, &PyTuple_Type)) {
        return 0;
    }
    return generators_has_attribute(into, "_fields");
}

static int
is_dataclass(PyObject *into)
{
    return PyType_Check(into) ? generators_has_attribute(into, "__dataclass_fields__") : 0;
}

static int
read_into(csv_plan *self, PyObject *into)
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
    if (!PyCallable_Check(into)) {
        PyErr_Format(
            PyExc_TypeError,
            "into must be list, tuple, dict, a NamedTuple or dataclass, or a callable, "
            "not %R",
            into);
        return -1;
    }
    self->target = Py_NewRef(into);
    int is = is_named_tuple(into);
    if (is > 0) {
        self->into = CSV_INTO_NAMED_TUPLE;
        return csv_signature_of_named_tuple(&self->signature, into, &self->direct);
    }
    if (is == 0 && (is = is_dataclass(into)) > 0) {
        self->into = CSV_INTO_DATACLASS;
        return csv_signature_of_dataclass(&self->signature, into, &self->init);
    }
    self->into = CSV_INTO_CALL;
    return is;
}

/* A name, or an index that is not negative. */
static int
check_reference(const char *parameter, PyObject *column)
{
    if (PyUnicode_Check(column)) {
        return 0;
    }
    if (!PyLong_Check(column) || PyBool_Check(column)) {
        PyErr_Format(PyExc_TypeError, "%s: a column is a name or an index, not %R", parameter,
                     column);
        return -1;
    }
    long index = PyLong_AsLong(column);
    if (index < 0 || index >= INT32_MAX) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "%s: there is no column %R", parameter, column);
        return -1;
    }
    return 0;
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
    self->chosen = PySequence_Tuple(columns);
    if (self->chosen == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->chosen); i++) {
        if (check_reference("columns", PyTuple_GET_ITEM(self->chosen, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
read_types(csv_plan *self, generators_state *state, PyObject *types)
{
    if (types == NULL) {
        return 0;
    }
    int is = PyDict_Check(types) ? 1 : generators_has_attribute(types, "keys");
    if (is < 0) {
        return -1;
    }
    if (!is) {
        PyErr_Format(PyExc_TypeError, "types must be a mapping, not %.200s",
                     Py_TYPE(types)->tp_name);
        return -1;
    }
    self->types = PyDict_New();
    if (self->types == NULL || PyDict_Update(self->types, types) < 0) {
        return -1;
    }
    PyObject *column, *given;
    Py_ssize_t at = 0;
    while (PyDict_Next(self->types, &at, &column, &given)) {
        csv_type type;
        if (check_reference("types", column) < 0 ||
            csv_type_read(&type, state, given, column, false) < 0) {
            return -1;
        }
        Py_XDECREF(type.given);
    }
    return 0;
}

static int
read_null(csv_plan *self, PyObject *null)
{
    if (null != NULL && (PyUnicode_Check(null) || PyBytes_Check(null))) {
        PyErr_Format(PyExc_TypeError, "null must be a collection of spellings, not %.200s",
                     Py_TYPE(null)->tp_name);
        return -1;
    }
    self->null = null == NULL ? PyTuple_New(0) : PySequence_Tuple(null);
    for (Py_ssize_t i = 0; self->null != NULL && i < PyTuple_GET_SIZE(self->null); i++) {
        PyObject *spelling = PyTuple_GET_ITEM(self->null, i);
        if (!PyUnicode_Check(spelling)) {
            PyErr_Format(PyExc_TypeError, "null: a spelling is a str, not %R", spelling);
            return -1;
        }
        if (PyUnicode_READY(spelling) < 0) {
            return -1;
        }
    }
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
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "ragged must be 'allow', 'pad' or 'error', not %R", ragged);
    return -1;
}

int
csv_plan_read(csv_plan *self, generators_state *state, PyObject *into, PyObject *columns,
              PyObject *types, PyObject *null, PyObject *ragged)
{
    return read_into(self, into) < 0 || read_columns(self, columns) < 0 ||
                   read_types(self, state, types) < 0 || read_null(self, null) < 0 ||
                   read_ragged(self, ragged) < 0
               ? -1
               : 0;
}

static void
free_columns(csv_plan *self)
{
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_CLEAR(self->columns[i].type.given);
        Py_CLEAR(self->columns[i].name);
    }
    PyMem_Free(self->columns);
    PyMem_Free(self->values);
    self->columns = NULL;
    self->values = NULL;
    self->count = 0;
}

void
csv_plan_free(csv_plan *self)
{
    free_columns(self);
    csv_signature_free(&self->signature);
    Py_CLEAR(self->target);
    Py_CLEAR(self->init);
    Py_CLEAR(self->chosen);
    Py_CLEAR(self->types);
    Py_CLEAR(self->null);
    Py_CLEAR(self->header);
    Py_CLEAR(self->by_index);
    Py_CLEAR(self->keywords);
    Py_CLEAR(self->model);
}

int
csv_plan_traverse(csv_plan *self, visitproc visit, void *arg)
{
    Py_VISIT(self->target);
    Py_VISIT(self->init);
    Py_VISIT(self->types);
    Py_VISIT(self->by_index);
    Py_VISIT(self->header);
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_VISIT(self->columns[i].type.given);
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
    return (self->into >= CSV_INTO_DICT && self->into <= CSV_INTO_DATACLASS) ||
           holds_name(self->chosen) || holds_name(self->types);
}

/* ---- names and indices ---- */

/* Where `name` is among the names: 1 and *index, 0 where it is not, or -1: an error, or more
   than one has it. */
static int
find_name(const csv_plan *self, PyObject *name, uint32_t *index)
{
    int found = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->header); i++) {
        int same = PyObject_RichCompareBool(PyTuple_GET_ITEM(self->header, i), name, Py_EQ);
        if (same < 0) {
            return -1;
        }
        if (same && found) {
            PyErr_Format(PyExc_ValueError, "several columns are named %R: %u and %zd", name,
                         (unsigned)*index, i);
            return -1;
        }
        if (same) {
            found = 1;
            *index = (uint32_t)i;
        }
    }
    return found;
}

/* The field that a name or an index of the user means.  0 or -1. */
static int
find_field(const csv_plan *self, const char *parameter, PyObject *column, uint32_t *index)
{
    if (!PyUnicode_Check(column)) {
        *index = (uint32_t)PyLong_AsLong(column);
        if (self->width > 0 && *index >= self->width) {
            PyErr_Format(PyExc_ValueError, "%s: there is no column %R, only %u", parameter,
                         column, (unsigned)self->width);
            return -1;
        }
        return 0;
    }
    if (self->header == NULL) {
        PyErr_Format(PyExc_ValueError, "%s: column %R is a name, and the source has none",
                     parameter, column);
        return -1;
    }
    int found = find_name(self, column, index);
    if (found == 0) {
        PyErr_Format(PyExc_ValueError, "%s: there is no column %R among %R", parameter, column,
                     self->header);
    }
    return found > 0 ? 0 : -1;
}

static int
index_types(csv_plan *self)
{
    PyObject *column, *given;
    Py_ssize_t at = 0;
    if (self->types == NULL) {
        return 0;
    }
    self->by_index = PyDict_New();
    if (self->by_index == NULL) {
        return -1;
    }
    while (PyDict_Next(self->types, &at, &column, &given)) {
        uint32_t index;
        if (find_field(self, "types", column, &index) < 0) {
            return -1;
        }
        PyObject *key = PyLong_FromUnsignedLong(index);
        int status = key == NULL ? -1 : PyDict_SetItem(self->by_index, key, given);
        Py_XDECREF(key);
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- columns ---- */

/* Room for `count` columns in all, and for their values and one before them. */
static int
reserve_columns(csv_plan *self, Py_ssize_t count)
{
    csv_column *columns = PyMem_Realloc(self->columns, (size_t)count * sizeof *columns + 1);
    if (columns != NULL) {
        self->columns = columns;
    }
    PyObject **values = PyMem_Realloc(self->values, ((size_t)count + 1) * sizeof *values);
    if (values != NULL) {
        self->values = values;
    }
    if (columns == NULL || values == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* Add a column, for which there is room: what `types` says of it, else `hint`, else text. */
static int
add_column(csv_plan *self, generators_state *state, uint32_t field, PyObject *hint)
{
    csv_column *column = &self->columns[self->count];
    *column = (csv_column){.field = field};
    PyObject *index = PyLong_FromUnsignedLong(field);
    if (index == NULL) {
        return -1;
    }
    bool named = self->header != NULL && (Py_ssize_t)field < PyTuple_GET_SIZE(self->header);
    PyObject *name = named ? PyTuple_GET_ITEM(self->header, field) : index;
    PyObject *given = NULL;
    if (self->by_index != NULL) {
        given = PyDict_GetItemWithError(self->by_index, index);
    }
    int status = 0;
    if (given != NULL || hint != NULL) {
        status = csv_type_read(&column->type, state, given != NULL ? given : hint, name,
                               given == NULL);
    }
    else if (PyErr_Occurred()) {
        status = -1;
    }
    if (status == 0) {
        column->name = Py_NewRef(name);
        self->count++;
    }
    Py_DECREF(index);
    return status;
}

int
csv_plan_widen(csv_plan *self, generators_state *state, Py_ssize_t count)
{
    if (reserve_columns(self, count) < 0) {
        return -1;
    }
    while (self->count < count) {
        if (add_column(self, state, (uint32_t)self->count, NULL) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
choose_columns(csv_plan *self, generators_state *state)
{
    Py_ssize_t count = PyTuple_GET_SIZE(self->chosen);
    if (reserve_columns(self, count) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        uint32_t field;
        if (find_field(self, "columns", PyTuple_GET_ITEM(self->chosen, i), &field) < 0 ||
            add_column(self, state, field, NULL) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- keyed rows ---- */

static int
check_key(PyObject *name, uint32_t field)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_ValueError, "the name of column %u is %R, and not a str",
                     (unsigned)field, name);
        return -1;
    }
    if (PyUnicode_GET_LENGTH(name) == 0) {
        PyErr_Format(PyExc_ValueError, "the name of column %u is empty", (unsigned)field);
        return -1;
    }
    return 0;
}

/* The keys of the columns, each with None. */
static int
make_model(csv_plan *self)
{
    self->model = PyDict_New();
    if (self->model == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < self->count; i++) {
        csv_column *column = &self->columns[i];
        uint32_t only = 0;
        if (check_key(column->name, column->field) < 0 ||
            find_name(self, column->name, &only) < 0) {
            return -1;
        }
        int taken = PyDict_Contains(self->model, column->name);
        if (taken > 0) {
            PyErr_Format(PyExc_ValueError, "columns: %R is chosen twice", column->name);
        }
        if (taken != 0) {
            return -1;
        }
        /* The same object as the header's would do, but an interned key is found faster. */
        PyUnicode_InternInPlace(&column->name);
        if (PyDict_SetItem(self->model, column->name, Py_None) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Whether `columns`, if given, lets this field be built. */
static int
is_chosen(const csv_plan *self, uint32_t field)
{
    if (self->chosen == NULL) {
        return 1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->chosen); i++) {
        uint32_t index;
        if (find_field(self, "columns", PyTuple_GET_ITEM(self->chosen, i), &index) < 0) {
            return -1;
        }
        if (index == field) {
            return 1;
        }
    }
    return 0;
}

static int
add_default(csv_plan *self, const csv_parameter *p)
{
    csv_column *column = &self->columns[self->count++];
    *column = (csv_column){.type = {.kind = CSV_AS_GIVEN, .given = Py_NewRef(p->value)},
                           .name = Py_NewRef(p->name)};
    return 0;
}

/* A column for each parameter of the class.  `lacking` lists those that there is none for. */
static int
match_parameters(csv_plan *self, generators_state *state, PyObject *keywords,
                 PyObject *lacking)
{
    bool by_name = false;
    for (Py_ssize_t i = 0; i < self->signature.count; i++) {
        const csv_parameter *p = &self->signature.items[i];
        uint32_t field = 0;
        int found = find_name(self, p->name, &field);
        found = found > 0 ? is_chosen(self, field) : found;
        int status = found < 0 ? -1 : 0;
        if (found > 0) {
            by_name |= p->keyword;
            status = by_name ? PyList_Append(keywords, p->name) : 0;
            status = status < 0 ? -1 : add_column(self, state, field, p->hint);
        }
        else if (found == 0 && p->value != NULL) {
            status = add_default(self, p);
        }
        else if (found == 0) {
            by_name = true;
            status = p->optional ? 0 : PyList_Append(lacking, p->name);
        }
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

static int
match_class(csv_plan *self, generators_state *state)
{
    PyObject *keywords = PyList_New(0), *lacking = PyList_New(0);
    int status = -1;
    if (keywords != NULL && lacking != NULL &&
        reserve_columns(self, self->signature.count) == 0 &&
        match_parameters(self, state, keywords, lacking) == 0) {
        if (PyList_GET_SIZE(lacking) > 0) {
            PyErr_Format(PyExc_ValueError,
                         "%s has fields that no column is named as: %R; the "
                         "columns are %R",
                         ((PyTypeObject *)self->target)->tp_name, lacking, self->header);
        }
        else {
            self->keywords = PyList_GET_SIZE(keywords) > 0 ? PyList_AsTuple(keywords) : NULL;
            status = PyErr_Occurred() ? -1 : 0;
        }
    }
    Py_XDECREF(keywords);
    Py_XDECREF(lacking);
    return status;
}

int
csv_plan_settle(csv_plan *self, generators_state *state, PyObject *header, uint32_t width)
{
    self->settled = true;
    self->header = Py_XNewRef(header);
    self->width = header != NULL ? (uint32_t)PyTuple_GET_SIZE(header) : width;
    if (index_types(self) < 0) {
        return -1;
    }
    if (self->into == CSV_INTO_NAMED_TUPLE || self->into == CSV_INTO_DATACLASS) {
        return match_class(self, state);
    }
    self->open = self->chosen == NULL;
    int status =
        self->open ? csv_plan_widen(self, state, self->width) : choose_columns(self, state);
    return status == 0 && self->into == CSV_INTO_DICT ? make_model(self) : status;
}
