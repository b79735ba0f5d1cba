/* Rows as dicts, as csv.DictReader makes them.
 *
 * csv_keys holds the names of the last row.  Its `pattern` is a dict of these names and of the
 * last row's values.  For the next row, the values that differ are replaced (few, where texts
 * repeat), and the pattern is copied.  That is half the cost of building a dict.  There is a
 * pattern only if the names are distinct exact strs, so that no user code runs when they are
 * compared or dropped.
 *
 * User code runs if names, or the key for the values beyond them, are other objects.  That
 * code may use the same csv_keys.  So this code holds references to what it has read, and the
 * caller holds its arguments.
 */
#include "csv/module/keyed.h"

/* ---- names ---- */

static bool
are_names_last_seen(const csv_keys *self, PyObject *const *names, Py_ssize_t count)
{
    if (self->names == NULL || PyTuple_GET_SIZE(self->names) != count) {
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (PyTuple_GET_ITEM(self->names, i) != names[i]) {
            return false;
        }
    }
    return true;
}

/* Replace all of it.  The old contents are dropped last, which may run user code. */
static void
keys_replace(csv_keys *self, csv_keys with)
{
    csv_keys before = *self;
    *self = with;
    Py_XDECREF(before.names);
    Py_XDECREF(before.pattern);
    PyMem_Free(before.last);
}

void
csv_keys_forget(csv_keys *self)
{
    keys_replace(self, (csv_keys){NULL, NULL, NULL});
}

/* Make the pattern of these names, with None for each value: a new reference.  NULL without an
   exception set if the names are not distinct exact strs. */
static PyObject *
new_pattern(PyObject *names)
{
    Py_ssize_t count = PyTuple_GET_SIZE(names);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!PyUnicode_CheckExact(PyTuple_GET_ITEM(names, i))) {
            return NULL;
        }
    }
    PyObject *pattern = PyDict_New();
    for (Py_ssize_t i = 0; pattern != NULL && i < count; i++) {
        if (PyDict_SetItem(pattern, PyTuple_GET_ITEM(names, i), Py_None) < 0) {
            Py_CLEAR(pattern);
        }
    }
    if (pattern != NULL && PyDict_GET_SIZE(pattern) != count) {
        Py_CLEAR(pattern);
    }
    return pattern;
}

int
csv_keys_learn(csv_keys *self, PyObject *fieldnames)
{
    if (!PyList_CheckExact(fieldnames) && !PyTuple_CheckExact(fieldnames)) {
        return 0;
    }
    Py_ssize_t count = PySequence_Fast_GET_SIZE(fieldnames);
    if (are_names_last_seen(self, PySequence_Fast_ITEMS(fieldnames), count)) {
        return self->pattern != NULL;
    }
    csv_keys keys = {.names = PySequence_Tuple(fieldnames)};
    if (keys.names == NULL) {
        return -1;
    }
    keys.pattern = new_pattern(keys.names);
    if (keys.pattern != NULL) {
        keys.last = PyMem_Calloc((size_t)PyTuple_GET_SIZE(keys.names) + 1, sizeof *keys.last);
        if (keys.last == NULL) {
            PyErr_NoMemory();
        }
    }
    if (PyErr_Occurred()) {
        keys_replace(&keys, (csv_keys){NULL, NULL, NULL});
        return -1;
    }
    /* Dropping the old contents may run user code, which may make this learn other names. */
    PyObject *names = Py_NewRef(keys.names);
    keys_replace(self, keys);
    bool stand = self->names == names;
    Py_DECREF(names);
    return stand && self->pattern != NULL;
}

/* ---- values -> dicts ---- */

PyObject *
csv_values_list(csv_values *values, size_t from)
{
    PyObject *list = PyList_New((Py_ssize_t)(values->count - from));
    for (size_t i = from; list != NULL && i < values->count; i++) {
        PyList_SET_ITEM(list, (Py_ssize_t)(i - from), values->items[i]);
        values->items[i] = NULL;
    }
    return list;
}

/* Put the values that differ from the last row's into the pattern.  The pattern holds only
   values that the reader made: replacing a restval could run its code. */
