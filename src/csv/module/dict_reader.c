/* DictReader: csv.DictReader of the standard module, for generators.csv.
 *
 * It says in C what the standard class says in Python, and may be used the same
 * way: subclassed, given other attributes, its `reader` or `fieldnames` replaced
 * at any time, which is why nothing is trusted to be what it was.
 *
 * Owned: all that it holds.
 *
 * Threads: a step takes the object's critical section, and strong references to
 * what it works with, since the names' own code may run in it.
 */
#include "csv/module/dict_reader.h"

#include "csv/module/keyed.h"
#include "csv/module/call.h"
#include "csv/module/reader.h"
#include "csv/row/convert.h"

typedef struct {
    PyObject_HEAD
    PyObject *fieldnames; /* owned: None until given or read */
    PyObject *restkey;    /* owned */
    PyObject *restval;    /* owned */
    PyObject *reader;     /* owned: whatever gives rows */
    PyObject *dialect;    /* owned: as given */
    PyObject *line_set;   /* owned: what line_num was set to, or NULL */
    uint64_t line_num;    /* where line_set is NULL */
    csv_keys keys;        /* owned: what the names were last */
    csv_values values;    /* owned: room for a row's values */
    PyObject *attributes; /* owned: __dict__ */
    PyObject *weak_references;
} dict_reader;

static generators_state *
state_of(PyObject *op)
{
    return generators_state_of_subclass(Py_TYPE(op));
}

/* ---- the reader ---- */

static bool
reads_natively(const dict_reader *self, generators_state *state)
{
    return self->reader != NULL && Py_IS_TYPE(self->reader, state->csv_reader_type);
}

static PyObject *
missing(const char *name)
{
    PyErr_SetString(PyExc_AttributeError, name);
    return NULL;
}

/* next(self.reader): NULL at its end without an exception. */
static PyObject *
next_row(dict_reader *self, generators_state *state)
{
    if (self->reader == NULL) {
        return missing("reader");
    }
    PyObject *reader = Py_NewRef(self->reader);
    PyObject *row = NULL;
    if (Py_IS_TYPE(reader, state->csv_reader_type)) {
        row = csv_reader_next(reader, state);
    }
    else if (!PyIter_Check(reader)) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator",
                     Py_TYPE(reader)->tp_name);
    }
    else {
        row = PyIter_Next(reader);
    }
    Py_DECREF(reader);
    return row;
}

/* self.line_num = self.reader.line_num */
static int
note_line(dict_reader *self, generators_state *state)
{
    if (reads_natively(self, state)) {
        self->line_num = csv_reader_line_num(self->reader);
        Py_CLEAR(self->line_set);
        return 0;
    }
    if (self->reader == NULL) {
        missing("reader");
        return -1;
    }
    PyObject *reader = Py_NewRef(self->reader);
    PyObject *line = PyObject_GetAttrString(reader, "line_num");
    Py_DECREF(reader);
    if (line == NULL) {
        return -1;
    }
    Py_XSETREF(self->line_set, line);
    return 0;
}

/* 1 before the first line, 0 behind it, or -1. */
static int
is_at_start(dict_reader *self)
{
    if (self->line_set == NULL) {
        return self->line_num == 0;
    }
    PyObject *line = Py_NewRef(self->line_set), *zero = PyLong_FromLong(0);
    int equal = zero == NULL ? -1 : PyObject_RichCompareBool(line, zero, Py_EQ);
    Py_XDECREF(zero);
    Py_DECREF(line);
    return equal;
}

/* ---- names ---- */

/* The names, read from the first row unless they are known: a new reference. */
static PyObject *
read_fieldnames(dict_reader *self, generators_state *state)
{
    if (self->fieldnames == Py_None) {
        PyObject *row = next_row(self, state);
        if (row != NULL) {
            Py_XSETREF(self->fieldnames, row);
        }
        else if (PyErr_Occurred()) {
            return NULL;
        }
    }
    if (note_line(self, state) < 0) {
        return NULL;
    }
    return self->fieldnames == NULL ? missing("_fieldnames") : Py_NewRef(self->fieldnames);
}

