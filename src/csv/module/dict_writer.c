/* DictWriter: csv.DictWriter of the standard module, for generators.csv.
 *
 * It does in C what the standard class does in Python.  Its attributes are in its __dict__ and
 * nowhere else, so vars(), copy.copy() and subclasses see and replace the same things as with
 * csv's class.  Its methods call each other by name.
 *
 * It owns its __dict__. Threads: a call reads each attribute and holds a reference to it.
 */
#include "csv/module/dict_writer.h"

#include "csv/module/call.h"
#include "csv/module/interned.h"
#include "runtime/attributes.h"
#include "runtime/raising.h"

typedef struct {
    PyObject_HEAD
    PyObject *attributes; /* owned: __dict__ */
    PyObject *weak_references;
} dict_writer;

static generators_state *
state_of_writer(PyObject *op)
{
    return generators_state_of_subclass(Py_TYPE(op));
}

/* Get an attribute: a new reference, or NULL.  If no subclass can affect the lookup, it is
   read from __dict__. */
static PyObject *
get_part(PyObject *op, const generators_state *state, csv_name name)
{
    dict_writer *self = (dict_writer *)op;
    PyObject *value;
    if (Py_IS_TYPE(op, state->csv_dict_writer_type) && self->attributes != NULL) {
        PyObject *dict = Py_NewRef(self->attributes);
        int found = PyDict_GetItemRef(dict, csv_interned(state, name), &value);
        Py_DECREF(dict);
        if (found != 0) {
            return value;
        }
    }
    return PyObject_GetAttr(op, csv_interned(state, name));
}

/* ---- rows ---- */

/* Raise ValueError for a set of keys. */
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

/* Raise ValueError if the row has a key that is not a fieldname.  0 or -1. */
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

/* The name at an index of a list or tuple: a new reference.  NULL past the end. */
static PyObject *
name_at(PyObject *names, Py_ssize_t index)
{
    if (PyTuple_CheckExact(names)) {
        return index < PyTuple_GET_SIZE(names) ? Py_NewRef(PyTuple_GET_ITEM(names, index))
                                               : NULL;
    }
    if (index >= PyList_GET_SIZE(names)) {
        return NULL;
    }
#ifndef Py_GIL_DISABLED
    return Py_NewRef(PyList_GET_ITEM(names, index));
#else
    PyObject *name = PyList_GetItemRef(names, index);
    if (name == NULL) { /* another thread has made it shorter */
        raising_forgive(PyExc_IndexError);
    }
    return name;
#endif
}

/* Put the values that a dict has for the names into `values`, `count` at most, and the restval
   for the others.  Returns how many there are, or -1 with none left in `values`.  *found is
   how many of the names the dict has.  Comparing a name may run its code, which may change the
   names and the dict. */
static Py_ssize_t
find_values(PyObject *op, PyObject *row, PyObject *names, PyObject **values, Py_ssize_t count,
            Py_ssize_t *found)
{
    Py_ssize_t i = 0;
    PyObject *name;
    *found = 0;
    for (; i < count && (name = name_at(names, i)) != NULL; i++) {
        int has = PyDict_GetItemRef(row, name, &values[i]);
        Py_DECREF(name);
        if (has == 0) {
            values[i] = get_part(op, state_of_writer(op), CSV_NAME_RESTVAL);
            has = values[i] == NULL ? -1 : 0;
        }
        if (has < 0) {
            while (i > 0) {
                Py_DECREF(values[--i]);
            }
            return -1;
        }
        *found += has;
    }
    return i;
}

#define FEW_VALUES 64 /* how many are collected on the stack */

