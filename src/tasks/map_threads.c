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

#include "runtime/patched.h"
#include "runtime/raising.h"
#include "stream/stream.h"
#include "tasks/task.h"
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
} map_threads;

/* ---- the stream's own ---- */

/* Start calls while there is room and the source gives items.  0, or -1 with an exception
   that is not the source's. */
static int
map_threads_fill(map_threads *self)
{
    while (!self->source_ended && window_has_room(&self->calls)) {
        PyObject *item;
        int status = stream_pull(&self->stream, &item);
        if (status <= 0) {
            self->source_ended = true;
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

static int
map_threads_release(stream *base)
{
    map_threads *self = (map_threads *)base;
    int status = 0;
    if (self->workers != NULL) {
        status = workers_stop(self->workers, &self->calls, base->dropped);
    }
    PyObject *raised = PyErr_GetRaisedException();
    window_clear(&self->calls);
    Py_CLEAR(self->error);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return status;
}

static const stream_kind map_threads_kind = {.next = map_threads_next,
                                             .release = map_threads_release};

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

/* Whether it is an instance of a class of concurrent.futures: 1, 0 (also where the module is
   not imported), or -1. */
static int
is_pool(PyObject *executor, const char *module_name, const char *class_name)
{
    PyObject *name = PyUnicode_FromString(module_name);
    PyObject *module = name == NULL ? NULL : PyImport_GetModule(name);
    Py_XDECREF(name);
    if (module == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *class = PyObject_GetAttrString(module, class_name);
    Py_DECREF(module);
    if (class == NULL) {
        return raising_forgive(PyExc_AttributeError);
    }
    int is = PyObject_IsInstance(executor, class);
    Py_DECREF(class);
    return is;
}

/* Refuse executors that run calls outside this interpreter: the calls of map_threads() cannot
   be sent there. */
static int
check_pool(PyObject *executor)
{
    static const char *const pools[][3] = {
        {"concurrent.futures.process", "ProcessPoolExecutor", "other processes"},
        {"concurrent.futures.interpreter", "InterpreterPoolExecutor", "other interpreters"},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(pools); i++) {
        int is = is_pool(executor, pools[i][0], pools[i][1]);
        if (is > 0) {
            PyErr_Format(PyExc_TypeError,
                         "map_threads() cannot use a %s, which runs calls in %s: use its own "
                         "map(), or pass a ThreadPoolExecutor",
                         pools[i][1], pools[i][2]);
        }
        if (is != 0) {
            return -1;
        }
    }
    return 0;
}

static int
check_executor(PyObject *executor)
{
    if (check_pool(executor) < 0) {
        return -1;
    }
    PyObject *submit = PyObject_GetAttrString(executor, "submit");
    if (submit == NULL) {
        if (raising_forgive(PyExc_AttributeError) == 0) {
            PyErr_Format(PyExc_TypeError,
                         "executor must have a submit() method, and '%.200s' has none",
                         Py_TYPE(executor)->tp_name);
        }
        return -1;
    }
    Py_DECREF(submit);
    return 0;
}

static int
map_threads_init(map_threads *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"fn",       "source",     "concurrency",
                               "ordered",  "buffersize", "return_exceptions",
                               "executor", NULL};
    PyObject *function, *source, *buffersize = Py_None, *executor = Py_None;
    Py_ssize_t concurrency = 8;
    int ordered = 1, returns_exceptions = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|$npOpO:map_threads", keywords,
                                     &function, &source, &concurrency, &ordered, &buffersize,
                                     &returns_exceptions, &executor) ||
        window_open(&self->calls, concurrency, buffersize, ordered, returns_exceptions) < 0) {
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
        (executor != Py_None && check_executor(executor) < 0)) {
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
    "            return_exceptions=False, executor=None)\n"
    "--\n\n"
    "The results of fn(item) for each item of the source, called on threads.\n\n"
    "The source is pulled on the consumer's thread, and only when a result is asked\n"
    "for.  At most `concurrency` calls run at once.  At most `buffersize` calls (twice\n"
    "`concurrency`, if None) have started and have not given their result yet.\n"
    "Results come in the order of the items or, with ordered=False, as they are\n"
    "ready.  The threads are the stream's own, or an executor's.  Each call runs in a\n"
    "copy of the consumer's context.\n\n"
    "A call that raises ends the stream when its turn comes.  A note on the exception\n"
    "names the item.  With return_exceptions=True the exception is the result instead.\n"
    "A failure, close() and Ctrl-C start no further call, cancel those that have not\n"
    "begun, wait for those that run, and then close a source that is a generator.\n"
    "RuntimeError where gevent or eventlet has replaced threads by greenlets.\n\n"
    ">>> list(map_threads(str.upper, ['a', 'b', 'c'], concurrency=2))\n"
    "['A', 'B', 'C']");

static PyType_Slot map_threads_slots[] = {
    {Py_tp_doc, (char *)map_threads_doc},
    {Py_tp_new, map_threads_new},
    {Py_tp_traverse, map_threads_traverse},
    {Py_tp_clear, map_threads_clear},
    {0, NULL},
};

PyType_Spec map_threads_spec = {
    .name = "native_generators.map_threads",
    .basicsize = sizeof(map_threads),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = map_threads_slots,
};
