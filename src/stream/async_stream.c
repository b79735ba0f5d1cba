/* AsyncStream: what every asynchronous stream promises.
 *
 * It behaves as the async generator
 *
 *     async def stream(source):
 *         async with aclosing(source):
 *             async for item in source:
 *                 yield f(item)
 *
 * does, in anext(), asend(), athrow() and aclose(), with three differences.  Closing or
 * throwing before the first item closes the source too.  An awaitable that is thrown into
 * before it was sent into (a task cancelled before it began) does nothing to the stream.  A
 * step that waits can be left without ending the stream.
 *
 * States: new -> started -> closing -> ended.  `running` marks an awaitable that is
 * under way, from its first send() until it is done; a call to another one is refused
 * meanwhile with RuntimeError, as async generators do.  `executing` marks code on the
 * stack.  The awaitables are in astep.c, the phases of the end in aphase.c.
 *
 * A stream that is closed with its task may also be dropped by that task, and may be the
 * source of another such stream.  Then one of them closes it, and the aclose() of the others,
 * which nobody awaits, does nothing.  It does nothing either where a step is under way: that
 * step has the stream.
 *
 * Threads: a call takes the sections of the awaitable and of the stream.  User code runs
 * inside them, so they may be suspended; `running` keeps the object whole then.
 */
#include "stream/async_stream.h"

#include "aio/loop.h"
#include "runtime/attributes.h"
#include "runtime/frame.h"
#include "runtime/raising.h"
#include "stream/astep.h"
#include "stream/astream.h"

/* ---- the first step ---- */

/* As an async generator does: the finalizer is kept, firstiter is called. */
static int
async_stream_introduce(astream *self)
{
    self->introduced = true;
    PyObject *get = generators_state_of((PyObject *)self)->get_asyncgen_hooks;
    if (get == NULL) { /* torn down */
        return 0;
    }
    PyObject *hooks = PyObject_CallNoArgs(get);
    PyObject *first, *finalizer;
    if (hooks == NULL || !PyArg_ParseTuple(hooks, "OO", &first, &finalizer)) {
        Py_XDECREF(hooks);
        return -1;
    }
    if (finalizer != Py_None) {
        self->finalizer = Py_NewRef(finalizer);
    }
    PyObject *done =
        first == Py_None ? Py_NewRef(Py_None) : PyObject_CallOneArg(first, (PyObject *)self);
    Py_XDECREF(done);
    Py_DECREF(hooks);
    return done == NULL ? -1 : 0;
}

