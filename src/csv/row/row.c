/* CSVRow: a record whose fields become values when they are asked for.
 *
 * States: placed in the parser's memory, then moved into the row's own memory (see block.c);
 * or made of values, for good.  Rows of values are those of a dialect whose `quoting` makes
 * values that are not texts (they are converted, and so checked, when the row is made), and
 * those that a program made or unpickled.
 *
 * Seen from outside, a row never changes.  It compares and hashes like the tuple of its
 * values.  Whatever needs all values makes that tuple.
 *
 * With `types`, a row holds the converted values from the start, because they were checked
 * then.  Its other fields are read as in any row.
 *
 * A row owns the block, or else the values and the names.  The garbage collector tracks
 * neither a row nor any value that it holds, so no cycle can go through a row.
 *
 * Threads: see block.c.  Fields are made with the block locked, and no user code runs then.
 * Comparing them may run user code, and is done on the tuple.
 */
#include "csv/row/row.h"

#include <string.h>

#include "csv/row/block.h"
#include "csv/parse/parser.h"
#include "csv/row/convert.h"
#include "csv/row/names.h"
#include "csv/row/spans.h"
#include "csv/row/typed.h"
#include "runtime/attributes.h"
#include "runtime/raising.h"

/* ---- values ---- */

static const csv_names *
names_of(const csv_row *self)
{
    return self->block == NULL ? self->u.made.names : self->block->names;
}

/* The value at an index, which must be in range. */
static PyObject *
value_at(csv_row *self, uint32_t index)
{
    csv_block *block = self->block;
    if (block == NULL) {
        return Py_NewRef(PyTuple_GET_ITEM(self->u.made.values, index));
    }
    if (block->places != NULL && block->places[index] >= 0) {
        return Py_NewRef(self->converted[block->places[index]]);
    }
    csv_spans spans;
    PyObject *value = NULL;
    generators_lock_take(&block->lock);
    if (csv_block_find_row(block, self, &spans) == 0) {
        value = csv_spans_text(&spans, block->state, index);
    }
    generators_lock_leave(&block->lock);
    return value;
}

/* With the block locked: make the values of a row that has a layout.  0 or -1. */
static int
fill_by_layout(csv_row *self, const csv_spans *spans, PyObject **items)
{
    const csv_block *block = self->block;
    for (uint32_t i = 0; i < self->count; i++) {
        int32_t place = block->places[i];
        items[i] = place >= 0 ? Py_NewRef(self->converted[place])
                              : csv_spans_text(spans, block->state, i);
        if (items[i] == NULL) {
            return -1;
        }
    }
    return 0;
}

/* All values, as a tuple: a new reference, or NULL. */
static PyObject *
values_of(csv_row *self)
{
    csv_block *block = self->block;
    if (block == NULL) {
        return Py_NewRef(self->u.made.values);
    }
    csv_spans spans;
    PyObject *values = PyTuple_New(self->count);
    if (values == NULL || self->count == 0) {
        return values;
    }
    PyObject **items = &PyTuple_GET_ITEM(values, 0);
    generators_lock_take(&block->lock);
    int status = csv_block_find_row(block, self, &spans);
    if (status == 0) {
        status = block->places == NULL ? csv_spans_fill(&spans, block->state, items)
                                       : fill_by_layout(self, &spans, items);
    }
    generators_lock_leave(&block->lock);
    if (status < 0) {
        Py_CLEAR(values);
    }
    return values;
}

/* ---- making one ---- */

/* Make a row of values.  `values` and `names` (or NULL) are stolen, even on failure. */
static PyObject *
make_row(PyTypeObject *type, PyObject *values, csv_names *names)
{
    csv_row *self = PyObject_New(csv_row, type);
    if (self == NULL) {
        Py_DECREF(values);
        Py_XDECREF((PyObject *)names);
        return NULL;
    }
    self->block = NULL;
    self->converted = NULL;
    self->u.made.values = values;
    self->u.made.names = names;
    self->count = (uint32_t)PyTuple_GET_SIZE(values);
    self->state = CSV_ROW_MADE;
    return (PyObject *)self;
}

PyObject *
csv_record_row(const csv_parser *parser, generators_state *state, const fields_record *record,
               Py_ssize_t *bad)
{
    csv_block *block = csv_block_of(parser);
    *bad = -1;
    if (parser->dialect.text_only) {
        uint32_t count = fields_count(&parser->machine, record);
        return (PyObject *)csv_block_new_row(block, record, count, NULL);
    }
    PyObject *values = csv_record_tuple(parser, state, record, bad);
    if (values == NULL) {
        return NULL;
    }
    return make_row(state->csv_row_type, values,
                    (csv_names *)Py_XNewRef((PyObject *)block->names));
}

