/* writer: csv.writer of the standard module, for generators.csv.
 *
 * Its only state is the dialect.  It passes each line to write(), and writerow() returns the
 * result.
 *
 * It owns the bound write(), the dialect and the encoder, for life.  User code runs in rows,
 * in str() and in write(), and may use the writer again: before write() is called, the line is
 * copied into a text.  Threads: each row takes the object's critical section.
 */
#include "csv/module/writer.h"

#include "csv/parse/dialect.h"
#include "csv/write/encode.h"

typedef struct {
    PyObject_HEAD
    csv_encoder *encoder; /* owned */
    PyObject *write;      /* owned */
    PyObject *dialect;    /* owned: csv's Dialect */
} csv_writer;

/* ---- memory ---- */

static int
writer_traverse(PyObject *op, visitproc visit, void *arg)
{
    csv_writer *self = (csv_writer *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->write);
    Py_VISIT(self->dialect);
    return 0;
}

static int
writer_clear(PyObject *op)
{
    csv_writer *self = (csv_writer *)op;
    Py_CLEAR(self->write);
    Py_CLEAR(self->dialect);
    return 0;
}

static void
writer_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    writer_clear(op);
    csv_encoder_free(((csv_writer *)op)->encoder);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- rows ---- */

static void
raise_written(generators_state *state, csv_written result, PyObject *row)
{
    PyObject *message = result == CSV_RAISED ? NULL : csv_written_message(result, row);
    if (message != NULL) {
        PyErr_SetObject(state->csv_base_error, message);
        Py_DECREF(message);
    }
}

static PyObject *
write_row_lock_held(csv_writer *self, generators_state *state, PyObject *row)
{
    csv_line line;
    PyObject *text = NULL;
    csv_written result = csv_encode_row(self->encoder, &line, row);
    if (result == CSV_WRITTEN) {
        text = csv_line_text(self->encoder, &line);
    }
    else {
        raise_written(state, result, row);
    }
    csv_line_end(self->encoder, &line);
    if (text == NULL) {
        return NULL;
    }
    PyObject *write = Py_XNewRef(self->write);
    if (write == NULL) {
        PyErr_SetString(PyExc_ReferenceError,
                        "the writer was cleared by the garbage collector");
        Py_DECREF(text);
        return NULL;
    }
    PyObject *written = PyObject_CallOneArg(write, text);
    Py_DECREF(write);
    Py_DECREF(text);
    return written;
}

PyDoc_STRVAR(writerow_doc,
             "writerow($self, row, /)\n"
             "--\n\n"
             "Write one row, an iterable of fields, and return the result of the file's\n"
             "write().  A field that is not a str is converted with str(), and None is\n"
             "written as the empty string.");

static PyObject *
writer_writerow(PyObject *op, PyObject *row)
{
    PyObject *written;
    generators_state *state = generators_state_of(op);
    Py_BEGIN_CRITICAL_SECTION(op);
    written = write_row_lock_held((csv_writer *)op, state, row);
    Py_END_CRITICAL_SECTION();
    return written;
}

PyDoc_STRVAR(writerows_doc, "writerows($self, rows, /)\n"
                            "--\n\n"
                            "Write all rows of an iterable.");

static PyObject *
writer_writerows(PyObject *op, PyObject *rows)
{
    PyObject *iterator = PyObject_GetIter(rows);
    if (iterator == NULL) {
        return NULL;
    }
    PyObject *row;
    while ((row = PyIter_Next(iterator)) != NULL) {
        PyObject *written = writer_writerow(op, row);
        Py_DECREF(row);
        if (written == NULL) {
            break;
        }
        Py_DECREF(written);
    }
    Py_DECREF(iterator);
    if (PyErr_Occurred()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- making one ---- */

static int
find_write(csv_writer *self, PyObject *file)
{
    self->write = PyObject_GetAttrString(file, "write");
    if (self->write == NULL && !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return -1;
    }
    if (self->write == NULL || !PyCallable_Check(self->write)) {
        PyErr_SetString(PyExc_TypeError, "argument 1 must have a \"write\" method");
        return -1;
    }
    return 0;
}

static int
writer_init(csv_writer *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    PyObject *file, *given = NULL;
    csv_dialect dialect = {.quoting = 0};
    if (!PyArg_UnpackTuple(args, "", 1, 2, &file, &given) || find_write(self, file) < 0) {
        return -1;
    }
    self->dialect = csv_dialect_from_call(&dialect, state, given, kwargs);
    if (self->dialect == NULL) {
        return -1;
    }
    self->encoder = csv_encoder_new(state, &dialect, self->dialect, NULL, false);
    return self->encoder == NULL ? -1 : 0;
}

static PyObject *
writer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    csv_writer *self = (csv_writer *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    if (writer_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- the type ---- */

static PyMethodDef writer_methods[] = {
    {"writerow", writer_writerow, METH_O, writerow_doc},
    {"writerows", writer_writerows, METH_O, writerows_doc},
    {NULL},
};

static PyMemberDef writer_members[] = {
    {"dialect", Py_T_OBJECT_EX, offsetof(csv_writer, dialect), Py_READONLY,
     "The formatting parameters in use, as a Dialect object of the standard module."},
    {NULL},
};

PyDoc_STRVAR(writer_doc,
             "writer(fileobj, /, dialect='excel', **fmtparams)\n"
             "--\n\n"
             "A writer of rows as CSV text to an object with a write() method, which writes\n"
             "exactly what csv.writer of CPython 3.13 writes.");

static PyType_Slot writer_slots[] = {
    {Py_tp_doc, (char *)writer_doc},   {Py_tp_new, writer_new},
    {Py_tp_traverse, writer_traverse}, {Py_tp_clear, writer_clear},
    {Py_tp_dealloc, writer_dealloc},   {Py_tp_methods, writer_methods},
    {Py_tp_members, writer_members},   {0, NULL},
};

PyType_Spec csv_writer_spec = {
    .name = "native_generators.csv.writer",
    .basicsize = sizeof(csv_writer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = writer_slots,
};
