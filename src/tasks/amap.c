/* amap: the results of an async function called with each item, several calls at once.
 *
 * A synchronous source is pulled in the step, while there is room in the window.  An async one
 * is iterated by a reader, which starts the calls itself.  Each call is a task of its own.  It
 * tells the window when it has ended, and wakes the step that waits.
 *
 * States: those of an async stream.  When the source fails, the results of the calls that were
 * started come first, and then its error.  A call that fails ends the stream when its turn
 * comes; no item is taken from then on.  At the end all calls and the reader are cancelled.
 * The calls are waited for, then the source is closed: by the reader, in its task, or by the
 * stream.  What a call or the source raises then is raised, with an earlier failure as its
 * context.  A stream that is dropped where no loop can close it only cancels them.
 *
 * Owned: a synchronous source, by the stream; the group, which has the calls; the reader.
 */
#include "tasks/amap.h"

#include "runtime/raising.h"
#include "stream/astream.h"
#include "stream/refusal.h"
#include "tasks/async_call.h"
#include "tasks/reader.h"
#include "tasks/task_group.h"

typedef struct {
    astream stream;
    task_group *group; /* owned */
    reader *reader;    /* owned: of an async source, from the first step on */
    bool source_ended;
} amap;

/* ---- an async source ---- */

static bool
amap_reader_wants(reader *self)
{
    return window_has_room(&self->group->calls);
}

/* The calls may use what the source holds open. */
static bool
amap_reader_may_close(reader *self)
{
    return self->group->calls.running == 0;
}

/* Where the stream ends, an item that comes all the same can't be given any more. */
static int
amap_reader_deliver(reader *self, PyObject *item)
{
    if (self->group->stopping || self->group->calls.failing) {
        return 0;
    }
    return async_call_start(self->group, item) < 0 ? -1 : 0;
}

static const reader_kind amap_reader = {
    .wants = amap_reader_wants,
    .may_close = amap_reader_may_close,
    .deliver = amap_reader_deliver,
};

/* From here on the reader closes the source, and not the stream. */
static int
amap_start_reader(amap *self)
{
    astream *base = &self->stream;
    self->reader = reader_new(self->group, &amap_reader, base->source, base->closes_source);
    if (self->reader == NULL) {
        return -1;
    }
    base->closes_source = false;
    self->reader->drains = base->is_stopped && !base->passes_stop;
    return reader_start(self->reader);
}

/* ---- the stream's own ---- */

/* Start calls while there is room and a synchronous source gives items. */
static int
amap_fill(amap *self)
{
    window *calls = &self->group->calls;
    while (!self->source_ended && window_has_room(calls)) {
        PyObject *item;
        astream_answer answer = astream_pull(&self->stream, &item);
        if (answer != ASTREAM_GAVE) {
            self->source_ended = true;
            self->group->fills = false;
            return answer == ASTREAM_ENDED || astream_stash_error(&self->stream) ? 0 : -1;
        }
        int status = async_call_start(self->group, item);
        PyObject *raised = status < 0 ? PyErr_GetRaisedException() : NULL;
        Py_DECREF(item);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
            return -1;
        }
        if (status > 0 && window_is_ready(calls)) {
            return 0; /* no more calls are started than are asked for */
        }
    }
    return 0;
}

static bool
amap_is_over(const amap *self)
{
    return self->group->calls.held == 0 &&
           (self->reader == NULL ? self->source_ended : self->group->first_reader == NULL);
}