/* Make a list of the values of a dict, after they are all found. */
static PyObject *
dict_values(PyObject *op, PyObject *row, PyObject *names, Py_ssize_t *found)
{
    PyObject *few[FEW_VALUES];
    Py_ssize_t count = PySequence_Fast_GET_SIZE(names);
    PyObject **values =
        count <= FEW_VALUES ? few : PyMem_Malloc((size_t)count * sizeof *values);
    if (values == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *list = NULL;
    count = find_values(op, row, names, values, count, found);
    if (count >= 0) {
        list = PyList_New(count);
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (list != NULL) {
            PyList_SET_ITEM(list, i, values[i]);
        }
        else {
            Py_DECREF(values[i]);
        }
    }
    if (values != few) {
        PyMem_Free(values);
    }
    return list;
}

/* Make a list of the values of any mapping. */
static PyObject *
mapping_values(PyObject *op, PyObject *row, PyObject *fieldnames)
{
    PyObject *restval = get_part(op, state_of_writer(op), CSV_NAME_RESTVAL);
    PyObject *names = restval == NULL ? NULL : PySequence_List(fieldnames);
    for (Py_ssize_t i = 0; names != NULL && i < PyList_GET_SIZE(names); i++) {
        PyObject *name = Py_NewRef(PyList_GET_ITEM(names, i));
        PyObject *value = PyObject_CallMethod(row, "get", "OO", name, restval);
        Py_DECREF(name);
        if (value == NULL || PyList_SetItem(names, i, value) < 0) {
            Py_CLEAR(names);
        }
    }
    Py_XDECREF(restval);
    return names;
}

/* Raise ValueError if the row has a key that is not a fieldname, where extrasaction says so.
   0 or -1. */
static int
check_extra(PyObject *op, PyObject *row, PyObject *fieldnames)
{
    generators_state *state = state_of_writer(op);
    PyObject *action = get_part(op, state, CSV_NAME_EXTRASACTION);
    if (action == NULL) {
        return -1;
    }
    bool refuses =
        action == csv_interned(state, CSV_NAME_RAISE) ||
        (PyUnicode_Check(action) && PyUnicode_CompareWithASCIIString(action, "raise") == 0);
    Py_DECREF(action);
    return refuses ? refuse_extra(row, fieldnames) : 0;
}

static PyObject *
row_values(PyObject *op, PyObject *row, PyObject *fieldnames)
{
    bool plain = PyDict_CheckExact(row) &&
                 (PyList_CheckExact(fieldnames) || PyTuple_CheckExact(fieldnames));
    if (!plain) {
        return check_extra(op, row, fieldnames) < 0 ? NULL
                                                    : mapping_values(op, row, fieldnames);
    }
    Py_ssize_t found;
    PyObject *values = dict_values(op, row, fieldnames, &found);
    /* If the number of keys and the number of names are both the number found, the names are
       the keys, unless a name is repeated. */
    bool sure = found == PyDict_GET_SIZE(row) && found == PySequence_Fast_GET_SIZE(fieldnames);
    if (values != NULL && !sure && check_extra(op, row, fieldnames) < 0) {
        Py_CLEAR(values);
    }
    return values;
}

PyDoc_STRVAR(dict_to_list_doc, "_dict_to_list($self, rowdict, /)\n"
                               "--\n\n"
                               "Return the values of a dict, in the order of the fieldnames.");

static PyObject *
dict_writer_dict_to_list(PyObject *op, PyObject *row)
{
    PyObject *names = get_part(op, state_of_writer(op), CSV_NAME_FIELDNAMES);
    PyObject *values = names == NULL ? NULL : row_values(op, row, names);
    Py_XDECREF(names);
    return values;
}

/* ---- writing ---- */

PyDoc_STRVAR(writerow_doc,
             "writerow($self, rowdict, /)\n"
             "--\n\n"
             "Write a row, given as a dict, and return the result of the file's write().\n"
             "ValueError is raised for a key that is not a fieldname, unless\n"
             "extrasaction='ignore'.");

static PyObject *
dict_writer_writerow(PyObject *op, PyObject *row)
{
    generators_state *state = state_of_writer(op);
    PyObject *writer = get_part(op, state, CSV_NAME_WRITER);
    PyObject *values = NULL, *result = NULL;
    if (writer != NULL) {
        values =
            PyObject_CallMethodOneArg(op, csv_interned(state, CSV_NAME_DICT_TO_LIST), row);
    }
    if (values != NULL) {
        result =
            PyObject_CallMethodOneArg(writer, csv_interned(state, CSV_NAME_WRITEROW), values);
    }
    Py_XDECREF(writer);
    Py_XDECREF(values);
    return result;
}

PyDoc_STRVAR(writerows_doc, "writerows($self, rowdicts, /)\n"
                            "--\n\n"
                            "Write all rows of an iterable of dicts.");

static PyObject *
dict_writer_writerows(PyObject *op, PyObject *rows)
{
    generators_state *state = state_of_writer(op);
    PyObject *writer = get_part(op, state, CSV_NAME_WRITER);
    PyObject *to_list = NULL, *lists = NULL, *result = NULL;
    if (writer != NULL) {
        to_list = PyObject_GetAttr(op, csv_interned(state, CSV_NAME_DICT_TO_LIST));
    }
    if (to_list != NULL) {
        lists = PyObject_CallFunctionObjArgs((PyObject *)&PyMap_Type, to_list, rows, NULL);
    }
    if (lists != NULL) {
        result =
            PyObject_CallMethodOneArg(writer, csv_interned(state, CSV_NAME_WRITEROWS), lists);
    }
    Py_XDECREF(writer);
    Py_XDECREF(to_list);
    Py_XDECREF(lists);
    return result;
}

PyDoc_STRVAR(writeheader_doc,
             "writeheader($self, /)\n"
             "--\n\n"
             "Write a row with the fieldnames, and return the result of the file's write().");

static PyObject *
dict_writer_writeheader(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    generators_state *state = state_of_writer(op);
    PyObject *names = get_part(op, state, CSV_NAME_FIELDNAMES);
    if (names == NULL) {
        return NULL;
    }
    PyObject *pairs =
        PyObject_CallFunctionObjArgs((PyObject *)&PyZip_Type, names, names, NULL);
    Py_DECREF(names);
    PyObject *header = pairs == NULL ? NULL : PyDict_New();
    PyObject *result = NULL;
    if (header != NULL && PyDict_MergeFromSeq2(header, pairs, 1) == 0) {
        result = PyObject_CallMethodOneArg(op, csv_interned(state, CSV_NAME_WRITEROW), header);
    }
    Py_XDECREF(pairs);
    Py_XDECREF(header);
    return result;
}

/* ---- making one ---- */

/* `given` in lower case, which must be 'raise' or 'ignore': a new reference, or NULL. */
static PyObject *
read_extrasaction(generators_state *state, PyObject *given)
{
    if (given == NULL) {
        return Py_NewRef(csv_interned(state, CSV_NAME_RAISE));
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

/* Set an attribute to `value`, which is stolen; NULL is an error already.  0 or -1. */
static int
set_part(PyObject *op, csv_name name, PyObject *value)
{
    if (value == NULL) {
        return -1;
    }
    int status = PyObject_SetAttr(op, csv_interned(state_of_writer(op), name), value);
    Py_DECREF(value);
    return status;
}

static int
dict_writer_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static const char *const parameters[] = {
        "f", "fieldnames", "restval", "extrasaction", "dialect", NULL};
    csv_call call;
    if (csv_call_bind(&call, "DictWriter", parameters, 2, args, kwargs) < 0) {
        return -1;
    }
    generators_state *state = state_of_writer(op);
    PyObject *writer_type = (PyObject *)state->csv_writer_type;
    PyObject *restval = call.values[2];
    int status = set_part(op, CSV_NAME_FIELDNAMES, csv_fieldnames(call.values[1]));
    if (status == 0) {
        status = set_part(op, CSV_NAME_RESTVAL,
                          restval == NULL ? PyUnicode_FromString("") : Py_NewRef(restval));
    }
    if (status == 0) {
        status = set_part(op, CSV_NAME_EXTRASACTION, read_extrasaction(state, call.values[3]));
    }
    if (status == 0) {
        status = set_part(op, CSV_NAME_WRITER, csv_call_onward(&call, writer_type));
    }
    csv_call_free(&call);
    return status;
}

static int
dict_writer_traverse(PyObject *op, visitproc visit, void *arg)
{
    dict_writer *self = (dict_writer *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->attributes);
    return 0;
}

static int
dict_writer_clear(PyObject *op)
{
    dict_writer *self = (dict_writer *)op;
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
    ATTRIBUTES_GENERIC,
    {NULL},
};

PyDoc_STRVAR(dict_writer_doc,
             "DictWriter(f, fieldnames, restval='', extrasaction='raise', dialect='excel',\n"
             "           *args, **kwds)\n"
             "--\n\n"
             "A writer of dicts as rows of a CSV file: a native implementation of\n"
             "csv.DictWriter.\n"
             "\n"
             "    with open('cities.csv', 'w', newline='') as f:\n"
             "        rows = DictWriter(f, ['name', 'population'])\n"
             "        rows.writeheader()\n"
             "        rows.writerow({'name': 'Reykjav\\u00edk', 'population': 139875})\n"
             "\n"
             "`restval` is written for a key that a row does not have.  A key that is not a\n"
             "fieldname raises ValueError unless extrasaction='ignore'.  The other\n"
             "arguments, and the exceptions, are those of writer().");

static PyType_Slot dict_writer_slots[] = {
    {Py_tp_doc, (char *)dict_writer_doc}, {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, dict_writer_init},       {Py_tp_traverse, dict_writer_traverse},
    {Py_tp_clear, dict_writer_clear},     {Py_tp_dealloc, dict_writer_dealloc},
    {Py_tp_members, dict_writer_members}, {Py_tp_getset, dict_writer_attributes},
    {Py_tp_methods, dict_writer_methods}, {0, NULL},
};

PyType_Spec csv_dict_writer_spec = {
    .name = "native_generators.csv.DictWriter",
    .basicsize = sizeof(dict_writer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = dict_writer_slots,
};