/* self.fieldnames, which a subclass may have put something else in place of. */
static PyObject *
get_fieldnames(dict_reader *self, generators_state *state)
{
    if (Py_IS_TYPE((PyObject *)self, state->csv_dict_reader_type)) {
        return read_fieldnames(self, state);
    }
    return PyObject_GetAttrString((PyObject *)self, "fieldnames");
}

/* ---- rows ---- */

/* Is the row blank?  1, 0 or -1. */
static int
is_blank(PyObject *row)
{
    if (PyList_CheckExact(row)) {
        return PyList_GET_SIZE(row) == 0;
    }
    PyObject *empty = PyList_New(0);
    int equal = empty == NULL ? -1 : PyObject_RichCompareBool(row, empty, Py_EQ);
    Py_XDECREF(empty);
    return equal;
}

/* The next row that is not blank, or NULL. */
static PyObject *
next_full_row(dict_reader *self, generators_state *state)
{
    PyObject *row = next_row(self, state);
    if (row != NULL && note_line(self, state) < 0) {
        Py_CLEAR(row);
    }
    while (row != NULL) {
        int blank = is_blank(row);
        if (blank == 0) {
            break;
        }
        Py_DECREF(row);
        row = blank < 0 ? NULL : next_row(self, state);
    }
    return row;
}

static csv_rest
hold_rest(const dict_reader *self)
{
    return (csv_rest){Py_NewRef(self->restkey), Py_NewRef(self->restval)};
}

static void
drop_rest(csv_rest *rest)
{
    Py_DECREF(rest->key);
    Py_DECREF(rest->value);
}

/* The dict of the next row, whatever is in the place of reader and names. */
static PyObject *
next_of_any(dict_reader *self, generators_state *state)
{
    PyObject *row = next_full_row(self, state);
    if (row == NULL) {
        return NULL;
    }
    PyObject *dict = NULL, *fieldnames = get_fieldnames(self, state);
    if (fieldnames != NULL) {
        csv_rest rest = hold_rest(self);
        dict = csv_keyed_row(fieldnames, row, &rest);
        drop_rest(&rest);
        Py_DECREF(fieldnames);
    }
    Py_DECREF(row);
    return dict;
}

/* The values of the next row that is not blank: 1, 0 at the end, or -1. */
static int
next_full_values(dict_reader *self, generators_state *state, csv_values *values)
{
    PyObject *reader = Py_NewRef(self->reader);
    int status = csv_reader_next_values(reader, state, values);
    if (status > 0) {
        self->line_num = csv_reader_line_num(reader);
        Py_CLEAR(self->line_set);
    }
    while (status > 0 && values->count == 0) {
        status = csv_reader_next_values(reader, state, values);
    }
    Py_DECREF(reader);
    return status;
}

/* The dict of values, by whatever the names are now. */
static PyObject *
keyed_by_any(csv_values *values, PyObject *fieldnames, const csv_rest *rest)
{
    PyObject *row = csv_values_list(values, 0);
    PyObject *dict = row == NULL ? NULL : csv_keyed_row(fieldnames, row, rest);
    Py_XDECREF(row);
    return dict;
}

/* The same as next_of_any() for a reader of our own, without a list between. */
static PyObject *
next_of_own(dict_reader *self, generators_state *state)
{
    PyObject *dict = NULL;
    csv_values values = self->values; /* this call's own, for a nested one may come */
    self->values = (csv_values){NULL, 0, 0};
    if (next_full_values(self, state, &values) > 0) {
        PyObject *fieldnames = get_fieldnames(self, state);
        int known = fieldnames == NULL ? -1 : csv_keys_learn(&self->keys, fieldnames);
        if (known >= 0) {
            csv_rest rest = hold_rest(self);
            dict = known ? csv_keys_dict(&self->keys, &values, &rest)
                         : keyed_by_any(&values, fieldnames, &rest);
            drop_rest(&rest);
        }
        Py_XDECREF(fieldnames);
    }
    csv_values_drop(&values);
    if (self->values.items == NULL) {
        self->values = values;
    }
    else {
        PyMem_Free(values.items);
    }
    return dict;
}