static astream_outcome
amap_step_lock_held(amap *self, PyObject **value)
{
    astream *base = &self->stream;
    task_group *group = self->group;
    if (task_group_check(group, "amap()") < 0) {
        return ASTREAM_REFUSE;
    }
    if (task_group_open(group, "amap()") < 0) {
        return ASTREAM_ERROR;
    }
    if (!base->source_is_async) {
        if (amap_fill(self) < 0) {
            return ASTREAM_ERROR;
        }
    }
    else if (self->reader == NULL && amap_start_reader(self) < 0) {
        return ASTREAM_ERROR;
    }
    if (window_is_ready(&group->calls)) {
        int status = window_pop(&group->calls, value);
        if (status < 0) {
            task_group_chain(group); /* the source may have failed meanwhile */
        }
        if (group->first_reader != NULL) {
            reader_poke(group->first_reader);
        }
        return status < 0 ? ASTREAM_ERROR : ASTREAM_ITEM;
    }
    if (amap_is_over(self)) {
        base->was_cut |= group->was_cut;
        return task_group_raise(group) < 0 ? ASTREAM_ERROR : ASTREAM_END;
    }
    return task_group_wait(group, value);
}

static bool
amap_has_tasks(const amap *self)
{
    return self->group->calls.running > 0 || self->group->first_reader != NULL;
}

static astream_outcome
amap_close_lock_held(amap *self, PyObject **value)
{
    task_group *group = self->group;
    if (amap_has_tasks(self) && task_group_check(group, "amap()") < 0) {
        return ASTREAM_REFUSE;
    }
    if (reader_stop_all(group) < 0 ||
        (!group->cancelling && async_call_cancel_all(group) < 0)) {
        return ASTREAM_ERROR;
    }
    if (amap_has_tasks(self)) {
        return task_group_wait_to_finish(group, value);
    }
    if (task_group_tell_late(group, self->stream.raised) < 0) {
        return ASTREAM_ERROR;
    }
    return task_group_raise(group) < 0 ? ASTREAM_ERROR : ASTREAM_END;
}

/* What is raised stays. */
static void
amap_release_lock_held(amap *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    task_group *group = self->group;
    group->is_detached = true;
    if (amap_has_tasks(self)) {
        reader_try_to_stop_all(group);
        if (async_call_cancel_all(group) < 0) {
            raising_unraisable((PyObject *)self);
        }
    }
    window_clear(&group->calls);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

static astream_outcome
amap_step(astream *base, astream_answer Py_UNUSED(answer), PyObject **value)
{
    amap *self = (amap *)base;
    astream_outcome outcome;
    Py_BEGIN_CRITICAL_SECTION(self->group);
    outcome = amap_step_lock_held(self, value);
    Py_END_CRITICAL_SECTION();
    return outcome;
}

static astream_outcome
amap_close(astream *base, astream_answer Py_UNUSED(answer), PyObject **value)
{
    amap *self = (amap *)base;
    astream_outcome outcome;
    Py_BEGIN_CRITICAL_SECTION(self->group);
    outcome = amap_close_lock_held(self, value);
    Py_END_CRITICAL_SECTION();
    return outcome;
}

static int
amap_stop(astream *base)
{
    amap *self = (amap *)base;
    task_group *group = self->group;
    int status;
    Py_BEGIN_CRITICAL_SECTION(group);
    group->fills = false;
    status = self->reader == NULL ? 0 : reader_drain(self->reader);
    Py_END_CRITICAL_SECTION();
    return status;
}

static void
amap_measure(astream *base, measures *into)
{
    task_group *group = ((amap *)base)->group;
    if (group != NULL) {
        window_measure(&group->calls, into);
    }
}

static int
amap_release(astream *base)
{
    amap *self = (amap *)base;
    if (self->group == NULL) {
        return 0;
    }
    Py_BEGIN_CRITICAL_SECTION(self->group);
    amap_release_lock_held(self);
    Py_END_CRITICAL_SECTION();
    return 0;
}

static const astream_kind amap_kind = {.step = amap_step,
                                       .close = amap_close,
                                       .release = amap_release,
                                       .stop = amap_stop,
                                       .measure = amap_measure};

static int
amap_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((amap *)op)->group);
    Py_VISIT(((amap *)op)->reader);
    return astream_traverse(op, visit, arg);
}

static int
amap_clear(PyObject *op)
{
    amap *self = (amap *)op;
    Py_CLEAR(self->group);
    Py_CLEAR(self->reader);
    return astream_clear(op);
}

/* ---- making one ---- */

