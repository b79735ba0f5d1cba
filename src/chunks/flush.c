/* FLUSH: among the pieces, it makes the stream send the bytes that it holds at once.
 *
 * FLUSH is the only object of its type and has no state.  The module owns it, and it refers to
 * the module by its type.  The garbage collector must see that reference, or the module would
 * never be freed.
 */
#include "chunks/flush.h"

#include "state.h"

static PyObject *
flush_repr(PyObject *Py_UNUSED(op))
{
    return PyUnicode_FromString("native_generators.FLUSH");
}

/* Copied and pickled by name, so that a copy is the same object. */
static PyObject *
flush_reduce(PyObject *Py_UNUSED(op), PyObject *Py_UNUSED(ignored))
{
    return PyUnicode_FromString("FLUSH");
}

static int
flush_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return 0;
}

static void
flush_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef flush_methods[] = {
    {"__reduce__", flush_reduce, METH_NOARGS,
     "reduce($self, /)\n"
     "--\n\n"
     "Return its name, for pickle."},
    {NULL},
};

static PyType_Slot flush_slots[] = {
    {Py_tp_doc,
     (char *)"The type of FLUSH.  Among pieces or rows, FLUSH makes a stream yield what it\n"
             "holds, as a shorter chunk."},
    {Py_tp_traverse, flush_traverse},
    {Py_tp_dealloc, flush_dealloc},
    {Py_tp_repr, flush_repr},
    {Py_tp_methods, flush_methods},
    {0, NULL},
};

PyType_Spec flush_spec = {
    .name = "native_generators._Flush",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = flush_slots,
};
