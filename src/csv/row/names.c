/* _CSVNames: the names of a reader's fields, shared by all its rows.
 *
 * Immutable: a tuple of names, none of them empty or repeated, and the index of each.  The
 * names are exact strs, so _CSVNames cannot be part of a cycle, and the garbage collector does
 * not track it.  Threads need no lock.  Rows that are pickled together pickle it once.
 */
#include "csv/row/names.h"

struct csv_names {
    PyObject_HEAD
    PyObject *names;  /* owned: a tuple of exact str */
    PyObject *places; /* owned: a dict of the index of each */
};

/* ---- making one ---- */

/* The name as an exact str: a new reference, or NULL. */
static PyObject *
plain_name(PyObject *name, Py_ssize_t index)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "the name of field %zd must be str, not %.200s", index,
                     Py_TYPE(name)->tp_name);
        return NULL;
    }
    if (PyUnicode_READY(name) < 0) {
        return NULL;
    }
    if (PyUnicode_GET_LENGTH(name) == 0) {
        PyErr_Format(PyExc_ValueError,
                     "the name of field %zd is empty: pass names, duplicates='number', or "
                     "into=list or into=tuple",
                     index);
        return NULL;
    }
    return PyUnicode_FromObject(name);
}

static int
add_place(PyObject *places, PyObject *name, Py_ssize_t index)
{
    PyObject *place = PyLong_FromSsize_t(index);
    if (place == NULL) {
        return -1;
    }
    PyObject *held = PyDict_SetDefault(places, name, place); /* borrowed */
    Py_DECREF(place);
    if (held != NULL && held != place) {
        PyErr_Format(PyExc_ValueError,
                     "two fields, %S and %zd, have the name %R: pass names, "
                     "duplicates='number', or into=list or "
                     "into=tuple",
                     held, index, name);
        return -1;
    }
    return held == NULL ? -1 : 0;
}

/* Fill in the names from a tuple of any objects.  0 or -1. */
static int
add_names(csv_names *self, PyObject *given)
{
    Py_ssize_t count = PyTuple_GET_SIZE(given);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = plain_name(PyTuple_GET_ITEM(given, i), i);
        if (name == NULL) {
            return -1;
        }
        PyTuple_SET_ITEM(self->names, i, name);
        if (add_place(self->places, name, i) < 0) {
            return -1;
        }
    }
    return 0;
}

static csv_names *
make_names(PyTypeObject *type, PyObject *names)
{
    if (PyUnicode_Check(names)) {
        PyErr_SetString(PyExc_TypeError, "names must be a sequence of names, not str");
        return NULL;
    }
    PyObject *given = PySequence_Tuple(names);
    if (given == NULL) {
        return NULL;
    }
    csv_names *self = (csv_names *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->names = PyTuple_New(PyTuple_GET_SIZE(given));
        self->places = PyDict_New();
        if (self->names == NULL || self->places == NULL || add_names(self, given) < 0) {
            Py_CLEAR(self);
        }
    }
    Py_DECREF(given);
    return self;
}

csv_names *
csv_names_new(generators_state *state, PyObject *names)
{
    if (Py_IS_TYPE(names, state->csv_names_type)) {
        return (csv_names *)Py_NewRef(names);
    }
    return make_names(state->csv_names_type, names);
}

/* ---- lookups ---- */

PyObject *
csv_names_tuple(const csv_names *self)
{
    return self->names;
}

Py_ssize_t
csv_names_find(const csv_names *self, PyObject *name)
{
    PyObject *place = PyDict_GetItemWithError(self->places, name);
    if (place == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetObject(PyExc_KeyError, name);
        }
        return -1;
    }
    return PyLong_AsSsize_t(place);
}

/* ---- the type ---- */

static PyObject *
names_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *names;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "_CSVNames() takes no keyword arguments");
        return NULL;
    }
    return PyArg_ParseTuple(args, "O:_CSVNames", &names) ? (PyObject *)make_names(type, names)
                                                         : NULL;
}

static void
names_dealloc(PyObject *op)
{
    csv_names *self = (csv_names *)op;
    PyTypeObject *type = Py_TYPE(op);
    Py_XDECREF(self->names);
    Py_XDECREF(self->places);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *
names_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return Py_BuildValue("O(O)", (PyObject *)Py_TYPE(op), ((csv_names *)op)->names);
}

static PyMethodDef names_methods[] = {
    {"__reduce__", names_reduce, METH_NOARGS,
     "__reduce__($self, /)\n"
     "--\n\n"
     "Return the names, for pickle."},
    {NULL},
};

static PyType_Slot names_slots[] = {
    {Py_tp_doc, (char *)"_CSVNames(names, /)\n"
                        "--\n\n"
                        "The names that the rows of a reader share."},
    {Py_tp_new, names_new},
    {Py_tp_dealloc, names_dealloc},
    {Py_tp_methods, names_methods},
    {0, NULL},
};

PyType_Spec csv_names_spec = {
    .name = "native_generators._native._CSVNames",
    .basicsize = sizeof(csv_names),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = names_slots,
};
