/* drive: a generator that yields what it waits for, as a coroutine.
 *
 * It behaves as this coroutine does:
 *
 *     async def drive(generator):
 *         answer = None
 *         while True:
 *             awaitable = generator.send(answer)
 *             answer = await awaitable
 *
 * with three differences.  A value that cannot be awaited is its own answer.  None gives the
 * event loop one turn.  An exception of the awaitable is thrown in at the `yield`.
 *
 * States: those of a coroutine (aio/coroutine.h), which is its base.  A suspended drive waits
 * for `awaited`.  Where that is NULL it waits for the loop's next turn, and `answer` is what
 * the generator gets then, or NULL for None.
 *
 * Owned: the generator, also after the end, for its names; the answer.
 *
 * User code runs in the generator, in what it waits for, and in what is dropped; the base
 * refuses every other call meanwhile, so that the fields are the step's own.
 */
#include "tasks/drive.h"

#include "aio/await.h"
#include "aio/coroutine.h"
#include "aio/loop.h"
#include "runtime/attributes.h"
#include "runtime/budget.h"
#include "runtime/raising.h"
#include "tasks/wait.h"

typedef struct {
    coroutine base;
    PyObject *generator; /* owned; NULL once the collector has cleared this */
    PyObject *answer;    /* owned: given to the generator at the next turn, or NULL */
} drive;

/* ---- a step ---- */

/* Send the generator its answer (stolen) or, where that is NULL, throw in the exception that
   is set. */
static PySendResult
drive_resume(drive *self, PyObject *answer, PyObject **yielded)
{
    PyObject *generator = self->generator;
    if (answer == NULL) {
        PyObject *exception = PyErr_GetRaisedException();
        PySendResult status = await_throw_in(generator, exception, yielded);
        Py_DECREF(exception);
        return status;
    }
    /* What PyIter_Send() does for a generator, with one call less. */
    PySendResult status = PyGen_CheckExact(generator)
                              ? PyGen_Type.tp_as_async->am_send(generator, answer, yielded)
                              : PyIter_Send(generator, answer, yielded);
    if (status == PYGEN_ERROR) {
        PyObject *raised = PyErr_GetRaisedException();
        Py_DECREF(answer);
        PyErr_SetRaisedException(raised);
    }
    else {
        Py_DECREF(answer);
    }
    return status;
}

/* Wait for what the generator yielded (stolen): PYGEN_RETURN with the answer, PYGEN_ERROR with
   what is to be thrown in, PYGEN_NEXT where the loop must run. */
static PySendResult
drive_wait(drive *self, generators_state *state, PyObject *yielded, PyObject **result)
{
    *result = yielded;
    if (yielded == Py_None) {
        return PYGEN_NEXT;
    }
    if (wait_is_plain(yielded)) {
        return PYGEN_RETURN;
    }
    if (yielded == (PyObject *)self) {
        PyErr_SetString(PyExc_RuntimeError, "a generator cannot wait for its own drive");
        Py_CLEAR(*result);
        return PYGEN_ERROR;
    }
    PyObject *opened;
    wait_status status = wait_open(state, yielded, &opened);
    PyObject *raised = status == WAIT_FAILED ? PyErr_GetRaisedException() : NULL;
    Py_DECREF(yielded);
    *result = opened;
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    if (status != WAIT_BEGUN) {
        return status == WAIT_ANSWERED ? PYGEN_RETURN : PYGEN_ERROR;
    }
    return coroutine_await(&self->base, opened, result);
}

/* Whether a loop runs in this thread, and must have its turn after this answer. */
static bool
drive_must_pause(turn_budget *turn, generators_state *state)
{
    if (!budget_spend(turn)) {
        return false;
    }
    PyObject *loop;
    int runs = loop_running(state, &loop);
    if (runs < 0) {
        raising_unraisable(NULL);
    }
    Py_XDECREF(loop);
    return runs > 0;
}

