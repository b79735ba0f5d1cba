/* DictReader: csv.DictReader of the standard module, for generators.csv.
 *
 * It does in C what the standard class does in Python, and may be used in the same ways: it
 * may be subclassed or given other attributes, and its `reader` or `fieldnames` may be
 * replaced at any time.  So each attribute is read again after user code ran.
 *
 * States: its attributes are in its struct until __dict__ is asked for (by vars() or
 * copy.copy(), for example) or an attribute is deleted.  From then on they are in __dict__, as
 * in csv's class.
 *
 * It owns all that it holds.
 *
 * Threads: a step takes the object's critical section, and holds references to what it works
 * with.  The code of the names, of the source and of released objects may run, and may use the
 * same object.
 */
#include "csv/module/dict_reader.h"

#include "csv/module/call.h"
#include "csv/module/interned.h"
#include "csv/module/keyed.h"
#include "csv/module/reader.h"
#include "csv/row/convert.h"
#include "runtime/attributes.h"
#include "runtime/raising.h"

typedef struct {
    PyObject_HEAD
    /* NULL if not set.  Once `spread`, all are NULL. */
    PyObject *fieldnames; /* owned: None until given or read */
    PyObject *restkey;    /* owned */
    PyObject *restval;    /* owned */
    PyObject *reader;     /* owned: any iterator of rows */
    PyObject *dialect;    /* owned: as given */
    PyObject *line_set;   /* owned: what the user set line_num to, or NULL */
    uint64_t line_num;    /* valid if `line_set` is NULL */
    bool spread;          /* the attributes are in __dict__ */
    csv_keys keys;        /* owned: the names seen last */
    csv_values values;    /* owned: room for the values of a row */
    PyObject *attributes; /* owned: __dict__, or NULL */
    PyObject *weak_references;
} dict_reader;

static generators_state *
state_of_reader(PyObject *op)
{
    return generators_state_of_subclass(Py_TYPE(op));
}

/* ---- attributes: with the object locked ---- */

/* Where the struct has an attribute, and its name. */
typedef struct {
    csv_name name;
    size_t offset;
} part;

#define PART(NAME, member) ((part){CSV_NAME_##NAME, offsetof(dict_reader, member)})
#define PART_FIELDNAMES PART(OWN_FIELDNAMES, fieldnames)
#define PART_RESTKEY PART(RESTKEY, restkey)
#define PART_RESTVAL PART(RESTVAL, restval)
#define PART_READER PART(READER, reader)
#define PART_DIALECT PART(DIALECT, dialect)
#define PART_LINE_NUM PART(LINE_NUM, line_set)

static PyObject **
part_place(dict_reader *self, part p)
{
    return (PyObject **)((char *)self + p.offset);
}

static PyObject *
part_missing(dict_reader *self, generators_state *state, part p)
{
    PyErr_Format(PyExc_AttributeError, "'%.200s' object has no attribute '%U'",
                 Py_TYPE((PyObject *)self)->tp_name, csv_interned(state, p.name));
    return NULL;
}

/* Find the attribute: 1 with a new reference, 0 if it is not set, or -1. */
static int
part_find(dict_reader *self, generators_state *state, part p, PyObject **value)
{
    if (!self->spread) {
        *value = Py_XNewRef(*part_place(self, p));
        return *value != NULL;
    }
    *value = NULL;
    if (self->attributes == NULL) {
        return 0;
    }
    PyObject *dict = Py_NewRef(self->attributes);
    int found = PyDict_GetItemRef(dict, csv_interned(state, p.name), value);
    Py_DECREF(dict);
    return found;
}

/* The attribute: a new reference, or NULL with AttributeError. */
static PyObject *
part_get(dict_reader *self, generators_state *state, part p)
{
    PyObject *value;
    return part_find(self, state, p, &value) == 0 ? part_missing(self, state, p) : value;
}

/* Set the attribute to `value` (stolen).  0 or -1. */
static int
part_set(dict_reader *self, generators_state *state, part p, PyObject *value)
{
    if (!self->spread) {
        PyObject **place = part_place(self, p);
        Py_XSETREF(*place, value);
        return 0;
    }
    PyObject *dict = PyObject_GenericGetDict((PyObject *)self, NULL);
    int status = dict == NULL ? -1 : PyDict_SetItem(dict, csv_interned(state, p.name), value);
    Py_XDECREF(dict);
    Py_DECREF(value);
    return status;
}