static int
amap_check_source(PyObject *source)
{
    PyTypeObject *type = Py_TYPE(source);
    if ((type->tp_as_async != NULL && type->tp_as_async->am_aiter != NULL) ||
        type->tp_iter != NULL || PySequence_Check(source)) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError,
                 "source must be an iterable or an async iterable, not '%.200s'",
                 type->tp_name);
    refusal_add_hint("amap", source, true);
    return -1;
}

static int
amap_init(amap *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"fn",      "source",          "concurrency",
                               "ordered", "buffersize",      "return_exceptions",
                               "pairs",   "close_with_task", NULL};
    PyObject *function, *source;
    window_options options = WINDOW_OPTIONS;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|$npOppp:amap", keywords, &function,
                                     &source, &options.concurrency, &options.ordered,
                                     &options.buffersize, &options.returns_exceptions,
                                     &options.pairs, &self->stream.close_with_task)) {
        return -1;
    }
    self->group = task_group_new(state);
    if (self->group == NULL || window_open(&self->group->calls, &options) < 0) {
        return -1;
    }
    if (!PyCallable_Check(function)) {
        PyErr_Format(PyExc_TypeError, "fn must be callable, not '%.200s'",
                     Py_TYPE(function)->tp_name);
        return -1;
    }
    self->group->function = Py_NewRef(function);
    if (amap_check_source(source) < 0 ||
        astream_open(&self->stream, state, source, ASTREAM_SYNC_OR_ASYNC) < 0) {
        return -1;
    }
    self->group->fills = !self->stream.source_is_async;
    return 0;
}

static PyObject *
amap_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    amap *self = (amap *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &amap_kind;
    if (amap_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(
    amap_doc,
    "amap(fn, source, *, concurrency=8, ordered=True, buffersize=None,\n"
    "     return_exceptions=False, pairs=False, close_with_task=False)\n"
    "--\n\n"
    "An async iterator over the results of `await fn(item)`, for each item of an iterable\n"
    "or async iterable.\n"
    "\n"
    "Each call runs in a task, and at most `concurrency` calls run at once.  Results are\n"
    "yielded in the order of the items or, with ordered=False, as soon as they are ready.\n"
    "With pairs=True, (item, result) is yielded in place of the result.\n"
    "\n"
    "At most `buffersize` calls may have been started whose results have not been yielded\n"
    "yet.  None means twice `concurrency`, and at least 1000 for ordered results, which\n"
    "are kept while one call is slow.  An async source is iterated by one task, which\n"
    "also closes it.\n"
    "\n"
    "An exception of a call is raised when its result would have been yielded, and ends\n"
    "the stream.  The exception gets the item as its attribute `item`, and a note that\n"
    "names it.  When a call fails, no further item is read from the source.  With\n"
    "return_exceptions=True, the exception is yielded as the result instead.\n"
    "\n"
    "A failure and aclose() cancel the calls, wait for them, and then close a source that\n"
    "is a generator.  If a cancelled call raises an exception, it is added to the first\n"
    "failure as a note or, if there is no failure, raised by aclose().  An exception\n"
    "raised by closing the source is raised, with the first failure as its context.  If\n"
    "the consumer is cancelled meanwhile, CancelledError is raised when all calls have\n"
    "ended.  Cancelling a step loses nothing: the next step returns the result.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> async def double(x):\n"
    "...     await asyncio.sleep(0.01)\n"
    "...     return 2 * x\n"
    ">>> async def main():\n"
    "...     return [x async for x in amap(double, range(5), concurrency=2)]\n"
    ">>> asyncio.run(main())\n"
    "[0, 2, 4, 6, 8]");

static PyType_Slot amap_slots[] = {
    {Py_tp_doc, (char *)amap_doc},
    {Py_tp_new, amap_new},
    {Py_tp_traverse, amap_traverse},
    {Py_tp_clear, amap_clear},
    {0, NULL},
};

PyType_Spec amap_spec = {
    .name = "native_generators.amap",
    .basicsize = sizeof(amap),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = amap_slots,
};
