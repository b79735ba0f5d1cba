/* map_threads: the results of a function called with each item, on several threads.
 *
 * The source is pulled, and a call started, only when the consumer asks for a result and there
 * is room in the window.  Then the step waits for the result whose turn it is.
 *
 * States: those of a stream.  When the source fails, the results of the calls that were
 * started come first, and then its error.  A call that fails ends the stream when its turn
 * comes.  At the end the calls that have not begun are cancelled, the others are waited for,
 * and then the source is closed.  A stream that is dropped does not wait: calls that run end
 * by themselves.
 *
 * Owned: the source, by the stream; the function; the calls; the workers.
 *
 * User code runs in the source, under `running`, and on the threads in the function, which
 * knows nothing of the stream.
 *
 * Threads: see stream.c and workers.c.
 */
#include "tasks/map_threads.h"

#include "runtime/executor.h"
#include "runtime/patched.h"
#include "runtime/raising.h"
#include "stream/astream.h"
#include "stream/stream.h"
#include "tasks/late.h"
#include "tasks/task.h"
#include "tasks/thread_call.h"
#include "tasks/workers.h"
#include "tasks/workers_start.h"
#include "tasks/workers_stop.h"

typedef struct {
    stream stream;
    PyObject *function; /* owned */
    PyObject *error;    /* owned: with which the source has ended, to be raised, or NULL */
    workers *workers;   /* owned */
    window calls;
    bool source_ended;
    bool passes_stop; /* the source itself was stopped, and is read to its end */
} map_threads;

/* ---- the stream's own ---- */

/* Start calls while there is room and the source gives items.  0, or -1 with an exception
   that is not the source's. */
static int
map_threads_fill(map_threads *self)
{
    while (!self->source_ended && window_has_room(&self->calls)) {
        PyObject *item;
        if (self->stream.is_stopped && !self->passes_stop) {
            self->source_ended = self->stream.was_cut = true;
            return 0;
        }
        int status = stream_pull(&self->stream, &item);
        if (status <= 0) {
            self->source_ended = true;
            self->stream.was_cut =
                self->passes_stop && ((stream *)self->stream.source)->was_cut;
            self->error = status < 0 ? PyErr_GetRaisedException() : NULL;
            return 0;
        }
        status = workers_start(self->workers, &self->calls, self->function, item);
        Py_DECREF(item);
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
map_threads_next(stream *base)
{
    map_threads *self = (map_threads *)base;
    if (!workers_check_process(self->workers)) {
        return NULL;
    }
    workers_look(self->workers, &self->calls);
    for (;;) {
        if (map_threads_fill(self) < 0) {
            return NULL;
        }
        if (window_is_ready(&self->calls)) {
            PyObject *result;
            return window_pop(&self->calls, &result) < 0 ? NULL : result;
        }
        if (self->calls.held == 0) {
            PyObject *error = self->error;
            self->error = NULL;
            if (error != NULL) {
                PyErr_SetRaisedException(error);
            }
            return NULL;
        }
        if (workers_wait(self->workers, &self->calls) < 0) {
            return NULL;
        }
    }
}

/* Raise, or add to what is raised, what a call has raised since the stream began to end.  0,
   or -1 with an exception set, that one or another: Ctrl-C becomes no note. */
static int
map_threads_add_late(PyObject **late, call *one)
{
    PyErr_SetRaisedException(Py_NewRef(one->result));
    return PyErr_ExceptionMatches(PyExc_Exception)
               ? late_add(late, one->index, "while the stream was closed")
               : -1;
}

/* The same with those of all calls, once none runs any more. */
static int
map_threads_tell_late(map_threads *self)
{
    PyObject *late = NULL, *alone, *raised = self->stream.raised;
    bool can_be_noted = raised != NULL && PyErr_GivenExceptionMatches(raised, PyExc_Exception);
    for (call *one = self->calls.first; one != NULL; one = one->next) {
        if (thread_call_is_late(one) && map_threads_add_late(&late, one) < 0) {
            Py_XDECREF(late);
            return -1;
        }
    }
    if (late_tell(&late, can_be_noted ? raised : NULL, &alone) < 0) {
        return -1;
    }
    if (alone == NULL) {
        return 0;
    }
    if (raised == NULL) {
        PyErr_SetRaisedException(alone);
        return -1;
    }
    raising_chain_to(raised, alone); /* that is Ctrl-C, which gets no note */
    return 0;
}

static int
map_threads_release(stream *base)
{
    map_threads *self = (map_threads *)base;
    int status = 0;
    if (self->workers != NULL) {
        status = workers_stop(self->workers, &self->calls, base->dropped);
    }
    if (status == 0) {
        status = map_threads_tell_late(self);
    }
    PyObject *raised = PyErr_GetRaisedException();
    window_clear(&self->calls);
    Py_CLEAR(self->error);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return status;
}

/* A step that waits sees it when a call has ended: there is one that it waits for. */
static int
map_threads_stop(stream *base)
{
    PyObject *source = Py_XNewRef(base->source);
    int is_stopped = source == NULL
                         ? 0
                         : astream_stop_source(generators_state_of((PyObject *)base), source);
    Py_XDECREF(source);
    ((map_threads *)base)->passes_stop = is_stopped > 0;
    return is_stopped < 0 ? -1 : 0;
}

static void
map_threads_measure(stream *base, measures *into)
{
    window_measure(&((map_threads *)base)->calls, into);
}

static const stream_kind map_threads_kind = {.next = map_threads_next,
                                             .release = map_threads_release,
                                             .stop = map_threads_stop,
                                             .measure = map_threads_measure};

static PyMethodDef map_threads_methods[] = {
    STREAM_STOP_METHOD,
    {NULL},
};

static int
map_threads_traverse(PyObject *op, visitproc visit, void *arg)
{
    map_threads *self = (map_threads *)op;
    Py_VISIT(self->function);
    Py_VISIT(self->error);
    Py_VISIT(self->workers);
    int status = window_traverse(&self->calls, visit, arg);
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

static int
map_threads_clear(PyObject *op)
{
    map_threads *self = (map_threads *)op;
    window_clear(&self->calls);
    Py_CLEAR(self->function);
    Py_CLEAR(self->error);
    Py_CLEAR(self->workers);
    return stream_clear(op);
}

/* ---- making one ---- */

static int
map_threads_init(map_threads *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"fn",      "source",     "concurrency",
                               "ordered", "buffersize", "return_exceptions",
                               "pairs",   "executor",   NULL};
    PyObject *function, *source, *executor = Py_None;
    window_options options = WINDOW_OPTIONS;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|$npOppO:map_threads", keywords,
                                     &function, &source, &options.concurrency,
                                     &options.ordered, &options.buffersize,
                                     &options.returns_exceptions, &options.pairs, &executor) ||
        window_open(&self->calls, &options) < 0) {
        return -1;
    }
    if (!PyCallable_Check(function)) {
        PyErr_Format(PyExc_TypeError, "fn must be callable, not '%.200s'",
                     Py_TYPE(function)->tp_name);
        return -1;
    }
    long flags = task_code_flags(function);
    if (flags < 0) {
        return -1;
    }
    if (flags & CO_COROUTINE) {
        PyErr_Format(PyExc_TypeError,
                     "map_threads() takes a plain function; %R is a coroutine function: use "
                     "amap()",
                     function);
        return -1;
    }
    if (patched_check_threads("map_threads()", "use its own pool of greenlets") < 0 ||
        (executor != Py_None &&
         executor_check(executor, "map_threads()", "use its own map()") < 0)) {
        return -1;
    }
    self->function = Py_NewRef(function);
    self->workers = workers_new(state, executor == Py_None ? NULL : executor);
    return self->workers == NULL ? -1 : stream_open(&self->stream, state, source);
}

