/* drive: a generator that yields what it waits for, as a coroutine.
 *
 * It behaves as the coroutine
 *
 *     async def drive(generator):
 *         answer = None
 *         while True:
 *             waited_for = generator.send(answer)
 *             answer = await waited_for
 *
 * does, in send(), throw(), close() and `await`, but for this: what the generator
 * yields that cannot be awaited is its own answer, None is a turn of the loop, and
 * a failure is thrown in at the `yield`.
 *
 * States: new -> suspended -> ended.  Suspended it waits for `awaited`; or, where
 * that is NULL, for the loop's next turn, with the answer in `held` if it was a
 * pause (see wait.h).  `running` marks a step that is under way, in which the
 * generator and what it awaits run; any other call meanwhile is refused.
 *
 * Owned: the generator, until the collector clears this, for its names; what it waits
 * for, until that has answered; the held answer.
 *
 * Threads: a call takes the object's critical section.  The generator runs in it,
 * so that the section may be suspended; `running` keeps the object whole then.
 */
#include "tasks/drive.h"

#include "aio/await.h"
#include "aio/steps_old.h"
#include "runtime/raising.h"
#include "tasks/tasks.h"
#include "runtime/attributes.h"

typedef struct {
    PyObject_HEAD
    PyObject *generator; /* owned */
    PyObject *awaited;   /* owned: the iterator of what is waited for, or NULL */
    PyObject *held;      /* owned: an answer that is given at the next turn, or NULL */
    PyObject *origin;    /* owned: cr_origin, or NULL for None */
    PyObject *weak_references;
    bool started; /* the generator was asked to run */
    bool running; /* a step is under way */
    bool ended;   /* for ever; awaited and held are NULL */
} drive;

/* ---- a step ---- */

/* Give the generator its answer, or, where that is NULL, throw in what is raised. */
static PySendResult
resume(drive *self, PyObject *answer, PyObject **yielded)
{
    if (answer == NULL) {
        PyObject *exception = PyErr_GetRaisedException();
        PySendResult status = await_throw_in(self->generator, exception, yielded);
        Py_DECREF(exception);
        return status;
    }
    /* What PyIter_Send() does for a generator, with one call less. */
    PySendResult status =
        PyGen_CheckExact(self->generator)
            ? PyGen_Type.tp_as_async->am_send(self->generator, answer, yielded)
            : PyIter_Send(self->generator, answer, yielded);
    Py_DECREF(answer);
    return status;
}

/* What comes of what the generator yielded (stolen): PYGEN_RETURN with the answer,
   PYGEN_ERROR with what is to be thrown in, PYGEN_NEXT where the loop must turn. */
static PySendResult
wait_for(drive *self, PyObject *yielded, PyObject **result)
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
    wait_status status = wait_open(generators_state_of((PyObject *)self), yielded, &opened);
    Py_DECREF(yielded);
    *result = opened;
    if (status != WAIT_BEGUN) {
        return status == WAIT_ANSWERED ? PYGEN_RETURN : PYGEN_ERROR;
    }
    self->awaited = opened;
    return PyIter_Send(opened, Py_None, result);
}

/* Run the generator until it must wait, or to its end.  `answer` is stolen; NULL
   for an exception that is raised and is to be thrown in. */
static PySendResult
run(drive *self, PyObject *answer, PyObject **result)
{
    generators_state *state = generators_state_of((PyObject *)self);
    wait_budget budget = wait_begin_budget();
    for (;;) {
        PyObject *yielded;
        PySendResult status = resume(self, answer, &yielded);
        if (status != PYGEN_NEXT) {
            self->ended = true;
            *result = yielded;
            return status;
        }
        status = wait_for(self, yielded, result);
        if (status == PYGEN_NEXT) {
            return status;
        }
        Py_CLEAR(self->awaited);
        answer = status == PYGEN_RETURN ? *result : NULL;
        if (answer != NULL && wait_is_due(state, &budget)) {
            self->held = answer;
            *result = Py_NewRef(Py_None);
            return PYGEN_NEXT;
        }
    }
}

/* What is waited for has come to `status`. */
static PySendResult
go_on(drive *self, PySendResult status, PyObject **result)
{
    if (status == PYGEN_NEXT) {
        return status;
    }
    Py_CLEAR(self->awaited);
    return run(self, status == PYGEN_RETURN ? *result : NULL, result);
}

/* ---- send, throw, close ---- */

static int
check_idle(drive *self)
{
    if (self->running || self->ended) {
        old_coroutine_refuse(self->running);
        return -1;
    }
    return 0;
}

static PySendResult
send_running(drive *self, PyObject *value, PyObject **result)
{
    if (self->awaited != NULL) {
        return go_on(self, PyIter_Send(self->awaited, value, result), result);
    }
    PyObject *held = self->held;
    self->held = NULL;
    self->started = true;
    return run(self, held != NULL ? held : Py_NewRef(value), result);
}