/* A task's callback: close the stream behind the weak reference. */
static PyObject *
async_stream_task_ended(PyObject *reference, PyObject *task)
{
    PyObject *self = PyObject_CallNoArgs(reference);
    if (self == NULL || self == Py_None || ((astream *)self)->phase == ASTREAM_IS_ENDED) {
        return self;
    }
    PyObject *loop = PyObject_CallMethod(task, "get_loop", NULL);
    PyObject *closing = loop == NULL ? NULL : astep_new((astream *)self, ASTEP_ABANDON, NULL);
    int status = closing == NULL ? -1 : loop_spawn(generators_state_of(self), loop, closing);
    Py_XDECREF(loop);
    Py_XDECREF(closing);
    Py_DECREF(self);
    if (status < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef async_stream_task_ended_method = {"close_with_task",
                                                     async_stream_task_ended, METH_O, NULL};

/* Close with the task that asks for the first item. */
static int
async_stream_follow_task(astream *self)
{
    self->followed = true;
    PyObject *task;
    int found = loop_task(generators_state_of((PyObject *)self), &task);
    if (found <= 0) {
        if (found == 0) {
            PyErr_SetString(PyExc_RuntimeError,
                            "close_with_task=True needs a running asyncio task");
            self->followed = false;
        }
        return -1;
    }
    PyObject *reference = PyWeakref_NewRef((PyObject *)self, NULL);
    PyObject *callback =
        reference == NULL ? NULL : PyCFunction_New(&async_stream_task_ended_method, reference);
    PyObject *added = callback == NULL
                          ? NULL
                          : PyObject_CallMethod(task, "add_done_callback", "(O)", callback);
    Py_XDECREF(reference);
    Py_XDECREF(callback);
    Py_XDECREF(added);
    Py_DECREF(task);
    return added == NULL ? -1 : 0;
}

static void
async_stream_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (PyObject_CallFinalizerFromDealloc(op) < 0) {
        return;
    }
    PyObject_GC_UnTrack(op);
    if (((astream *)op)->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    PyObject *raised = PyErr_GetRaisedException(); /* release() may have an error of its own */
    type->tp_clear(op);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- slots and methods ---- */

static PyObject *
async_stream_call(PyObject *op, astep_call name, PyObject *argument)
{
    astream *self = (astream *)op;
    bool takes = name == ASTEP_ANEXT || name == ASTEP_ASEND || name == ASTEP_APRIME;
    PyObject *step = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if ((self->introduced || async_stream_introduce(self) == 0) &&
        (!takes || !self->close_with_task || self->followed ||
         async_stream_follow_task(self) == 0)) {
        step = astep_new(self, name, argument);
    }
    Py_END_CRITICAL_SECTION();
    return step;
}

static PyObject *
async_stream_anext(PyObject *op)
{
    astream *self = (astream *)op;
    if (!self->introduced || self->close_with_task) {
        return async_stream_call(op, ASTEP_ANEXT, NULL);
    }
    PyObject *step;
    Py_BEGIN_CRITICAL_SECTION(op);
    step = astep_new_anext(self);
    Py_END_CRITICAL_SECTION();
    return step;
}

PyDoc_STRVAR(asend_doc,
             "asend($self, value, /)\n"
             "--\n\n"
             "A coroutine that returns the next item; the value is ignored.  As for an\n"
             "async generator, the first value must be None; otherwise TypeError is raised.");

static PyObject *
async_stream_asend(PyObject *op, PyObject *value)
{
    return async_stream_call(op, ASTEP_ASEND, value);
}

PyDoc_STRVAR(athrow_doc,
             "athrow($self, type, value=None, traceback=None, /)\n"
             "--\n\n"
             "A coroutine that ends the stream: it closes the source, then raises the\n"
             "exception.");

static PyObject *
async_stream_athrow(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    PyObject *exception = raising_thrown("athrow", args, count);
    if (exception == NULL) {
        return NULL;
    }
    PyObject *step = async_stream_call(op, ASTEP_ATHROW, exception);
    Py_DECREF(exception);
    return step;
}

PyDoc_STRVAR(aclose_doc,
             "aclose($self, /)\n"
             "--\n\n"
             "A coroutine that ends the stream: it closes the source, if that is a\n"
             "generator, and whatever the stream opened itself.  It returns after the\n"
             "`finally` blocks of the source have run, and raises the exception of closing.\n"
             "It does not block the event loop.  Closing again does nothing.");

static PyObject *
async_stream_aclose(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    bool abandoned = ((astream *)op)->abandoned;
    return async_stream_call(op, abandoned ? ASTEP_ABANDON : ASTEP_ACLOSE, NULL);
}

PyDoc_STRVAR(aprime_doc,
             "aprime($self, /)\n"
             "--\n\n"
             "A coroutine that makes the first item, keeps it for the first step, and\n"
             "returns the stream.  An exception of the source is then raised before\n"
             "anything is sent, such as the headers of a response.");

static PyObject *
async_stream_aprime(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return async_stream_call(op, ASTEP_APRIME, NULL);
}

PyDoc_STRVAR(stop_doc,
             "stop($self, /)\n"
             "--\n\n"
             "Stop reading from the source.  Items that the source is about to yield, that\n"
             "are being processed or that are held are still yielded by the steps that\n"
             "follow.  Then the stream ends and closes its source.  If the source is a\n"
             "stream with stop(), that is called, and the source is read to its end.\n"
             "\n"
             "stop() may be called from any task or thread, while a step waits, and more\n"
             "than once.");

static PyObject *
async_stream_stop(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return astream_stop((astream *)op) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(aenter_doc, "__aenter__($self, /)\n"
                         "--\n\n"
                         "A coroutine that returns the stream itself.");

static PyObject *
async_stream_aenter(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyObject *step;
    Py_BEGIN_CRITICAL_SECTION(op); /* it takes the idle one */
    step = astep_new((astream *)op, ASTEP_AENTER, NULL);
    Py_END_CRITICAL_SECTION();
    return step;
}

PyDoc_STRVAR(aexit_doc,
             "__aexit__($self, /, *exception)\n--\n\nClose the stream: see aclose().");

static PyObject *
async_stream_aexit(PyObject *op, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(count))
{
    return async_stream_call(op, ASTEP_ACLOSE, NULL);
}

/* ---- attributes ---- */

typedef enum {
    ASTREAM_CREATED,
    ASTREAM_RUNNING,
    ASTREAM_SUSPENDED,
    ASTREAM_CLOSED
} async_stream_state;

static async_stream_state
async_stream_get_standing(PyObject *op)
{
    astream *self = (astream *)op;
    async_stream_state at;
    Py_BEGIN_CRITICAL_SECTION(op);
    at = self->running                     ? ASTREAM_RUNNING
         : self->phase == ASTREAM_IS_ENDED ? ASTREAM_CLOSED
         : self->started || self->first != NULL || self->phase != ASTREAM_STEPPING
             ? ASTREAM_SUSPENDED
             : ASTREAM_CREATED;
    Py_END_CRITICAL_SECTION();
    return at;
}

static PyObject *
async_stream_get_running(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(async_stream_get_standing(op) == ASTREAM_RUNNING);
}

static PyObject *
async_stream_get_suspended(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(async_stream_get_standing(op) == ASTREAM_SUSPENDED);
}

static PyObject *
async_stream_get_state(PyObject *op, void *Py_UNUSED(closure))
{
    static const char *const names[] = {"AGEN_CREATED", "AGEN_RUNNING", "AGEN_SUSPENDED",
                                        "AGEN_CLOSED"};
    return PyUnicode_FromString(names[async_stream_get_standing(op)]);
}

static PyObject *
async_stream_get_frame(PyObject *op, void *Py_UNUSED(closure))
{
    if (async_stream_get_standing(op) == ASTREAM_CLOSED) {
        Py_RETURN_NONE;
    }
    return frame_of_native(frame_type_name(op));
}

static PyObject *
async_stream_get_code(PyObject *op, void *Py_UNUSED(closure))
{
    return frame_code_of_native(frame_type_name(op));
}

/* What the step under way awaits, or None. */
static PyObject *
async_stream_get_await(PyObject *op, void *Py_UNUSED(closure))
{
    astream *self = (astream *)op;
    PyObject *current;
    Py_BEGIN_CRITICAL_SECTION(op);
    current = Py_XNewRef((PyObject *)self->current);
    Py_END_CRITICAL_SECTION();
    PyObject *awaited =
        current == NULL ? Py_NewRef(Py_None) : PyObject_GetAttrString(current, "cr_await");
    Py_XDECREF(current);
    return awaited;
}

static void
async_stream_read_measures(PyObject *op, measures *into)
{
    Py_BEGIN_CRITICAL_SECTION(op);
    astream_measure((astream *)op, into);
    Py_END_CRITICAL_SECTION();
}

static const measures_reader async_stream_measures = {async_stream_read_measures};

static PyObject *
async_stream_repr(PyObject *op)
{
    return measures_repr(op, &async_stream_measures);
}

static PyGetSetDef async_stream_attributes[] = {
    MEASURES_ATTRIBUTES(&async_stream_measures),
    {"ag_running", async_stream_get_running, NULL, "Whether a step is running.", NULL},
    {"ag_suspended", async_stream_get_suspended, NULL,
     "Whether it is suspended between two steps.", NULL},
    {"ag_state", async_stream_get_state, NULL, "Its state, as inspect returns it.", NULL},
    {"ag_frame", async_stream_get_frame, NULL, "None after the stream has ended.", NULL},
    {"ag_code", async_stream_get_code, NULL, "A code object that stands for the type.", NULL},
    {"ag_await", async_stream_get_await, NULL,
     "The iterator of the object that the running step awaits, or None.", NULL},
    {NULL},
};

static PyMethodDef async_stream_methods[] = {
    {"asend", async_stream_asend, METH_O, asend_doc},
    {"athrow", (PyCFunction)(void (*)(void))async_stream_athrow, METH_FASTCALL, athrow_doc},
    {"aclose", async_stream_aclose, METH_NOARGS, aclose_doc},
    {"aprime", async_stream_aprime, METH_NOARGS, aprime_doc},
    {"stop", async_stream_stop, METH_NOARGS, stop_doc},
    {"__aenter__", async_stream_aenter, METH_NOARGS, aenter_doc},
    {"__aexit__", (PyCFunction)(void (*)(void))async_stream_aexit, METH_FASTCALL, aexit_doc},
    ATTRIBUTES_GENERIC,
    {NULL},
};

static PyMemberDef async_stream_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(astream, weak_references), Py_READONLY,
     NULL},
    {NULL},
};

PyDoc_STRVAR(async_stream_doc,
             "The base class of all native streams for `async for`: an async generator,\n"
             "with aprime(), stop() and attributes for metrics.  It is for annotations and\n"
             "isinstance(), and can't be called.");

static PyType_Slot async_stream_slots[] = {
    {Py_tp_doc, (char *)async_stream_doc},
    {Py_tp_traverse, astream_traverse},
    {Py_tp_clear, astream_clear},
    {Py_tp_finalize, astream_finalize},
    {Py_tp_dealloc, async_stream_dealloc},
    {Py_tp_repr, async_stream_repr},
    {Py_am_aiter, PyObject_SelfIter},
    {Py_am_anext, async_stream_anext},
    {Py_tp_methods, async_stream_methods},
    {Py_tp_members, async_stream_members},
    {Py_tp_getset, async_stream_attributes},
    {0, NULL},
};

PyType_Spec async_stream_spec = {
    .name = "native_generators.AsyncStream",
    .basicsize = sizeof(astream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = async_stream_slots,
};