/* What `yield from` says of a coroutine, as the interpreter words it. */
static bool
drive_is_yield_from(PyObject *text)
{
    static const char *const refusals[] = {
        "'native_generators.drive' object is not iterable",
        "cannot 'yield from' a coroutine object in a non-coroutine generator",
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(refusals); i++) {
        if (PyUnicode_CheckExact(text) &&
            PyUnicode_CompareWithASCIIString(text, refusals[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The generator has raised `exception` (borrowed), a TypeError: whether it says that a
   coroutine cannot be yielded from, and no drive further in has told what to do.  1, 0 or -1.
 */
static int
drive_needs_hint(PyObject *exception)
{
    PyObject *args = PyObject_GetAttrString(exception, "args");
    if (args == NULL) {
        return -1;
    }
    bool is_it = PyTuple_GET_SIZE(args) == 1 && drive_is_yield_from(PyTuple_GET_ITEM(args, 0));
    Py_DECREF(args);
    if (!is_it) {
        return 0;
    }
    PyObject *notes = PyObject_GetAttrString(exception, "__notes__");
    if (notes != NULL) {
        Py_DECREF(notes);
        return 0;
    }
    return raising_forgive(PyExc_AttributeError) < 0 ? -1 : 1;
}

/* Say what to do in a note on what the generator has raised, where that is known. */
static void
drive_add_hint(void)
{
    PyObject *raised = PyErr_GetRaisedException();
    int needs =
        Py_IS_TYPE(raised, (PyTypeObject *)PyExc_TypeError) ? drive_needs_hint(raised) : 0;
    if (needs > 0) {
        needs = raising_add_note(
            raised, PyUnicode_FromString("a task and a coroutine are yielded, without `from`: "
                                         "`result = yield call()`"));
    }
    if (needs < 0) {
        raising_chain(raised);
        return;
    }
    PyErr_SetRaisedException(raised);
}

/* Run the generator until it must wait, or to its end.  `answer` is stolen; NULL throws in the
   exception that is set.  `after_pause`: the loop has just had its turn, and the next one is
   counted from now.  Otherwise it is counted from the first answer that is ready, so that a
   step without one reads no clock. */
static PySendResult
drive_run(drive *self, PyObject *answer, bool after_pause, PyObject **result)
{
    generators_state *state = generators_state_of((PyObject *)self);
    turn_budget turn = {0};
    if (after_pause) {
        budget_start(&turn);
    }
    for (;;) {
        PyObject *yielded;
        PySendResult status = drive_resume(self, answer, &yielded);
        if (status == PYGEN_ERROR) {
            drive_add_hint();
        }
        if (status != PYGEN_NEXT) {
            *result = yielded;
            return status;
        }
        status = drive_wait(self, state, yielded, result);
        if (status == PYGEN_NEXT) {
            return status;
        }
        answer = status == PYGEN_RETURN ? *result : NULL;
        if (answer != NULL && drive_must_pause(&turn, state)) {
            self->answer = answer;
            return coroutine_pause(result);
        }
    }
}

static PySendResult
drive_step(coroutine *base, PyObject *value, PyObject *exception, PyObject **result)
{
    drive *self = (drive *)base;
    PyObject *answer = self->answer;
    self->answer = NULL;
    if (answer != NULL && value != NULL) {
        return drive_run(self, answer, true, result);
    }
    Py_XDECREF(answer);
    if (base->state == COROUTINE_NEW && value == NULL &&
        PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit)) {
        /* close() of a generator that has not begun: it may have a close() of its own */
        if (await_close(self->generator) == 0) {
            PyErr_SetRaisedException(Py_NewRef(exception));
        }
        return PYGEN_ERROR;
    }
    PySendResult status = coroutine_resume_awaited(base, value, exception, result);
    if (status == PYGEN_NEXT) {
        return status;
    }
    return drive_run(self, status == PYGEN_RETURN ? *result : NULL, false, result);
}

static void
drive_release(coroutine *base)
{
    drive *self = (drive *)base;
    PyObject *answer = self->answer;
    self->answer = NULL;
    Py_XDECREF(answer);
}

/* ---- attributes ---- */

/* The generator's attribute; None where it has none, and once the collector has cleared
   this. */
static PyObject *
drive_attribute(drive *self, const char *name)
{
    PyObject *generator = Py_XNewRef(self->generator);
    if (generator == NULL) {
        Py_RETURN_NONE;
    }
    PyObject *value = PyObject_GetAttrString(generator, name);
    Py_DECREF(generator);
    if (value == NULL && raising_forgive(PyExc_AttributeError) == 0) {
        Py_RETURN_NONE;
    }
    return value;
}

/* A name of the generator or, where it has none, of its type; of this type where there is no
   generator. */
static PyObject *
drive_name(drive *self, const char *attribute, PyObject *(*type_name)(PyTypeObject *))
{
    PyObject *name = drive_attribute(self, attribute);
    if (name == NULL || PyUnicode_Check(name)) {
        return name;
    }
    Py_DECREF(name);
    PyObject *generator = self->generator;
    return type_name(generator != NULL ? Py_TYPE(generator) : Py_TYPE(self));
}

static PyObject *
drive_qualified_name(coroutine *base)
{
    return drive_name((drive *)base, "__qualname__", PyType_GetQualName);
}

static PyObject *
get_name(PyObject *op, void *Py_UNUSED(closure))
{
    return drive_name((drive *)op, "__name__", PyType_GetName);
}

/* None once it was closed before it began, though the generator still has one. */
static PyObject *
get_frame(PyObject *op, void *Py_UNUSED(closure))
{
    bool has_ended;
    Py_BEGIN_CRITICAL_SECTION(op);
    has_ended = ((coroutine *)op)->state == COROUTINE_ENDED;
    Py_END_CRITICAL_SECTION();
    if (has_ended) {
        Py_RETURN_NONE;
    }
    return drive_attribute((drive *)op, "gi_frame");
}

static PyObject *
get_code(PyObject *op, void *Py_UNUSED(closure))
{
    return drive_attribute((drive *)op, "gi_code");
}

static PyObject *
drive_repr(PyObject *op)
{
    PyObject *name = drive_qualified_name((coroutine *)op);
    PyObject *text =
        name == NULL ? NULL : PyUnicode_FromFormat("<drive object %U at %p>", name, op);
    Py_XDECREF(name);
    return text;
}

/* ---- making one ---- */

static const coroutine_kind drive_kind = {
    .step = drive_step,
    .release = drive_release,
    .qualified_name = drive_qualified_name,
};

static int
check_generator(generators_state *state, PyObject *generator, PyObject *maker)
{
    if (PyGen_CheckExact(generator)) {
        return 0;
    }
    int found = PyObject_IsInstance(generator, state->generator_abc);
    if (found != 0) {
        return found < 0 ? -1 : 0;
    }
    const char *type = Py_TYPE(generator)->tp_name;
    if (maker != NULL) {
        PyErr_Format(PyExc_TypeError, "%R returned '%.200s', not a generator", maker, type);
    }
    else if (PyCallable_Check(generator)) {
        PyErr_Format(PyExc_TypeError,
                     "drive() takes a generator, not '%.200s': call it, or decorate it with "
                     "task()",
                     type);
    }
    else {
        PyAsyncMethods *methods = Py_TYPE(generator)->tp_as_async;
        const char *hint = methods == NULL             ? ""
                           : methods->am_await != NULL ? ": it is awaitable already"
                           : methods->am_aiter != NULL ? ": iterate it by `async for`"
                                                       : "";
        PyErr_Format(PyExc_TypeError, "drive() takes a generator, not '%.200s'%s", type, hint);
    }
    return -1;
}

PyObject *
drive_of(generators_state *state, PyObject *generator, PyObject *maker)
{
    if (check_generator(state, generator, maker) < 0) {
        return NULL;
    }
    PyTypeObject *type = state->drive_type;
    if (type == NULL) {
        raising_shut_down();
        return NULL;
    }
    drive *self = (drive *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->generator = Py_NewRef(generator);
    if (coroutine_init(&self->base, &drive_kind, true) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyObject *
drive_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", NULL};
    PyObject *generator;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:drive", keywords, &generator)) {
        return NULL;
    }
    return drive_of(PyType_GetModuleState(type), generator, NULL);
}

static int
drive_traverse(PyObject *op, visitproc visit, void *arg)
{
    drive *self = (drive *)op;
    Py_VISIT(self->generator);
    Py_VISIT(self->answer);
    return coroutine_traverse(op, visit, arg);
}

static int
drive_clear(PyObject *op)
{
    drive *self = (drive *)op;
    coroutine_clear(op);
    Py_CLEAR(self->generator);
    Py_CLEAR(self->answer);
    return 0;
}

static PyMethodDef drive_methods[] = {
    ATTRIBUTES_GENERIC,
    {NULL},
};

static PyGetSetDef drive_getset[] = {
    {"__name__", get_name, NULL, "The name of the generator.", NULL},
    {"cr_frame", get_frame, NULL, "The frame of the generator; None after it has ended.",
     NULL},
    {"cr_code", get_code, NULL, "The code of the generator.", NULL},
    {NULL},
};

PyDoc_STRVAR(
    drive_doc,
    "drive(generator, /)\n"
    "--\n\n"
    "A coroutine that runs a generator.  The generator yields the objects that it waits\n"
    "for.\n"
    "\n"
    "If the generator yields an awaitable or a concurrent.futures.Future, it is awaited:\n"
    "the `yield` returns its result or raises its exception, as `await` does.  A bare\n"
    "`yield` lets the event loop run once.  For any other object, `yield` returns the\n"
    "same object at once.  The return value of the generator is the result of the\n"
    "coroutine.  Write `yield from sub()` for another generator, `yield sub()` for a\n"
    "function that task() made, and `yield asyncio.gather(...)` to wait for several\n"
    "awaitables.\n"
    "\n"
    "The coroutine can be passed to asyncio.run(), create_task(), gather(), wait_for()\n"
    "and TaskGroup, and awaited.  Cancelling it raises CancelledError at the `yield`.  A\n"
    "result that is ready is returned without waiting for the event loop, but the loop\n"
    "may run about once per millisecond.  TypeError is raised if the argument is not a\n"
    "generator.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> def double(x):\n"
    "...     x = yield asyncio.sleep(0.01, x)\n"
    "...     return 2 * x\n"
    ">>> asyncio.run(drive(double(21)))\n"
    "42");

static PyType_Slot drive_slots[] = {
    {Py_tp_doc, (char *)drive_doc},
    {Py_tp_new, drive_new},
    {Py_tp_traverse, drive_traverse},
    {Py_tp_clear, drive_clear},
    {Py_tp_repr, drive_repr},
    COROUTINE_SLOTS,
    {Py_tp_methods, drive_methods},
    {Py_tp_getset, drive_getset},
    {0, NULL},
};

PyType_Spec drive_spec = {
    .name = "native_generators.drive",
    .basicsize = sizeof(drive),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = drive_slots,
};
