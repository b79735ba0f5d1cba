/* DictWriter: csv.DictWriter of the standard module, for generators.csv.
 *
 * As DictReader, it says in C what the standard class says in Python.  Its methods
 * call each other by name, so that a subclass may replace any of them.
 *
 * Owned: all that it holds.  Threads: it has no state but its attributes, of which a
 * call takes strong references.
 */
#include "csv/module/dict_writer.h"

#include "csv/module/call.h"

typedef struct {
    PyObject_HEAD
    PyObject *fieldnames;   /* owned, or NULL before __init__ and if deleted; so all */
    PyObject *restval;      /* owned */
    PyObject *extrasaction; /* owned: lower case */
    PyObject *writer;       /* owned: whatever has writerow and writerows */
    PyObject *attributes;   /* owned: __dict__ */
    PyObject *weak_references;
} dict_writer;

/* ---- rows ---- */

/* The attribute as it is now: a new reference, or NULL with AttributeError. */
static PyObject *
attribute(PyObject **member, const char *name)
{
    if (*member == NULL) {
        PyErr_SetString(PyExc_AttributeError, name);
        return NULL;
    }
    return Py_NewRef(*member);
}

static int
raise_extra(PyObject *extra)
{
    PyObject *list = PySequence_List(extra);
    PyObject *joint = list == NULL ? NULL : PyUnicode_FromString(", ");
    PyObject *names = NULL;
    for (Py_ssize_t i = 0; joint != NULL && i < PyList_GET_SIZE(list); i++) {
        PyObject *text = PyObject_Repr(PyList_GET_ITEM(list, i));
        if (text == NULL || PyList_SetItem(list, i, text) < 0) {
            Py_CLEAR(joint);
        }
    }
    if (joint != NULL) {
        names = PyUnicode_Join(joint, list);
    }
    if (names != NULL) {
        PyErr_Format(PyExc_ValueError, "dict contains fields not in fieldnames: %U", names);
    }
    Py_XDECREF(list);
    Py_XDECREF(joint);
    Py_XDECREF(names);
    return -1;
}

/* ValueError if the row has a key that is no fieldname. */
static int
refuse_extra(PyObject *row, PyObject *fieldnames)
{
    PyObject *keys = PyObject_CallMethod(row, "keys", NULL);
    PyObject *extra = keys == NULL ? NULL : PyNumber_Subtract(keys, fieldnames);
    Py_XDECREF(keys);
    int any = extra == NULL ? -1 : PyObject_IsTrue(extra);
    int status = any > 0 ? raise_extra(extra) : any;
    Py_XDECREF(extra);
    return status;
}

/* The values of a dict, and how many of the names it has. */
static PyObject *
dict_values(PyObject *row, PyObject *names, PyObject *restval, Py_ssize_t *found)
{
    Py_ssize_t count = PySequence_Fast_GET_SIZE(names);
    PyObject *values = PyList_New(0);
    *found = 0;
    /* A name's own code may run and change anything. */
    for (Py_ssize_t i = 0; values != NULL && i < count; i++) {
        if (i >= PySequence_Fast_GET_SIZE(names)) {
            break;
        }
        PyObject *name = Py_NewRef(PySequence_Fast_GET_ITEM(names, i));
        PyObject *value = Py_XNewRef(PyDict_GetItemWithError(row, name));
        *found += value != NULL;
        if (value == NULL && !PyErr_Occurred()) {
            value = Py_NewRef(restval);
        }
        if (value == NULL || PyList_Append(values, value) < 0) {
            Py_CLEAR(values);
        }
        Py_XDECREF(value);
        Py_DECREF(name);
    }
    return values;
}

/* The values of any mapping. */
static PyObject *
mapping_values(PyObject *row, PyObject *fieldnames, PyObject *restval)
{
    PyObject *names = PySequence_List(fieldnames);
    for (Py_ssize_t i = 0; names != NULL && i < PyList_GET_SIZE(names); i++) {
        PyObject *name = PyList_GET_ITEM(names, i);
        PyObject *value = PyObject_CallMethod(row, "get", "OO", name, restval);
        if (value == NULL || PyList_SetItem(names, i, value) < 0) {
            Py_CLEAR(names);
        }
    }
    return names;
}

static PyObject *
row_values(PyObject *row, PyObject *fieldnames, PyObject *restval, bool strict)
{
    bool plain = PyDict_CheckExact(row) &&
                 (PyList_CheckExact(fieldnames) || PyTuple_CheckExact(fieldnames));
    if (!plain) {
        return strict && refuse_extra(row, fieldnames) < 0
                   ? NULL
                   : mapping_values(row, fieldnames, restval);
    }
    Py_ssize_t found;
    PyObject *values = dict_values(row, fieldnames, restval, &found);
    /* As many names as keys are those keys, unless a name is there twice. */
    bool sure = found == PyDict_GET_SIZE(row) && found == PySequence_Fast_GET_SIZE(fieldnames);
    if (values != NULL && strict && !sure && refuse_extra(row, fieldnames) < 0) {
        Py_CLEAR(values);
    }
    return values;
}