static PyObject *
next_lock_held(dict_reader *self, generators_state *state)
{
    int start = is_at_start(self);
    if (start < 0) {
        return NULL;
    }
    if (start > 0) {
        PyObject *fieldnames = get_fieldnames(self, state);
        if (fieldnames == NULL) {
            return NULL;
        }
        Py_DECREF(fieldnames);
    }
    return reads_natively(self, state) ? next_of_own(self, state) : next_of_any(self, state);
}

static PyObject *
dict_reader_next(PyObject *op)
{
    PyObject *dict;
    Py_BEGIN_CRITICAL_SECTION(op);
    dict = next_lock_held((dict_reader *)op, state_of(op));
    Py_END_CRITICAL_SECTION();
    return dict;
}

/* ---- making one ---- */

static PyObject *
dict_reader_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    dict_reader *self = (dict_reader *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->restkey = Py_NewRef(Py_None);
        self->restval = Py_NewRef(Py_None);
    }
    return (PyObject *)self;
}

static int
dict_reader_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = {"f",       "fieldnames", "restkey",
                                        "restval", "dialect",    NULL};
    dict_reader *self = (dict_reader *)op;
    generators_state *state = state_of(op);
    csv_call call;
    if (csv_call_bind(&call, "DictReader", names, 1, args, kwargs) < 0) {
        return -1;
    }
    PyObject *fieldnames = csv_fieldnames(call.values[1]);
    PyObject *reader = NULL;
    if (fieldnames != NULL) {
        reader = csv_call_onward(&call, (PyObject *)state->csv_reader_type);
    }
    if (reader == NULL) {
        Py_XDECREF(fieldnames);
        csv_call_free(&call);
        return -1;
    }
    Py_XSETREF(self->fieldnames, fieldnames);
    Py_XSETREF(self->reader, reader);
    Py_XSETREF(self->restkey, Py_NewRef(call.values[2] == NULL ? Py_None : call.values[2]));
    Py_XSETREF(self->restval, Py_NewRef(call.values[3] == NULL ? Py_None : call.values[3]));
    Py_XSETREF(self->dialect, Py_NewRef(call.dialect));
    Py_CLEAR(self->line_set);
    self->line_num = 0;
    csv_call_free(&call);
    return 0;
}

static int
dict_reader_traverse(PyObject *op, visitproc visit, void *arg)
{
    dict_reader *self = (dict_reader *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->fieldnames);
    Py_VISIT(self->restkey);
    Py_VISIT(self->restval);
    Py_VISIT(self->reader);
    Py_VISIT(self->dialect);
    Py_VISIT(self->line_set);
    Py_VISIT(self->keys.names);
    Py_VISIT(self->keys.pattern);
    Py_VISIT(self->attributes);
    return 0;
}

static int
dict_reader_clear(PyObject *op)
{
    dict_reader *self = (dict_reader *)op;
    Py_CLEAR(self->fieldnames);
    Py_CLEAR(self->reader);
    Py_CLEAR(self->dialect);
    Py_CLEAR(self->line_set);
    Py_CLEAR(self->attributes);
    csv_keys_forget(&self->keys);
    /* Never NULL while a call may come. */
    Py_XSETREF(self->restkey, Py_NewRef(Py_None));
    Py_XSETREF(self->restval, Py_NewRef(Py_None));
    return 0;
}

