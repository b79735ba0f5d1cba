/* One column of a CSVBatch.
 *
 * It holds the whole batch, and is immutable, as that is.  Its values are read by Arrow's
 * methods, or as a buffer if each has a fixed number of bytes and none is null.
 */
#include "csv/batches/column.h"

#include "arrow/capsule.h"

typedef struct {
    PyObject_HEAD
    arrow_batch *batch; /* owned */
    size_t index;
    Py_ssize_t length; /* the shape of its buffers */
    Py_ssize_t stride;
} csv_column;

PyObject *
csv_column_new(generators_state *state, arrow_batch *batch, size_t index)
{
    PyTypeObject *type = state->csv_column_type;
    csv_column *self = (csv_column *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->batch = arrow_batch_hold(batch);
        self->index = index;
        self->length = (Py_ssize_t)batch->made.rows;
        self->stride = (Py_ssize_t)arrow_value_size(batch->made.arrays[index].kind);
    }
    return (PyObject *)self;
}

static void
column_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    arrow_batch_release(((csv_column *)op)->batch);
    type->tp_free(op);
    Py_DECREF(type);
}

static inline const columns_array *
array_of(PyObject *op)
{
    const csv_column *self = (const csv_column *)op;
    return &self->batch->made.arrays[self->index];
}

static PyObject *
column_name(PyObject *op)
{
    const csv_column *self = (const csv_column *)op;
    const arrow_field *field = &self->batch->fields->items[self->index];
    return PyUnicode_DecodeUTF8(field->name, (Py_ssize_t)field->name_length, "surrogatepass");
}

/* ---- Arrow ---- */

PyDoc_STRVAR(c_schema_doc,
             "__arrow_c_schema__($self, /)\n"
             "--\n\n"
             "Return a capsule of the field, for the Arrow PyCapsule interface.");

static PyObject *
column_c_schema(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    const csv_column *self = (const csv_column *)op;
    return arrow_capsule_of_field(self->batch->fields, self->index);
}

PyDoc_STRVAR(c_array_doc,
             "__arrow_c_array__($self, /, requested_schema=None)\n"
             "--\n\n"
             "Return capsules of the field and of its values, for the Arrow PyCapsule\n"
             "interface.  The values keep their type, whatever schema is requested.");

static PyObject *
column_c_array(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"requested_schema", NULL};
    const csv_column *self = (const csv_column *)op;
    PyObject *requested = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:__arrow_c_array__", keywords,
                                     &requested) ||
        (requested != Py_None && arrow_capsule_schema(requested) == NULL)) {
        return NULL;
    }
    return arrow_capsules_of_column(self->batch, self->index);
}

/* ---- as a buffer ---- */

/* The format of the struct module for its values; NULL if they have none. */
static const char *
format_of(columns_kind kind)
{
    switch (kind) {
    case COLUMNS_INT8:
        return "b";
    case COLUMNS_INT16:
        return "h";
    case COLUMNS_INT32:
    case COLUMNS_DATE32:
        return "i";
    case COLUMNS_INT64:
    case COLUMNS_TIME64:
    case COLUMNS_TIMESTAMP:
        return "q";
    case COLUMNS_UINT8:
        return "B";
    case COLUMNS_UINT16:
        return "H";
    case COLUMNS_UINT32:
        return "I";
    case COLUMNS_UINT64:
        return "Q";
    case COLUMNS_FLOAT32:
        return "f";
    case COLUMNS_FLOAT64:
        return "d";
    default:
        return NULL;
    }
}

static int
column_get_buffer(PyObject *op, Py_buffer *view, int flags)
{
    csv_column *self = (csv_column *)op;
    const columns_array *array = array_of(op);
    const char *format = format_of(array->kind);
    view->obj = NULL;
    if (format == NULL || array->null_count > 0) {
        PyErr_SetString(PyExc_BufferError, format == NULL
                                               ? "the values of this column have no fixed size"
                                               : "this column has nulls");
        return -1;
    }
    void *values = (void *)self->batch->exported[self->index].buffers[1];
    if (PyBuffer_FillInfo(view, op, values, self->length * self->stride, 1, flags) < 0) {
        return -1;
    }
    view->itemsize = self->stride;
    view->format = (flags & PyBUF_FORMAT) == PyBUF_FORMAT ? (char *)format : NULL;
    view->shape = (flags & PyBUF_ND) == PyBUF_ND ? &self->length : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &self->stride : NULL;
    return 0;
}

/* ---- the rest ---- */

static Py_ssize_t
column_length(PyObject *op)
{
    return ((csv_column *)op)->length;
}

static PyObject *
column_repr(PyObject *op)
{
    PyObject *name = column_name(op);
    PyObject *text = name == NULL ? NULL
                                  : PyUnicode_FromFormat("<column %R of %zd rows, %lld nulls>",
                                                         name, ((csv_column *)op)->length,
                                                         (long long)array_of(op)->null_count);
    Py_XDECREF(name);
    return text;
}

static PyObject *
column_compare(PyObject *op, PyObject *other, int how)
{
    if (!Py_IS_TYPE(other, Py_TYPE(op)) || (how != Py_EQ && how != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    const csv_column *a = (csv_column *)op, *b = (csv_column *)other;
    bool equal = arrow_field_types_equal(&a->batch->fields->items[a->index],
                                         &b->batch->fields->items[b->index]) &&
                 arrow_columns_equal(array_of(op), array_of(other));
    return PyBool_FromLong(equal == (how == Py_EQ));
}

static PyObject *
column_get_name(PyObject *op, void *Py_UNUSED(closure))
{
    return column_name(op);
}

static PyObject *
column_get_nulls(PyObject *op, void *Py_UNUSED(closure))
{
    return PyLong_FromLongLong(array_of(op)->null_count);
}

static PyGetSetDef column_attributes[] = {
    {"name", column_get_name, NULL, "The name of the column.", NULL},
    {"null_count", column_get_nulls, NULL, "The number of values that are null.", NULL},
    {NULL},
};

static PyMethodDef column_methods[] = {
    {"__arrow_c_schema__", column_c_schema, METH_NOARGS, c_schema_doc},
    {"__arrow_c_array__", (PyCFunction)(void (*)(void))column_c_array,
     METH_VARARGS | METH_KEYWORDS, c_array_doc},
    {NULL},
};

PyDoc_STRVAR(column_doc,
             "One column of a CSVBatch.\n"
             "\n"
             "pyarrow.array(column), polars.Series(column) and other libraries read it\n"
             "without a copy.  A column of numbers, dates or times that has no nulls is also\n"
             "a buffer: memoryview(column), numpy.asarray(column).  In the buffer, a date is\n"
             "a number of days and a timestamp a number of its units, both since 1970; a\n"
             "time is a number of its units since midnight.");

static PyType_Slot column_slots[] = {
    {Py_tp_doc, (char *)column_doc},
    {Py_tp_dealloc, column_dealloc},
    {Py_tp_repr, column_repr},
    {Py_tp_richcompare, column_compare},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_sq_length, column_length},
    {Py_bf_getbuffer, column_get_buffer},
    {Py_tp_methods, column_methods},
    {Py_tp_getset, column_attributes},
    {0, NULL},
};

PyType_Spec csv_column_spec = {
    .name = "native_generators._native._CSVColumn",
    .basicsize = sizeof(csv_column),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = column_slots,
};