static PySendResult
throw_running(drive *self, PyObject *exception, PyObject **result)
{
    self->started = true;
    Py_CLEAR(self->held);
    if (self->awaited != NULL &&
        !PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit)) {
        return go_on(self, await_throw_in(self->awaited, exception, result), result);
    }
    int status = self->awaited == NULL ? 0 : await_close(self->awaited);
    Py_CLEAR(self->awaited);
    if (status == 0) {
        PyErr_SetRaisedException(Py_NewRef(exception));
    }
    return run(self, NULL, result);
}

/* A step of either kind: `exception` is thrown in, or, where it is NULL, `value` sent. */
static PySendResult
step_lock_held(PyObject *op, PyObject *value, PyObject *exception, PyObject **result)
{
    drive *self = (drive *)op;
    *result = NULL;
    if (check_idle(self) < 0) {
        return PYGEN_ERROR;
    }
    if (!self->started && exception == NULL && value != Py_None) {
        PyErr_SetString(PyExc_TypeError,
                        "can't send non-None value to a just-started coroutine");
        return PYGEN_ERROR;
    }
    if (Py_EnterRecursiveCall(" while driving a generator")) {
        return PYGEN_ERROR;
    }
    self->running = true;
    PySendResult status = exception == NULL ? send_running(self, value, result)
                                            : throw_running(self, exception, result);
    self->running = false;
    Py_LeaveRecursiveCall();
    return status;
}

static int
close_lock_held(drive *self)
{
    if (self->ended) {
        return 0;
    }
    if (self->started) {
        return old_coroutine_close((PyObject *)self, step_lock_held);
    }
    self->ended = true;
    return await_close(self->generator);
}

/* ---- where it came from ---- */

/* As sys.set_coroutine_origin_tracking_depth() asks for: where it was made, a tuple
   of (file, line, function), innermost first. */
static PyObject *
origin(int depth)
{
    PyObject *places = PyList_New(0);
    PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
    while (places != NULL && frame != NULL && depth-- > 0) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        PyObject *place = Py_BuildValue("OiO", code->co_filename, PyFrame_GetLineNumber(frame),
                                        code->co_name);
        Py_DECREF(code);
        if (place == NULL || PyList_Append(places, place) < 0) {
            Py_CLEAR(places);
        }
        Py_XDECREF(place);
        Py_SETREF(frame, PyFrame_GetBack(frame));
    }
    Py_XDECREF(frame);
    PyObject *tuple = places == NULL ? NULL : PyList_AsTuple(places);
    Py_XDECREF(places);
    return tuple;
}

/* None also once the collector has cleared this. */
static PyObject *
attribute_of_generator(drive *self, const char *name)
{
    if (self->generator == NULL) {
        Py_RETURN_NONE;
    }
    PyObject *value = PyObject_GetAttrString(self->generator, name);
    if (value == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    return value;
}

/* That of the generator, or else this one. */
static PyTypeObject *
named_type(const drive *self)
{
    return self->generator != NULL ? Py_TYPE(self->generator) : Py_TYPE(self);
}

/* The name by which people know it: its generator's, or else its type's. */
static PyObject *
display_name(drive *self)
{
    PyObject *name = attribute_of_generator(self, "__qualname__");
    if (name != NULL && !PyUnicode_Check(name)) {
        Py_SETREF(name, PyType_GetQualName(named_type(self)));
    }
    return name;
}

/* ---- making one ---- */

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
        PyErr_Format(PyExc_TypeError, "drive() takes a generator, not '%.200s'", type);
    }
    return -1;
}