static void
dict_reader_dealloc(PyObject *op)
{
    dict_reader *self = (dict_reader *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (self->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    dict_reader_clear(op);
    PyMem_Free(self->values.items);
    Py_DECREF(self->restkey);
    Py_DECREF(self->restval);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- attributes ---- */

static PyObject *
dict_reader_get_fieldnames(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *names;
    Py_BEGIN_CRITICAL_SECTION(op);
    names = read_fieldnames((dict_reader *)op, state_of(op));
    Py_END_CRITICAL_SECTION();
    return names;
}

static PyObject *
dict_reader_get_line_num(PyObject *op, void *Py_UNUSED(closure))
{
    dict_reader *self = (dict_reader *)op;
    PyObject *set;
    unsigned long long count;
    Py_BEGIN_CRITICAL_SECTION(op);
    set = Py_XNewRef(self->line_set);
    count = self->line_num;
    Py_END_CRITICAL_SECTION();
    return set != NULL ? set : PyLong_FromUnsignedLongLong(count);
}

#define PLACE(member) (void *)offsetof(dict_reader, member)

static PyObject *
dict_reader_get(PyObject *op, void *place)
{
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(op);
    value = Py_XNewRef(*(PyObject **)((char *)op + (size_t)place));
    Py_END_CRITICAL_SECTION();
    return value == NULL ? missing("not set yet") : value;
}

static int
dict_reader_set(PyObject *op, PyObject *value, void *place)
{
    if (value == NULL) {
        missing("can't be deleted");
        return -1;
    }
    PyObject **member = (PyObject **)((char *)op + (size_t)place);
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_XSETREF(*member, Py_NewRef(value));
    Py_END_CRITICAL_SECTION();
    return 0;
}

static PyGetSetDef dict_reader_attributes[] = {
    {"fieldnames", dict_reader_get_fieldnames, dict_reader_set,
     "The keys, read from the first row unless they were given; None for an empty\nfile.",
     PLACE(fieldnames)},
    {"_fieldnames", dict_reader_get, dict_reader_set, NULL, PLACE(fieldnames)},
    {"restkey", dict_reader_get, dict_reader_set,
     "Key of the list of what a row has beyond the names.", PLACE(restkey)},
    {"restval", dict_reader_get, dict_reader_set, "Value of what a row lacks.",
     PLACE(restval)},
    {"reader", dict_reader_get, dict_reader_set, "What the rows come from.", PLACE(reader)},
    {"dialect", dict_reader_get, dict_reader_set, "The dialect, as given.", PLACE(dialect)},
    {"line_num", dict_reader_get_line_num, dict_reader_set,
     "Lines taken from the source: a row may take several.", PLACE(line_set)},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL},
};

static PyMemberDef dict_reader_members[] = {
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(dict_reader, attributes), Py_READONLY, NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(dict_reader, weak_references), Py_READONLY,
     NULL},
    {NULL},
};

static PyMethodDef dict_reader_methods[] = {
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL},
};

PyDoc_STRVAR(dict_reader_doc,
             "DictReader(f, fieldnames=None, restkey=None, restval=None, dialect='excel',\n"
             "           *args, **kwds)\n"
             "--\n\n"
             "The rows of an iterable of lines, as dicts: csv.DictReader, native.\n\n"
             "    with open('cities.csv', newline='') as f:\n"
             "        for row in DictReader(f):\n"
             "            print(row['name'])\n\n"
             "The keys are `fieldnames`, or else what the first row holds.  What a row has\n"
             "beyond them is a list under `restkey`; what it lacks is `restval`.  Blank rows\n"
             "are skipped.  The other arguments, and the errors, are those of reader().");

static PyType_Slot dict_reader_slots[] = {
    {Py_tp_doc, (char *)dict_reader_doc},   {Py_tp_new, dict_reader_new},
    {Py_tp_init, dict_reader_init},         {Py_tp_traverse, dict_reader_traverse},
    {Py_tp_clear, dict_reader_clear},       {Py_tp_dealloc, dict_reader_dealloc},
    {Py_tp_iter, PyObject_SelfIter},        {Py_tp_iternext, dict_reader_next},
    {Py_tp_getset, dict_reader_attributes}, {Py_tp_members, dict_reader_members},
    {Py_tp_methods, dict_reader_methods},   {0, NULL},
};

PyType_Spec csv_dict_reader_spec = {
    .name = "generators.csv.DictReader",
    .basicsize = sizeof(dict_reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = dict_reader_slots,
};
