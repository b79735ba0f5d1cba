/* CSVBatch: a record batch.
 *
 * It is immutable: all that it has is one arrow_batch, of which other objects, and other
 * libraries, may hold more.  So it needs no lock, and since it reaches no object, no garbage
 * collection.  No user code runs here but the name or index that column() is given.
 */
#include "csv/batches/batch.h"

#include "arrow/capsule.h"
#include "csv/batches/column.h"
#include "csv/batches/restore.h"

PyObject *
csv_batch_new(generators_state *state, arrow_batch *data)
{
    PyTypeObject *type = state->csv_batch_type;
    csv_batch *self = (csv_batch *)type->tp_alloc(type, 0);
    if (self == NULL) {
        arrow_batch_release(data);
        return NULL;
    }
    self->data = data;
    return (PyObject *)self;
}

static void
batch_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    arrow_batch_release(((csv_batch *)op)->data);
    type->tp_free(op);
    Py_DECREF(type);
}

static inline const arrow_batch *
data_of(PyObject *op)
{
    return ((csv_batch *)op)->data;
}

/* ---- columns ---- */

static PyObject *
name_of(const arrow_field *field)
{
    return PyUnicode_DecodeUTF8(field->name, (Py_ssize_t)field->name_length, "surrogatepass");
}

static PyObject *
batch_get_names(PyObject *op, void *Py_UNUSED(closure))
{
    const arrow_fields *schema = data_of(op)->fields;
    PyObject *names = PyTuple_New((Py_ssize_t)schema->count);
    for (size_t i = 0; names != NULL && i < schema->count; i++) {
        PyObject *name = name_of(&schema->items[i]);
        if (name == NULL) {
            Py_CLEAR(names);
            break;
        }
        PyTuple_SET_ITEM(names, (Py_ssize_t)i, name);
    }
    return names;
}

/* The index of the column of a name: -1 with KeyError if there is none. */
static Py_ssize_t
find_name(PyObject *op, PyObject *name)
{
    const arrow_fields *schema = data_of(op)->fields;
    for (size_t i = 0; i < schema->count; i++) {
        PyObject *other = name_of(&schema->items[i]);
        if (other == NULL) {
            return -1;
        }
        int same = PyUnicode_Compare(other, name);
        Py_DECREF(other);
        if (same == 0) {
            return (Py_ssize_t)i;
        }
        if (PyErr_Occurred()) {
            return -1;
        }
    }
    PyErr_SetObject(PyExc_KeyError, name);
    return -1;
}

static Py_ssize_t
find_index(PyObject *op, PyObject *given)
{
    Py_ssize_t count = (Py_ssize_t)data_of(op)->fields->count;
    Py_ssize_t index = PyNumber_AsSsize_t(given, PyExc_IndexError);
    if (index == -1 && PyErr_Occurred()) {
        return -1;
    }
    index += index < 0 ? count : 0;
    if (index < 0 || index >= count) {
        PyErr_Format(PyExc_IndexError, "there is no column %R, only %zd", given, count);
        return -1;
    }
    return index;
}

PyDoc_STRVAR(column_doc,
             "column($self, column, /)\n"
             "--\n\n"
             "Return the column with this name or index.  KeyError is raised for an unknown\n"
             "name, and IndexError for an index out of range.");

static PyObject *
batch_column(PyObject *op, PyObject *given)
{
    Py_ssize_t index;
    if (PyUnicode_Check(given)) {
        index = find_name(op, given);
    }
    else if (PyIndex_Check(given)) {
        index = find_index(op, given);
    }
    else {
        PyErr_Format(PyExc_TypeError, "a column is a name or an index, not %.200s",
                     Py_TYPE(given)->tp_name);
        return NULL;
    }
    return index < 0 ? NULL
                     : csv_column_new(generators_state_of(op), ((csv_batch *)op)->data,
                                      (size_t)index);
}

/* ---- Arrow ---- */

PyDoc_STRVAR(c_schema_doc,
             "__arrow_c_schema__($self, /)\n"
             "--\n\n"
             "Return a capsule of the schema, for the Arrow PyCapsule interface.");

static PyObject *
batch_c_schema(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return arrow_capsule_of_fields(data_of(op)->fields);
}

PyDoc_STRVAR(c_array_doc,
             "__arrow_c_array__($self, /, requested_schema=None)\n"
             "--\n\n"
             "Return capsules of the schema and of the batch, for the Arrow PyCapsule\n"
             "interface.  The batch keeps its types, whatever schema is requested.\n"
             "ValueError is raised if the requested schema has another number of fields.");

static PyObject *
batch_c_array(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"requested_schema", NULL};
    PyObject *requested = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:__arrow_c_array__", keywords,
                                     &requested)) {
        return NULL;
    }
    if (requested != Py_None) {
        const struct ArrowSchema *schema = arrow_capsule_schema(requested);
        if (schema == NULL) {
            return NULL;
        }
        if (schema->n_children != (int64_t)data_of(op)->fields->count) {
            PyErr_Format(PyExc_ValueError,
                         "a schema of %lld fields is requested, and there are %zu columns",
                         (long long)schema->n_children, data_of(op)->fields->count);
            return NULL;
        }
    }
    return arrow_capsules_of_batch(((csv_batch *)op)->data);
}

/* ---- as a value ---- */