PyObject *
csv_row_of_record(const csv_parser *parser, const fields_record *record, PyObject **converted)
{
    csv_block *block = csv_block_of(parser);
    const uint32_t count = block->converted_count;
    PyObject **kept = NULL;
    csv_row *row = NULL;
    if (count > 0) {
        kept = PyMem_Malloc(count * sizeof *kept);
        if (kept == NULL) {
            PyErr_NoMemory();
        }
        else {
            memcpy(kept, converted, count * sizeof *kept);
        }
    }
    if (count == 0 || kept != NULL) {
        row = csv_block_new_row(block, record, block->value_count, kept);
    }
    if (row == NULL) {
        for (uint32_t i = 0; i < count; i++) {
            Py_DECREF(converted[i]);
        }
        PyMem_Free(kept);
    }
    return (PyObject *)row;
}

PyObject *
csv_row_of_values(const csv_parser *parser, generators_state *state, PyObject **values,
                  Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    if (tuple == NULL) {
        for (Py_ssize_t i = 0; i < count; i++) {
            Py_DECREF(values[i]);
        }
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyTuple_SET_ITEM(tuple, i, values[i]);
    }
    return make_row(state->csv_row_type, tuple,
                    (csv_names *)Py_XNewRef((PyObject *)csv_block_of(parser)->names));
}

static int
check_values(generators_state *state, PyObject *values)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(values); i++) {
        PyObject *value = PyTuple_GET_ITEM(values, i);
        int allowed = csv_value_is_acyclic(state, value);
        if (allowed == 0) {
            PyErr_Format(PyExc_TypeError,
                         "value %zd must be str, a number, a date or the like, not %.200s", i,
                         Py_TYPE(value)->tp_name);
        }
        if (allowed <= 0) {
            return -1;
        }
    }
    return 0;
}

/* Make an exact tuple of the given values: a new reference, or NULL. */
static PyObject *
given_values(generators_state *state, PyObject *given)
{
    if (PyUnicode_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "values must be a sequence, not str");
        return NULL;
    }
    PyObject *values;
    if (PyTuple_CheckExact(given)) {
        values = Py_NewRef(given);
    }
    else {
        PyObject *list = PySequence_List(given);
        values = list == NULL ? NULL : PyList_AsTuple(list);
        Py_XDECREF(list);
    }
    if (values != NULL && check_values(state, values) < 0) {
        Py_CLEAR(values);
    }
    if (values != NULL && (uint64_t)PyTuple_GET_SIZE(values) > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "too many values");
        Py_CLEAR(values);
    }
    return values;
}

static csv_names *
given_names(generators_state *state, PyObject *given, Py_ssize_t count)
{
    csv_names *names = csv_names_new(state, given);
    if (names != NULL && PyTuple_GET_SIZE(csv_names_tuple(names)) != count) {
        PyErr_Format(PyExc_ValueError, "%zd values, but %zd names", count,
                     PyTuple_GET_SIZE(csv_names_tuple(names)));
        Py_CLEAR(names);
    }
    return names;
}

static PyObject *
row_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"values", "names", NULL};
    PyObject *given, *given_for_names = Py_None, *of_dict = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:CSVRow", keywords, &given,
                                     &given_for_names)) {
        return NULL;
    }
    if (PyDict_Check(given) && given_for_names == Py_None) {
        given_for_names = given;
        of_dict = PyDict_Values(given);
        if (of_dict == NULL) {
            return NULL;
        }
        given = of_dict;
    }
    generators_state *state = PyType_GetModuleState(type);
    PyObject *values = given_values(state, given);
    Py_XDECREF(of_dict);
    if (values == NULL) {
        return NULL;
    }
    csv_names *names = NULL;
    if (given_for_names != Py_None) {
        names = given_names(state, given_for_names, PyTuple_GET_SIZE(values));
        if (names == NULL) {
            Py_DECREF(values);
            return NULL;
        }
    }
    return make_row(type, values, names);
}

