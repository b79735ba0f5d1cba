/* abatched: tuples of n items of an async source.  The last tuple may be shorter.
 *
 * It waits for the source no longer than the batch may be held: then it gives the batch, and
 * the source's step goes on.
 *
 * States and threads: those of an async stream.  It owns the batch that is being filled, a
 * list until it is complete.  If the source raises, the batch in progress is dropped, as
 * batched does.
 */
#include "chunks/abatched.h"

#include "chunks/delay.h"
#include "stream/gather.h"

typedef struct {
    astream stream;
    PyObject *batch; /* owned, or NULL */
    PyObject *flush; /* owned: FLUSH */
    Py_ssize_t n;
    delay delay;
    int strict;
    bool over; /* the source has ended */
} abatched;

/* ---- the stream's own ---- */

/* Give the batch, if there is one. */
static astream_outcome
abatched_give(abatched *self, PyObject **value)
{
    PyObject *batch = self->batch;
    if (batch == NULL) {
        return self->over ? ASTREAM_END : ASTREAM_AGAIN;
    }
    *value = PyList_AsTuple(batch);
    self->batch = NULL;
    Py_DECREF(batch);
    return *value == NULL ? ASTREAM_ERROR : ASTREAM_ITEM;
}

/* `item` is stolen. */
static astream_outcome
abatched_add(abatched *self, PyObject *item, PyObject **value)
{
    if (item == self->flush) {
        Py_DECREF(item);
        return abatched_give(self, value);
    }
    int status = 0;
    if (self->batch == NULL) {
        self->batch = PyList_New(0);
        status = self->batch == NULL ? -1 : 0;
        delay_start(&self->delay);
    }
    if (status == 0) {
        status = PyList_Append(self->batch, item);
    }
    Py_DECREF(item);
    if (status < 0) {
        return ASTREAM_ERROR;
    }
    return PyList_GET_SIZE(self->batch) < self->n && delay_left(&self->delay) > 0
               ? ASTREAM_AGAIN
               : abatched_give(self, value);
}

static astream_outcome
abatched_end(abatched *self, PyObject **value)
{
    self->over = true;
    if (self->strict && self->batch != NULL) {
        PyErr_SetString(PyExc_ValueError, "abatched(): incomplete batch");
        return ASTREAM_ERROR;
    }
    return abatched_give(self, value);
}

/* Take `answer` to a pull.  ASTREAM_AGAIN where more must be pulled. */
static astream_outcome
abatched_take_answer(astream *base, void *Py_UNUSED(context), astream_answer answer,
                     PyObject **value)
{
    abatched *self = (abatched *)base;
    PyObject *item = *value;
    *value = NULL;
    switch (answer) {
    case ASTREAM_GAVE:
        return abatched_add(self, item, value);
    case ASTREAM_LATE:
        return abatched_give(self, value);
    case ASTREAM_ENDED:
        return abatched_end(self, value);
    default:
        return ASTREAM_ERROR;
    }
}

static astream_outcome
abatched_prepare(astream *base, void *Py_UNUSED(context), uint64_t *nanoseconds,
                 PyObject **Py_UNUSED(value))
{
    abatched *self = (abatched *)base;
    if (self->over) {
        return ASTREAM_END;
    }
    if (base->is_timed && self->batch != NULL) {
        *nanoseconds = delay_left(&self->delay);
    }
    return ASTREAM_AGAIN;
}

static const astream_gathering abatched_gathering = {abatched_prepare, abatched_take_answer};

static astream_outcome
abatched_step(astream *base, astream_answer answer, PyObject **value)
{
    return astream_gather(base, NULL, &abatched_gathering, answer, value);
}

static int
abatched_release(astream *base)
{
    abatched *self = (abatched *)base;
    Py_CLEAR(self->batch);
    Py_CLEAR(self->flush);
    return 0;
}

static void
abatched_measure(astream *base, measures *into)
{
    const PyObject *batch = ((abatched *)base)->batch;
    into->held += batch == NULL ? 0 : PyList_GET_SIZE(batch);
}

static const astream_kind abatched_kind = {
    .step = abatched_step, .release = abatched_release, .measure = abatched_measure};

static int
abatched_traverse(PyObject *op, visitproc visit, void *arg)
{
    abatched *self = (abatched *)op;
    Py_VISIT(self->batch);
    Py_VISIT(self->flush);
    return astream_traverse(op, visit, arg);
}

static int
abatched_clear(PyObject *op)
{
    abatched_release((astream *)op);
    return astream_clear(op);
}

/* ---- making one ---- */

static int
abatched_init(abatched *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source", "n", "max_delay", "strict", "close_with_task", NULL};
    PyObject *source, *max_delay = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "On|$Opp:abatched", keywords, &source,
                                     &self->n, &max_delay, &self->strict,
                                     &self->stream.close_with_task) ||
        delay_open(&self->delay, max_delay) < 0) {
        return -1;
    }
    if (self->n < 1) {
        PyErr_SetString(PyExc_ValueError, "n must be at least one");
        return -1;
    }
    self->flush = Py_NewRef(state->flush);
    self->stream.is_timed = self->delay.clock != NULL;
    return astream_open(&self->stream, state, source, ASTREAM_ASYNC);
}

static PyObject *
abatched_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    abatched *self = (abatched *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &abatched_kind;
    if (abatched_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(
    abatched_doc,
    "abatched(source, n, *, max_delay=None, strict=False, close_with_task=False)\n"
    "--\n\n"
    "An async iterator over tuples of n items of an async iterable; the last one may be\n"
    "shorter.\n"
    "\n"
    "This is batched() for `async for`.  In addition, on an asyncio event loop a shorter\n"
    "batch is yielded `max_delay` seconds after its first item came, even if no further\n"
    "item comes; the source continues its step.  Cancelling a pending step loses nothing:\n"
    "the next step resumes it, and the delay still counts from the first item.\n"
    "\n"
    "close_with_task=True closes the stream when the asyncio task that took its first\n"
    "batch ends.\n"
    "\n"
    "ValueError is raised if n is less than one or max_delay less than 0 and, with\n"
    "`strict`, if the source ends within a batch.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> async def letters():\n"
    "...     for letter in 'abcde':\n"
    "...         yield letter\n"
    ">>> async def main():\n"
    "...     return [batch async for batch in abatched(letters(), 2)]\n"
    ">>> asyncio.run(main())\n"
    "[('a', 'b'), ('c', 'd'), ('e',)]");

static PyType_Slot abatched_slots[] = {
    {Py_tp_doc, (char *)abatched_doc},
    {Py_tp_new, abatched_new},
    {Py_tp_traverse, abatched_traverse},
    {Py_tp_clear, abatched_clear},
    {0, NULL},
};

PyType_Spec abatched_spec = {
    .name = "native_generators.abatched",
    .basicsize = sizeof(abatched),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = abatched_slots,
};
