/* amap: the results of an async function called with each item, several calls at once.
 *
 * A synchronous source is pulled in the step, while there is room in the window; an async one
 * by a reader, which starts the calls itself.  Each call is a task of its own, which tells the
 * window when it has ended and wakes the step that waits.
 *
 * States: those of an async stream.  When the source fails, what was started is given first,
 * and then the error comes.  A call that fails ends the stream when its turn comes.  At the
 * end all calls, and the reader, are cancelled and waited for, and then the source is closed;
 * a stream that is dropped where no loop can close it only cancels them.
 *
 * Owned: the source, by the stream; the crew, which has the calls; the reader.
 */
#include "tasks/amap.h"

#include "stream/astream.h"
#include "tasks/crew.h"

typedef struct {
    astream stream;
    crew *crew;     /* owned */
    reader *reader; /* owned: of an async source, from the first step on */
    bool source_ended;
} amap;

/* ---- an async source ---- */

static bool
reader_wants(reader *self)
{
    return window_has_room(&self->crew->calls);
}

static int
reader_delivers(reader *self, PyObject *item)
{
    generators_state *state = generators_state_of((PyObject *)self);
    return async_call_start(self->crew, state, item) < 0 ? -1 : 0;
}

static void
reader_ended(reader *Py_UNUSED(self))
{
}

static const reader_kind amap_reader = {reader_wants, reader_delivers, reader_ended};

static int
start_reader(amap *self, generators_state *state)
{
    self->reader = reader_new(state, self->crew, &amap_reader, self->stream.source);
    self->crew->feeder = self->reader;
    return self->reader == NULL ? -1 : reader_start(self->reader);
}

/* ---- the stream's own ---- */

/* Start calls while there is room and a synchronous source gives items. */
static int
fill(amap *self, generators_state *state)
{
    window *calls = &self->crew->calls;
    while (!self->source_ended && window_has_room(calls)) {
        PyObject *item;
        astream_answer answer = astream_pull(&self->stream, &item);
        if (answer != ASTREAM_GAVE) {
            self->source_ended = true;
            self->crew->fills = false;
            return answer == ASTREAM_ENDED || astream_stash_error(&self->stream) ? 0 : -1;
        }
        int status = async_call_start(self->crew, state, item);
        Py_DECREF(item);
        if (status < 0) {
            return -1;
        }
        if (status > 0 && window_is_ready(calls)) {
            return 0; /* no more is begun than is asked for */
        }
    }
    return 0;
}

/* Nothing is held: 1 when nothing will come, 0, or -1 with an exception set. */
static int
is_over(amap *self)
{
    if (!self->stream.source_is_async) {
        return self->source_ended;
    }
    if (!self->reader->is_ended) {
        return 0;
    }
    PyObject *error = self->reader->error;
    self->reader->error = NULL;
    if (error != NULL) {
        PyErr_SetRaisedException(error);
        return -1;
    }
    return 1;
}

static astream_outcome
step_lock_held(amap *self, PyObject **value)
{
    astream *base = &self->stream;
    generators_state *state = generators_state_of((PyObject *)self);
    window *calls = &self->crew->calls;
    if (crew_check(self->crew, state, "amap()") < 0) {
        return ASTREAM_REFUSE;
    }
    if (crew_open(self->crew, state, "amap()") < 0) {
        return ASTREAM_ERROR;
    }
    if (!base->source_is_async) {
        if (fill(self, state) < 0) {
            return ASTREAM_ERROR;
        }
    }
    else if (self->reader == NULL && start_reader(self, state) < 0) {
        return ASTREAM_ERROR;
    }
    if (window_is_ready(calls)) {
        int status = window_take(calls, value);
        if (self->reader != NULL) {
            reader_poke(self->reader);
        }
        return status < 0 ? ASTREAM_ERROR : ASTREAM_ITEM;
    }
    if (calls->held == 0) {
        int over = is_over(self);
        if (over != 0) {
            return over < 0 ? ASTREAM_ERROR : ASTREAM_END;
        }
    }
    return crew_wait(self->crew, value);
}

static astream_outcome
close_lock_held(amap *self, PyObject **value)
{
    crew *of = self->crew;
    if ((of->calls.running > 0 || of->readers > 0) &&
        crew_check(of, generators_state_of((PyObject *)self), "amap()") < 0) {
        return ASTREAM_REFUSE;
    }
    if (!of->stopping) {
        of->stopping = true;
        if ((self->reader != NULL && reader_stop(self->reader) < 0) ||
            crew_cancel_calls(of) < 0) {
            return ASTREAM_ERROR;
        }
    }
    if (of->calls.running == 0 && of->readers == 0) {
        return ASTREAM_END;
    }
    return crew_wait(of, value);
}