static void
row_dealloc(PyObject *op)
{
    csv_row *self = (csv_row *)op;
    if (self->block != NULL) {
        csv_block_free_row(self->block, self);
        return;
    }
    PyTypeObject *type = Py_TYPE(op);
    Py_DECREF(self->u.made.values);
    Py_XDECREF((PyObject *)self->u.made.names);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- as a sequence ---- */

static Py_ssize_t
row_length(PyObject *op)
{
    return (Py_ssize_t)((csv_row *)op)->count;
}

/* The value at an index, which may be negative or out of range. */
static PyObject *
item_at(PyObject *op, Py_ssize_t index)
{
    csv_row *self = (csv_row *)op;
    Py_ssize_t count = (Py_ssize_t)self->count;
    index += index < 0 ? count : 0;
    if (index < 0 || index >= count) {
        PyErr_SetString(PyExc_IndexError, "CSVRow index out of range");
        return NULL;
    }
    return value_at(self, (uint32_t)index);
}

/* CPython has added the length to a negative index already. */
static PyObject *
row_item(PyObject *op, Py_ssize_t index)
{
    return item_at(op, index < 0 ? row_length(op) : index);
}

static const csv_names *
names_needed(PyObject *op)
{
    const csv_names *names = names_of((csv_row *)op);
    if (names == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "this row has no names: it was read without a header");
    }
    return names;
}

static PyObject *
row_subscript(PyObject *op, PyObject *key)
{
    if (PyLong_CheckExact(key)) {
        Py_ssize_t index = PyLong_AsSsize_t(key);
        if (index == -1 && PyErr_Occurred()) {
            if (raising_forgive(PyExc_OverflowError) < 0) {
                return NULL;
            }
            index = row_length(op); /* also out of range */
        }
        return item_at(op, index);
    }
    if (PyUnicode_Check(key)) {
        const csv_names *names = names_needed(op);
        Py_ssize_t index = names == NULL ? -1 : csv_names_find(names, key);
        return index < 0 ? NULL : item_at(op, index);
    }
    if (PyIndex_Check(key)) {
        Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
        return index == -1 && PyErr_Occurred() ? NULL : item_at(op, index);
    }
    if (!PySlice_Check(key)) {
        PyErr_Format(PyExc_TypeError,
                     "CSVRow indices must be integers, slices or names, not %.200s",
                     Py_TYPE(key)->tp_name);
        return NULL;
    }
    PyObject *values = values_of((csv_row *)op);
    PyObject *some = values == NULL ? NULL : PyObject_GetItem(values, key);
    Py_XDECREF(values);
    return some;
}

static int
row_contains(PyObject *op, PyObject *value)
{
    PyObject *values = values_of((csv_row *)op);
    int found = values == NULL ? -1 : PySequence_Contains(values, value);
    Py_XDECREF(values);
    return found;
}

/* Most iterations read the whole row, and the iterator of a tuple is the fastest. */
static PyObject *
row_iter(PyObject *op)
{
    PyObject *values = values_of((csv_row *)op);
    PyObject *iterator = values == NULL ? NULL : PyObject_GetIter(values);
    Py_XDECREF(values);
    return iterator;
}

static Py_hash_t
row_hash(PyObject *op)
{
    PyObject *values = values_of((csv_row *)op);
    Py_hash_t hash = values == NULL ? -1 : PyObject_Hash(values);
    Py_XDECREF(values);
    return hash;
}

/* The tuple that a row is compared with, if `other` is an object that a row may equal: a new
   reference.  Otherwise NULL without an exception set; or NULL with one. */
static PyObject *
comparable(PyObject *op, PyObject *other)
{
    if (Py_IS_TYPE(other, Py_TYPE(op))) {
        return values_of((csv_row *)other);
    }
    if (PyTuple_Check(other)) {
        return Py_NewRef(other);
    }
    return PyList_Check(other) ? PyList_AsTuple(other) : NULL;
}

static PyObject *
row_richcompare(PyObject *op, PyObject *other, int operation)
{
    if (operation != Py_EQ && operation != Py_NE) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *theirs = comparable(op, other);
    if (theirs == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_NotImplemented);
    }
    PyObject *mine = values_of((csv_row *)op);
    PyObject *result = NULL;
    if (mine != NULL) {
        result = PyObject_RichCompare(mine, theirs, operation);
        Py_DECREF(mine);
    }
    Py_DECREF(theirs);
    return result;
}

