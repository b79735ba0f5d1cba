/* csv_columns: which values of a row with names are written, and in what order.
 *
 * A row has names if it is a mapping, a dataclass, a NamedTuple, or a row of a database: a
 * sequence with `_fields` (SQLAlchemy) or keys() (sqlite3, asyncpg).  Any other object that is
 * no sequence is read by attribute, if it has those that are wanted: models of Django,
 * SQLAlchemy and pydantic, classes of attrs.  Any other row is written as it is, unless a
 * cursor tells the names of its fields.  The names of the last row are cached, because most
 * rows have the same names, and so are types.
 *
 * User code runs in rows and in names.  The stream is `running` meanwhile, so nothing here
 * changes.
 */
#include "csv/write/columns.h"

#include "runtime/raising.h"

void
csv_columns_close(csv_columns *self)
{
    Py_CLEAR(self->names);
    Py_CLEAR(self->missing);
    Py_CLEAR(self->known);
    Py_CLEAR(self->positions);
    Py_CLEAR(self->by_attribute);
    Py_CLEAR(self->no_mapping);
    Py_CLEAR(self->fault);
    PyMem_Free(self->places);
    self->places = NULL;
}

int
csv_columns_traverse(csv_columns *self, visitproc visit, void *arg)
{
    Py_VISIT(self->names);
    Py_VISIT(self->missing);
    Py_VISIT(self->known);
    Py_VISIT(self->positions);
    Py_VISIT(self->by_attribute);
    Py_VISIT(self->no_mapping);
    Py_VISIT(self->fault);
    return 0;
}

/* ---- errors ---- */

static void
refuse(csv_columns *self, PyObject *name, const char *what)
{
    PyErr_Format(PyExc_ValueError, "%s %R", what, name);
    if (PyErr_ExceptionMatches(PyExc_ValueError)) { /* otherwise no exception could be made */
        Py_INCREF(name);
        Py_XSETREF(self->fault, name);
    }
}

static void
refuse_extra(csv_columns *self, PyObject *name)
{
    refuse(self, name, "there is no column");
}

/* The value to write for a missing one: a new reference, or NULL with ValueError. */
static PyObject *
missing_value(csv_columns *self, PyObject *name)
{
    if (self->missing == NULL) {
        refuse(self, name, "the row has no");
    }
    return Py_XNewRef(self->missing);
}

/* ---- mappings ---- */

/* Find the value of a name: 1 with a new reference, 0 if there is none, or -1. */
static int
find_value(PyObject *row, PyObject *name, PyObject **value)
{
    if (PyDict_CheckExact(row)) {
        return PyDict_GetItemRef(row, name, value);
    }
    /* A defaultdict would make up a value. */
    int found = PySequence_Contains(row, name);
    if (found > 0) {
        *value = PyObject_GetItem(row, name);
        found = *value == NULL ? -1 : 1;
    }
    return found;
}

static int
check_extra(csv_columns *self, PyObject *row)
{
    PyObject *keys = PySequence_List(row);
    if (keys == NULL) {
        return -1;
    }
    int found = 1;
    for (Py_ssize_t i = 0; found > 0 && i < PyList_GET_SIZE(keys); i++) {
        PyObject *key = PyList_GET_ITEM(keys, i);
        found = PySequence_Contains(self->names, key);
        if (found == 0) {
            refuse_extra(self, key);
        }
    }
    Py_DECREF(keys);
    return found > 0 ? 0 : -1;
}

static PyObject *
select_mapping(csv_columns *self, PyObject *row)
{
    PyObject *names = self->names;
    Py_ssize_t count = PyTuple_GET_SIZE(names), found = 0;
    PyObject *values = PyTuple_New(count);
    for (Py_ssize_t i = 0; values != NULL && i < count; i++) {
        PyObject *value = NULL;
        int status = find_value(row, PyTuple_GET_ITEM(names, i), &value);
        found += status > 0;
        if (status == 0) {
            value = missing_value(self, PyTuple_GET_ITEM(names, i));
        }
        if (value == NULL) {
            Py_CLEAR(values);
            break;
        }
        PyTuple_SET_ITEM(values, i, value);
    }
    if (values == NULL || self->ignores_extra) {
        return values;
    }
    Py_ssize_t held = PyObject_Size(row);
    if (held < 0 || (held != found && check_extra(self, row) < 0)) {
        Py_CLEAR(values);
    }
    return values;
}

/* ---- rows with a list of names ---- */

/* The index of a name, -1 if it is not there, or -2 with an exception set. */
static Py_ssize_t
place_of(PyObject *known, PyObject *name)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(known); i++) {
        int equal = PyObject_RichCompareBool(PyTuple_GET_ITEM(known, i), name, Py_EQ);
        if (equal != 0) {
            return equal < 0 ? -2 : i;
        }
    }
    return -1;
}