static PyObject *
map_threads_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    map_threads *self = (map_threads *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &map_threads_kind;
    self->stream.releases_first = true;
    if (map_threads_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(
    map_threads_doc,
    "map_threads(fn, source, *, concurrency=8, ordered=True, buffersize=None,\n"
    "            return_exceptions=False, pairs=False, executor=None)\n"
    "--\n\n"
    "An iterator over the results of fn(item) for each item of the source.  The calls run\n"
    "on threads.\n"
    "\n"
    "Items are read from the source on the consumer's thread, and only when a result is\n"
    "requested.  At most `concurrency` calls run at once.  Results are yielded in the\n"
    "order of the items or, with ordered=False, as soon as they are ready.  With\n"
    "pairs=True, (item, result) is yielded in place of the result.\n"
    "\n"
    "At most `buffersize` calls may have been started whose results have not been yielded\n"
    "yet.  None means twice `concurrency`, and at least 1000 for ordered results, which\n"
    "are kept while one call is slow.\n"
    "\n"
    "The threads belong to the stream, or to `executor` if one is given.  Each call runs\n"
    "in a copy of the consumer's context.\n"
    "\n"
    "An exception of a call is raised when its result would have been yielded, and ends\n"
    "the stream.  The exception gets the item as its attribute `item`, and a note that\n"
    "names it.  With return_exceptions=True, the exception is yielded as the result\n"
    "instead.\n"
    "\n"
    "After a failure, close() or Ctrl-C, no further call is started.  Calls that have not\n"
    "begun are cancelled, and running calls are waited for; then a source that is a\n"
    "generator is closed.  An exception of a running call is added to the first failure\n"
    "as a note or, if there is no failure, raised by close().\n"
    "\n"
    "RuntimeError is raised if gevent or eventlet has replaced threads by greenlets.\n"
    "\n"
    ">>> list(map_threads(str.upper, ['a', 'b', 'c'], concurrency=2))\n"
    "['A', 'B', 'C']");

static PyType_Slot map_threads_slots[] = {
    {Py_tp_doc, (char *)map_threads_doc},   {Py_tp_new, map_threads_new},
    {Py_tp_traverse, map_threads_traverse}, {Py_tp_clear, map_threads_clear},
    {Py_tp_methods, map_threads_methods},   {0, NULL},
};

PyType_Spec map_threads_spec = {
    .name = "native_generators.map_threads",
    .basicsize = sizeof(map_threads),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = map_threads_slots,
};
