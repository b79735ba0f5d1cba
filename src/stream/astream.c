/* _AsyncStream: what every asynchronous stream promises.
 *
 * It behaves as the async generator
 *
 *     async def stream(source):
 *         async with aclosing(source):
 *             async for item in source:
 *                 yield f(item)
 *
 * does, in anext(), asend(), athrow() and aclose(), but for this: closing or throwing
 * before the first item closes the source too; an awaitable of a step that is thrown
 * into before it was ever sent into (a task cancelled before it began) does nothing to
 * the stream; and a step that waits for the stream's own worker or tasks, and not for
 * the source, is left without ending it.
 *
 * States: new -> started -> closing -> ended.  `running` marks an awaitable that is
 * under way, from its first send() until it is done; a call to another one is refused
 * meanwhile with RuntimeError, as async generators do.  `executing` marks code on the
 * stack.  The awaitables are in astep.c.
 *
 * Owned: the source's iterator, until the end; it is closed then if it is a Generator
 * or AsyncGenerator by its ABC, whoever made it.  All else that a type holds it lets go
 * of in its release().  A stream owns the one awaitable that it keeps for the next step,
 * which does not own the stream then.
 *
 * Dropped: the hook of sys.set_asyncgen_hooks() that was set at the first step is called,
 * as for an async generator; a loop's makes a task of aclose().  Where there is no hook,
 * or it does nothing, what can be closed without waiting is.  A stream that is closed with
 * its task may be dropped by that task, too, and may be the source of another that is: then
 * one closes it, and the aclose() of the others, which nobody awaits, does nothing.  Nor does
 * it where a step is under way: the stream is that one's who waits for it.
 *
 * Threads: a call takes the sections of the awaitable and of the stream.  User code runs
 * inside them, so they may be suspended; `running` keeps the object whole then.
 */
#include "stream/astream.h"

#include <string.h>

#include "aio/await.h"
#include "aio/loop.h"
#include "runtime/closing.h"
#include "runtime/frame.h"
#include "runtime/raising.h"
#include "stream/astep.h"

/* ---- the source ---- */

int
astream_open(astream *self, generators_state *state, PyObject *source, astream_source accepted)
{
    PyAsyncMethods *methods = Py_TYPE(source)->tp_as_async;
    bool is_async =
        accepted == ASTREAM_ASYNC ||
        (accepted == ASTREAM_SYNC_OR_ASYNC && methods != NULL && methods->am_aiter != NULL);
    PyObject *iterator = is_async ? await_aiter(source) : PyObject_GetIter(source);
    if (iterator == NULL) {
        return -1;
    }
    int closes =
        closing_is_due(iterator, is_async ? state->async_generator_abc : state->generator_abc);
    if (closes < 0) {
        Py_DECREF(iterator);
        return -1;
    }
    PyObject *earlier = self->source;
    self->source = iterator;
    Py_XDECREF(earlier);
    self->source_is_async = is_async;
    self->source_is_stream = PyObject_TypeCheck(iterator, state->async_stream_type);
    self->closes_source = closes;
    return 0;
}

/* Begin to await in place what `iterator` (stolen, or NULL) iterates over. */
static astream_answer
astream_begin_await(astream *self, PyObject *iterator, PyObject **value)
{
    switch (coroutine_await(self->current, iterator, value)) {
    case PYGEN_RETURN:
        return ASTREAM_GAVE;
    case PYGEN_NEXT:
        self->yielded = *value;
        *value = NULL;
        return ASTREAM_PENDING;
    default:
        return ASTREAM_FAILED;
    }
}

astream_answer
astream_await(astream *self, PyObject *awaitable, PyObject **value)
{
    self->pulling = false;
    return astream_begin_await(self, await_iterator(awaitable), value);
}

astream_answer
astream_pull_ended(astream *self)
{
    if (!PyErr_Occurred()) {
        return ASTREAM_ENDED;
    }
    if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
        return ASTREAM_ENDED;
    }
    stream_note("while reading item %zd", self->pulled);
    return ASTREAM_FAILED;
}

