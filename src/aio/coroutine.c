/* _Coroutine: what every native coroutine does as one of the interpreter does.
 *
 * States: new -> suspended -> ended.  `running` marks a step, or the release at the end: any
 * other call meanwhile, from code that the step runs or from another thread, is refused.  So
 * is each call once it has ended.  Both words and types of errors are the interpreter's.
 *
 * Owned: what is awaited, where it was made, and what its kind holds until its release().
 *
 * User code runs in the step, in what is dropped, and in warnings.  Nothing here is read again
 * after it ran but under `running`.
 *
 * Dropped: one that is new is reported as never awaited; one that is suspended is closed, and
 * given up where it would not be closed.  That happens once in the life of an object, so one
 * whose finalizer ran is never used again.
 *
 * Threads: `running` is taken and left in the object's critical section; a step runs with no
 * lock, and takes the one that its kind's other fields need.
 *
 * `await` asks am_await for an iterator, which is the object itself: it has tp_iternext, and
 * no tp_iter, so that no loop of a program that forgot to await takes it for an iterable. What
 * calls __await__() by its name gets a _CoroutineWrapper, as of any coroutine.
 */
#include "aio/coroutine.h"

#include <string.h>

#include "aio/await.h"
#include "aio/stop.h"
#include "compat.h"
#include "runtime/frame.h"
#include "runtime/raising.h"

/* ---- making one ---- */

/* As sys.set_coroutine_origin_tracking_depth() asks for: where it was made, a tuple of (file,
   line, function), innermost first. */
static PyObject *
find_origin(int depth)
{
    PyObject *places = PyList_New(0);
    PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
    while (places != NULL && frame != NULL && depth-- > 0) {
        PyObject *place = compat_frame_place(frame);
        if (place == NULL || PyList_Append(places, place) < 0) {
            Py_CLEAR(places);
        }
        Py_XDECREF(place);
        PyFrameObject *outer = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = outer;
    }
    Py_XDECREF(frame);
    PyObject *tuple = places == NULL ? NULL : PyList_AsTuple(places);
    Py_XDECREF(places);
    return tuple;
}

int
coroutine_track_origin(coroutine *self, int depth)
{
    PyObject *earlier = self->origin;
    self->origin = depth < 0 ? NULL : find_origin(depth);
    Py_XDECREF(earlier);
    if (self->origin == NULL) {
        self->state = COROUTINE_ENDED; /* nobody is told that it was not awaited */
        return -1;
    }
    return 0;
}

/* ---- the end ---- */