/* Make a dict of names and values: a new reference, or NULL. */
static PyObject *
as_dict(const csv_names *names, PyObject *values)
{
    PyObject *dict = PyDict_New();
    PyObject *keys = csv_names_tuple(names);
    for (Py_ssize_t i = 0; dict != NULL && i < PyTuple_GET_SIZE(values); i++) {
        if (PyDict_SetItem(dict, PyTuple_GET_ITEM(keys, i), PyTuple_GET_ITEM(values, i)) < 0) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}

static PyObject *
row_repr(PyObject *op)
{
    const csv_names *names = names_of((csv_row *)op);
    PyObject *values = values_of((csv_row *)op);
    if (values != NULL && names != NULL) {
        PyObject *dict = as_dict(names, values);
        Py_DECREF(values);
        values = dict;
    }
    PyObject *text = values == NULL ? NULL : PyUnicode_FromFormat("CSVRow(%R)", values);
    Py_XDECREF(values);
    return text;
}

/* ---- methods ---- */

/* Call the method of tuple on the values. */
static PyObject *
call_on_values(PyObject *op, const char *name, PyObject *const *args, Py_ssize_t count)
{
    PyObject *result = NULL;
    PyObject *values = values_of((csv_row *)op);
    PyObject *method = values == NULL ? NULL : PyObject_GetAttrString(values, name);
    if (method != NULL) {
        result = PyObject_Vectorcall(method, args, (size_t)count, NULL);
        Py_DECREF(method);
    }
    Py_XDECREF(values);
    return result;
}

PyDoc_STRVAR(index_doc,
             "index($self, value, start=0, stop=sys.maxsize, /)\n"
             "--\n\n"
             "Return the first index of the value.  ValueError is raised if it is not\n"
             "present.");

static PyObject *
row_index(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    return call_on_values(op, "index", args, count);
}

PyDoc_STRVAR(count_doc, "count($self, value, /)\n"
                        "--\n\n"
                        "Return the number of times that the value occurs.");

static PyObject *
row_count(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    return call_on_values(op, "count", args, count);
}

PyDoc_STRVAR(keys_doc,
             "keys($self, /)\n"
             "--\n\n"
             "Return the names, as a tuple.  TypeError is raised if the row has no names.");

static PyObject *
row_keys(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    const csv_names *names = names_needed(op);
    return names == NULL ? NULL : Py_NewRef(csv_names_tuple(names));
}

/* The value of a name, for mappings' methods: a new reference; NULL without an exception set
   if there is no such name. */
static PyObject *
value_of(PyObject *op, PyObject *name)
{
    const csv_names *names = names_needed(op);
    if (names == NULL) {
        return NULL;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "a name must be str, not %.200s",
                     Py_TYPE(name)->tp_name);
        return NULL;
    }
    Py_ssize_t index = csv_names_find(names, name);
    if (index < 0) {
        raising_forgive(PyExc_KeyError);
        return NULL;
    }
    return item_at(op, index);
}

PyDoc_STRVAR(get_doc, "get($self, name, default=None, /)\n"
                      "--\n\n"
                      "Return the value with this name, or default if there is no such name.\n"
                      "TypeError is raised if the row has no names.");

static PyObject *
row_get(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    if (count < 1 || count > 2) {
        PyErr_Format(PyExc_TypeError, "get expected 1 or 2 arguments, got %zd", count);
        return NULL;
    }
    PyObject *value = value_of(op, args[0]);
    if (value == NULL && !PyErr_Occurred()) {
        value = Py_NewRef(count > 1 ? args[1] : Py_None);
    }
    return value;
}

PyDoc_STRVAR(items_doc,
             "items($self, /)\n"
             "--\n\n"
             "Return a tuple of (name, value) pairs.  TypeError is raised if the row has no\n"
             "names.");

static PyObject *
row_items(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    const csv_names *names = names_needed(op);
    PyObject *values = names == NULL ? NULL : values_of((csv_row *)op);
    PyObject *items = values == NULL ? NULL : PyTuple_New(PyTuple_GET_SIZE(values));
    for (Py_ssize_t i = 0; items != NULL && i < PyTuple_GET_SIZE(values); i++) {
        PyObject *pair = PyTuple_Pack(2, PyTuple_GET_ITEM(csv_names_tuple(names), i),
                                      PyTuple_GET_ITEM(values, i));
        if (pair == NULL) {
            Py_CLEAR(items);
            break;
        }
        PyTuple_SET_ITEM(items, i, pair);
    }
    Py_XDECREF(values);
    return items;
}

PyDoc_STRVAR(contains_doc,
             "__contains__($self, value, /)\n"
             "--\n\n"
             "Return whether the value is in the row, as for a list or tuple of its values.\n"
             "For names, use `name in row.keys()`.");

static PyObject *
row_contains_method(PyObject *op, PyObject *value)
{
    int found = row_contains(op, value);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

PyDoc_STRVAR(copy_doc, "__copy__($self, /)\n--\n\nReturn the row itself, which is immutable.");
PyDoc_STRVAR(
    deepcopy_doc,
    "__deepcopy__($self, memo=None, /)\n--\n\nReturn the row itself, which is immutable.");

static PyObject *
row_copy(PyObject *op, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(count))
{
    return Py_NewRef(op);
}

PyDoc_STRVAR(reduce_doc, "__reduce__($self, /)\n"
                         "--\n\n"
                         "Return the values and the names, for pickle.");

static PyObject *
row_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    const csv_names *names = names_of((csv_row *)op);
    PyObject *values = values_of((csv_row *)op);
    if (values == NULL) {
        return NULL;
    }
    return Py_BuildValue("O(NO)", (PyObject *)Py_TYPE(op), values,
                         names == NULL ? Py_None : (PyObject *)names);
}