/* At the first pull: where a loop of asyncio runs, the source is iterated in a home.  A native
   stream needs none, unless its step is to be waited for and left at the same time. */
static int
astream_find_home(astream *self)
{
    self->has_pulled = true;
    if (self->source_is_stream && !self->is_timed) {
        return 0;
    }
    generators_state *state = generators_state_of((PyObject *)self);
    home *made = home_new(state, self->source, self->closes_source);
    if (made == NULL) {
        return -1;
    }
    made->read = Py_XNewRef(self->read);
    made->size = self->read_size;
    int opened = home_open(made, self->source_is_stream);
    if (opened <= 0) {
        Py_DECREF(made);
        return opened;
    }
    self->home = made;
    return 0;
}

astream_answer
astream_pull_home(astream *self, PyObject **value)
{
    home *pulled = self->home;
    switch (home_pull(pulled, value)) {
    case HOME_GAVE:
        self->pulled++;
        home_clear_deadline(pulled);
        return ASTREAM_GAVE;
    case HOME_ENDED:
        return ASTREAM_ENDED;
    case HOME_FAILED:
        return ASTREAM_FAILED;
    default:
        break;
    }
    if (pulled->is_late) {
        home_clear_deadline(pulled);
        return ASTREAM_LATE;
    }
    self->waits_for_home = true;
    return ASTREAM_PENDING;
}

/* Without a loop: in place, by whoever makes the step. */
static astream_answer
astream_pull_in_place(astream *self, PyObject **value)
{
    PyObject *source = Py_XNewRef(self->source), *iterator;
    self->pulling = true;
    iterator =
        self->read != NULL ? await_read(self->read, self->read_size) : await_anext(source);
    astream_answer answer =
        astream_pulled(self, astream_begin_await(self, iterator, value), value);
    Py_XDECREF(source);
    return answer;
}

astream_answer
astream_pull(astream *self, PyObject **value)
{
    if (!self->source_is_async && self->read == NULL) {
        *value = astream_pull_ready(self);
        return *value != NULL ? ASTREAM_GAVE : astream_pull_ended(self);
    }
    if (!self->has_pulled && astream_find_home(self) < 0) {
        return ASTREAM_FAILED;
    }
    if (self->home == NULL) {
        return astream_pull_in_place(self, value);
    }
    return home_check(self->home) < 0 ? ASTREAM_FAILED : astream_pull_home(self, value);
}

astream_answer
astream_pull_within(astream *self, uint64_t nanoseconds, PyObject **value)
{
    if (self->home != NULL && nanoseconds == ASTREAM_FOREVER) {
        home_clear_deadline(self->home);
    }
    astream_answer answer = astream_pull(self, value);
    if (answer != ASTREAM_PENDING || self->home == NULL || nanoseconds == ASTREAM_FOREVER) {
        return answer;
    }
    if (home_set_deadline(self->home, nanoseconds) < 0) {
        self->waits_for_home = false;
        return ASTREAM_FAILED;
    }
    if (self->home->is_late) {
        self->waits_for_home = false;
        home_clear_deadline(self->home);
        return ASTREAM_LATE;
    }
    return answer;
}

/* What an answer to read() means. */
static astream_answer
astream_read(astream *self, astream_answer answer, PyObject **value)
{
    if (answer == ASTREAM_FAILED) {
        stream_note("while reading part %zd of the file", self->pulled);
    }
    if (answer != ASTREAM_GAVE) {
        return answer;
    }
    int is_data = home_check_data(*value);
    if (is_data <= 0) {
        Py_CLEAR(*value);
        return is_data < 0 ? ASTREAM_FAILED : ASTREAM_ENDED;
    }
    self->pulled++;
    return ASTREAM_GAVE;
}

