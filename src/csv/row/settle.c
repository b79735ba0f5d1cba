/* Settles a csv_plan: turns what the user asked for into columns, for the names of one source.
 *
 * This is done when the names are known or, if there are none, at the first record.  Each
 * field that is built gets a column.  An open plan has as many columns as the longest record
 * so far has fields.
 *
 * A request that the names do not allow is a ValueError.  The caller adds the place.
 */
#include "csv/row/settle.h"

#include "csv/row/names.h"
#include "csv/row/plan_inner.h"
#include "csv/row/typed.h"

/* ---- names and indices ---- */

/* Map each name to its index, or to a tuple of the first two indices if several columns have
   the name: a new dict, or NULL.  Searching all names for each one would take quadratic time,
   and the file determines how many there are. */
static PyObject *
index_names(PyObject *header)
{
    PyObject *places = PyDict_New();
    for (Py_ssize_t i = 0; places != NULL && i < PyTuple_GET_SIZE(header); i++) {
        PyObject *name = PyTuple_GET_ITEM(header, i);
        if (!PyUnicode_Check(name)) {
            continue; /* only a str is ever looked up */
        }
        PyObject *before = PyDict_GetItemWithError(places, name), *place = NULL;
        if (before != NULL) {
            place = PyTuple_Check(before) ? Py_NewRef(before) : Py_BuildValue("On", before, i);
        }
        else if (!PyErr_Occurred()) {
            place = PyLong_FromSsize_t(i);
        }
        if (place == NULL || PyDict_SetItem(places, name, place) < 0) {
            Py_CLEAR(places);
        }
        Py_XDECREF(place);
    }
    return places;
}

/* Find a name among the names.  1 with *index set, 0 if it is not there, or -1, also if
   several columns have it. */