static int
update_pattern(csv_keys *self, const csv_values *values)
{
    size_t count = (size_t)PyTuple_GET_SIZE(self->names);
    for (size_t i = 0; i < count; i++) {
        PyObject *value = i < values->count ? values->items[i] : Py_None;
        if (value == self->last[i]) {
            continue;
        }
        self->last[i] = value;
        if (PyDict_SetItem(self->pattern, PyTuple_GET_ITEM(self->names, (Py_ssize_t)i),
                           value) < 0) {
            return -1;
        }
    }
    return 0;
}

/* An attribute of the reader that a row needs was deleted, or never set. */
static int
refuse_missing(const char *name)
{
    PyErr_Format(PyExc_AttributeError, "the DictReader has no attribute '%s'", name);
    return -1;
}

/* Complete the dict of a row with more, or fewer, values than names.  0 or -1. */
static int
add_rest(PyObject *dict, PyObject *names, csv_values *values, const csv_rest *rest)
{
    size_t count = (size_t)PyTuple_GET_SIZE(names);
    int status = 0;
    if (values->count > count && rest->key == NULL) {
        return refuse_missing("restkey");
    }
    if (values->count < count && rest->value == NULL) {
        return refuse_missing("restval");
    }
    if (values->count > count) {
        PyObject *list = csv_values_list(values, count);
        status = list == NULL ? -1 : PyDict_SetItem(dict, rest->key, list);
        Py_XDECREF(list);
    }
    for (size_t i = values->count; i < count && status == 0; i++) {
        status = PyDict_SetItem(dict, PyTuple_GET_ITEM(names, (Py_ssize_t)i), rest->value);
    }
    return status;
}

PyObject *
csv_keys_dict(csv_keys *self, csv_values *values, const csv_rest *rest)
{
    if (update_pattern(self, values) < 0) {
        csv_keys_forget(self);
        return NULL;
    }
    PyObject *names = Py_NewRef(self->names), *pattern = Py_NewRef(self->pattern);
    PyObject *dict = PyDict_Copy(pattern);
    Py_DECREF(pattern);
    if (dict != NULL && values->count != (size_t)PyTuple_GET_SIZE(names) &&
        add_rest(dict, names, values, rest) < 0) {
        Py_CLEAR(dict);
    }
    Py_DECREF(names);
    return dict;
}

static int
set_rest(PyObject *dict, PyObject *key, PyObject *row, Py_ssize_t from, Py_ssize_t to)
{
    if (key == NULL) {
        return refuse_missing("restkey");
    }
    PyObject *rest = PySequence_GetSlice(row, from, to);
    int status = rest == NULL ? -1 : PyDict_SetItem(dict, key, rest);
    Py_XDECREF(rest);
    return status;
}

static int
set_missing(PyObject *dict, PyObject *value, PyObject *fieldnames, Py_ssize_t from,
            Py_ssize_t to)
{
    if (value == NULL) {
        return refuse_missing("restval");
    }
    PyObject *rest = PySequence_GetSlice(fieldnames, from, to);
    PyObject *names = rest == NULL ? NULL : PyObject_GetIter(rest);
    Py_XDECREF(rest);
    if (names == NULL) {
        return -1;
    }
    PyObject *name;
    int status = 0;
    while (status == 0 && (name = PyIter_Next(names)) != NULL) {
        status = PyDict_SetItem(dict, name, value);
        Py_DECREF(name);
    }
    Py_DECREF(names);
    return status < 0 || PyErr_Occurred() ? -1 : 0;
}

PyObject *
csv_keyed_row(PyObject *fieldnames, PyObject *row, const csv_rest *rest)
{
    PyObject *pairs =
        PyObject_CallFunctionObjArgs((PyObject *)&PyZip_Type, fieldnames, row, NULL);
    PyObject *dict = pairs == NULL ? NULL : PyDict_New();
    int status = dict == NULL ? -1 : PyDict_MergeFromSeq2(dict, pairs, 1);
    Py_XDECREF(pairs);
    Py_ssize_t count = status < 0 ? -1 : PyObject_Size(fieldnames);
    Py_ssize_t length = count < 0 ? -1 : PyObject_Size(row);
    if (length < 0) {
        status = -1;
    }
    else if (count < length) {
        status = set_rest(dict, rest->key, row, count, length);
    }
    else if (count > length) {
        status = set_missing(dict, rest->value, fieldnames, length, count);
    }
    if (status < 0) {
        Py_CLEAR(dict);
    }
    return dict;
}
