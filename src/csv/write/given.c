/* What `rows` may be beside an iterable of rows: cursors that tell the names of their columns,
 * arrays of numpy, and frames that offer no Arrow data.
 *
 * Each is known by its attributes, so that no library is imported.  The rows of arrays and
 * frames are made by native_generators._writing, block by block.
 *
 * There is no state.  User code runs in attributes.
 */
#include "csv/write/given.h"

#include "runtime/attributes.h"

/* Whether it has all of the attributes: 1, 0 or -1. */
static int
has_both(PyObject *object, const char *one, const char *other)
{
    int found = attributes_has(object, one);
    return found > 0 ? attributes_has(object, other) : found;
}

/* ---- cursors ---- */

int
csv_given_is_cursor(PyObject *rows)
{
    if (PyList_CheckExact(rows) || PyTuple_CheckExact(rows) || PyGen_CheckExact(rows)) {
        return 0;
    }
    int found = attributes_has(rows, "description");
    return found != 0 ? found : has_both(rows, "fetchmany", "keys");
}

/* The name of a column of `description`: a new reference.  NULL without an exception if it is
   none. */
static PyObject *
column_name(PyObject *column)
{
    if (PyUnicode_Check(column) || !PySequence_Check(column)) {
        return NULL;
    }
    PyObject *name = PySequence_GetItem(column, 0);
    if (name == NULL) {
        raising_forgive_answer();
        return NULL;
    }
    if (!PyUnicode_Check(name)) {
        Py_CLEAR(name);
    }
    return name;
}

/* The names of a `description`: 1 with a new tuple, 0 if it has none, or -1. */
static int
read_description(PyObject *description, PyObject **names)
{
    if (!PyTuple_Check(description) && !PyList_Check(description)) {
        return 0;
    }
    PyObject *columns = PySequence_Tuple(description);
    Py_ssize_t count = columns == NULL ? 0 : PyTuple_GET_SIZE(columns);
    *names = columns == NULL ? NULL : PyTuple_New(count);
    for (Py_ssize_t i = 0; *names != NULL && i < count; i++) {
        PyObject *name = column_name(PyTuple_GET_ITEM(columns, i));
        if (name == NULL) {
            Py_CLEAR(*names);
            break;
        }
        PyTuple_SET_ITEM(*names, i, name);
    }
    Py_XDECREF(columns);
    if (*names != NULL && count == 0) {
        Py_CLEAR(*names);
    }
    return *names != NULL ? 1 : PyErr_Occurred() ? -1 : 0;
}

/* The names that keys() gives: 1 with a new tuple, or -1. */
static int
call_keys(PyObject *rows, PyObject **names)
{
    PyObject *keys = PyObject_CallMethod(rows, "keys", NULL);
    *names = keys == NULL ? NULL : PySequence_Tuple(keys);
    Py_XDECREF(keys);
    return *names == NULL ? -1 : 1;
}

int
csv_given_cursor_names(PyObject *rows, PyObject **names)
{
    *names = NULL;
    PyObject *description = PyObject_GetAttrString(rows, "description");
    if (description == NULL) {
        return raising_forgive(PyExc_AttributeError) < 0 ? -1 : call_keys(rows, names);
    }
    int status = read_description(description, names);
    Py_DECREF(description);
    return status;
}

/* ---- arrays and frames ---- */

int
csv_given_kind_of(PyObject *rows, csv_given_kind *kind)
{
    *kind = CSV_GIVEN_ROWS;
    if (PyList_CheckExact(rows) || PyTuple_CheckExact(rows) || PyGen_CheckExact(rows)) {
        return 0;
    }
    int found = has_both(rows, "dtype", "ndim");
    if (found > 0) {
        *kind = CSV_GIVEN_ARRAY;
    }
    else if (found == 0) {
        found = has_both(rows, "columns", "itertuples");
        *kind = found > 0 ? CSV_GIVEN_FRAME : CSV_GIVEN_ROWS;
    }
    return found < 0 ? -1 : 0;
}

int
csv_given_open(PyObject *table, csv_given_kind kind, PyObject **rows, PyObject **names)
{
    *rows = *names = NULL;
    PyObject *module = PyImport_ImportModule("native_generators._writing");
    PyObject *pair =
        module == NULL ? NULL
                       : PyObject_CallMethod(
                             module, kind == CSV_GIVEN_ARRAY ? "array" : "frame", "O", table);
    Py_XDECREF(module);
    if (pair == NULL) {
        return -1;
    }
    *rows = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
    if (PyTuple_GET_ITEM(pair, 1) != Py_None) {
        *names = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
    }
    Py_DECREF(pair);
    return 0;
}