PyObject *
drive_of(generators_state *state, PyObject *generator, PyObject *maker)
{
    if (check_generator(state, generator, maker) < 0) {
        return NULL;
    }
    drive *self = (drive *)state->drive_type->tp_alloc(state->drive_type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->generator = Py_NewRef(generator);
    int depth = PyThreadState_Get()->coroutine_origin_tracking_depth;
    if (depth > 0) {
        self->origin = origin(depth);
        if (self->origin == NULL) {
            self->ended = true; /* nobody is told that it was not awaited */
            Py_DECREF(self);
            return NULL;
        }
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

/* ---- memory ---- */

static int
drive_traverse(PyObject *op, visitproc visit, void *arg)
{
    drive *self = (drive *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->generator);
    Py_VISIT(self->awaited);
    Py_VISIT(self->held);
    Py_VISIT(self->origin);
    return 0;
}

static int
drive_clear(PyObject *op)
{
    drive *self = (drive *)op;
    self->ended = true;
    Py_CLEAR(self->awaited);
    Py_CLEAR(self->held);
    Py_CLEAR(self->generator);
    Py_CLEAR(self->origin);
    return 0;
}

/* 0, or -1 with an exception set: warnings may be errors. */
static int
warn_never_awaited(drive *self)
{
    PyObject *name = PyUnicode_FromString("warnings");
    PyObject *warnings = name == NULL ? NULL : PyImport_GetModule(name);
    Py_XDECREF(name);
    if (warnings == NULL) {
        return -1;
    }
    PyObject *done =
        PyObject_CallMethod(warnings, "_warn_unawaited_coroutine", "O", (PyObject *)self);
    Py_DECREF(warnings);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* As a coroutine: what was never awaited is told, what is suspended is closed. */
static void
drive_finalize(PyObject *op)
{
    drive *self = (drive *)op;
    if (self->ended || self->running || self->generator == NULL) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    int status = self->started ? close_lock_held(self) : warn_never_awaited(self);
    if (status < 0 && PyErr_Occurred()) {
        raising_unraisable(op);
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

static void
drive_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (PyObject_CallFinalizerFromDealloc(op) < 0) {
        return;
    }
    PyObject_GC_UnTrack(op);
    if (((drive *)op)->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    drive_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- slots and methods ---- */

static PySendResult
step(PyObject *op, PyObject *value, PyObject *exception, PyObject **result)
{
    PySendResult status;
    Py_BEGIN_CRITICAL_SECTION(op);
    status = step_lock_held(op, value, exception, result);
    Py_END_CRITICAL_SECTION();
    return status;
}

static PySendResult
drive_am_send(PyObject *op, PyObject *value, PyObject **result)
{
    return step(op, value, NULL, result);
}

static PyObject *
drive_iternext(PyObject *op)
{
    PyObject *result;
    if (drive_am_send(op, Py_None, &result) == PYGEN_RETURN) {
        raising_stop(result);
        Py_CLEAR(result);
    }
    return result;
}

PyDoc_STRVAR(send_doc,
             "send($self, value, /)\n"
             "--\n\n"
             "Go on until something must be waited for, and return what the loop is to\n"
             "be told; StopIteration with the generator's return value at its end.");

static PyObject *
drive_send(PyObject *op, PyObject *value)
{
    PyObject *result;
    PySendResult status = drive_am_send(op, value, &result);
    return old_coroutine_stepped(status, result);
}

PyDoc_STRVAR(throw_doc,
             "throw($self, type, value=None, traceback=None, /)\n"
             "--\n\n"
             "Raise the exception in what is waited for, or at the generator's `yield`,\n"
             "and go on as send() does.");

static PyObject *
drive_throw(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    return old_coroutine_throw(op, step, args, count);
}

PyDoc_STRVAR(close_doc, "close($self, /)\n"
                        "--\n\n"
                        "Raise GeneratorExit in what is waited for and in the generator.\n"
                        "RuntimeError if that waits for something all the same.");

static PyObject *
drive_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    drive *self = (drive *)op;
    int status;
    Py_BEGIN_CRITICAL_SECTION(op);
    status = close_lock_held(self);
    Py_END_CRITICAL_SECTION();
    if (status < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* It iterates itself; what another awaits already is refused, as `await` does. */
static PyObject *
drive_await(PyObject *op)
{
    drive *self = (drive *)op;
    bool taken;
    Py_BEGIN_CRITICAL_SECTION(op);
    taken = self->awaited != NULL || self->running;
    Py_END_CRITICAL_SECTION();
    if (taken) {
        PyErr_SetString(PyExc_RuntimeError, "coroutine is being awaited already");
        return NULL;
    }
    return Py_NewRef(op);
}

static PyObject *
drive_repr(PyObject *op)
{
    PyObject *name = display_name((drive *)op);
    PyObject *text =
        name == NULL ? NULL : PyUnicode_FromFormat("<drive object %U at %p>", name, op);
    Py_XDECREF(name);
    return text;
}

static PyObject *
get_cr_await(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *awaited;
    Py_BEGIN_CRITICAL_SECTION(op);
    awaited = Py_XNewRef(((drive *)op)->awaited);
    Py_END_CRITICAL_SECTION();
    return awaited != NULL ? awaited : Py_NewRef(Py_None);
}

static PyObject *
get_cr_suspended(PyObject *op, void *Py_UNUSED(closure))
{
    drive *self = (drive *)op;
    bool suspended;
    Py_BEGIN_CRITICAL_SECTION(op);
    suspended = self->started && !self->running && !self->ended;
    Py_END_CRITICAL_SECTION();
    return PyBool_FromLong(suspended);
}

/* What inspect.getcoroutinestate() asks for since 3.15. */
static PyObject *
get_cr_state(PyObject *op, void *Py_UNUSED(closure))
{
    drive *self = (drive *)op;
    const char *state;
    Py_BEGIN_CRITICAL_SECTION(op);
    state = self->ended     ? "CORO_CLOSED"
            : self->running ? "CORO_RUNNING"
            : self->started ? "CORO_SUSPENDED"
                            : "CORO_CREATED";
    Py_END_CRITICAL_SECTION();
    return PyUnicode_FromString(state);
}

static PyObject *
get_cr_origin(PyObject *op, void *Py_UNUSED(closure))
{
    drive *self = (drive *)op;
    return Py_NewRef(self->origin != NULL ? self->origin : Py_None);
}

/* None once it was closed before it began, though the generator still has one. */
static PyObject *
get_cr_frame(PyObject *op, void *closure)
{
    drive *self = (drive *)op;
    if (self->ended) {
        Py_RETURN_NONE;
    }
    return attribute_of_generator(self, closure);
}

static PyObject *
get_attribute(PyObject *op, void *closure)
{
    return attribute_of_generator((drive *)op, closure);
}

static PyObject *
get_qualname(PyObject *op, void *Py_UNUSED(closure))
{
    return display_name((drive *)op);
}

static PyObject *
get_name(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *name = attribute_of_generator((drive *)op, "__name__");
    if (name != NULL && !PyUnicode_Check(name)) {
        Py_SETREF(name, PyType_GetName(named_type((drive *)op)));
    }
    return name;
}

static PyMethodDef drive_methods[] = {
    {"send", drive_send, METH_O, send_doc},
    {"throw", (PyCFunction)(void (*)(void))drive_throw, METH_FASTCALL, throw_doc},
    {"close", drive_close, METH_NOARGS, close_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL},
};

static PyMemberDef drive_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(drive, weak_references), Py_READONLY, NULL},
    {NULL},
};

static PyGetSetDef drive_getset[] = {
    {"__name__", get_name, NULL, "The generator's name.", NULL},
    {"__qualname__", get_qualname, NULL, "The generator's qualified name.", NULL},
    {"cr_await", get_cr_await, NULL, "What iterates while it waits, or None.", NULL},
    {"cr_running", attributes_get_flag, NULL, "Whether it runs now.",
     (void *)offsetof(drive, running)},
    {"cr_suspended", get_cr_suspended, NULL, "Whether it waits.", NULL},
    {"cr_state", get_cr_state, NULL, "Its state, as inspect names it.", NULL},
    {"cr_frame", get_cr_frame, NULL, "The generator's frame, None at the end.", "gi_frame"},
    {"cr_code", get_attribute, NULL, "The generator's code.", "gi_code"},
    {"cr_origin", get_cr_origin, NULL,
     "Where it was made, if sys.set_coroutine_origin_tracking_depth() asked for it.", NULL},
    {NULL},
};

PyDoc_STRVAR(drive_doc,
             "drive(generator, /)\n"
             "--\n\n"
             "A coroutine that runs a generator, which yields what it waits for.\n\n"
             "An awaitable and a concurrent.futures.Future are waited for: the `yield`\n"
             "gives the result, or raises the failure there, as `await` does.  A bare\n"
             "`yield` is one turn of the loop.  Any other value comes straight back, the\n"
             "same object.  What the generator returns is the result; a sub-task is\n"
             "`yield from sub()`; several are waited for with `yield asyncio.gather(...)`.\n\n"
             "asyncio.run(), create_task(), gather(), wait_for() and TaskGroup take it,\n"
             "and so does `await`; cancelling raises CancelledError at the `yield`.\n"
             "Results that are ready do not go through the loop, which has its turn all\n"
             "the same every 10 ms.  TypeError for what is no generator.\n\n"
             ">>> import asyncio\n"
             ">>> def double(x):\n"
             "...     x = yield asyncio.sleep(0.01, x)\n"
             "...     return 2 * x\n"
             ">>> asyncio.run(drive(double(21)))\n"
             "42");

static PyType_Slot drive_slots[] = {
    {Py_tp_doc, (char *)drive_doc},   {Py_tp_new, drive_new},
    {Py_tp_traverse, drive_traverse}, {Py_tp_clear, drive_clear},
    {Py_tp_finalize, drive_finalize}, {Py_tp_dealloc, drive_dealloc},
    {Py_tp_repr, drive_repr},         {Py_tp_iternext, drive_iternext},
    {Py_am_await, drive_await},       {Py_am_send, drive_am_send},
    {Py_tp_methods, drive_methods},   {Py_tp_members, drive_members},
    {Py_tp_getset, drive_getset},     {0, NULL},
};

PyType_Spec drive_spec = {
    .name = "generators.drive",
    .basicsize = sizeof(drive),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = drive_slots,
};