static int
release_lock_held(amap *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    int status = 0;
    if (self->crew->calls.running > 0 || self->crew->readers > 0) {
        status = self->reader == NULL ? 0 : reader_stop(self->reader);
        if (status == 0) {
            status = crew_cancel_calls(self->crew);
        }
    }
    self->crew->feeder = NULL;
    window_clear(&self->crew->calls);
    if (raised != NULL) {
        if (status < 0) {
            raising_unraisable((PyObject *)self);
        }
        PyErr_SetRaisedException(raised);
        return 0;
    }
    return status;
}

static astream_outcome
amap_step(astream *base, astream_answer Py_UNUSED(answer), PyObject **value)
{
    amap *self = (amap *)base;
    astream_outcome outcome;
    Py_BEGIN_CRITICAL_SECTION(self->crew);
    outcome = step_lock_held(self, value);
    Py_END_CRITICAL_SECTION();
    return outcome;
}

static astream_outcome
amap_close(astream *base, astream_answer Py_UNUSED(answer), PyObject **value)
{
    amap *self = (amap *)base;
    astream_outcome outcome;
    Py_BEGIN_CRITICAL_SECTION(self->crew);
    outcome = close_lock_held(self, value);
    Py_END_CRITICAL_SECTION();
    return outcome;
}

static int
amap_release(astream *base)
{
    amap *self = (amap *)base;
    if (self->crew == NULL) {
        return 0;
    }
    int status;
    Py_BEGIN_CRITICAL_SECTION(self->crew);
    status = release_lock_held(self);
    Py_END_CRITICAL_SECTION();
    return status;
}

static const astream_kind amap_kind = {amap_step, amap_close, amap_release};

static int
amap_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((amap *)op)->crew);
    Py_VISIT(((amap *)op)->reader);
    return astream_traverse(op, visit, arg);
}

static int
amap_clear(PyObject *op)
{
    amap *self = (amap *)op;
    if (self->crew != NULL) {
        self->crew->feeder = NULL;
    }
    Py_CLEAR(self->crew);
    Py_CLEAR(self->reader);
    return astream_clear(op);
}

/* ---- making one ---- */

static int
check_source(PyObject *source)
{
    PyTypeObject *type = Py_TYPE(source);
    if ((type->tp_as_async != NULL && type->tp_as_async->am_aiter != NULL) ||
        type->tp_iter != NULL || PySequence_Check(source)) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError,
                 "source must be an iterable or an async iterable, not '%.200s'",
                 type->tp_name);
    return -1;
}

static int
amap_init(amap *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"fn",
                               "source",
                               "concurrency",
                               "ordered",
                               "buffersize",
                               "return_exceptions",
                               "close_with_task",
                               NULL};
    PyObject *function, *source, *buffersize = Py_None;
    Py_ssize_t concurrency = 8;
    int ordered = 1, returns_exceptions = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|$npOpp:amap", keywords, &function,
                                     &source, &concurrency, &ordered, &buffersize,
                                     &returns_exceptions, &self->stream.close_with_task)) {
        return -1;
    }
    self->crew = crew_new(state);
    if (self->crew == NULL || window_open(&self->crew->calls, concurrency, buffersize, ordered,
                                          returns_exceptions) < 0) {
        return -1;
    }
    if (!PyCallable_Check(function)) {
        PyErr_Format(PyExc_TypeError, "fn must be callable, not '%.200s'",
                     Py_TYPE(function)->tp_name);
        return -1;
    }
    self->crew->function = Py_NewRef(function);
    if (check_source(source) < 0 ||
        astream_open(&self->stream, state, source, ASTREAM_SYNC_OR_ASYNC) < 0) {
        return -1;
    }
    self->crew->fills = !self->stream.source_is_async;
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
    "     return_exceptions=False, close_with_task=False)\n"
    "--\n\n"
    "The results of `await fn(item)` for each item of an iterable or async iterable.\n\n"
    "The source is pulled as results are asked for: at most `concurrency` calls run at\n"
    "once, each a task of its own, and at most `buffersize` (twice that, if None) were\n"
    "started and are not given yet.  Results come in the order of the items or, with\n"
    "ordered=False, as they are ready.\n\n"
    "A call that raises ends the stream with its exception, which a note tells the item\n"
    "of; with return_exceptions=True the exception is the result instead.  A failure and\n"
    "aclose() start nothing more, cancel the calls, wait for them, and close a source that\n"
    "is a generator.  Cancelling a step loses nothing: the next one goes on.\n\n"
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
    .name = "generators.amap",
    .basicsize = sizeof(amap),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = amap_slots,
};
