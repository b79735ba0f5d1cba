/* _AsyncStep: the awaitable of one call to an async stream: anext(), asend(), athrow(),
 * aclose(), aprime() or `async with`.
 *
 * It is a coroutine by its methods.  The interpreter awaits it through am_send (3.11,
 * 3.15) or tp_iternext (3.12 to 3.14, and under sys.settrace); both do the same.
 *
 * States: new -> under way -> finished.  An error made by a wrong use of one that is new
 * finishes it, too.  A new one that is thrown into or closed does nothing to its stream.
 *
 * Owned: its stream, until it is finished; what asend() sends and athrow() throws.  A
 * finished one is kept by its stream to be used for the next step, when nobody else
 * holds it; it does not own the stream then.  What is awaited meanwhile the stream owns.
 *
 * One that is dropped under way is closed: what it awaits is closed as a coroutine's
 * `await` is.
 *
 * Threads: its fields are guarded by its own section and its stream's together.
 */
#include "stream/astep.h"

#include "stream/astream.h"
#include "aio/await.h"
#include "aio/stop.h"

typedef enum {
    STEP_NEW,
    STEP_UNDER_WAY,
    STEP_FINISHED,
} step_state;

typedef struct {
    PyObject_HEAD
    astream *stream;                /* owned; NULL when finished */
    PyObject *argument;             /* owned, or NULL */
    generators_state *module_state; /* borrowed: the type holds the module */
    astep_call call;
    step_state state;
} astep;

static const char *const call_names[] = {"anext",  "anext",      "athrow", "aclose",
                                         "aprime", "__aenter__", "aclose"};

/* ---- errors ---- */

static bool
is_closing_call(const astep *step)
{
    return step->call == ASTEP_ACLOSE || step->call == ASTEP_ABANDON;
}

static void
refuse_reuse(const astep *step)
{
    const char *what = "__anext__()/asend()";
    if (step->call == ASTEP_ATHROW || is_closing_call(step)) {
        what = "aclose()/athrow()";
    }
    else if (step->call == ASTEP_APRIME || step->call == ASTEP_AENTER) {
        what = step->call == ASTEP_APRIME ? "aprime()" : "__aenter__()";
    }
    PyErr_Format(PyExc_RuntimeError, "cannot reuse already awaited %s", what);
}

static PySendResult
refuse_overlap(const astep *step)
{
    PyErr_Format(PyExc_RuntimeError, "%s(): asynchronous generator is already running",
                 call_names[step->call]);
    return PYGEN_ERROR;
}

static PySendResult
refuse_reentry(void)
{
    PyErr_SetString(PyExc_ValueError, "async generator already executing");
    return PYGEN_ERROR;
}

/* ---- the end of a step ---- */

/* The caller holds the stream. */
static void
finish(astep *step, astream *self)
{
    step->state = STEP_FINISHED;
    step->stream = NULL;
    Py_CLEAR(step->argument);
    if (self->idle == NULL) {
        self->idle = Py_NewRef((PyObject *)step);
    }
    Py_DECREF(self);
}

/* Finish one that came to something. */
static PySendResult
complete(astep *step, astream *self, PySendResult result)
{
    if (result != PYGEN_NEXT) {
        if (step->state == STEP_UNDER_WAY) {
            self->running = false;
        }
        finish(step, self);
    }
    return result;
}

/* ---- what a step comes to ---- */

/* What a call gives when the stream has ended. */
static PySendResult
give_end(astep *step, astream *self, PyObject **result)
{
    PyObject *raised = self->raised;
    self->raised = NULL;
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
        raising_convert(PyExc_StopIteration, "async generator");
        raising_convert(PyExc_StopAsyncIteration, "async generator");
        if (!is_closing_call(step) || !PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
            return PYGEN_ERROR;
        }
        PyErr_Clear();
    }
    if (step->call == ASTEP_ANEXT || step->call == ASTEP_ASEND) {
        PyErr_SetNone(PyExc_StopAsyncIteration);
        return PYGEN_ERROR;
    }
    *result = Py_NewRef(step->call == ASTEP_APRIME ? (PyObject *)self : Py_None);
    return PYGEN_RETURN;
}

static PySendResult
give_item(astep *step, astream *self, PyObject *item, PyObject **result)
{
    if (step->call == ASTEP_APRIME) {
        self->first = item;
        item = Py_NewRef((PyObject *)self);
    }
    *result = item;
    return PYGEN_RETURN;
}

