/* Stream: what every synchronous stream promises.
 *
 * It behaves as the generator
 *
 *     def stream(source):
 *         with closing(source):
 *             for item in source:
 *                 yield f(item)
 *
 * does, in next(), send(), throw() and close(), but for this: closing or
 * throwing before the first item closes the source too.
 *
 * States: new -> started -> ended.  `running` marks a call that is under way;
 * any other call meanwhile, from the source's own code or another thread,
 * is refused with ValueError as generators do.  A stream ends once: at
 * exhaustion, on an error, when it is thrown into or closed, or collected.
 *
 * Owned: the source's iterator, until the end; it is closed then if it is a
 * Generator by its ABC, whoever made it.  All else that a type holds it lets
 * go of in its release().
 *
 * Threads: a call takes the object's critical section.  User code runs inside
 * it, so the section may be suspended; `running` keeps the object whole then.
 */
#include "stream/stream.h"

#include "runtime/attributes.h"
#include "runtime/closing.h"
#include "runtime/frame.h"
#include "runtime/raising.h"
#include "stream/refusal.h"

/* ---- errors ---- */

static void
refuse_overlap(void)
{
    PyErr_SetString(PyExc_ValueError, "generator already executing");
}

/* ---- the source ---- */

int
stream_open(stream *self, generators_state *state, PyObject *source)
{
    PyObject *iterator = PyObject_GetIter(source);
    if (iterator == NULL) {
        if (Py_TYPE(source)->tp_iter == NULL) {
            refusal_add_hint(frame_type_name((PyObject *)self), source, false);
        }
        return -1;
    }
    int closes = closing_is_due(iterator, state->generator_abc);
    if (closes < 0) {
        Py_DECREF(iterator);
        return -1;
    }
    Py_XSETREF(self->source, iterator);
    self->closes_source = closes;
    return 0;
}

int
stream_source_ended(stream *self)
{
    if (!PyErr_Occurred()) {
        return 0;
    }
    if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
        return 0;
    }
    stream_note("while reading item %zd", self->pulled);
    return -1;
}

Py_ssize_t
stream_pull_many(stream *self, PyObject **items, Py_ssize_t count, PyObject *stop,
                 bool *stopped)
{
    PyObject *source = Py_NewRef(self->source);
    iternextfunc next = Py_TYPE(source)->tp_iternext;
    Py_ssize_t got = 0;
    while (got < count && (items[got] = next(source)) != NULL && items[got] != stop) {
        got++;
    }
    Py_DECREF(source);
    self->pulled += got;
    if (got < count && items[got] != NULL) {
        items[got] = NULL;
        Py_DECREF(stop);
        self->pulled++;
        *stopped = true;
        return got;
    }
    return got < count && stream_source_ended(self) < 0 ? -1 : got;
}

static int
close_source(stream *self)
{
    PyObject *source = self->source;
    self->source = NULL;
    int status = source != NULL && self->closes_source ? closing_close(source) : 0;
    Py_XDECREF(source);
    return status;
}

/* ---- the life of a stream ---- */

/* End it, whatever is being raised.  What closing raises comes instead, with
   that as its context.  0 if nothing is raised in the end, else -1. */
static int
end(stream *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    self->ended = true;
    self->running = true; /* what is closed may call back */
    Py_CLEAR(self->first);
    int (*releases[2])(stream *) = {close_source, self->kind->release};
    for (int i = 0; i < 2; i++) {
        self->raised = raised;
        if (releases[self->releases_first ? 1 - i : i](self) < 0) {
            raising_chain(raised);
            raised = PyErr_GetRaisedException();
        }
    }
    self->raised = NULL;
    self->running = false;
    if (raised == NULL) {
        return 0;
    }
    PyErr_SetRaisedException(raised);
    raising_convert(PyExc_StopIteration, "generator");
    return -1;
}

