/* Rows -> dicts, as csv.DictReader makes them.
 *
 * csv_keys remembers the names of the row before.  Its `pattern` is a dict that has them
 * as keys, and the last row's values: the next row changes what differs, of which there
 * is little where texts repeat themselves, and a copy of it is the row's dict, which
 * costs half of building one.  It is made again when the names are found to have changed,
 * and used where they are distinct strs, whose comparison runs no code of the user.
 *
 * User code runs where names are something else: the caller holds what it passes.
 */
#include "csv/module/keyed.h"
#include "csv/row/convert.h"

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

void
csv_keys_forget(csv_keys *self)
{
    Py_CLEAR(self->names);
    Py_CLEAR(self->pattern);
    PyMem_Free(self->last);
    self->last = NULL;
}

/* Are they distinct strs? */
static bool
are_plain_names(PyObject *names, PyObject *dict)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        if (!PyUnicode_CheckExact(PyTuple_GET_ITEM(names, i))) {
            return false;
        }
    }
    return PyDict_GET_SIZE(dict) == PyTuple_GET_SIZE(names);
}

static int
make_pattern(csv_keys *self)
{
    PyObject *names = self->names;
    Py_ssize_t count = PyTuple_GET_SIZE(names);
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict != NULL && i < count; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (PyUnicode_CheckExact(name) && PyDict_SetItem(dict, name, Py_None) < 0) {
            Py_CLEAR(dict);
        }
    }
    if (dict == NULL) {
        return -1;
    }
    if (are_plain_names(names, dict)) {
        self->last = PyMem_Calloc((size_t)count + 1, sizeof *self->last);
        if (self->last == NULL) {
            Py_DECREF(dict);
            PyErr_NoMemory();
            return -1;
        }
        self->pattern = Py_NewRef(dict);
    }
    Py_DECREF(dict);
    return 0;
}

/* See to it that `names`, and `pattern` if they allow it, are of these fieldnames: 1 if
   there is a pattern, 0, or -1. */
int
csv_keys_learn(csv_keys *self, PyObject *fieldnames)
{
    if (!PyList_CheckExact(fieldnames) && !PyTuple_CheckExact(fieldnames)) {
        return 0;
    }
    Py_ssize_t count = PySequence_Fast_GET_SIZE(fieldnames);
    if (!are_names_last_seen(self, PySequence_Fast_ITEMS(fieldnames), count)) {
        csv_keys_forget(self);
        self->names = PySequence_Tuple(fieldnames);
        if (self->names == NULL || make_pattern(self) < 0) {
            csv_keys_forget(self);
            return -1;
        }
    }
    return self->pattern != NULL;
}

/* ---- values -> dicts ---- */

/* A list of the values from `from` on, which it takes over. */
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

/* The pattern gets what differs from the last row.  Only what the reader made goes
   into it: a restval could have code of its own, which would run when it goes. */
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

/* Give a row that is not as long as the names what is due to it. */
static int
level(PyObject *dict, PyObject *names, csv_values *values, const csv_rest *rest)
{
    size_t count = (size_t)PyTuple_GET_SIZE(names);
    int status = 0;
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

/* The dict of values, whose names have a pattern. */
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
        level(dict, names, values, rest) < 0) {
        Py_CLEAR(dict);
    }
    Py_DECREF(names);
    return dict;
}

static int
set_rest(PyObject *dict, PyObject *key, PyObject *row, Py_ssize_t from, Py_ssize_t to)
{
    PyObject *rest = PySequence_GetSlice(row, from, to);
    int status = rest == NULL ? -1 : PyDict_SetItem(dict, key, rest);
    Py_XDECREF(rest);
    return status;
}

static int
set_missing(PyObject *dict, PyObject *value, PyObject *fieldnames, Py_ssize_t from,
            Py_ssize_t to)
{
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

/* The dict of any row, by any names. */
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