PyDoc_STRVAR(sizeof_doc, "__sizeof__($self, /)\n"
                         "--\n\n"
                         "Return the memory that only this row uses, in bytes.");

static PyObject *
row_sizeof(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    csv_row *self = (csv_row *)op;
    size_t size = sizeof *self;
    csv_block *block = self->block;
    if (block != NULL) {
        generators_lock_take(&block->lock);
        size += block->converted_count * sizeof(PyObject *);
        if (self->state == CSV_ROW_MOVED && self->count > 0) {
            size += self->count * sizeof(uint32_t);
            size += (size_t)self->u.moved[self->count - 1] * self->width;
        }
        generators_lock_leave(&block->lock);
    }
    return PyLong_FromSize_t(size);
}

#define FAST(function) (PyCFunction)(void (*)(void)) function

static PyMethodDef row_methods[] = {
    {"index", FAST(row_index), METH_FASTCALL, index_doc},
    {"count", FAST(row_count), METH_FASTCALL, count_doc},
    {"keys", row_keys, METH_NOARGS, keys_doc},
    {"get", FAST(row_get), METH_FASTCALL, get_doc},
    {"items", row_items, METH_NOARGS, items_doc},
    {"__contains__", row_contains_method, METH_O | METH_COEXIST, contains_doc},
    {"__copy__", FAST(row_copy), METH_FASTCALL, copy_doc},
    {"__deepcopy__", FAST(row_copy), METH_FASTCALL, deepcopy_doc},
    {"__reduce__", row_reduce, METH_NOARGS, reduce_doc},
    {"__sizeof__", row_sizeof, METH_NOARGS, sizeof_doc},
    ATTRIBUTES_GENERIC,
    {NULL},
};

PyDoc_STRVAR(row_doc,
             "CSVRow(values, names=None)\n"
             "--\n\n"
             "A row of csv_rows(source, into=CSVRow).  It is an immutable sequence, from\n"
             "which values can be read by index, slice or name.  A str is made for a field\n"
             "only when the field is read.\n"
             "\n"
             ">>> from generators import CSVRow, csv_rows\n"
             ">>> for row in csv_rows(b'id,name\\n1,\"Ann\"\\n', into=CSVRow):\n"
             "...     print(row['name'], row[-1], row[:], dict(row))\n"
             "Ann Ann ('1', 'Ann') {'id': '1', 'name': 'Ann'}\n"
             "\n"
             "A slice is a tuple.  A row is equal to a list or tuple of the same values,\n"
             "and to another CSVRow with the same values, even if its names differ.  The\n"
             "hash of a row is the hash of the tuple of its values.  Names are\n"
             "case-sensitive.  An unknown name raises KeyError; if the rows were read\n"
             "without a header, any name raises TypeError.  `in` looks for a value, as in\n"
             "any sequence; `name in row.keys()` looks for a name.  get() and items() are\n"
             "as for a mapping.\n"
             "\n"
             "A row may be kept after its reader is closed; it then uses memory in\n"
             "proportion to its own size.  Threads may read rows while another thread uses\n"
             "the reader.\n"
             "\n"
             "With `types` of csv_rows, a row contains the converted values.  They may be\n"
             "objects that the garbage collector does not track, such as numbers, strings\n"
             "and dates, and Decimals.\n"
             "\n"
             "A row can also be made from such values and their names, or from a dict, as\n"
             "its repr shows.");

static PyType_Slot row_slots[] = {
    {Py_tp_doc, (char *)row_doc},
    {Py_tp_new, row_new},
    {Py_tp_dealloc, row_dealloc},
    {Py_tp_repr, row_repr},
    {Py_tp_hash, row_hash},
    {Py_tp_iter, row_iter},
    {Py_tp_richcompare, row_richcompare},
    {Py_tp_methods, row_methods},
    {Py_sq_length, row_length},
    {Py_sq_item, row_item},
    {Py_sq_contains, row_contains},
    {Py_mp_length, row_length},
    {Py_mp_subscript, row_subscript},
    {0, NULL},
};

PyType_Spec csv_row_spec = {
    .name = "native_generators.CSVRow",
    .basicsize = sizeof(csv_row),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_SEQUENCE,
    .slots = row_slots,
};
