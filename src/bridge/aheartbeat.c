/* aheartbeat: the items of an async source, and another item whenever none came for so long.
 *
 * The source's step is not touched by a beat: it goes on, and the next step of the stream
 * waits for it.  See astream_pull_within().
 *
 * States and threads: those of an async stream.  It owns the source and the beat until the
 * end.  User code runs in the source and in the beat's callable, while the stream is
 * `running`.
 */
#include "bridge/aheartbeat.h"

#include "aio/loop.h"
#include "bridge/beat.h"
#include "runtime/raising.h"
#include "source/async_source.h"

typedef struct {
    astream stream;
    beat beat;
    bool has_loop; /* it is known that one runs */
} aheartbeat;

/* ---- the stream's own ---- */

/* A beat needs a timer.  0, or -1 with RuntimeError. */
static int
aheartbeat_find_loop(aheartbeat *self)
{
    PyObject *loop = loop_needed(generators_state_of((PyObject *)self), "aheartbeat()");
    self->has_loop = loop != NULL;
    Py_XDECREF(loop);
    return self->has_loop ? 0 : -1;
}

static astream_outcome
aheartbeat_take_answer(aheartbeat *self, astream_answer answer, PyObject **value)
{
    switch (answer) {
    case ASTREAM_GAVE:
        beat_rest(&self->beat);
        return ASTREAM_ITEM;
    case ASTREAM_LATE:
        beat_rest(&self->beat);
        *value = beat_make(&self->beat);
        return *value == NULL ? ASTREAM_ERROR : ASTREAM_ITEM;
    case ASTREAM_ENDED:
        return ASTREAM_END;
    case ASTREAM_PENDING:
        return ASTREAM_AWAIT;
    default:
        return ASTREAM_ERROR;
    }
}

static astream_outcome
aheartbeat_step(astream *base, astream_answer answer, PyObject **value)
{
    aheartbeat *self = (aheartbeat *)base;
    if (answer == ASTREAM_ASKED) {
        if (!self->has_loop && aheartbeat_find_loop(self) < 0) {
            return ASTREAM_REFUSE;
        }
        answer = astream_pull_within(base, beat_left(&self->beat), value);
        if (answer == ASTREAM_PENDING) {
            beat_wait(&self->beat);
        }
    }
    return aheartbeat_take_answer(self, answer, value);
}

static int
aheartbeat_release(astream *base)
{
    beat_clear(&((aheartbeat *)base)->beat);
    return 0;
}

static const astream_kind aheartbeat_kind = {.step = aheartbeat_step,
                                             .release = aheartbeat_release};

static int
aheartbeat_traverse(PyObject *op, visitproc visit, void *arg)
{
    int status = beat_traverse(&((aheartbeat *)op)->beat, visit, arg);
    return status != 0 ? status : astream_traverse(op, visit, arg);
}

static int
aheartbeat_clear(PyObject *op)
{
    beat_clear(&((aheartbeat *)op)->beat);
    return astream_clear(op);
}

/* ---- making one ---- */

static int
aheartbeat_init(aheartbeat *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source", "every", "item", "close_with_task", NULL};
    PyObject *source, *every, *item;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO|$p:aheartbeat", keywords, &source,
                                     &every, &item, &self->stream.close_with_task) ||
        beat_open(&self->beat, every, item) < 0) {
        return -1;
    }
    return async_source_open(&self->stream, state, source, 0,
                             "source must be an async iterable");
}

static PyObject *
aheartbeat_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    aheartbeat *self = (aheartbeat *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &aheartbeat_kind;
    self->stream.is_timed = true;
    if (aheartbeat_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(
    aheartbeat_doc,
    "aheartbeat(source, every, item, *, close_with_task=False)\n"
    "--\n\n"
    "An async iterator over the items of an async iterable.  If no item comes for `every`\n"
    "seconds, `item` is yielded.\n"
    "\n"
    "If `item` is callable, it is called without arguments, and its result is yielded.\n"
    "The source continues its step meanwhile: nothing is lost and nothing is cancelled.\n"
    "The time is counted from when the stream begins to wait for an item.\n"
    "\n"
    "RuntimeError is raised without a running asyncio event loop, and ValueError if\n"
    "`every` is not more than 0.  close_with_task=True closes the stream when the asyncio\n"
    "task that took its first item ends.  An async generator given as `source` is closed\n"
    "when the stream ends.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> async def prices():\n"
    "...     yield 17\n"
    "...     await asyncio.sleep(0.15)\n"
    "...     yield 18\n"
    ">>> async def main():\n"
    "...     return [price async for price in aheartbeat(prices(), 0.1, None)]\n"
    ">>> asyncio.run(main())\n"
    "[17, None, 18]");

static PyType_Slot aheartbeat_slots[] = {
    {Py_tp_doc, (char *)aheartbeat_doc},
    {Py_tp_new, aheartbeat_new},
    {Py_tp_traverse, aheartbeat_traverse},
    {Py_tp_clear, aheartbeat_clear},
    {0, NULL},
};

PyType_Spec aheartbeat_spec = {
    .name = "native_generators.aheartbeat",
    .basicsize = sizeof(aheartbeat),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = aheartbeat_slots,
};