/* The caller has set `running`.  What is raised now stays. */
static void
release(coroutine *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *awaited = self->awaited;
    self->awaited = NULL;
    Py_XDECREF(awaited);
    if (self->kind->release != NULL) {
        self->kind->release(self);
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

static void
leave(coroutine *self, coroutine_state state)
{
    Py_BEGIN_CRITICAL_SECTION(self);
    self->state = state;
    self->running = false;
    Py_END_CRITICAL_SECTION();
}

static bool
enter_to_give_up(coroutine *self)
{
    bool entered;
    Py_BEGIN_CRITICAL_SECTION(self);
    entered = !self->running && self->state != COROUTINE_ENDED && self->kind != NULL;
    if (entered) {
        self->running = true;
    }
    Py_END_CRITICAL_SECTION();
    return entered;
}

void
coroutine_give_up(coroutine *self)
{
    if (enter_to_give_up(self)) {
        release(self);
        leave(self, COROUTINE_ENDED);
    }
}

/* ---- a step ---- */

static void
refuse(coroutine *self, bool is_early)
{
    bool running;
    Py_BEGIN_CRITICAL_SECTION(self);
    running = self->running;
    Py_END_CRITICAL_SECTION();
    if (is_early) {
        PyErr_SetString(PyExc_TypeError,
                        "can't send non-None value to a just-started coroutine");
    }
    else if (self->kind != NULL && self->kind->refuse != NULL) {
        self->kind->refuse(self);
    }
    else {
        PyErr_SetString(running ? PyExc_ValueError : PyExc_RuntimeError,
                        running ? "coroutine already executing"
                                : "cannot reuse already awaited coroutine");
    }
}

/* Set `running`: false with an exception where the call is refused. */
static inline bool
enter(coroutine *self, PyObject *value)
{
    bool entered, is_early = false;
    Py_BEGIN_CRITICAL_SECTION(self);
    entered = !self->running && self->state != COROUTINE_ENDED;
    if (entered && value != NULL && value != Py_None && self->state == COROUTINE_NEW &&
        !self->kind->takes_a_value) {
        is_early = true;
        entered = false;
    }
    if (entered) {
        self->running = true;
    }
    Py_END_CRITICAL_SECTION();
    if (!entered) {
        refuse(self, is_early);
    }
    return entered;
}

PySendResult
coroutine_stepped(coroutine *self, PySendResult sent)
{
    if (sent != PYGEN_NEXT) {
        release(self);
    }
    leave(self, sent == PYGEN_NEXT ? COROUTINE_SUSPENDED : COROUTINE_ENDED);
    return sent;
}

PySendResult
coroutine_resume(coroutine *self, PyObject *value, PyObject *exception, PyObject **result)
{
    *result = NULL;
    if (!enter(self, value)) {
        return PYGEN_ERROR;
    }
    if (Py_EnterRecursiveCall(" in a coroutine")) {
        leave(self, self->state);
        return PYGEN_ERROR;
    }
    PySendResult sent = self->kind->step(self, value, exception, result);
    Py_LeaveRecursiveCall();
    return coroutine_stepped(self, sent);
}

PySendResult
coroutine_resume_awaited(coroutine *self, PyObject *value, PyObject *exception,
                         PyObject **result)
{
    *result = NULL;
    PyObject *awaited = self->awaited; /* stays: `running` is set */
    if (awaited == NULL) {
        if (value == NULL) {
            PyErr_SetRaisedException(Py_NewRef(exception));
            return PYGEN_ERROR;
        }
        *result = Py_NewRef(value);
        return PYGEN_RETURN;
    }
    PySendResult sent = value != NULL ? PyIter_Send(awaited, value, result)
                                      : await_throw(awaited, exception, result);
    if (sent != PYGEN_NEXT) {
        PyObject *raised = sent == PYGEN_ERROR ? PyErr_GetRaisedException() : NULL;
        self->awaited = NULL;
        Py_DECREF(awaited);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
    }
    return sent;
}

PySendResult
coroutine_await(coroutine *self, PyObject *iterator, PyObject **result)
{
    *result = NULL;
    if (iterator == NULL) {
        return PYGEN_ERROR;
    }
    self->awaited = iterator;
    return coroutine_resume_awaited(self, Py_None, NULL, result);
}

int
coroutine_close_awaited(coroutine *self)
{
    PyObject *awaited = self->awaited;
    if (awaited == NULL) {
        return 0;
    }
    int status = await_close(awaited);
    PyObject *raised = status < 0 ? PyErr_GetRaisedException() : NULL;
    self->awaited = NULL;
    Py_DECREF(awaited);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return status;
}

/* ---- closing ---- */

/* close(): PYGEN_RETURN with *value, what it returned where it did so, or None; or
   PYGEN_ERROR. */
static PySendResult
close_with_value(coroutine *self, PyObject **value)
{
    bool is_over;
    *value = NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    is_over = self->kind == NULL || (!self->running && self->state == COROUTINE_ENDED);
    Py_END_CRITICAL_SECTION();
    if (is_over) {
        *value = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    PyObject *exit = PyObject_CallNoArgs(PyExc_GeneratorExit);
    if (exit == NULL) {
        return PYGEN_ERROR;
    }
    PySendResult sent = coroutine_resume(self, NULL, exit, value);
    Py_DECREF(exit);
    if (sent == PYGEN_NEXT) {
        Py_CLEAR(*value);
        PyErr_SetString(PyExc_RuntimeError, "coroutine ignored GeneratorExit");
        return PYGEN_ERROR;
    }
    if (sent == PYGEN_ERROR && (raising_forgive(PyExc_GeneratorExit) == 0 ||
                                raising_forgive(PyExc_StopAsyncIteration) == 0)) {
        *value = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    return sent;
}

int
coroutine_close(coroutine *self)
{
    PyObject *value;
    PySendResult sent = close_with_value(self, &value);
    Py_XDECREF(value);
    return sent == PYGEN_RETURN ? 0 : -1;
}

/* ---- what was never awaited ---- */

/* The lines of a traceback to where it was made: a new str, or NULL. */
static PyObject *
describe_origin(PyObject *origin)
{
    PyObject *traceback = PyImport_ImportModule("traceback");
    PyObject *places = traceback == NULL ? NULL : PyList_New(0);
    for (Py_ssize_t i = PyTuple_GET_SIZE(origin); places != NULL && i-- > 0;) {
        PyObject *place = PyTuple_GET_ITEM(origin, i);
        PyObject *entry =
            Py_BuildValue("OOOO", PyTuple_GET_ITEM(place, 0), PyTuple_GET_ITEM(place, 1),
                          PyTuple_GET_ITEM(place, 2), Py_None);
        if (entry == NULL || PyList_Append(places, entry) < 0) {
            Py_CLEAR(places);
        }
        Py_XDECREF(entry);
    }
    PyObject *lines =
        places == NULL ? NULL : PyObject_CallMethod(traceback, "format_list", "(O)", places);
    PyObject *empty = lines == NULL ? NULL : PyUnicode_FromString("");
    PyObject *text = empty == NULL ? NULL : PyUnicode_Join(empty, lines);
    Py_XDECREF(traceback);
    Py_XDECREF(places);
    Py_XDECREF(lines);
    Py_XDECREF(empty);
    return text;
}

/* 0, or -1 with an exception set: warnings may be errors. */
static int
warn_never_awaited(coroutine *self)
{
    PyObject *name = self->kind->qualified_name(self);
    if (name == NULL) {
        return -1;
    }
    int status = -1;
    if (self->origin == NULL) {
        status = PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "coroutine '%U' was never awaited",
                                  name);
    }
    else {
        PyObject *places = describe_origin(self->origin);
        PyObject *text = places == NULL
                             ? NULL
                             : PyUnicode_FromFormat("coroutine '%U' was never awaited\n"
                                                    "Coroutine created at (most recent call "
                                                    "last)\n%U",
                                                    name, places);
        Py_XDECREF(places);
        if (text != NULL) {
            status = PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "%U", text);
            Py_DECREF(text);
        }
    }
    Py_DECREF(name);
    return status;
}

void
coroutine_finalize(PyObject *op)
{
    coroutine *self = (coroutine *)op;
    bool is_new, goes;
    Py_BEGIN_CRITICAL_SECTION(op);
    self->finalized = true;
    is_new = self->state == COROUTINE_NEW;
    goes = self->kind != NULL && !self->running && self->state != COROUTINE_ENDED;
    Py_END_CRITICAL_SECTION();
    if (!goes) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    int status = 0;
    if (!is_new) {
        status = coroutine_close(self);
    }
    else if (!self->kind->is_internal) {
        status = warn_never_awaited(self);
    }
    if (status < 0) {
        raising_unraisable(op);
    }
    coroutine_give_up(self); /* one that is new, or that would not be closed */
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

/* ---- memory ---- */

int
coroutine_traverse(PyObject *op, visitproc visit, void *arg)
{
    coroutine *self = (coroutine *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->awaited);
    Py_VISIT(self->origin);
    return 0;
}

int
coroutine_clear(PyObject *op)
{
    coroutine *self = (coroutine *)op;
    self->state = COROUTINE_ENDED;
    Py_CLEAR(self->awaited);
    Py_CLEAR(self->origin);
    return 0;
}

void
coroutine_dealloc(PyObject *op)
{
    coroutine *self = (coroutine *)op;
    PyTypeObject *type = Py_TYPE(op);
    if (self->state != COROUTINE_ENDED && PyObject_CallFinalizerFromDealloc(op) < 0) {
        return;
    }
    if (self->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    if (self->kind != NULL && self->kind->recycle != NULL && self->origin == NULL &&
        !self->finalized && self->kind->recycle(self)) {
        return;
    }
    PyObject_GC_UnTrack(op);
    type->tp_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- slots and methods ---- */

PyObject *
coroutine_method_result(PySendResult sent, PyObject *result)
{
    if (sent != PYGEN_RETURN) {
        return sent == PYGEN_NEXT ? result : NULL;
    }
    raising_stop(result);
    if (!PyErr_Occurred()) {
        PyErr_SetNone(PyExc_StopIteration);
    }
    Py_DECREF(result);
    return NULL;
}

PySendResult
coroutine_am_send(PyObject *op, PyObject *value, PyObject **result)
{
    return coroutine_resume((coroutine *)op, value, NULL, result);
}

/* Where the interpreter awaits it, nobody sees the StopIteration that carries the result, and
   it may be one that is used again. */
PyObject *
coroutine_iternext(PyObject *op)
{
    coroutine *self = (coroutine *)op;
    bool is_unseen = self->is_awaited_by_it;
    PyObject *result;
    PySendResult sent = Py_TYPE(op)->tp_as_async->am_send(op, Py_None, &result);
    if (sent == PYGEN_RETURN && is_unseen) {
        stop_raise(generators_state_of(op), result);
        return NULL;
    }
    return coroutine_method_result(sent, result);
}

PyObject *
coroutine_am_await(PyObject *op)
{
    coroutine *self = (coroutine *)op;
    bool is_taken;
    Py_BEGIN_CRITICAL_SECTION(op);
    is_taken = self->awaited != NULL || self->running;
    self->is_awaited_by_it = !is_taken;
    Py_END_CRITICAL_SECTION();
    if (is_taken) {
        PyErr_SetString(PyExc_RuntimeError, "coroutine is being awaited already");
        return NULL;
    }
    compat_incref_whole(op);
    return op;
}

PyDoc_STRVAR(send_doc, "send($self, value, /)\n"
                       "--\n\n"
                       "Resume the coroutine, and return what it yields to the event loop.\n"
                       "StopIteration is raised with its result when it has ended.");

static PyObject *
coroutine_send(PyObject *op, PyObject *value)
{
    PyObject *result;
    PySendResult sent = Py_TYPE(op)->tp_as_async->am_send(op, value, &result);
    return coroutine_method_result(sent, result);
}

PyDoc_STRVAR(throw_doc,
             "throw($self, type, value=None, traceback=None, /)\n"
             "--\n\n"
             "Raise the exception where the coroutine waits, and return as send() does.");

static PyObject *
coroutine_throw(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    PyObject *exception = raising_thrown("throw", args, count);
    if (exception == NULL) {
        return NULL;
    }
    PyObject *result;
    PySendResult sent = coroutine_resume((coroutine *)op, NULL, exception, &result);
    Py_DECREF(exception);
    return coroutine_method_result(sent, result);
}

PyDoc_STRVAR(close_doc,
             "close($self, /)\n"
             "--\n\n"
             "Raise GeneratorExit where the coroutine waits.  RuntimeError is raised if the\n"
             "coroutine then waits again.");

static PyObject *
coroutine_close_method(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyObject *value;
    if (close_with_value((coroutine *)op, &value) == PYGEN_ERROR) {
        return NULL;
    }
#if PY_VERSION_HEX < 0x030D0000
    Py_SETREF(value, Py_NewRef(Py_None)); /* it gives the result since 3.13 */
#endif
    return value;
}

static PyObject *
coroutine_repr(PyObject *op)
{
    coroutine *self = (coroutine *)op;
    PyObject *name = self->kind == NULL ? NULL : self->kind->qualified_name(self);
    if (name == NULL) {
        return PyErr_Occurred()
                   ? NULL
                   : PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(op)->tp_name, op);
    }
    PyObject *text = PyUnicode_FromFormat("<coroutine object %U at %p>", name, op);
    Py_DECREF(name);
    return text;
}

/* ---- attributes ---- */

static PyObject *
get_qualified_name(PyObject *op, void *Py_UNUSED(closure))
{
    coroutine *self = (coroutine *)op;
    return self->kind == NULL ? PyUnicode_FromString(Py_TYPE(op)->tp_name)
                              : self->kind->qualified_name(self);
}

static PyObject *
get_name(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *name = get_qualified_name(op, NULL);
    Py_ssize_t dot =
        name == NULL ? -1 : PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), -1);
    if (dot >= 0) {
        Py_SETREF(name, PyUnicode_Substring(name, dot + 1, PyUnicode_GET_LENGTH(name)));
    }
    return name;
}

/* A new reference, NULL without an exception where nothing is awaited or a step, which
   changes it, runs. */
static PyObject *
awaited_of(coroutine *self)
{
    PyObject *awaited;
    Py_BEGIN_CRITICAL_SECTION(self);
    awaited = self->running ? NULL : Py_XNewRef(self->awaited);
    Py_END_CRITICAL_SECTION();
    return awaited;
}

static PyObject *
get_await(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *awaited = awaited_of((coroutine *)op);
    return awaited != NULL ? awaited : Py_NewRef(Py_None);
}

/* The attribute of what is awaited: 1 and *value, 0 where there is none, or -1. */
static int
find_in_awaited(coroutine *self, const char *what, PyObject **value)
{
    static const char *const prefixes[] = {"cr_", "gi_", "ag_"};
    PyObject *awaited = awaited_of(self);
    int found = 0;
    *value = NULL;
    for (size_t i = 0; awaited != NULL && found == 0 && i < Py_ARRAY_LENGTH(prefixes); i++) {
        char name[16];
        PyOS_snprintf(name, sizeof(name), "%s%s", prefixes[i], what);
        *value = PyObject_GetAttrString(awaited, name);
        found = *value != NULL ? 1 : raising_forgive(PyExc_AttributeError);
    }
    Py_XDECREF(awaited);
    return found;
}

/* That of the coroutine that is awaited, so that a stack can be printed; else one that stands
   for native code. */
static PyObject *
get_frame(PyObject *op, void *Py_UNUSED(closure))
{
    coroutine *self = (coroutine *)op;
    bool has_ended;
    PyObject *frame;
    Py_BEGIN_CRITICAL_SECTION(op);
    has_ended = self->kind == NULL || self->state == COROUTINE_ENDED;
    Py_END_CRITICAL_SECTION();
    if (has_ended) {
        Py_RETURN_NONE;
    }
    int found = find_in_awaited(self, "frame", &frame);
    if (found != 0 && frame != Py_None) {
        return frame;
    }
    Py_XDECREF(frame);
    PyObject *name = get_qualified_name(op, NULL);
    const char *text = name == NULL ? NULL : PyUnicode_AsUTF8(name);
    frame = text == NULL ? NULL : frame_of_native(text);
    Py_XDECREF(name);
    return frame;
}

static PyObject *
get_code(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *code;
    int found = find_in_awaited((coroutine *)op, "code", &code);
    if (found != 0) {
        return code;
    }
    PyObject *name = get_qualified_name(op, NULL);
    const char *text = name == NULL ? NULL : PyUnicode_AsUTF8(name);
    code = text == NULL ? NULL : frame_code_of_native(text);
    Py_XDECREF(name);
    return code;
}

static PyObject *
get_origin(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *origin = ((coroutine *)op)->origin;
    return Py_NewRef(origin != NULL ? origin : Py_None);
}

/* Its state, as inspect names it. */
static const char *
state_name(PyObject *op)
{
    coroutine *self = (coroutine *)op;
    const char *name;
    Py_BEGIN_CRITICAL_SECTION(op);
    name = self->running                        ? "CORO_RUNNING"
           : self->state == COROUTINE_ENDED     ? "CORO_CLOSED"
           : self->state == COROUTINE_SUSPENDED ? "CORO_SUSPENDED"
                                                : "CORO_CREATED";
    Py_END_CRITICAL_SECTION();
    return name;
}

static PyObject *
get_state(PyObject *op, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(state_name(op));
}

static PyObject *
get_whether(PyObject *op, void *state)
{
    return PyBool_FromLong(strcmp(state_name(op), state) == 0);
}

/* ---- what __await__() gives ---- */

typedef struct {
    PyObject_HEAD
    PyObject *awaited; /* owned: the coroutine */
} wrapper;

static PyObject *
coroutine_await_method(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    generators_state *state = generators_state_of(op);
    PyObject *awaited = coroutine_am_await(op);
    wrapper *made = awaited == NULL || state->coroutine_wrapper_type == NULL
                        ? NULL
                        : PyObject_GC_New(wrapper, state->coroutine_wrapper_type);
    if (made == NULL) {
        Py_XDECREF(awaited);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    ((coroutine *)op)->is_awaited_by_it = false;
    made->awaited = awaited;
    PyObject_GC_Track(made);
    return (PyObject *)made;
}

static int
wrapper_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((wrapper *)op)->awaited);
    return 0;
}

static int
wrapper_clear(PyObject *op)
{
    Py_CLEAR(((wrapper *)op)->awaited);
    return 0;
}

static void
wrapper_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    wrapper_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

/* The coroutine, which the collector may have taken away: a new reference, or NULL with an
   exception set. */
static PyObject *
wrapped(PyObject *op)
{
    PyObject *awaited = Py_XNewRef(((wrapper *)op)->awaited);
    if (awaited == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
    }
    return awaited;
}

static PyObject *
wrapper_send(PyObject *op, PyObject *value)
{
    PyObject *awaited = wrapped(op);
    PyObject *given = awaited == NULL ? NULL : coroutine_send(awaited, value);
    Py_XDECREF(awaited);
    return given;
}

static PyObject *
wrapper_iternext(PyObject *op)
{
    return wrapper_send(op, Py_None);
}

static PyObject *
wrapper_throw(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    PyObject *awaited = wrapped(op);
    PyObject *given = awaited == NULL ? NULL : coroutine_throw(awaited, args, count);
    Py_XDECREF(awaited);
    return given;
}

static PyObject *
wrapper_close(PyObject *op, PyObject *ignored)
{
    PyObject *awaited = wrapped(op);
    PyObject *given = awaited == NULL ? NULL : coroutine_close_method(awaited, ignored);
    Py_XDECREF(awaited);
    return given;
}

static PyMethodDef wrapper_methods[] = {
    {"send", wrapper_send, METH_O, send_doc},
    {"throw", (PyCFunction)(void (*)(void))wrapper_throw, METH_FASTCALL, throw_doc},
    {"close", wrapper_close, METH_NOARGS, close_doc},
    {NULL},
};

static PyType_Slot wrapper_slots[] = {
    {Py_tp_doc, (char *)"What __await__() of a native coroutine returns: its iterator."},
    {Py_tp_traverse, wrapper_traverse},
    {Py_tp_clear, wrapper_clear},
    {Py_tp_dealloc, wrapper_dealloc},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, wrapper_iternext},
    {Py_tp_methods, wrapper_methods},
    {0, NULL},
};