/* Let others run, if it is time: 1, 0 or -1. */
static int
pause_if_due(astream *self, PyObject **result)
{
    if (self->unchecked > 0) {
        self->unchecked--;
        return 0;
    }
    int due = astream_budget_is_spent(self);
    if (due > 0) {
        self->paused = true;
        *result = Py_NewRef(Py_None);
    }
    return due;
}

/* What `outcome` means for the step: whether *sent and *result say how it is left. */
static bool
is_left(astep *step, astream *self, astream_outcome outcome, PyObject *value,
        PySendResult *sent, PyObject **result)
{
    *sent = PYGEN_NEXT;
    if (outcome == ASTREAM_WAIT) {
        outcome = astream_begin_waiting(self, value, result);
        if (outcome == ASTREAM_WAIT) {
            return true;
        }
    }
    if (outcome == ASTREAM_AGAIN) {
        int paused = PyErr_CheckSignals() < 0 ? -1 : pause_if_due(self, result);
        if (paused >= 0) {
            return paused > 0;
        }
        outcome = ASTREAM_ERROR;
    }
    switch (outcome) {
    case ASTREAM_ITEM:
        *sent = give_item(step, self, value, result);
        return true;
    case ASTREAM_REFUSE:
        *sent = PYGEN_ERROR;
        return true;
    case ASTREAM_AWAIT:
        *result = self->yielded;
        self->yielded = NULL;
        return true;
    default:
        astream_next_phase(self, outcome);
        return false;
    }
}

/* Go on with the step under way, which came to `outcome`, until it must wait or is done. */
static PySendResult
advance_from(astep *step, astream *self, astream_outcome outcome, PyObject *value,
             PyObject **result)
{
    PySendResult sent;
    while (!is_left(step, self, outcome, value, &sent, result)) {
        if (self->phase == ASTREAM_IS_ENDED) {
            sent = give_end(step, self, result);
            break;
        }
        value = NULL;
        outcome = astream_make_step(self, ASTREAM_ASKED, &value);
    }
    self->executing = false;
    if (sent == PYGEN_NEXT) {
        self->since = 0;
    }
    return complete(step, self, sent);
}

static PySendResult
advance(astep *step, astream *self, astream_answer answer, PyObject *value, PyObject **result)
{
    self->executing = true;
    astream_outcome outcome = astream_make_step(self, answer, &value);
    return advance_from(step, self, outcome, value, result);
}

/* ---- sending ---- */

static PySendResult
begin(astep *step, astream *self, PyObject **result)
{
    step->state = STEP_UNDER_WAY;
    self->running = true;
    return advance(step, self, ASTREAM_ASKED, NULL, result);
}

/* A step whose item is ready goes through here only. */
static inline PySendResult
begin_item(astep *step, astream *self, PyObject **result)
{
    if (self->first != NULL) {
        *result = self->first;
        self->first = NULL;
        self->started = true;
        return complete(step, self, PYGEN_RETURN);
    }
    if (self->phase != ASTREAM_STEPPING) {
        PyErr_SetNone(PyExc_StopAsyncIteration);
        return complete(step, self, PYGEN_ERROR);
    }
    self->started = true;
    step->state = STEP_UNDER_WAY;
    self->running = self->executing = true; /* what asks for the loop may let others in */
    int paused = pause_if_due(self, result);
    if (paused != 0) {
        self->executing = false;
        return paused < 0 ? complete(step, self, PYGEN_ERROR) : PYGEN_NEXT;
    }
    PyObject *value = NULL;
    astream_outcome outcome = self->kind->step(self, ASTREAM_ASKED, &value);
    if (outcome == ASTREAM_ITEM) {
        self->executing = false;
        *result = value;
        return complete(step, self, PYGEN_RETURN);
    }
    return advance_from(step, self, outcome, value, result);
}

/* A non-None value sent into a new step counts as what asend() sends. */
static bool
is_sent_too_early(const astep *step, const astream *self, PyObject *value)
{
    bool sent = value != Py_None || (step->argument != NULL && step->argument != Py_None);
    return sent && !self->started && self->phase == ASTREAM_STEPPING;
}

static PySendResult
begin_closing(astep *step, astream *self, PyObject *value, PyObject **result)
{
    if (value != Py_None) {
        PyErr_SetString(PyExc_RuntimeError,
                        "can't send non-None value to a just-started coroutine");
        return complete(step, self, PYGEN_ERROR);
    }
    if (self->phase == ASTREAM_IS_ENDED) { /* athrow(), too, as for an async generator */
        *result = Py_NewRef(Py_None);
        return complete(step, self, PYGEN_RETURN);
    }
    if (step->call == ASTEP_ATHROW) {
        PyErr_SetRaisedException(Py_NewRef(step->argument));
        astream_keep_raised(self);
    }
    self->unawaited = step->call == ASTEP_ABANDON;
    if (self->phase == ASTREAM_STEPPING) {
        Py_CLEAR(self->held);
        astream_next_phase(self, ASTREAM_END);
    }
    return begin(step, self, result);
}

