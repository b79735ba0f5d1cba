/* batched: tuples of n items.  The last tuple may be shorter.
 *
 * States and ownership: those of a stream; it holds nothing itself.  If the source raises, the
 * batch in progress is dropped, as itertools.batched does.
 */
#include "chunks/batched.h"

#include "stream/stream.h"

#define FIRST_ROOM 4096 /* items that a new batch has room for, if n is larger */

typedef struct {
    stream stream;
    Py_ssize_t n;
} batched;

/* ---- the stream's own ---- */

/* The first `count` items of a batch (stolen) as a tracked tuple; NULL if `count` is 0. */
static PyObject *
cut(PyObject *batch, Py_ssize_t count)
{
    if (count == 0) {
        Py_DECREF(batch);
        return NULL;
    }
    if (count < PyTuple_GET_SIZE(batch) && _PyTuple_Resize(&batch, count) < 0) {
        return NULL;
    }
    if (!PyObject_GC_IsTracked(batch)) {
        PyObject_GC_Track(batch);
    }
    return batch;
}

/* The garbage collector does not track the batch while it is filled: gc.get_objects() must not
   show a tuple that changes. */
static PyObject *
batched_next(stream *base)
{
    batched *self = (batched *)base;
    Py_ssize_t room = self->n < FIRST_ROOM ? self->n : FIRST_ROOM;
    Py_ssize_t count = 0;
    PyObject *batch = PyTuple_New(room);
    while (batch != NULL) {
        PyObject_GC_UnTrack(batch);
        PyObject **items = PySequence_Fast_ITEMS(batch);
        Py_ssize_t got = stream_pull_many(base, items + count, room - count);
        if (got < 0) {
            Py_DECREF(batch);
            return NULL;
        }
        count += got;
        if (count < room || room == self->n) {
            return cut(batch, count);
        }
        room = room > self->n / 2 ? self->n : 2 * room;
        _PyTuple_Resize(&batch, room);
    }
    return NULL;
}

static int
batched_release(stream *Py_UNUSED(base))
{
    return 0;
}

static const stream_kind batched_kind = {.next = batched_next, .release = batched_release};

/* ---- making one ---- */

static int
batched_init(batched *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source", "n", NULL};
    PyObject *source;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "On:batched", keywords, &source,
                                     &self->n)) {
        return -1;
    }
    if (self->n < 1) {
        PyErr_SetString(PyExc_ValueError, "n must be at least one");
        return -1;
    }
    return stream_open(&self->stream, state, source);
}

static PyObject *
batched_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    batched *self = (batched *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &batched_kind;
    if (batched_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(batched_doc,
             "batched(source, n)\n"
             "--\n\n"
             "Tuples of n items of the source; the last one may be shorter.\n\n"
             "Like itertools.batched, but a stream: a generator given as `source` is closed\n"
             "when the stream ends.  ValueError if n is less than one.\n\n"
             ">>> list(batched('abcde', 2))\n"
             "[('a', 'b'), ('c', 'd'), ('e',)]");

static PyType_Slot batched_slots[] = {
    {Py_tp_doc, (char *)batched_doc},
    {Py_tp_new, batched_new},
    {Py_tp_traverse, stream_traverse},
    {Py_tp_clear, stream_clear},
    {0, NULL},
};

PyType_Spec batched_spec = {
    .name = "native_generators.batched",
    .basicsize = sizeof(batched),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = batched_slots,
};