/* Find the index of each column among the names of a row: a new array, or NULL. */
static Py_ssize_t *
find_places(const csv_columns *self, PyObject *known)
{
    Py_ssize_t count = PyTuple_GET_SIZE(self->names);
    Py_ssize_t *places = PyMem_Calloc((size_t)count + 1, sizeof *places);
    if (places == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        places[i] = place_of(known, PyTuple_GET_ITEM(self->names, i));
        if (places[i] < -1) {
            PyMem_Free(places);
            return NULL;
        }
    }
    return places;
}

/* Store where the columns are among the names of a row.  0 or -1. */
static int
remember_places(csv_columns *self, PyObject *known)
{
    Py_ssize_t *places = find_places(self, known);
    if (places == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; !self->ignores_extra && i < PyTuple_GET_SIZE(known); i++) {
        int found = PySequence_Contains(self->names, PyTuple_GET_ITEM(known, i));
        if (found == 0) {
            refuse_extra(self, PyTuple_GET_ITEM(known, i));
        }
        if (found <= 0) {
            PyMem_Free(places);
            return -1;
        }
    }
    PyMem_Free(self->places);
    self->places = places;
    Py_INCREF(known);
    Py_XSETREF(self->known, known);
    return 0;
}

static PyObject *
value_at(PyObject *row, PyObject *name, Py_ssize_t place, bool by_attribute)
{
    if (by_attribute) {
        return PyObject_GetAttr(row, name);
    }
    return PySequence_GetItem(row, place);
}

static PyObject *
select_placed(csv_columns *self, PyObject *row, PyObject *known, bool by_attribute)
{
    int same = known == self->known;
    if (!same && self->known != NULL) {
        same = PyObject_RichCompareBool(known, self->known, Py_EQ);
    }
    if (same < 0 || (!same && remember_places(self, known) < 0)) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(self->names);
    PyObject *values = PyTuple_New(count);
    for (Py_ssize_t i = 0; values != NULL && i < count; i++) {
        PyObject *name = PyTuple_GET_ITEM(self->names, i);
        PyObject *value = self->places[i] < 0
                              ? missing_value(self, name)
                              : value_at(row, name, self->places[i], by_attribute);
        if (value == NULL) {
            Py_CLEAR(values);
            break;
        }
        PyTuple_SET_ITEM(values, i, value);
    }
    return values;
}

/* Select from a row without names, whose fields a cursor has named. */
static PyObject *
select_positions(csv_columns *self, PyObject *row)
{
    PyObject *fields = PySequence_Tuple(row), *values = NULL;
    if (fields == NULL) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(fields);
    Py_ssize_t expected = PyTuple_GET_SIZE(self->positions);
    if (count == expected) {
        values = select_placed(self, fields, self->positions, false);
    }
    else {
        PyErr_Format(PyExc_ValueError, "%zd field%s for %zd column%s of the cursor", count,
                     count == 1 ? "" : "s", expected, expected == 1 ? "" : "s");
    }
    Py_DECREF(fields);
    return values;
}

/* ---- objects with attributes ---- */

/* Whether any of the columns is an attribute of the row: 1, 0 or -1. */
static int
has_any(const csv_columns *self, PyObject *row)
{
    int found = 0;
    for (Py_ssize_t i = 0; found == 0 && i < PyTuple_GET_SIZE(self->names); i++) {
        PyObject *name = PyTuple_GET_ITEM(self->names, i);
        if (PyUnicode_Check(name)) {
            PyObject *value = PyObject_GetAttr(row, name);
            found = value != NULL ? 1 : raising_forgive(PyExc_AttributeError);
            Py_XDECREF(value);
        }
    }
    return found;
}

/* Whether a row without names is read by attribute: 1, 0 or -1. */
static int
is_by_attribute(csv_columns *self, PyObject *row)
{
    if (PySequence_Check(row) || PyIter_Check(row) || self->names == NULL) {
        return 0;
    }
    int found = has_any(self, row);
    if (found > 0) {
        PyObject *earlier = self->by_attribute;
        self->by_attribute = Py_NewRef(Py_TYPE(row));
        Py_XDECREF(earlier);
    }
    return found;
}

static PyObject *
select_attributes(csv_columns *self, PyObject *row)
{
    Py_ssize_t count = PyTuple_GET_SIZE(self->names);
    PyObject *values = PyTuple_New(count);
    for (Py_ssize_t i = 0; values != NULL && i < count; i++) {
        PyObject *name = PyTuple_GET_ITEM(self->names, i);
        PyObject *value = PyObject_GetAttr(row, name);
        if (value == NULL && raising_forgive(PyExc_AttributeError) == 0) {
            value = missing_value(self, name);
        }
        if (value == NULL) {
            Py_CLEAR(values);
            break;
        }
        PyTuple_SET_ITEM(values, i, value);
    }
    return values;
}

/* ---- kinds of rows ---- */