/* Take the attributes out of the struct and drop them. */
static void
parts_drop(dict_reader *self)
{
    PyObject *before[] = {self->fieldnames, self->restkey, self->restval,
                          self->reader,     self->dialect, self->line_set};
    self->fieldnames = self->restkey = self->restval = NULL;
    self->reader = self->dialect = self->line_set = NULL;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(before); i++) {
        Py_XDECREF(before[i]);
    }
}

/* Move the attributes into __dict__, for good.  0 or -1. */
static int
parts_spread(dict_reader *self, generators_state *state)
{
    if (self->spread) {
        return 0;
    }
    const part all[] = {PART_FIELDNAMES, PART_RESTKEY, PART_RESTVAL,
                        PART_READER,     PART_DIALECT, PART_LINE_NUM};
    PyObject *dict = PyObject_GenericGetDict((PyObject *)self, NULL);
    int status = dict == NULL ? -1 : 0;
    for (size_t i = 0; status == 0 && i < Py_ARRAY_LENGTH(all); i++) {
        /* Another thread may run while the dict is set, and count a line. */
        PyObject *value = Py_XNewRef(*part_place(self, all[i]));
        bool counted = all[i].offset == PART_LINE_NUM.offset && self->reader != NULL;
        if (value == NULL && counted) {
            value = PyLong_FromUnsignedLongLong(self->line_num);
            status = value == NULL ? -1 : 0;
        }
        if (value != NULL) {
            status = PyDict_SetItem(dict, csv_interned(state, all[i].name), value);
            Py_DECREF(value);
        }
    }
    Py_XDECREF(dict);
    if (status == 0) {
        self->spread = true;
        parts_drop(self);
    }
    return status;
}

/* ---- the reader ---- */

static bool
reads_natively(const dict_reader *self, generators_state *state)
{
    return self->reader != NULL && Py_IS_TYPE(self->reader, state->csv_reader_type);
}

