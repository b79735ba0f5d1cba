/* abatched: tuples of n items of an async source.  The last tuple may be shorter.
 *
 * States and threads: those of an async stream.  It owns the batch that is being filled, a
 * list until it is complete.  If the source raises, the batch in progress is dropped, as
 * batched does.
 */
#include "chunks/abatched.h"

#include "stream/astream.h"

typedef struct {
    astream stream;
    PyObject *batch; /* owned, or NULL */
    Py_ssize_t n;
    bool over; /* the source has ended */
} abatched;

/* ---- the stream's own ---- */

static astream_outcome
give_batch(abatched *self, PyObject **value)
{
    *value = PyList_AsTuple(self->batch);
    Py_CLEAR(self->batch);
    return *value == NULL ? ASTREAM_ERROR : ASTREAM_ITEM;
}

/* `item` is stolen. */
static astream_outcome
add(abatched *self, PyObject *item, PyObject **value)
{
    int status = 0;
    if (self->batch == NULL) {
        self->batch = PyList_New(0);
        status = self->batch == NULL ? -1 : 0;
    }
    if (status == 0) {
        status = PyList_Append(self->batch, item);
    }
    Py_DECREF(item);
    if (status < 0) {
        return ASTREAM_ERROR;
    }
    return PyList_GET_SIZE(self->batch) < self->n ? ASTREAM_AGAIN : give_batch(self, value);
}

/* Take `answer` to a pull.  ASTREAM_AGAIN where more must be pulled. */
static astream_outcome
abatched_take_answer(abatched *self, astream_answer answer, PyObject **value)
{
    PyObject *item = *value;
    *value = NULL;
    switch (answer) {
    case ASTREAM_GAVE:
        return add(self, item, value);
    case ASTREAM_ENDED:
        self->over = true;
        return self->batch == NULL ? ASTREAM_END : give_batch(self, value);
    case ASTREAM_FAILED:
        return ASTREAM_ERROR;
    default:
        return ASTREAM_AWAIT;
    }
}

/* Pull until a batch is full, the source must be waited for, or others must have their turn.
 */
static astream_outcome
abatched_pull(abatched *self, PyObject **value)
{
    astream *base = &self->stream;
    for (;;) {
        astream_answer answer = self->over ? ASTREAM_ENDED : astream_pull(base, value);
        astream_outcome outcome = abatched_take_answer(self, answer, value);
        if (outcome != ASTREAM_AGAIN || astream_spend(base)) {
            return outcome;
        }
    }
}

static astream_outcome
abatched_step(astream *base, astream_answer answer, PyObject **value)
{
    abatched *self = (abatched *)base;
    if (answer != ASTREAM_ASKED) {
        astream_outcome outcome = abatched_take_answer(self, answer, value);
        if (outcome != ASTREAM_AGAIN) {
            return outcome;
        }
    }
    bool entered = base->home != NULL;
    if (entered && astream_enter_source(base) < 0) {
        return ASTREAM_ERROR;
    }
    astream_outcome outcome = abatched_pull(self, value);
    astream_leave_source(base, entered);
    return outcome;
}

static int
abatched_release(astream *base)
{
    Py_CLEAR(((abatched *)base)->batch);
    return 0;
}

static const astream_kind abatched_kind = {abatched_step, NULL, abatched_release};

static int
abatched_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((abatched *)op)->batch);
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
    static char *keywords[] = {"source", "n", "close_with_task", NULL};
    PyObject *source;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "On|$p:abatched", keywords, &source,
                                     &self->n, &self->stream.close_with_task)) {
        return -1;
    }
    if (self->n < 1) {
        PyErr_SetString(PyExc_ValueError, "n must be at least one");
        return -1;
    }
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

PyDoc_STRVAR(abatched_doc,
             "abatched(source, n, *, close_with_task=False)\n"
             "--\n\n"
             "Tuples of n items of an async iterable; the last one may be shorter.\n\n"
             "This is batched() for `async for`.  Cancelling a pending step loses nothing:\n"
             "the next one resumes it.\n\n"
             "close_with_task=True closes the stream when the asyncio task that took its\n"
             "first batch ends.  ValueError if n is less than one.\n\n"
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