astream_answer
astream_pulled(astream *self, astream_answer answer, PyObject **value)
{
    if (self->read != NULL) {
        return astream_read(self, answer, value);
    }
    if (answer == ASTREAM_GAVE) {
        self->pulled++;
    }
    else if (answer == ASTREAM_FAILED) {
        if (raising_forgive(PyExc_StopAsyncIteration) == 0) {
            return ASTREAM_ENDED;
        }
        stream_note("while reading item %zd", self->pulled);
    }
    return answer;
}

bool
astream_stash_error(astream *self)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        return false;
    }
    PyObject *earlier = self->stashed;
    self->stashed = PyErr_GetRaisedException();
    Py_XDECREF(earlier);
    return true;
}

/* ---- the budget ---- */

int
astream_is_turn_over(astream *self)
{
    PyObject *loop;
    int running = loop_running(generators_state_of((PyObject *)self), &loop);
    Py_XDECREF(loop);
    return running;
}

/* ---- the first step ---- */

/* As an async generator does: the finalizer is kept, firstiter is called. */
static int
introduce(astream *self)
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
task_ended(PyObject *reference, PyObject *task)
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

static PyMethodDef task_ended_method = {"close_with_task", task_ended, METH_O, NULL};

/* Close with the task that asks for the first item. */
static int
follow_task(astream *self)
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
        reference == NULL ? NULL : PyCFunction_New(&task_ended_method, reference);
    PyObject *added = callback == NULL
                          ? NULL
                          : PyObject_CallMethod(task, "add_done_callback", "(O)", callback);
    Py_XDECREF(reference);
    Py_XDECREF(callback);
    Py_XDECREF(added);
    Py_DECREF(task);
    return added == NULL ? -1 : 0;
}

/* ---- the end of one that is dropped ---- */

/* As far as it goes without waiting. */
static int
close_at_once(PyObject *source)
{
    PyObject *awaitable = PyObject_CallMethod(source, "aclose", NULL);
    PyObject *iterator = awaitable == NULL ? NULL : await_iterator(awaitable);
    Py_XDECREF(awaitable);
    if (iterator == NULL) {
        return -1;
    }
    PyObject *value = NULL;
    PySendResult result = PyIter_Send(iterator, Py_None, &value);
    int status = result == PYGEN_ERROR ? -1 : 0;
    if (result == PYGEN_NEXT) {
        status = await_close(iterator);
    }
    Py_XDECREF(value);
    Py_DECREF(iterator);
    return status;
}

static int
drop_source(astream *self, bool hooked)
{
    PyObject *source = self->source;
    home *dropped = self->home;
    self->source = NULL;
    self->home = NULL;
    bool is_left = dropped != NULL && home_abandon(dropped);
    Py_XDECREF((PyObject *)dropped);
    int status = 0;
    if (source != NULL && self->closes_source && !is_left) {
        if (!self->source_is_async) {
            status = closing_close(source);
        }
        else if (!hooked) { /* else its own hook was set, too, and its loop is gone */
            status = close_at_once(source);
        }
    }
    Py_XDECREF(source);
    return status;
}

static void
end_unawaited(astream *self, bool hooked)
{
    self->phase = ASTREAM_IS_ENDED;
    self->running = true; /* what is closed may call back */
    PyObject *first = self->first;
    self->first = NULL;
    Py_XDECREF(first);
    if (drop_source(self, hooked) < 0) {
        raising_unraisable((PyObject *)self);
    }
    if (self->kind->release(self) < 0) {
        raising_unraisable((PyObject *)self);
    }
    self->running = false;
}