PyDoc_STRVAR(dict_to_list_doc, "_dict_to_list($self, rowdict, /)\n"
                               "--\n\n"
                               "The values of a dict, in the order of the fieldnames.");

static PyObject *
dict_writer_dict_to_list(PyObject *op, PyObject *row)
{
    dict_writer *self = (dict_writer *)op;
    PyObject *names = NULL, *restval = NULL, *values = NULL;
    PyObject *action = attribute(&self->extrasaction, "extrasaction");
    if (action != NULL) {
        names = attribute(&self->fieldnames, "fieldnames");
    }
    if (names != NULL) {
        restval = attribute(&self->restval, "restval");
    }
    if (restval != NULL) {
        bool strict =
            PyUnicode_Check(action) && PyUnicode_CompareWithASCIIString(action, "raise") == 0;
        values = row_values(row, names, restval, strict);
    }
    Py_XDECREF(action);
    Py_XDECREF(names);
    Py_XDECREF(restval);
    return values;
}

/* ---- writing ---- */

PyDoc_STRVAR(writerow_doc,
             "writerow($self, rowdict, /)\n"
             "--\n\n"
             "Write a row, given as a dict; return what the file's write() does.\n"
             "ValueError for a key that is no fieldname, unless extrasaction='ignore'.");

static PyObject *
dict_writer_writerow(PyObject *op, PyObject *row)
{
    PyObject *values = PyObject_CallMethod(op, "_dict_to_list", "(O)", row);
    PyObject *writer = values == NULL ? NULL : PyObject_GetAttrString(op, "writer");
    PyObject *result =
        writer == NULL ? NULL : PyObject_CallMethod(writer, "writerow", "(O)", values);
    Py_XDECREF(values);
    Py_XDECREF(writer);
    return result;
}

PyDoc_STRVAR(writerows_doc, "writerows($self, rowdicts, /)\n"
                            "--\n\n"
                            "Write the rows of an iterable of dicts.");

static PyObject *
dict_writer_writerows(PyObject *op, PyObject *rows)
{
    PyObject *to_list = PyObject_GetAttrString(op, "_dict_to_list");
    PyObject *lists = NULL, *writer = NULL, *result = NULL;
    if (to_list != NULL) {
        lists = PyObject_CallFunctionObjArgs((PyObject *)&PyMap_Type, to_list, rows, NULL);
    }
    if (lists != NULL) {
        writer = PyObject_GetAttrString(op, "writer");
    }
    if (writer != NULL) {
        result = PyObject_CallMethod(writer, "writerows", "(O)", lists);
    }
    Py_XDECREF(to_list);
    Py_XDECREF(lists);
    Py_XDECREF(writer);
    return result;
}

PyDoc_STRVAR(writeheader_doc,
             "writeheader($self, /)\n"
             "--\n\n"
             "Write a row of the fieldnames; return what the file's write() does.");

static PyObject *
dict_writer_writeheader(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyObject *names = PyObject_GetAttrString(op, "fieldnames");
    if (names == NULL) {
        return NULL;
    }
    PyObject *pairs =
        PyObject_CallFunctionObjArgs((PyObject *)&PyZip_Type, names, names, NULL);
    Py_DECREF(names);
    PyObject *header = pairs == NULL ? NULL : PyDict_New();
    PyObject *result = NULL;
    if (header != NULL && PyDict_MergeFromSeq2(header, pairs, 1) == 0) {
        result = PyObject_CallMethod(op, "writerow", "(O)", header);
    }
    Py_XDECREF(pairs);
    Py_XDECREF(header);
    return result;
}

/* ---- making one ---- */

/* Lower case, and 'raise' or 'ignore': a new reference. */
static PyObject *
read_extrasaction(PyObject *given)
{
    if (given == NULL) {
        return PyUnicode_FromString("raise");
    }
    PyObject *action = PyObject_CallMethod(given, "lower", NULL);
    if (action == NULL) {
        return NULL;
    }
    if (!PyUnicode_Check(action) ||
        (PyUnicode_CompareWithASCIIString(action, "raise") != 0 &&
         PyUnicode_CompareWithASCIIString(action, "ignore") != 0)) {
        PyErr_Format(PyExc_ValueError, "extrasaction (%S) must be 'raise' or 'ignore'",
                     action);
        Py_CLEAR(action);
    }
    return action;
}