/* next(self.reader).  NULL without an exception at the end. */
static PyObject *
next_row(dict_reader *self, generators_state *state)
{
    PyObject *reader = part_get(self, state, PART_READER);
    if (reader == NULL) {
        return NULL;
    }
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

/* Set self.line_num to the lines that a reader of our own type has taken.  0 or -1. */
static int
count_lines(dict_reader *self, generators_state *state, PyObject *reader)
{
    uint64_t lines = csv_reader_line_num(reader);
    if (self->spread) {
        PyObject *number = PyLong_FromUnsignedLongLong(lines);
        return number == NULL ? -1 : part_set(self, state, PART_LINE_NUM, number);
    }
    self->line_num = lines;
    Py_CLEAR(self->line_set);
    return 0;
}

/* self.line_num = self.reader.line_num */
static int
note_line(dict_reader *self, generators_state *state)
{
    PyObject *reader = part_get(self, state, PART_READER);
    if (reader == NULL) {
        return -1;
    }
    int status;
    if (Py_IS_TYPE(reader, state->csv_reader_type)) {
        status = count_lines(self, state, reader);
    }
    else {
        PyObject *line = PyObject_GetAttr(reader, csv_interned(state, CSV_NAME_LINE_NUM));
        status = line == NULL ? -1 : part_set(self, state, PART_LINE_NUM, line);
    }
    Py_DECREF(reader);
    return status;
}

/* Whether self.line_num == 0: 1, 0 or -1. */
static int
is_at_start(dict_reader *self, generators_state *state)
{
    if (!self->spread && self->line_set == NULL) {
        return self->line_num == 0;
    }
    PyObject *line = part_get(self, state, PART_LINE_NUM);
    PyObject *zero = line == NULL ? NULL : PyLong_FromLong(0);
    int equal = zero == NULL ? -1 : PyObject_RichCompareBool(line, zero, Py_EQ);
    Py_XDECREF(zero);
    Py_XDECREF(line);
    return equal;
}

/* ---- names ---- */

/* The names, which are read from the first row if they are not known: a new reference, or
   NULL. */
static PyObject *
read_fieldnames(dict_reader *self, generators_state *state)
{
    PyObject *names = part_get(self, state, PART_FIELDNAMES);
    if (names == NULL) {
        return NULL;
    }
    if (names != Py_None && self->line_set == NULL && reads_natively(self, state)) {
        /* The usual case; no user code runs. */
        PyObject *reader = Py_NewRef(self->reader);
        self->line_num = csv_reader_line_num(reader);
        Py_DECREF(reader);
        return names;
    }
    bool unknown = names == Py_None;
    Py_DECREF(names);
    if (unknown) {
        PyObject *row = next_row(self, state);
        if (row == NULL && PyErr_Occurred()) {
            return NULL;
        }
        if (row != NULL && part_set(self, state, PART_FIELDNAMES, row) < 0) {
            return NULL;
        }
    }
    return note_line(self, state) < 0 ? NULL : part_get(self, state, PART_FIELDNAMES);
}

/* self.fieldnames, which a subclass may have replaced. */
static PyObject *
get_fieldnames(dict_reader *self, generators_state *state)
{
    if (Py_IS_TYPE((PyObject *)self, state->csv_dict_reader_type)) {
        return read_fieldnames(self, state);
    }
    return PyObject_GetAttr((PyObject *)self, csv_interned(state, CSV_NAME_FIELDNAMES));
}

/* ---- rows ---- */

/* Whether the row is blank: 1, 0 or -1. */
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

/* Get restkey and restval; each is NULL if it is not set.  0, or -1 with nothing held. */
static int
rest_hold(dict_reader *self, generators_state *state, csv_rest *rest)
{
    if (part_find(self, state, PART_RESTKEY, &rest->key) < 0) {
        return -1;
    }
    if (part_find(self, state, PART_RESTVAL, &rest->value) < 0) {
        Py_XDECREF(rest->key);
        return -1;
    }
    return 0;
}

static void
rest_drop(csv_rest *rest)
{
    Py_XDECREF(rest->key);
    Py_XDECREF(rest->value);
}

/* Make the dict of the next row, for any reader and any names. */
static PyObject *
next_of_any(dict_reader *self, generators_state *state)
{
    PyObject *row = next_full_row(self, state);
    if (row == NULL) {
        return NULL;
    }
    csv_rest rest;
    PyObject *dict = NULL, *fieldnames = get_fieldnames(self, state);
    if (fieldnames != NULL && rest_hold(self, state, &rest) == 0) {
        dict = csv_keyed_row(fieldnames, row, &rest);
        rest_drop(&rest);
    }
    Py_XDECREF(fieldnames);
    Py_DECREF(row);
    return dict;
}

/* Get the values of the next row that is not blank: 1, 0 at the end, or -1. */
static int
next_full_values(dict_reader *self, generators_state *state, csv_values *values)
{
    PyObject *reader = Py_NewRef(self->reader);
    int status = csv_reader_next_values(reader, state, values);
    if (status > 0 && count_lines(self, state, reader) < 0) {
        status = -1;
    }
    while (status > 0 && values->count == 0) {
        status = csv_reader_next_values(reader, state, values);
    }
    Py_DECREF(reader);
    return status;
}

/* Make the dict of the values, with the names as they are now. */
static PyObject *
keyed_by_any(csv_values *values, PyObject *fieldnames, const csv_rest *rest)
{
    PyObject *row = csv_values_list(values, 0);
    PyObject *dict = row == NULL ? NULL : csv_keyed_row(fieldnames, row, rest);
    Py_XDECREF(row);
    return dict;
}

/* The same as next_of_any() for a reader of our own type, without making a list. */
static PyObject *
next_of_own(dict_reader *self, generators_state *state)
{
    PyObject *dict = NULL;
    csv_values values = self->values; /* this call's own: a nested call may come */
    self->values = (csv_values){NULL, 0, 0};
    if (next_full_values(self, state, &values) > 0) {
        PyObject *fieldnames = get_fieldnames(self, state);
        csv_rest rest = {NULL, NULL};
        int known = fieldnames == NULL ? -1 : csv_keys_learn(&self->keys, fieldnames);
        bool fits = known > 0 && values.count == (size_t)PyTuple_GET_SIZE(self->keys.names);
        if (known >= 0 && (fits || rest_hold(self, state, &rest) == 0)) {
            dict = known ? csv_keys_dict(&self->keys, &values, &rest)
                         : keyed_by_any(&values, fieldnames, &rest);
            rest_drop(&rest);
        }
        Py_XDECREF(fieldnames);
    }
    csv_values_drop(&values);
    if (self->values.items == NULL) {
        self->values = values;
    }
    else { /* a nested call has put its own values there */
        PyMem_Free(values.items);
    }
    return dict;
}

static PyObject *
next_lock_held(dict_reader *self, generators_state *state)
{
    int start = is_at_start(self, state);
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
    dict = next_lock_held((dict_reader *)op, state_of_reader(op));
    Py_END_CRITICAL_SECTION();
    return dict;
}

/* ---- making one ---- */

/* Set the attributes; the last two arguments are stolen.  0 or -1. */
static int
set_parts(dict_reader *self, generators_state *state, const csv_call *call,
          PyObject *fieldnames, PyObject *reader)
{
    PyObject *restkey = call->values[2], *restval = call->values[3];
    PyObject *zero = PyLong_FromLong(0);
    if (zero == NULL) {
        Py_DECREF(fieldnames);
        Py_DECREF(reader);
        return -1;
    }
    int status = part_set(self, state, PART_FIELDNAMES, fieldnames);
    restkey = Py_NewRef(restkey == NULL ? Py_None : restkey);
    status |= part_set(self, state, PART_RESTKEY, restkey);
    restval = Py_NewRef(restval == NULL ? Py_None : restval);
    status |= part_set(self, state, PART_RESTVAL, restval);
    status |= part_set(self, state, PART_READER, reader);
    status |= part_set(self, state, PART_DIALECT, Py_NewRef(call->dialect));
    status |= part_set(self, state, PART_LINE_NUM, zero);
    if (status == 0 && !self->spread) {
        self->line_num = 0;
        Py_CLEAR(self->line_set);
    }
    return status;
}

static int
dict_reader_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = {"f",       "fieldnames", "restkey",
                                        "restval", "dialect",    NULL};
    dict_reader *self = (dict_reader *)op;
    generators_state *state = state_of_reader(op);
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
    int status;
    Py_BEGIN_CRITICAL_SECTION(op);
    status = set_parts(self, state, &call, fieldnames, reader);
    Py_END_CRITICAL_SECTION();
    csv_call_free(&call);
    return status;
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
    parts_drop(self);
    Py_CLEAR(self->attributes);
    csv_keys_forget(&self->keys);
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
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- attributes ---- */

static PyObject *
dict_reader_get_fieldnames(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *names;
    Py_BEGIN_CRITICAL_SECTION(op);
    names = read_fieldnames((dict_reader *)op, state_of_reader(op));
    Py_END_CRITICAL_SECTION();
    return names;
}

static const part dict_reader_parts[] = {
    {CSV_NAME_OWN_FIELDNAMES, offsetof(dict_reader, fieldnames)},
    {CSV_NAME_RESTKEY, offsetof(dict_reader, restkey)},
    {CSV_NAME_RESTVAL, offsetof(dict_reader, restval)},
    {CSV_NAME_READER, offsetof(dict_reader, reader)},
    {CSV_NAME_DIALECT, offsetof(dict_reader, dialect)},
    {CSV_NAME_LINE_NUM, offsetof(dict_reader, line_set)},
};

#define CLOSURE(index) ((void *)&dict_reader_parts[index])

static PyObject *
get_lock_held(dict_reader *self, generators_state *state, const part *p)
{
    if (!self->spread && p->name == CSV_NAME_LINE_NUM && self->line_set == NULL) {
        return PyLong_FromUnsignedLongLong(self->line_num);
    }
    return part_get(self, state, *p);
}

static PyObject *
dict_reader_get(PyObject *op, void *closure)
{
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(op);
    value = get_lock_held((dict_reader *)op, state_of_reader(op), closure);
    Py_END_CRITICAL_SECTION();
    return value;
}

static int
delete_lock_held(dict_reader *self, generators_state *state, const part *p)
{
    if (parts_spread(self, state) < 0) {
        return -1;
    }
    PyObject *dict = PyObject_GenericGetDict((PyObject *)self, NULL);
    int status = dict == NULL ? -1 : PyDict_DelItem(dict, csv_interned(state, p->name));
    Py_XDECREF(dict);
    if (status < 0 && raising_forgive(PyExc_KeyError) == 0) {
        part_missing(self, state, *p);
    }
    return status;
}

static int
dict_reader_set(PyObject *op, PyObject *value, void *closure)
{
    dict_reader *self = (dict_reader *)op;
    generators_state *state = state_of_reader(op);
    const part *p = closure;
    int status;
    Py_BEGIN_CRITICAL_SECTION(op);
    status = value == NULL ? delete_lock_held(self, state, p)
                           : part_set(self, state, *p, Py_NewRef(value));
    Py_END_CRITICAL_SECTION();
    return status;
}

/* csv's class has a property here, without a deleter. */
static int
dict_reader_set_fieldnames(PyObject *op, PyObject *value, void *closure)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "fieldnames can't be deleted");
        return -1;
    }
    return dict_reader_set(op, value, closure);
}