static int
find_name(csv_plan *self, PyObject *name, uint32_t *index)
{
    if (self->places == NULL && (self->places = index_names(self->header)) == NULL) {
        return -1;
    }
    PyObject *place = PyDict_GetItemWithError(self->places, name);
    if (place == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (PyTuple_Check(place)) {
        PyErr_Format(
            PyExc_ValueError,
            "several columns are named %R: %S and %S; pass names, or duplicates='number'",
            name, PyTuple_GET_ITEM(place, 0), PyTuple_GET_ITEM(place, 1));
        return -1;
    }
    *index = (uint32_t)PyLong_AsUnsignedLong(place);
    return 1;
}

int
csv_plan_find_field(csv_plan *self, const char *parameter, PyObject *column, uint32_t *index)
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
        PyErr_Format(PyExc_ValueError, "%s: column %R is a name, but the source has no names",
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

/* Find the field of each entry of `types`.  0 or -1. */
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
        if (csv_plan_find_field(self, "types", column, &index) < 0) {
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

/* Make room for `count` columns in all, for their values, and for one value before these. */
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

/* Add a column, for which there is room.  Its type is the one in `types`, or else `hint` (or
   NULL), or else the default of `types`, or else text.  0 or -1. */
static int
add_column(csv_plan *self, generators_state *state, uint32_t field, PyObject *hint,
           csv_type_origin origin)
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
    if (given == NULL && hint == NULL) {
        given = self->default_type;
        column->by_default = given != NULL;
    }
    int status = PyErr_Occurred() ? -1 : 0;
    if (status == 0 && (given != NULL || hint != NULL)) {
        status = csv_type_read(&column->type, state, given != NULL ? given : hint, name,
                               given != NULL ? CSV_TYPE_GIVEN : origin);
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
        if (add_column(self, state, (uint32_t)self->count, NULL, CSV_TYPE_HINT) < 0) {
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
        if (csv_plan_find_field(self, "columns", PyTuple_GET_ITEM(self->chosen, i), &field) <
                0 ||
            add_column(self, state, field, NULL, CSV_TYPE_HINT) < 0) {
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
        PyErr_Format(PyExc_ValueError, "the name of column %u must be str, not %R",
                     (unsigned)field, name);
        return -1;
    }
    if (PyUnicode_GET_LENGTH(name) == 0) {
        PyErr_Format(PyExc_ValueError, "the name of column %u is empty", (unsigned)field);
        return -1;
    }
    return 0;
}

/* Let the model keep the last row's values, unless a callable makes some of them: their
   lifetime would change, and their code could run when they are replaced.  0 or -1. */
static int
reserve_last(csv_plan *self)
{
    for (Py_ssize_t i = 0; i < self->count; i++) {
        if (self->columns[i].type.kind == CSV_AS_CALL) {
            return 0;
        }
    }
    self->last = PyMem_Calloc((size_t)self->count + 1, sizeof *self->last);
    if (self->last == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* Make the model: a dict from each column's name to None.  0 or -1. */
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
        /* An interned key is found faster. */
        PyUnicode_InternInPlace(&column->name);
        if (PyDict_SetItem(self->model, column->name, Py_None) < 0) {
            return -1;
        }
    }
    return reserve_last(self);
}

/* The names of the columns: a new tuple, or NULL. */
static PyObject *
names_of_columns(const csv_plan *self)
{
    PyObject *names = PyTuple_New(self->count);
    for (Py_ssize_t i = 0; names != NULL && i < self->count; i++) {
        PyTuple_SET_ITEM(names, i, Py_NewRef(self->columns[i].name));
    }
    return names;
}

static int
share_names(const csv_plan *self, generators_state *state, csv_block *block)
{
    PyObject *tuple = names_of_columns(self);
    csv_names *names = tuple == NULL ? NULL : csv_names_new(state, tuple);
    Py_XDECREF(tuple);
    if (names == NULL) {
        return -1;
    }
    csv_block_set_names(block, names);
    Py_DECREF((PyObject *)names);
    return 0;
}

int
csv_plan_lay_out(const csv_plan *self, generators_state *state, csv_block *block)
{
    if (self->header != NULL && share_names(self, state, block) < 0) {
        return -1;
    }
    uint32_t *places = PyMem_Calloc((size_t)self->count + 1, sizeof *places);
    bool *converted = PyMem_Calloc((size_t)self->count + 1, sizeof *converted);
    int status = -1;
    if (places == NULL || converted == NULL) {
        PyErr_NoMemory();
    }
    else {
        for (Py_ssize_t i = 0; i < self->count; i++) {
            places[i] = self->columns[i].field;
            converted[i] = !csv_column_is_text(&self->columns[i]);
        }
        status = csv_block_set_layout(block, places, converted, (uint32_t)self->count);
    }
    PyMem_Free(places);
    PyMem_Free(converted);
    return status;
}

/* Whether the field is built: it is not if `columns` was given without it.  1, 0 or -1. */
static int
is_chosen(csv_plan *self, uint32_t field)
{
    if (self->chosen == NULL) {
        return 1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->chosen); i++) {
        uint32_t index;
        if (csv_plan_find_field(self, "columns", PyTuple_GET_ITEM(self->chosen, i), &index) <
            0) {
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

/* Find the field of a parameter, by one of the names that it may have.  1 with *index and
 *name, which is borrowed; 0 if it is not there, or -1. */
static int
find_parameter(csv_plan *self, const csv_parameter *p, uint32_t *index, PyObject **name)
{
    const Py_ssize_t count = p->names == NULL ? 1 : PyTuple_GET_SIZE(p->names);
    int found = 0;
    for (Py_ssize_t i = 0; i < count && found == 0; i++) {
        *name = p->names == NULL ? p->name : PyTuple_GET_ITEM(p->names, i);
        found = find_name(self, *name, index);
        found = found > 0 ? is_chosen(self, *index) : found;
    }
    *name = p->name != NULL ? p->name : *name;
    return found;
}

/* Add a column for a parameter.  0 or -1. */
static int
add_parameter(csv_plan *self, generators_state *state, const csv_parameter *p, uint32_t field)
{
    const csv_type_origin origin = p->loose ? CSV_TYPE_LOOSE : CSV_TYPE_HINT;
    if (add_column(self, state, field, p->hint, origin) < 0) {
        return -1;
    }
    csv_column *column = &self->columns[self->count - 1];
    column->missing = Py_XNewRef(p->missing);
    column->left_out = self->signature.by_name && p->optional;
    return 0;
}

/* Add a column for each parameter of the class.  `lacking` gets the names of required
   parameters that have no column.  0 or -1. */
static int
match_parameters(csv_plan *self, generators_state *state, PyObject *keywords,
                 PyObject *lacking)
{
    bool by_name = false;
    for (Py_ssize_t i = 0; i < self->signature.count; i++) {
        const csv_parameter *p = &self->signature.items[i];
        PyObject *name = p->name;
        uint32_t field = 0;
        int found = find_parameter(self, p, &field, &name);
        int status = found < 0 ? -1 : 0;
        if (found > 0) {
            by_name |= p->keyword;
            status = by_name ? PyList_Append(keywords, name) : 0;
            status = status < 0 ? -1 : add_parameter(self, state, p, field);
        }
        else if (found == 0 && p->value != NULL) {
            status = add_default(self, p);
        }
        else if (found == 0) {
            by_name = true;
            status = p->optional ? 0 : PyList_Append(lacking, name);
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
                         "%s has fields without a column of that name: %R; the "
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

/* The names, each as an exact str, so that no user code runs when they are compared: a new
   tuple, or NULL. */
static PyObject *
plain_names(PyObject *header)
{
    PyObject *names = PyTuple_New(PyTuple_GET_SIZE(header));
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(header); i++) {
        PyObject *name = PyTuple_GET_ITEM(header, i);
        name = PyUnicode_Check(name) ? PyUnicode_FromObject(name) : Py_NewRef(name);
        if (name == NULL) {
            Py_CLEAR(names);
            break;
        }
        PyTuple_SET_ITEM(names, i, name);
    }
    return names;
}

int
csv_plan_settle(csv_plan *self, generators_state *state, PyObject *header, uint32_t width)
{
    self->settled = true;
    if (header != NULL) {
        self->header = plain_names(header);
        if (self->header == NULL) {
            return -1;
        }
    }
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
