/* to_async: the items of a synchronous iterable, for `async for`.
 *
 * Without a thread each step calls next() of the source, on the loop's own thread.
 *
 * States and ownership: those of an async stream; it holds nothing itself.
 */
#include "protocol/astream.h"

typedef struct {
    astream stream;
} to_async;

/* ---- the stream's own ---- */

static astream_outcome
to_async_step(astream *base, astream_answer Py_UNUSED(answer), PyObject **value)
{
    switch (astream_pull(base, value)) {
    case ASTREAM_GAVE:
        return ASTREAM_ITEM;
    case ASTREAM_ENDED:
        return ASTREAM_END;
    default:
        return ASTREAM_ERROR;
    }
}

static int
to_async_release(astream *Py_UNUSED(base))
{
    return 0;
}

static const astream_kind to_async_kind = {to_async_step, NULL, to_async_release};

/* ---- making one ---- */

static int
to_async_init(to_async *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source", "thread", "close_with_task", NULL};
    PyObject *source;
    int thread = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$pp:to_async", keywords, &source,
                                     &thread, &self->stream.close_with_task)) {
        return -1;
    }
    if (thread) {
        PyErr_SetString(PyExc_NotImplementedError, "to_async needs thread=False");
        return -1;
    }
    return astream_open(&self->stream, state, source, ASTREAM_SYNC);
}

static PyObject *
to_async_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    to_async *self = (to_async *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &to_async_kind;
    if (to_async_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(to_async_doc, "to_async(source, *, thread=True, close_with_task=False)\n"
                           "--\n\n"
                           "The items of an iterable, for `async for`.");

static PyType_Slot to_async_slots[] = {
    {Py_tp_doc, (char *)to_async_doc},
    {Py_tp_new, to_async_new},
    {Py_tp_traverse, astream_traverse},
    {Py_tp_clear, astream_clear},
    {0, NULL},
};

PyType_Spec to_async_spec = {
    .name = "generators.to_async",
    .basicsize = sizeof(to_async),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = to_async_slots,
};