static PyObject *
dict_reader_get_dict(PyObject *op, void *Py_UNUSED(closure))
{
    int status;
    Py_BEGIN_CRITICAL_SECTION(op);
    status = parts_spread((dict_reader *)op, state_of_reader(op));
    Py_END_CRITICAL_SECTION();
    return status < 0 ? NULL : PyObject_GenericGetDict(op, NULL);
}

static int
dict_reader_set_dict(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    int status;
    Py_BEGIN_CRITICAL_SECTION(op);
    status = parts_spread((dict_reader *)op, state_of_reader(op));
    Py_END_CRITICAL_SECTION();
    return status < 0 ? -1 : PyObject_GenericSetDict(op, value, NULL);
}

PyDoc_STRVAR(getstate_doc, "__getstate__($self, /)\n"
                           "--\n\n"
                           "Return the attributes, for copy.copy().");

static PyObject *
dict_reader_getstate(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyObject *dict = dict_reader_get_dict(op, NULL);
    if (dict == NULL) {
        return NULL;
    }
    Py_DECREF(dict);
    return PyObject_CallMethod((PyObject *)&PyBaseObject_Type, "__getstate__", "O", op);
}

static PyGetSetDef dict_reader_attributes[] = {
    {"fieldnames", dict_reader_get_fieldnames, dict_reader_set_fieldnames,
     "The keys of the rows, as given or read from the first row.  None for an empty\n"
     "file.",
     CLOSURE(0)},
    {"_fieldnames", dict_reader_get, dict_reader_set, NULL, CLOSURE(0)},
    {"restkey", dict_reader_get, dict_reader_set,
     "The key of the list of values that a row has beyond the fieldnames.", CLOSURE(1)},
    {"restval", dict_reader_get, dict_reader_set,
     "The value of a key for which a row has no field.", CLOSURE(2)},
    {"reader", dict_reader_get, dict_reader_set, "The reader that reads the rows.",
     CLOSURE(3)},
    {"dialect", dict_reader_get, dict_reader_set, "The dialect, as given.", CLOSURE(4)},
    {"line_num", dict_reader_get, dict_reader_set,
     "The number of lines read from the source.  A row may span several lines.", CLOSURE(5)},
    {"__dict__", dict_reader_get_dict, dict_reader_set_dict, NULL, NULL},
    {NULL},
};