static Py_ssize_t
batch_length(PyObject *op)
{
    return (Py_ssize_t)data_of(op)->made.rows;
}

static bool
batches_equal(const arrow_batch *a, const arrow_batch *b)
{
    if (a->made.rows != b->made.rows || !arrow_fields_equal(a->fields, b->fields)) {
        return false;
    }
    for (uint32_t i = 0; i < a->made.count; i++) {
        if (!arrow_columns_equal(&a->made.arrays[i], &b->made.arrays[i])) {
            return false;
        }
    }
    return true;
}

static PyObject *
batch_compare(PyObject *op, PyObject *other, int how)
{
    if (!Py_IS_TYPE(other, Py_TYPE(op)) || (how != Py_EQ && how != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return PyBool_FromLong(batches_equal(data_of(op), data_of(other)) == (how == Py_EQ));
}

static PyObject *
batch_repr(PyObject *op)
{
    const arrow_batch *data = data_of(op);
    return PyUnicode_FromFormat("<CSVBatch of %lld rows, %zu columns>",
                                (long long)data->made.rows, data->fields->count);
}

static PyObject *
batch_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyObject *restore = PyObject_GetAttrString((PyObject *)Py_TYPE(op), "_restore");
    PyObject *parts = restore == NULL ? NULL : csv_batch_parts(data_of(op));
    return parts == NULL ? Py_XDECREF(restore), NULL : Py_BuildValue("(NN)", restore, parts);
}

PyDoc_STRVAR(restore_doc, "_restore($type, rows, columns, /)\n"
                          "--\n\n"
                          "Return the batch that pickle has stored.");

static PyObject *
batch_restore(PyObject *type, PyObject *args)
{
    long long rows;
    PyObject *parts;
    if (!PyArg_ParseTuple(args, "LO!:_restore", &rows, &PyTuple_Type, &parts)) {
        return NULL;
    }
    arrow_batch *data = csv_batch_of_parts(rows, parts);
    return data == NULL
               ? NULL
               : csv_batch_new(generators_state_of_subclass((PyTypeObject *)type), data);
}

/* ---- attributes ---- */

static PyObject *
batch_get_rows(PyObject *op, void *Py_UNUSED(closure))
{
    return PyLong_FromLongLong(data_of(op)->made.rows);
}

static PyObject *
batch_get_columns(PyObject *op, void *Py_UNUSED(closure))
{
    return PyLong_FromSize_t(data_of(op)->fields->count);
}

static PyObject *
batch_get_bytes(PyObject *op, void *Py_UNUSED(closure))
{
    return PyLong_FromSize_t(columns_batch_size(&data_of(op)->made));
}

static PyGetSetDef batch_attributes[] = {
    {"num_rows", batch_get_rows, NULL, "The number of rows, the same as len().", NULL},
    {"num_columns", batch_get_columns, NULL, "The number of columns.", NULL},
    {"column_names", batch_get_names, NULL, "The names of the columns, as a tuple.", NULL},
    {"nbytes", batch_get_bytes, NULL, "The number of bytes of memory that the columns use.",
     NULL},
    {NULL},
};

static PyMethodDef batch_methods[] = {
    {"column", batch_column, METH_O, column_doc},
    {"__arrow_c_schema__", batch_c_schema, METH_NOARGS, c_schema_doc},
    {"__arrow_c_array__", (PyCFunction)(void (*)(void))batch_c_array,
     METH_VARARGS | METH_KEYWORDS, c_array_doc},
    {"__reduce__", batch_reduce, METH_NOARGS,
     "__reduce__($self, /)\n"
     "--\n\n"
     "Return the columns, for pickle."},
    {"_restore", batch_restore, METH_VARARGS | METH_CLASS, restore_doc},
    {NULL},
};

PyDoc_STRVAR(
    batch_doc,
    "Records of a CSV source, stored by column in the memory layout of Arrow.\n"
    "csv_batches() yields them.\n"
    "\n"
    "pyarrow, polars, pandas, duckdb and other libraries read a batch without a copy, by\n"
    "the Arrow PyCapsule interface: pyarrow.record_batch(batch), polars.DataFrame(batch).\n"
    "\n"
    "A batch is immutable.  It owns its memory, and may be kept, pickled, and passed to\n"
    "other threads.  Two batches are equal if they have the same names, types and values.\n"
    "A NaN is not equal to any value.\n"
    "\n"
    ">>> from generators import csv_batches\n"
    ">>> batch = next(csv_batches(b'id,name\\n1,Ann\\n2,Bob\\n', types={'id': int}))\n"
    ">>> batch\n"
    "<CSVBatch of 2 rows, 2 columns>\n"
    ">>> batch.column_names\n"
    "('id', 'name')\n"
    ">>> memoryview(batch.column('id')).tolist()\n"
    "[1, 2]");

static PyType_Slot batch_slots[] = {
    {Py_tp_doc, (char *)batch_doc},
    {Py_tp_dealloc, batch_dealloc},
    {Py_tp_repr, batch_repr},
    {Py_tp_richcompare, batch_compare},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_sq_length, batch_length},
    {Py_tp_methods, batch_methods},
    {Py_tp_getset, batch_attributes},
    {0, NULL},
};

PyType_Spec csv_batch_spec = {
    .name = "native_generators.CSVBatch",
    .basicsize = sizeof(csv_batch),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = batch_slots,
};