PyType_Spec coroutine_wrapper_spec = {
    .name = "native_generators._native._CoroutineWrapper",
    .basicsize = sizeof(wrapper),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = wrapper_slots,
};

/* ---- the type ---- */

PyDoc_STRVAR(await_doc, "__await__($self, /)\n"
                        "--\n\n"
                        "Return an iterator for `yield from`.");

static PyMethodDef coroutine_methods[] = {
    {"send", coroutine_send, METH_O, send_doc},
    {"throw", (PyCFunction)(void (*)(void))coroutine_throw, METH_FASTCALL, throw_doc},
    {"close", coroutine_close_method, METH_NOARGS, close_doc},
    {"__await__", coroutine_await_method, METH_NOARGS | METH_COEXIST, await_doc},
    {NULL},
};

static PyMemberDef coroutine_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(coroutine, weak_references), Py_READONLY,
     NULL},
    {NULL},
};

static PyGetSetDef coroutine_attributes[] = {
    {"__name__", get_name, NULL, "Its name.", NULL},
    {"__qualname__", get_qualified_name, NULL, "Its qualified name.", NULL},
    {"cr_await", get_await, NULL, "The iterator of the object that it awaits, or None.", NULL},
    {"cr_running", get_whether, NULL, "Whether it is running.", "CORO_RUNNING"},
    {"cr_suspended", get_whether, NULL, "Whether it is suspended.", "CORO_SUSPENDED"},
    {"cr_state", get_state, NULL, "Its state, as inspect returns it.", NULL},
    {"cr_frame", get_frame, NULL,
     "The frame of the object that it awaits; None after it has ended.", NULL},
    {"cr_code", get_code, NULL, "The code of the object that it awaits.", NULL},
    {"cr_origin", get_origin, NULL,
     "Where it was made, if sys.set_coroutine_origin_tracking_depth() asks for it.", NULL},
    {NULL},
};

static PyType_Slot coroutine_slots[] = {
    {Py_tp_doc, (char *)"What every native coroutine does as a coroutine does."},
    {Py_tp_traverse, coroutine_traverse},
    {Py_tp_clear, coroutine_clear},
    {Py_tp_repr, coroutine_repr},
    COROUTINE_SLOTS,
    {Py_am_await, coroutine_am_await},
    {Py_tp_methods, coroutine_methods},
    {Py_tp_members, coroutine_members},
    {Py_tp_getset, coroutine_attributes},
    {0, NULL},
};

PyType_Spec coroutine_spec = {
    .name = "native_generators._native._Coroutine",
    .basicsize = sizeof(coroutine),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = coroutine_slots,
};