static PyMemberDef dict_reader_members[] = {
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(dict_reader, attributes), Py_READONLY, NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(dict_reader, weak_references), Py_READONLY,
     NULL},
    {NULL},
};

static PyMethodDef dict_reader_methods[] = {
    {"__getstate__", dict_reader_getstate, METH_NOARGS, getstate_doc},
    ATTRIBUTES_GENERIC,
    {NULL},
};

PyDoc_STRVAR(dict_reader_doc,
             "DictReader(f, fieldnames=None, restkey=None, restval=None, dialect='excel',\n"
             "           *args, **kwds)\n"
             "--\n\n"
             "An iterator over the rows of an iterable of lines, as dicts: a native\n"
             "implementation of csv.DictReader.\n"
             "\n"
             "    with open('cities.csv', newline='') as f:\n"
             "        for row in DictReader(f):\n"
             "            print(row['name'])\n"
             "\n"
             "The keys are `fieldnames`, or else the values of the first row.  If a row has\n"
             "more values than there are keys, the other values are a list under the key\n"
             "`restkey`.  If it has fewer, the value of the missing keys is `restval`.\n"
             "Blank rows are skipped.  The other arguments, and the exceptions, are those\n"
             "of reader().");

static PyType_Slot dict_reader_slots[] = {
    {Py_tp_doc, (char *)dict_reader_doc},   {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, dict_reader_init},         {Py_tp_traverse, dict_reader_traverse},
    {Py_tp_clear, dict_reader_clear},       {Py_tp_dealloc, dict_reader_dealloc},
    {Py_tp_iter, PyObject_SelfIter},        {Py_tp_iternext, dict_reader_next},
    {Py_tp_getset, dict_reader_attributes}, {Py_tp_members, dict_reader_members},
    {Py_tp_methods, dict_reader_methods},   {0, NULL},
};

PyType_Spec csv_dict_reader_spec = {
    .name = "native_generators.csv.DictReader",
    .basicsize = sizeof(dict_reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = dict_reader_slots,
};
