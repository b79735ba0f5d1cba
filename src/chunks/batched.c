/* batched: tuples of n items.  The last tuple may be shorter.
 *
 * States and ownership: those of a stream; between two steps it holds no items.  If the source
 * raises, the batch in progress is dropped, as itertools.batched does.
 */
#include "chunks/batched.h"

#include "chunks/delay.h"
#include "stream/stream.h"

#define FIRST_ROOM 4096 /* items that a new batch has room for, if n is larger */

typedef struct {
    stream stream;
    PyObject *flush; /* owned: FLUSH */
    Py_ssize_t n;
    delay delay;
    int strict;
    bool over; /* the source has ended */
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

/* Pull up to `count` items, or one where the time matters.  *due: the batch is given as it is.
   How many; 0 at the end where it is not due; or -1. */
static Py_ssize_t
batched_pull(batched *self, PyObject **items, Py_ssize_t count, bool is_first, bool *due)
{
    bool is_timed = self->delay.most != SECONDS_FOREVER;
    Py_ssize_t asked = is_timed ? 1 : count;
    Py_ssize_t got = stream_pull_many(&self->stream, items, asked, self->flush, due);
    self->over = got >= 0 && got < asked && !*due;
    if (is_timed && got > 0) {
        if (is_first) {
            delay_start(&self->delay);
        }
        *due |= delay_left(&self->delay) == 0;
    }
    return got;
}

/* Fill `items` until there are `count`, the batch is due, or the source has ended: how many
   there are then, or -1. */
static Py_ssize_t
batched_fill(batched *self, PyObject **items, Py_ssize_t filled, Py_ssize_t count, bool *due)
{
    while (filled < count && !*due && !self->over) {
        Py_ssize_t got = batched_pull(self, items + filled, count - filled, filled == 0, due);
        if (got < 0 || (got == 0 && PyErr_CheckSignals() < 0)) {
            return -1;
        }
        filled += got;
        *due &= filled > 0; /* there is nothing to flush */
    }
    return filled;
}

/* The batch (stolen) is the last, and not complete. */
static PyObject *
batched_refuse(PyObject *batch)
{
    Py_DECREF(batch);
    PyErr_SetString(PyExc_ValueError, "batched(): incomplete batch");
    return NULL;
}

/* The garbage collector does not track the batch while it is filled: gc.get_objects() must not
   show a tuple that changes. */
static PyObject *
batched_next(stream *base)
{
    batched *self = (batched *)base;
    Py_ssize_t room = self->n < FIRST_ROOM ? self->n : FIRST_ROOM;
    Py_ssize_t count = 0;
    bool due = false;
    PyObject *batch = self->over ? NULL : PyTuple_New(room);
    while (batch != NULL) {
        PyObject_GC_UnTrack(batch);
        count = batched_fill(self, PySequence_Fast_ITEMS(batch), count, room, &due);
        if (count < 0) {
            Py_DECREF(batch);
            return NULL;
        }
        if (self->over && self->strict && count > 0 && count < self->n) {
            return batched_refuse(batch);
        }
        if (count < room || room == self->n || due) {
            return cut(batch, count);
        }
        room = room > self->n / 2 ? self->n : 2 * room;
        _PyTuple_Resize(&batch, room);
    }
    return NULL;
}

static int
batched_release(stream *base)
{
    Py_CLEAR(((batched *)base)->flush);
    return 0;
}

static const stream_kind batched_kind = {.next = batched_next, .release = batched_release};

static int
batched_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((batched *)op)->flush);
    return stream_traverse(op, visit, arg);
}

static int
batched_clear(PyObject *op)
{
    Py_CLEAR(((batched *)op)->flush);
    return stream_clear(op);
}

/* ---- making one ---- */

static int
batched_init(batched *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source", "n", "max_delay", "strict", NULL};
    PyObject *source, *max_delay = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "On|$Op:batched", keywords, &source,
                                     &self->n, &max_delay, &self->strict) ||
        delay_open(&self->delay, max_delay) < 0) {
        return -1;
    }
    if (self->n < 1) {
        PyErr_SetString(PyExc_ValueError, "n must be at least one");
        return -1;
    }
    self->flush = Py_NewRef(state->flush);
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

PyDoc_STRVAR(
    batched_doc,
    "batched(source, n, *, max_delay=None, strict=False)\n"
    "--\n\n"
    "An iterator over tuples of n items of the source; the last one may be shorter.\n"
    "\n"
    "This is itertools.batched as a stream: a generator given as `source` is closed when\n"
    "the stream ends.  A shorter batch is yielded before FLUSH, and with an item that\n"
    "comes `max_delay` seconds or more after the first item of the batch.  The clock is\n"
    "read only when an item comes.\n"
    "\n"
    "ValueError is raised if n is less than one or max_delay less than 0 and, with\n"
    "`strict`, if the source ends within a batch.\n"
    "\n"
    ">>> list(batched('abcde', 2))\n"
    "[('a', 'b'), ('c', 'd'), ('e',)]");

static PyType_Slot batched_slots[] = {
    {Py_tp_doc, (char *)batched_doc},
    {Py_tp_new, batched_new},
    {Py_tp_traverse, batched_traverse},
    {Py_tp_clear, batched_clear},
    {0, NULL},
};

PyType_Spec batched_spec = {
    .name = "native_generators.batched",
    .basicsize = sizeof(batched),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = batched_slots,
};