void
astream_finalize(PyObject *op)
{
    astream *self = (astream *)op;
    if (self->kind == NULL || self->phase == ASTREAM_IS_ENDED || self->running) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    /* One that the collector finalizes, too, is not to be used again. */
    self->is_finalized = true;
    PyObject *idle = self->idle;
    self->idle = NULL;
    Py_XDECREF(idle);
    Py_ssize_t references = Py_REFCNT(op);
    bool hooked = self->finalizer != NULL;
    if (hooked) {
        self->abandoned = true;
        PyObject *done = PyObject_CallOneArg(self->finalizer, op);
        self->abandoned = false;
        if (done == NULL) {
            raising_unraisable(op);
        }
        Py_XDECREF(done);
    }
    /* A hook that does something keeps the stream, to close it. */
    if (Py_REFCNT(op) == references && self->phase != ASTREAM_IS_ENDED) {
        end_unawaited(self, hooked);
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

/* ---- memory ---- */

int
astream_traverse(PyObject *op, visitproc visit, void *arg)
{
    astream *self = (astream *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->source);
    Py_VISIT(self->read);
    Py_VISIT((PyObject *)self->home);
    Py_VISIT(self->first);
    Py_VISIT(self->yielded);
    Py_VISIT(self->future);
    Py_VISIT(self->raised);
    Py_VISIT(self->stashed);
    Py_VISIT(self->postponed);
    Py_VISIT(self->closers);
    Py_VISIT(self->idle);
    Py_VISIT(self->finalizer);
    return 0;
}

int
astream_clear(PyObject *op)
{
    astream *self = (astream *)op;
    Py_CLEAR(self->source);
    Py_CLEAR(self->read);
    Py_CLEAR(self->home);
    Py_CLEAR(self->first);
    Py_CLEAR(self->yielded);
    Py_CLEAR(self->future);
    Py_CLEAR(self->raised);
    Py_CLEAR(self->stashed);
    Py_CLEAR(self->postponed);
    Py_CLEAR(self->closers);
    Py_CLEAR(self->idle);
    Py_CLEAR(self->finalizer);
    return 0;
}

static void
astream_dealloc(PyObject *op)
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
call(PyObject *op, astep_call name, PyObject *argument)
{
    astream *self = (astream *)op;
    bool takes = name == ASTEP_ANEXT || name == ASTEP_ASEND || name == ASTEP_APRIME;
    PyObject *step = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if ((self->introduced || introduce(self) == 0) &&
        (!takes || !self->close_with_task || self->followed || follow_task(self) == 0)) {
        step = astep_new(self, name, argument);
    }
    Py_END_CRITICAL_SECTION();
    return step;
}

static PyObject *
astream_anext(PyObject *op)
{
    astream *self = (astream *)op;
    if (!self->introduced || self->close_with_task) {
        return call(op, ASTEP_ANEXT, NULL);
    }
    PyObject *step;
    Py_BEGIN_CRITICAL_SECTION(op);
    step = astep_new_anext(self);
    Py_END_CRITICAL_SECTION();
    return step;
}

PyDoc_STRVAR(asend_doc, "asend($self, value, /)\n"
                        "--\n\n"
                        "A coroutine that gives the next item; the value is ignored.  As for\n"
                        "an async generator, the first value sent must be None (TypeError).");

static PyObject *
astream_asend(PyObject *op, PyObject *value)
{
    return call(op, ASTEP_ASEND, value);
}

PyDoc_STRVAR(athrow_doc, "athrow($self, type, value=None, traceback=None, /)\n"
                         "--\n\n"
                         "A coroutine that closes the source, then raises the exception.\n"
                         "The stream has ended.");

static PyObject *
astream_athrow(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    PyObject *exception = raising_thrown("athrow", args, count);
    if (exception == NULL) {
        return NULL;
    }
    PyObject *step = call(op, ASTEP_ATHROW, exception);
    Py_DECREF(exception);
    return step;
}

PyDoc_STRVAR(aclose_doc,
             "aclose($self, /)\n"
             "--\n\n"
             "A coroutine that ends the stream: it closes the source if that is a\n"
             "generator, and whatever the stream opened itself.  It returns when the\n"
             "source's `finally` has run, raises its error, and never blocks the loop.\n"
             "Closing again does nothing.");

static PyObject *
astream_aclose(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    bool abandoned = ((astream *)op)->abandoned;
    return call(op, abandoned ? ASTEP_ABANDON : ASTEP_ACLOSE, NULL);
}

PyDoc_STRVAR(aprime_doc,
             "aprime($self, /)\n"
             "--\n\n"
             "A coroutine that makes the first item and holds it; it gives the stream.\n"
             "An error of the source is raised here, before anything was sent anywhere.");

static PyObject *
astream_aprime(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return call(op, ASTEP_APRIME, NULL);
}

PyDoc_STRVAR(aenter_doc,
             "__aenter__($self, /)\n--\n\nA coroutine that gives the stream itself.");

static PyObject *
astream_aenter(PyObject *op, PyObject *Py_UNUSED(ignored))
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
astream_aexit(PyObject *op, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(count))
{
    return call(op, ASTEP_ACLOSE, NULL);
}

/* ---- attributes ---- */

typedef enum { ASTREAM_CREATED, ASTREAM_RUNNING, ASTREAM_SUSPENDED, ASTREAM_CLOSED } standing;

static standing
astream_standing(PyObject *op)
{
    astream *self = (astream *)op;
    standing at;
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
get_running(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(astream_standing(op) == ASTREAM_RUNNING);
}

static PyObject *
get_suspended(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(astream_standing(op) == ASTREAM_SUSPENDED);
}

static PyObject *
get_state(PyObject *op, void *Py_UNUSED(closure))
{
    static const char *const names[] = {"AGEN_CREATED", "AGEN_RUNNING", "AGEN_SUSPENDED",
                                        "AGEN_CLOSED"};
    return PyUnicode_FromString(names[astream_standing(op)]);
}

static PyObject *
get_frame(PyObject *op, void *Py_UNUSED(closure))
{
    if (astream_standing(op) == ASTREAM_CLOSED) {
        Py_RETURN_NONE;
    }
    return frame_of_native(frame_type_name(op));
}

static PyObject *
get_code(PyObject *op, void *Py_UNUSED(closure))
{
    return frame_code_of_native(frame_type_name(op));
}

/* What the step under way awaits, or None. */
static PyObject *
get_await(PyObject *op, void *Py_UNUSED(closure))
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

static PyGetSetDef astream_attributes[] = {
    {"ag_running", get_running, NULL, "Whether a step is under way.", NULL},
    {"ag_suspended", get_suspended, NULL, "Whether it waits for a next step.", NULL},
    {"ag_state", get_state, NULL, "Its state, as inspect names it.", NULL},
    {"ag_frame", get_frame, NULL, "None once the stream has ended.", NULL},
    {"ag_code", get_code, NULL, "A code object that stands for the type.", NULL},
    {"ag_await", get_await, NULL, "The iterator of what the step under way awaits, or None.",
     NULL},
    {NULL},
};

static PyMethodDef astream_methods[] = {
    {"asend", astream_asend, METH_O, asend_doc},
    {"athrow", (PyCFunction)(void (*)(void))astream_athrow, METH_FASTCALL, athrow_doc},
    {"aclose", astream_aclose, METH_NOARGS, aclose_doc},
    {"aprime", astream_aprime, METH_NOARGS, aprime_doc},
    {"__aenter__", astream_aenter, METH_NOARGS, aenter_doc},
    {"__aexit__", (PyCFunction)(void (*)(void))astream_aexit, METH_FASTCALL, aexit_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL},
};

static PyMemberDef astream_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(astream, weak_references), Py_READONLY,
     NULL},
    {NULL},
};

static PyType_Slot astream_slots[] = {
    {Py_tp_doc, (char *)"What every native async stream does as an async generator does."},
    {Py_tp_traverse, astream_traverse},
    {Py_tp_clear, astream_clear},
    {Py_tp_finalize, astream_finalize},
    {Py_tp_dealloc, astream_dealloc},
    {Py_am_aiter, PyObject_SelfIter},
    {Py_am_anext, astream_anext},
    {Py_tp_methods, astream_methods},
    {Py_tp_members, astream_members},
    {Py_tp_getset, astream_attributes},
    {0, NULL},
};

PyType_Spec astream_spec = {
    .name = "generators._native._AsyncStream",
    .basicsize = sizeof(astream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = astream_slots,
};