static PyObject *
make_item(stream *self)
{
    self->running = true;
    PyObject *item = self->kind->next(self);
    self->running = false;
    if (item == NULL && !self->refused) {
        self->failures += end(self) < 0;
    }
    self->refused = false;
    return item;
}

static PyObject *
next_lock_held(stream *self)
{
    if (self->running) {
        refuse_overlap();
        return NULL;
    }
    if (self->first != NULL) {
        PyObject *item = self->first;
        self->first = NULL;
        self->started = true;
        return item;
    }
    if (self->ended) {
        return NULL;
    }
    self->started = true;
    return make_item(self);
}

static int
prime_lock_held(stream *self)
{
    if (self->running) {
        refuse_overlap();
        return -1;
    }
    if (self->started || self->ended || self->first != NULL) {
        return 0;
    }
    PyObject *item = make_item(self);
    if (item == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    self->first = item;
    return 0;
}

static int
close_lock_held(stream *self)
{
    if (!self->running) {
        return self->ended ? 0 : end(self);
    }
    int status = self->kind->close_running == NULL ? 1 : self->kind->close_running(self);
    if (status > 0) {
        refuse_overlap();
    }
    return status == 0 ? 0 : -1;
}

static int
throw_lock_held(stream *self, PyObject *exception)
{
    if (self->running) {
        refuse_overlap();
        return -1;
    }
    PyErr_SetRaisedException(Py_NewRef(exception));
    return self->ended ? -1 : end(self);
}

static int
run_lock_held(stream *self, int (*body)(stream *self))
{
    if (self->running) {
        refuse_overlap();
        return -1;
    }
    self->running = true;
    int status = body(self);
    self->running = false;
    return status < 0 ? end(self) : 0;
}

int
stream_run(stream *self, int (*body)(stream *self))
{
    int status;
    Py_BEGIN_CRITICAL_SECTION(self);
    status = run_lock_held(self, body);
    Py_END_CRITICAL_SECTION();
    return status;
}

/* ---- memory ---- */

int
stream_traverse(PyObject *op, visitproc visit, void *arg)
{
    stream *self = (stream *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->source);
    Py_VISIT(self->first);
    return 0;
}

int
stream_clear(PyObject *op)
{
    stream *self = (stream *)op;
    Py_CLEAR(self->source);
    Py_CLEAR(self->first);
    return 0;
}

/* What is dropped is closed. */
static void
stream_finalize(PyObject *op)
{
    stream *self = (stream *)op;
    if (self->ended || self->running || self->kind == NULL) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    self->dropped = true;
    if (end(self) < 0) {
        raising_unraisable(op);
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

static void
stream_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (PyObject_CallFinalizerFromDealloc(op) < 0) {
        return;
    }
    PyObject_GC_UnTrack(op);
    if (((stream *)op)->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    type->tp_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- slots and methods ---- */

static PyObject *
stream_iternext(PyObject *op)
{
    PyObject *item;
    Py_BEGIN_CRITICAL_SECTION(op);
    item = next_lock_held((stream *)op);
    ((stream *)op)->given += item != NULL;
    Py_END_CRITICAL_SECTION();
    return item;
}

PyDoc_STRVAR(send_doc,
             "send($self, value, /)\n"
             "--\n\n"
             "Return the next item; the value is ignored.  As for a generator, the first\n"
             "value must be None; otherwise TypeError is raised.");

static PyObject *
stream_send(PyObject *op, PyObject *value)
{
    stream *self = (stream *)op;
    if (value != Py_None && !self->started && !self->ended && !self->running) {
        PyErr_SetString(PyExc_TypeError,
                        "can't send non-None value to a just-started generator");
        return NULL;
    }
    PyObject *item = stream_iternext(op);
    if (item == NULL && !PyErr_Occurred()) {
        PyErr_SetNone(PyExc_StopIteration);
    }
    return item;
}

PyDoc_STRVAR(throw_doc, "throw($self, type, value=None, traceback=None, /)\n"
                        "--\n\n"
                        "End the stream: close the source, then raise the exception.");

static PyObject *
stream_throw(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    PyObject *exception = raising_thrown("throw", args, count);
    if (exception == NULL) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    throw_lock_held((stream *)op, exception);
    Py_END_CRITICAL_SECTION();
    Py_DECREF(exception);
    return NULL;
}

PyDoc_STRVAR(close_doc,
             "close($self, /)\n"
             "--\n\n"
             "End the stream: close the source, if that is a generator, and whatever the\n"
             "stream opened itself.  It returns after the `finally` blocks of the source\n"
             "have run, and raises the exception of closing.  Closing again does nothing.");

static PyObject *
stream_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    int status;
    Py_BEGIN_CRITICAL_SECTION(op);
    status = close_lock_held((stream *)op);
    Py_END_CRITICAL_SECTION();
    if (status < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(prime_doc,
             "prime($self, /)\n"
             "--\n\n"
             "Make the first item, keep it for the first step, and return the stream.  An\n"
             "exception of the source is then raised before anything is sent, such as the\n"
             "headers of a response.");

static PyObject *
stream_prime(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    int status;
    Py_BEGIN_CRITICAL_SECTION(op);
    status = prime_lock_held((stream *)op);
    Py_END_CRITICAL_SECTION();
    return status < 0 ? NULL : Py_NewRef(op);
}

int
stream_stop(stream *self)
{
    int status = 0;
    Py_BEGIN_CRITICAL_SECTION(self);
    if (!self->is_stopped && !self->ended) {
        self->is_stopped = true;
        status = self->kind->stop(self);
    }
    Py_END_CRITICAL_SECTION();
    return status;
}

const char stream_stop_doc[] =
    "stop($self, /)\n"
    "--\n\n"
    "Stop reading from the source.  Items that the source is about to yield, that\n"
    "are being processed or that are held are still yielded by the steps that\n"
    "follow.  Then the stream ends and closes its source.  If the source is a\n"
    "stream with stop(), that is called, and the source is read to its end.\n"
    "\n"
    "stop() may be called from any thread, while a step waits, and more than once.";

PyObject *
stream_stop_method(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return stream_stop((stream *)op) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(enter_doc, "__enter__($self, /)\n"
                        "--\n\n"
                        "Return the stream itself.");

static PyObject *
stream_enter(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return Py_NewRef(op);
}

PyDoc_STRVAR(exit_doc, "__exit__($self, /, *exception)\n--\n\nClose the stream.");

static PyObject *
stream_exit(PyObject *op, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(count))
{
    return stream_close(op, NULL);
}

/* ---- attributes ---- */

typedef enum { STREAM_CREATED, STREAM_RUNNING, STREAM_SUSPENDED, STREAM_CLOSED } stream_state;

static stream_state
stream_get_standing(PyObject *op)
{
    stream *self = (stream *)op;
    stream_state at;
    Py_BEGIN_CRITICAL_SECTION(op);
    at = self->running                          ? STREAM_RUNNING
         : self->ended                          ? STREAM_CLOSED
         : self->started || self->first != NULL ? STREAM_SUSPENDED
                                                : STREAM_CREATED;
    Py_END_CRITICAL_SECTION();
    return at;
}

static PyObject *
stream_get_running(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(stream_get_standing(op) == STREAM_RUNNING);
}

static PyObject *
stream_get_suspended(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(stream_get_standing(op) == STREAM_SUSPENDED);
}

static PyObject *
stream_get_state(PyObject *op, void *Py_UNUSED(closure))
{
    static const char *const names[] = {"GEN_CREATED", "GEN_RUNNING", "GEN_SUSPENDED",
                                        "GEN_CLOSED"};
    return PyUnicode_FromString(names[stream_get_standing(op)]);
}

static PyObject *
stream_get_frame(PyObject *op, void *Py_UNUSED(closure))
{
    if (stream_get_standing(op) == STREAM_CLOSED) {
        Py_RETURN_NONE;
    }
    return frame_of_native(frame_type_name(op));
}

static PyObject *
stream_get_code(PyObject *op, void *Py_UNUSED(closure))
{
    return frame_code_of_native(frame_type_name(op));
}

static PyObject *
stream_get_yield_from(PyObject *Py_UNUSED(op), void *Py_UNUSED(closure))
{
    Py_RETURN_NONE;
}

static void
stream_measure_lock_held(stream *self, measures *into)
{
    into->items = self->given;
    into->errors = self->failures;
    into->is_closed = self->ended;
    into->source = Py_XNewRef(self->source);
    into->held = self->first != NULL;
    into->waits_for = self->ended                            ? NULL
                      : self->running                        ? "source"
                      : self->started || self->first != NULL ? "consumer"
                                                             : NULL;
    if (self->kind != NULL && self->kind->measure != NULL) {
        self->kind->measure(self, into);
    }
}

static void
stream_read_measures(PyObject *op, measures *into)
{
    Py_BEGIN_CRITICAL_SECTION(op);
    stream_measure_lock_held((stream *)op, into);
    Py_END_CRITICAL_SECTION();
}

static const measures_reader stream_measures = {stream_read_measures};

static PyObject *
stream_repr(PyObject *op)
{
    return measures_repr(op, &stream_measures);
}

static PyGetSetDef stream_attributes[] = {
    MEASURES_ATTRIBUTES(&stream_measures),
    {"gi_running", stream_get_running, NULL, "Whether the next item is being made.", NULL},
    {"gi_suspended", stream_get_suspended, NULL, "Whether it is suspended between two steps.",
     NULL},
    {"gi_state", stream_get_state, NULL, "Its state, as inspect returns it.", NULL},
    {"gi_frame", stream_get_frame, NULL, "None after the stream has ended.", NULL},
    {"gi_code", stream_get_code, NULL, "A code object that stands for the type.", NULL},
    {"gi_yieldfrom", stream_get_yield_from, NULL, "None: it delegates to no iterator.", NULL},
    {NULL},
};

static PyMethodDef stream_methods[] = {
    {"send", stream_send, METH_O, send_doc},
    {"throw", (PyCFunction)(void (*)(void))stream_throw, METH_FASTCALL, throw_doc},
    {"close", stream_close, METH_NOARGS, close_doc},
    {"prime", stream_prime, METH_NOARGS, prime_doc},
    {"__enter__", stream_enter, METH_NOARGS, enter_doc},
    {"__exit__", (PyCFunction)(void (*)(void))stream_exit, METH_FASTCALL, exit_doc},
    ATTRIBUTES_GENERIC,
    {NULL},
};

static PyMemberDef stream_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(stream, weak_references), Py_READONLY,
     NULL},
    {NULL},
};

PyDoc_STRVAR(stream_doc,
             "The base class of all native streams for `for`: a generator, with prime() and\n"
             "attributes for metrics.  It is for annotations and isinstance(), and can't be\n"
             "called.\n"
             "\n"
             ">>> isinstance(chunked([]), Stream)\n"
             "True");

static PyType_Slot stream_slots[] = {
    {Py_tp_doc, (char *)stream_doc},   {Py_tp_traverse, stream_traverse},
    {Py_tp_clear, stream_clear},       {Py_tp_finalize, stream_finalize},
    {Py_tp_dealloc, stream_dealloc},   {Py_tp_repr, stream_repr},
    {Py_tp_iter, PyObject_SelfIter},   {Py_tp_iternext, stream_iternext},
    {Py_tp_methods, stream_methods},   {Py_tp_members, stream_members},
    {Py_tp_getset, stream_attributes}, {0, NULL},
};

PyType_Spec stream_spec = {
    .name = "native_generators.Stream",
    .basicsize = sizeof(stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = stream_slots,
};