static PySendResult
begin_call(astep *step, astream *self, PyObject *value, PyObject **result)
{
    if (step->call == ASTEP_AENTER) {
        *result = Py_NewRef((PyObject *)self);
        return complete(step, self, PYGEN_RETURN);
    }
    if (self->running) {
        if (step->call == ASTEP_ABANDON) {
            *result = Py_NewRef(Py_None); /* another closes it, or reads it and will */
            return complete(step, self, PYGEN_RETURN);
        }
        return complete(step, self, refuse_overlap(step));
    }
    switch (step->call) {
    case ASTEP_APRIME:
        if (self->started || self->first != NULL || self->phase != ASTREAM_STEPPING) {
            *result = Py_NewRef((PyObject *)self);
            return complete(step, self, PYGEN_RETURN);
        }
        return begin(step, self, result);
    case ASTEP_ATHROW:
    case ASTEP_ACLOSE:
    case ASTEP_ABANDON:
        return begin_closing(step, self, value, result);
    default:
        if (is_sent_too_early(step, self, value)) {
            PyErr_SetString(PyExc_TypeError,
                            "can't send non-None value to a just-started async generator");
            return complete(step, self, PYGEN_ERROR);
        }
        return begin_item(step, self, result);
    }
}

/* What was awaited came to something other than a further wait. */
static PySendResult
go_on(astep *step, astream *self, PySendResult sent, PyObject *value, PyObject **result)
{
    bool waited = self->waiting;
    self->waiting = false;
    Py_CLEAR(self->awaited);
    if (waited) {
        Py_XDECREF(value);
        if (sent == PYGEN_ERROR) { /* the future was cancelled: the wait is left */
            raising_chain(self->raised);
            self->raised = NULL;
            return complete(step, self, PYGEN_ERROR);
        }
        return advance(step, self, ASTREAM_ASKED, NULL, result);
    }
    astream_answer answer = sent == PYGEN_RETURN ? ASTREAM_GAVE : ASTREAM_FAILED;
    if (self->pulling && self->phase == ASTREAM_STEPPING) {
        answer = astream_pulled(self, answer);
    }
    return advance(step, self, answer, sent == PYGEN_RETURN ? value : NULL, result);
}

static PySendResult
resume(astep *step, astream *self, PyObject *value, PyObject **result)
{
    if (self->executing) {
        return refuse_reentry();
    }
    if (self->awaited == NULL) {
        self->paused = false;
        astream_begin_turn(self);
        return advance(step, self, ASTREAM_ASKED, NULL, result);
    }
    self->executing = true;
    PyObject *awaited = Py_NewRef(self->awaited), *given = NULL;
    PySendResult sent = PyIter_Send(awaited, value, &given);
    Py_DECREF(awaited);
    self->executing = false;
    if (sent == PYGEN_NEXT) {
        *result = given;
        return PYGEN_NEXT;
    }
    return go_on(step, self, sent, given, result);
}

static PySendResult
send_lock_held(astep *step, astream *self, PyObject *value, PyObject **result)
{
    if (step->stream != self) {
        refuse_reuse(step);
        return PYGEN_ERROR;
    }
    if (step->state == STEP_UNDER_WAY) {
        return resume(step, self, value, result);
    }
    if (step->call == ASTEP_ANEXT && value == Py_None && !self->running) {
        return begin_item(step, self, result);
    }
    return begin_call(step, self, value, result);
}

/* Where the GIL is the lock, the step of `async for` in the midst of a stream takes a
   shorter way, which does all that begin_item() and complete() do. */
#ifdef Py_GIL_DISABLED
#define TAKES_SHORT_WAY(step, value) false
#else
#define TAKES_SHORT_WAY(step, value) takes_short_way(step, value)
#endif

static inline bool
takes_short_way(const astep *step, PyObject *value)
{
    const astream *self = step->stream; /* NULL when finished; running when under way */
    return self != NULL && !self->running && step->call == ASTEP_ANEXT && value == Py_None &&
           self->phase == ASTREAM_STEPPING && self->unchecked > 0 && self->first == NULL;
}