/* Get an attribute: 1 with a new reference, 0 if there is none, or -1. */
static int
attribute(PyObject *object, const char *name, PyObject **value)
{
    *value = PyObject_GetAttrString(object, name);
    if (*value != NULL) {
        return 1;
    }
    return raising_forgive(PyExc_AttributeError);
}

static int
as_tuple(PyObject **names)
{
    if (!PyTuple_CheckExact(*names)) {
        PyObject *given = *names;
        *names = PySequence_Tuple(given);
        Py_DECREF(given);
    }
    return *names == NULL ? -1 : 1;
}

static int
dataclass_names(PyObject *row, PyObject **names)
{
    PyObject *found = NULL, *name = NULL;
    PyObject *module = PyImport_ImportModule("dataclasses");
    if (module != NULL) {
        found = PyObject_CallMethod(module, "fields", "(O)", row);
        Py_DECREF(module);
    }
    if (found == NULL || as_tuple(&found) < 0) {
        return -1;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(found);
    *names = PyTuple_New(count);
    for (Py_ssize_t i = 0; *names != NULL && i < count; i++) {
        name = PyObject_GetAttrString(PyTuple_GET_ITEM(found, i), "name");
        if (name == NULL) {
            Py_CLEAR(*names);
            break;
        }
        PyTuple_SET_ITEM(*names, i, name);
    }
    Py_DECREF(found);
    return *names == NULL ? -1 : 1;
}

typedef enum { NAMELESS, MAPPING, PLACED, ATTRIBUTES } row_kind;

/* Find the kind of a row, and its names (a new reference, or NULL for a mapping).  False with
   an exception set. */
static bool
inspect(generators_state *state, PyObject *row, row_kind *kind, PyObject **names)
{
    *names = NULL;
    *kind = NAMELESS;
    if (PyDict_Check(row)) {
        *kind = MAPPING;
        return true;
    }
    if (PyList_CheckExact(row) || PyTuple_CheckExact(row)) {
        return true;
    }
    int found = attribute(row, "_fields", names);
    if (found > 0 && PySequence_Check(row)) {
        *kind = PLACED;
        return as_tuple(names) > 0;
    }
    Py_CLEAR(*names);
    PyObject *value;
    if (found >= 0) {
        found = attribute((PyObject *)Py_TYPE(row), "__dataclass_fields__", &value);
        if (found > 0) {
            Py_DECREF(value);
            *kind = ATTRIBUTES;
            return dataclass_names(row, names) > 0;
        }
    }
    if (found >= 0) {
        found = PyObject_IsInstance(row, state->mapping_abc);
        if (found > 0) {
            *kind = MAPPING;
            return true;
        }
    }
    if (found >= 0 && PySequence_Check(row)) {
        found = attribute(row, "keys", &value);
        if (found > 0) {
            *names = PyObject_CallNoArgs(value);
            Py_DECREF(value);
            *kind = PLACED;
            return *names != NULL && as_tuple(names) > 0;
        }
    }
    return found >= 0;
}

int
csv_columns_is_mapping(csv_columns *self, generators_state *state, PyObject *row)
{
    if (PyDict_Check(row)) {
        return 1;
    }
    PyObject *type = (PyObject *)Py_TYPE(row);
    if (type == self->no_mapping) {
        return 0;
    }
    int is = PyObject_IsInstance(row, state->mapping_abc);
    if (is == 0) {
        PyObject *earlier = self->no_mapping;
        self->no_mapping = Py_NewRef(type);
        Py_XDECREF(earlier);
    }
    return is;
}

static PyObject *
select_nameless(csv_columns *self, PyObject *row)
{
    if (self->positions != NULL) {
        return select_positions(self, row);
    }
    int found = is_by_attribute(self, row);
    if (found < 0) {
        return NULL;
    }
    return found > 0 ? select_attributes(self, row) : Py_NewRef(row);
}

PyObject *
csv_columns_select(csv_columns *self, generators_state *state, PyObject *row)
{
    row_kind kind;
    PyObject *names;
    if (!self->by_name) {
        return Py_NewRef(row);
    }
    if (PyDict_CheckExact(row) && self->names != NULL) { /* the common case */
        return select_mapping(self, row);
    }
    if ((PyObject *)Py_TYPE(row) == self->by_attribute) {
        return select_attributes(self, row);
    }
    if (!inspect(state, row, &kind, &names)) {
        return NULL;
    }
    if (kind == NAMELESS) {
        return select_nameless(self, row);
    }
    if (self->names == NULL) {
        self->names = names != NULL ? Py_NewRef(names) : PySequence_Tuple(row);
    }
    PyObject *values = NULL;
    if (self->names != NULL) {
        values = kind == MAPPING ? select_mapping(self, row)
                                 : select_placed(self, row, names, kind == ATTRIBUTES);
    }
    Py_XDECREF(names);
    return values;
}