static int
dict_writer_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static const char *const parameters[] = {
        "f", "fieldnames", "restval", "extrasaction", "dialect", NULL};
    dict_writer *self = (dict_writer *)op;
    csv_call call;
    if (csv_call_bind(&call, "DictWriter", parameters, 2, args, kwargs) < 0) {
        return -1;
    }
    PyObject *restval = NULL, *action = NULL, *writer = NULL;
    PyObject *names = csv_fieldnames(call.values[1]);
    if (names != NULL) {
        restval =
            call.values[2] == NULL ? PyUnicode_FromString("") : Py_NewRef(call.values[2]);
    }
    if (restval != NULL) {
        action = read_extrasaction(call.values[3]);
    }
    if (action != NULL) {
        generators_state *state = generators_state_of_subclass(Py_TYPE(op));
        writer = csv_call_onward(&call, (PyObject *)state->csv_writer_type);
    }
    csv_call_free(&call);
    if (writer == NULL) {
        Py_XDECREF(names);
        Py_XDECREF(restval);
        Py_XDECREF(action);
        return -1;
    }
    Py_XSETREF(self->fieldnames, names);
    Py_XSETREF(self->restval, restval);
    Py_XSETREF(self->extrasaction, action);
    Py_XSETREF(self->writer, writer);
    return 0;
}

static int
dict_writer_traverse(PyObject *op, visitproc visit, void *arg)
{
    dict_writer *self = (dict_writer *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->fieldnames);
    Py_VISIT(self->restval);
    Py_VISIT(self->extrasaction);
    Py_VISIT(self->writer);
    Py_VISIT(self->attributes);
    return 0;
}

static int
dict_writer_clear(PyObject *op)
{
    dict_writer *self = (dict_writer *)op;
    Py_CLEAR(self->fieldnames);
    Py_CLEAR(self->restval);
    Py_CLEAR(self->extrasaction);
    Py_CLEAR(self->writer);
    Py_CLEAR(self->attributes);
    return 0;
}

static void
dict_writer_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (((dict_writer *)op)->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    dict_writer_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMemberDef dict_writer_members[] = {
    {"fieldnames", Py_T_OBJECT_EX, offsetof(dict_writer, fieldnames), 0,
     "The keys, in the order of the columns."},
    {"restval", Py_T_OBJECT_EX, offsetof(dict_writer, restval), 0,
     "What is written where a row lacks a key."},
    {"extrasaction", Py_T_OBJECT_EX, offsetof(dict_writer, extrasaction), 0,
     "'raise' or 'ignore': what a key that is no fieldname leads to."},
    {"writer", Py_T_OBJECT_EX, offsetof(dict_writer, writer), 0, "What the rows go to."},
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(dict_writer, attributes), Py_READONLY, NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(dict_writer, weak_references), Py_READONLY,
     NULL},
    {NULL},
};

static PyGetSetDef dict_writer_attributes[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL},
};

static PyMethodDef dict_writer_methods[] = {
    {"writeheader", dict_writer_writeheader, METH_NOARGS, writeheader_doc},
    {"_dict_to_list", dict_writer_dict_to_list, METH_O, dict_to_list_doc},
    {"writerow", dict_writer_writerow, METH_O, writerow_doc},
    {"writerows", dict_writer_writerows, METH_O, writerows_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL},
};

PyDoc_STRVAR(dict_writer_doc,
             "DictWriter(f, fieldnames, restval='', extrasaction='raise', dialect='excel',\n"
             "           *args, **kwds)\n"
             "--\n\n"
             "Writes dicts as rows to a file: csv.DictWriter, native.\n\n"
             "    with open('cities.csv', 'w', newline='') as f:\n"
             "        rows = DictWriter(f, ['name', 'population'])\n"
             "        rows.writeheader()\n"
             "        rows.writerow({'name': 'Reykjav\\u00edk', 'population': 139875})\n\n"
             "A key that a row lacks is `restval`; one that is no fieldname is a ValueError\n"
             "unless extrasaction='ignore'.  The other arguments, and the errors, are those\n"
             "of writer().");

static PyType_Slot dict_writer_slots[] = {
    {Py_tp_doc, (char *)dict_writer_doc}, {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, dict_writer_init},       {Py_tp_traverse, dict_writer_traverse},
    {Py_tp_clear, dict_writer_clear},     {Py_tp_dealloc, dict_writer_dealloc},
    {Py_tp_members, dict_writer_members}, {Py_tp_getset, dict_writer_attributes},
    {Py_tp_methods, dict_writer_methods}, {0, NULL},
};

PyType_Spec csv_dict_writer_spec = {
    .name = "generators.csv.DictWriter",
    .basicsize = sizeof(dict_writer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = dict_writer_slots,
};