static inline PySendResult
send_the_short_way(astep *step, PyObject **result)
{
    astream *self = step->stream;
    self->unchecked--;
    self->started = true;
    step->state = STEP_UNDER_WAY;
    self->running = self->executing = true;
    PyObject *value = NULL;
    astream_outcome outcome = self->kind->step(self, ASTREAM_ASKED, &value);
    if (outcome != ASTREAM_ITEM) {
        return advance_from(step, self, outcome, value, result);
    }
    self->running = self->executing = false;
    step->state = STEP_FINISHED;
    step->stream = NULL;
    if (self->idle == NULL) {
        self->idle = Py_NewRef((PyObject *)step);
    }
    *result = value;
    Py_DECREF(self); /* the step's */
    return PYGEN_RETURN;
}

/* New reference; NULL with an exception where the step is over. */
static astream *
stream_of(astep *step)
{
    astream *self;
    Py_BEGIN_CRITICAL_SECTION(step);
    self = (astream *)Py_XNewRef((PyObject *)step->stream);
    Py_END_CRITICAL_SECTION();
    if (self == NULL) {
        refuse_reuse(step);
    }
    return self;
}

static PySendResult
astep_send(PyObject *op, PyObject *value, PyObject **result)
{
    astep *step = (astep *)op;
    *result = NULL;
    if (TAKES_SHORT_WAY(step, value)) {
        return send_the_short_way(step, result);
    }
    astream *self = stream_of(step);
    if (self == NULL) {
        return PYGEN_ERROR;
    }
    PySendResult sent;
    Py_BEGIN_CRITICAL_SECTION2(op, self);
    sent = send_lock_held(step, self, value, result);
    Py_END_CRITICAL_SECTION2();
    Py_DECREF(self);
    return sent;
}

/* ---- throwing ---- */

static PySendResult
throw_lock_held(astep *step, astream *self, PyObject *exception, PyObject **result)
{
    if (step->stream != self) {
        refuse_reuse(step);
        return PYGEN_ERROR;
    }
    if (step->state == STEP_NEW) {
        PyErr_SetRaisedException(Py_NewRef(exception));
        return complete(step, self, PYGEN_ERROR);
    }
    if (self->executing) {
        return refuse_reentry();
    }
    if (self->awaited == NULL || self->waiting) { /* left, and nothing is lost */
        self->paused = false;
        self->waiting = false;
        Py_CLEAR(self->awaited);
        PyErr_SetRaisedException(Py_NewRef(exception));
        raising_chain(self->raised);
        self->raised = NULL;
        return complete(step, self, PYGEN_ERROR);
    }
    self->executing = true;
    PyObject *awaited = Py_NewRef(self->awaited), *given = NULL;
    PySendResult sent = await_throw(awaited, exception, &given);
    Py_DECREF(awaited);
    self->executing = false;
    if (sent == PYGEN_NEXT) {
        *result = given;
        return PYGEN_NEXT;
    }
    return go_on(step, self, sent, given, result);
}

static PySendResult
throw_into(astep *step, PyObject *exception, PyObject **result)
{
    *result = NULL;
    astream *self = stream_of(step);
    if (self == NULL) {
        return PYGEN_ERROR;
    }
    PySendResult sent;
    Py_BEGIN_CRITICAL_SECTION2(step, self);
    sent = throw_lock_held(step, self, exception, result);
    Py_END_CRITICAL_SECTION2();
    Py_DECREF(self);
    return sent;
}

/* 0, or -1 with an exception set. */
static int
close_step(astep *step)
{
    if (step->stream == NULL) {
        return 0;
    }
    PyObject *exit = PyObject_CallNoArgs(PyExc_GeneratorExit);
    if (exit == NULL) {
        return -1;
    }
    PyObject *result;
    PySendResult sent = throw_into(step, exit, &result);
    Py_DECREF(exit);
    Py_XDECREF(result);
    if (sent == PYGEN_NEXT) {
        PyErr_SetString(PyExc_RuntimeError, "async generator ignored GeneratorExit");
        return -1;
    }
    if (sent == PYGEN_RETURN) {
        return 0;
    }
    if (PyErr_ExceptionMatches(PyExc_GeneratorExit) ||
        PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) {
        PyErr_Clear();
        return 0;
    }
    return -1;
}

/* ---- making one ---- */

PyObject *
astep_new(astream *self, astep_call call, PyObject *argument)
{
    astep *step = (astep *)self->idle;
    self->idle = NULL;
    if (step == NULL || !generators_is_unique((PyObject *)step)) {
        Py_XDECREF(step);
        PyTypeObject *type = generators_state_of((PyObject *)self)->async_step_type;
        if (type == NULL) {
            PyErr_SetString(PyExc_RuntimeError, "the interpreter is shutting down");
            return NULL;
        }
        step = (astep *)type->tp_alloc(type, 0);
        if (step == NULL) {
            return NULL;
        }
        step->module_state = generators_state_of((PyObject *)step);
    }
    step->stream = (astream *)Py_NewRef((PyObject *)self);
    step->argument = Py_XNewRef(argument);
    step->call = call;
    step->state = STEP_NEW;
    return (PyObject *)step;
}

PyObject *
astep_new_anext(astream *self)
{
    astep *step = (astep *)self->idle;
    if (step == NULL || !generators_is_unique((PyObject *)step)) {
        return astep_new(self, ASTEP_ANEXT, NULL);
    }
    self->idle = NULL;
    step->stream = (astream *)Py_NewRef((PyObject *)self);
    step->call = ASTEP_ANEXT; /* its argument was let go of */
    step->state = STEP_NEW;
    return (PyObject *)step;
}

/* ---- memory ---- */

static int
astep_traverse(PyObject *op, visitproc visit, void *arg)
{
    astep *step = (astep *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT((PyObject *)step->stream);
    Py_VISIT(step->argument);
    return 0;
}

static int
astep_clear(PyObject *op)
{
    astep *step = (astep *)op;
    PyObject *stream = (PyObject *)step->stream;
    step->stream = NULL;
    Py_XDECREF(stream);
    Py_CLEAR(step->argument);
    return 0;
}

/* What is dropped under way is closed. */
static void
astep_finalize(PyObject *op)
{
    astep *step = (astep *)op;
    if (step->stream == NULL || step->state != STEP_UNDER_WAY) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    astream *self = (astream *)Py_NewRef((PyObject *)step->stream);
    if (close_step(step) < 0) {
        raising_unraisable(op);
    }
    if (step->state == STEP_UNDER_WAY) { /* it would not be closed */
        Py_CLEAR(self->awaited);
        self->waiting = self->paused = false;
        complete(step, self, PYGEN_ERROR);
    }
    Py_DECREF(self);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

static void
astep_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (((astep *)op)->state == STEP_UNDER_WAY && PyObject_CallFinalizerFromDealloc(op) < 0) {
        return;
    }
    PyObject_GC_UnTrack(op);
    astep_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- slots and methods ---- */

/* What a generator's method returns for what it came to. */
static PyObject *
returned(PySendResult sent, PyObject *result)
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

static PyObject *
astep_iternext(PyObject *op)
{
    PyObject *result;
    PySendResult sent = astep_send(op, Py_None, &result);
    if (sent == PYGEN_RETURN) {
        stop_raise(((astep *)op)->module_state, result);
        return NULL;
    }
    return sent == PYGEN_NEXT ? result : NULL;
}

PyDoc_STRVAR(send_doc, "send($self, value, /)\n--\n\nAs for a coroutine.");

static PyObject *
astep_send_method(PyObject *op, PyObject *value)
{
    PyObject *result;
    PySendResult sent = astep_send(op, value, &result);
    return returned(sent, result);
}

PyDoc_STRVAR(throw_doc, "throw($self, type, value=None, traceback=None, /)\n"
                        "--\n\n"
                        "As for a coroutine.");

static PyObject *
astep_throw(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    PyObject *exception = raising_thrown("throw", args, count);
    if (exception == NULL) {
        return NULL;
    }
    PyObject *result;
    PySendResult sent = throw_into((astep *)op, exception, &result);
    Py_DECREF(exception);
    return returned(sent, result);
}

PyDoc_STRVAR(close_doc, "close($self, /)\n--\n\nAs for a coroutine.");

static PyObject *
astep_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    if (close_step((astep *)op) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef astep_methods[] = {
    {"send", astep_send_method, METH_O, send_doc},
    {"throw", (PyCFunction)(void (*)(void))astep_throw, METH_FASTCALL, throw_doc},
    {"close", astep_close, METH_NOARGS, close_doc},
    {NULL},
};

static PyType_Slot astep_slots[] = {
    {Py_tp_doc, (char *)"One call to an async stream, to be awaited."},
    {Py_tp_traverse, astep_traverse},
    {Py_tp_clear, astep_clear},
    {Py_tp_finalize, astep_finalize},
    {Py_tp_dealloc, astep_dealloc},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, astep_iternext},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, astep_send},
    {Py_tp_methods, astep_methods},
    {0, NULL},
};

PyType_Spec astep_spec = {
    .name = "generators._native._AsyncStep",
    .basicsize = sizeof(astep),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = astep_slots,
};
