/* A step that can be left and gone on with: see pending.h.
 *
 * A task waits for the future that a coroutine yields.  Between that future and the task
 * stands a _Pending: it gives the task a future of its own, the gate, which ends when the
 * source's does or when the time is over.  In the latter case the stream's step goes on,
 * and the source's step stays where it is; the next one waits for it again.
 *
 * It stands there only where the time counts and a loop of asyncio runs, for a future of
 * that loop.  What else a source may yield is handed to who drives the stream.
 *
 * Cancelling reaches the source as if the task waited for it itself: its future is
 * cancelled, and when that is done the source is told.
 *
 * Owned: the source's step, until it is done.  It does not know its stream.  Called back
 * by the loop, on its thread, as everything here.  User code runs in the source's step.
 */
#include "source/pending.h"

#include "core/clock.h"
#include "aio/await.h"
#include "aio/loop.h"
#include "runtime/raising.h"
#include "csv/row/block.h"

struct pending {
    PyObject_HEAD
    PyObject *step;   /* owned: the source's, or NULL when it is done */
    PyObject *future; /* owned: what it waits for, or NULL */
    PyObject *gate;   /* owned: what stands for that, or NULL */
    PyObject *loop;   /* owned */
    PyObject *timer;  /* owned: a handle of the loop, or NULL */
    bool late;        /* the time is over */
    bool cancels;     /* to be cancelled when it is sent into */
    bool cancelled;   /* by asource_close(), and by nobody else */
};

/* ---- futures ---- */

/* Take a future as a task does: 1, 0 where it is none of this loop, or -1. */
static int
adopt(pending *self, PyObject *yielded)
{
    PyObject *blocking = PyObject_GetAttrString(yielded, "_asyncio_future_blocking");
    if (blocking == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    bool is_awaited = blocking == Py_True;
    Py_DECREF(blocking);
    PyObject *loop = is_awaited ? PyObject_CallMethod(yielded, "get_loop", NULL) : NULL;
    if (loop == NULL) {
        return is_awaited ? -1 : 0;
    }
    Py_DECREF(loop);
    if (loop != self->loop) {
        return 0;
    }
    PyObject *woken = PyObject_GetAttrString((PyObject *)self, "_woken");
    PyObject *added =
        woken == NULL ? NULL : PyObject_CallMethod(yielded, "add_done_callback", "(O)", woken);
    Py_XDECREF(woken);
    Py_XDECREF(added);
    if (added == NULL ||
        PyObject_SetAttrString(yielded, "_asyncio_future_blocking", Py_False) < 0) {
        return -1;
    }
    Py_XSETREF(self->future, Py_NewRef(yielded));
    return 1;
}

static int
is_done(PyObject *future)
{
    PyObject *done = PyObject_CallMethod(future, "done", NULL);
    int is = done == NULL ? -1 : PyObject_IsTrue(done);
    Py_XDECREF(done);
    return is;
}

/* Give the task a fresh gate to wait for. */
static PySendResult
wait_at_gate(pending *self, PyObject **result)
{
    Py_XSETREF(self->gate, loop_future(self->loop));
    PyObject *iterator = self->gate == NULL ? NULL : await_iterator(self->gate);
    if (iterator == NULL) {
        return PYGEN_ERROR;
    }
    PySendResult sent = PyIter_Send(iterator, Py_None, result);
    Py_DECREF(iterator);
    return sent;
}

/* What is being raised stays. */
static void
stop_timer(pending *self)
{
    PyObject *timer = self->timer;
    if (timer == NULL) {
        return;
    }
    self->timer = NULL;
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *done = PyObject_CallMethod(timer, "cancel", NULL);
    if (done == NULL) {
        raising_unraisable(timer);
    }
    Py_XDECREF(done);
    Py_DECREF(timer);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

static int
start_timer(pending *self, uint64_t nanoseconds)
{
    self->late = nanoseconds == 0;
    if (nanoseconds == 0 || nanoseconds == ASOURCE_NEVER) {
        return 0;
    }
    PyObject *late = PyObject_GetAttrString((PyObject *)self, "_late");
    if (late != NULL) {
        self->timer = PyObject_CallMethod(self->loop, "call_later", "dO",
                                          (double)nanoseconds / (double)CLOCK_SECOND, late);
        Py_DECREF(late);
    }
    return self->timer == NULL ? -1 : 0;
}

/* ---- the awaitable ---- */

/* What the source's step did. */
static PySendResult
take(pending *self, PySendResult sent, PyObject **result)
{
    if (sent != PYGEN_NEXT) {
        PyObject *raised = sent == PYGEN_ERROR ? PyErr_GetRaisedException() : NULL;
        Py_CLEAR(self->step);
        stop_timer(self);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
        return sent;
    }
    int adopted = adopt(self, *result);
    if (adopted == 0) {
        return sent;
    }
    Py_CLEAR(*result);
    return adopted < 0 ? PYGEN_ERROR : wait_at_gate(self, result);
}

static PySendResult
throw_in(pending *self, PyObject *exception, PyObject **result)
{
    PyObject *step = Py_NewRef(self->step);
    PySendResult sent = await_throw(step, exception, result);
    Py_DECREF(step);
    return take(self, sent, result);
}

/* As Task.cancel() does with what the task waits for. */
static PySendResult
cancel(pending *self, PyObject *cancellation, PyObject **result)
{
    PyObject *future = self->future;
    if (future != NULL) {
        PyObject *done = PyObject_CallMethod(future, "cancel", NULL);
        int waits = done == NULL ? -1 : PyObject_IsTrue(done);
        Py_XDECREF(done);
        if (waits != 0) {
            return waits < 0 ? PYGEN_ERROR : wait_at_gate(self, result);
        }
        Py_CLEAR(self->future);
    }
    return throw_in(self, cancellation, result);
}

static PySendResult
cancel_to_close(pending *self, PyObject **result)
{
    self->cancels = false;
    self->cancelled = true;
    PyObject *type = loop_cancelled_error(generators_state_of((PyObject *)self));
    PyObject *cancellation = type == NULL ? NULL : PyObject_CallNoArgs(type);
    if (cancellation == NULL) {
        return PYGEN_ERROR;
    }
    PySendResult sent = cancel(self, cancellation, result);
    Py_DECREF(cancellation);
    return sent;
}

static PySendResult
send(pending *self, PyObject **result)
{
    *result = NULL;
    if (self->step == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the step is done");
        return PYGEN_ERROR;
    }
    if (self->cancels) {
        return cancel_to_close(self, result);
    }
    int done = self->future == NULL ? 1 : is_done(self->future);
    if (done < 0) {
        return PYGEN_ERROR;
    }
    if (!done) {
        if (self->late && !self->cancelled) {
            *result = Py_NewRef(Py_None);
            return PYGEN_RETURN;
        }
        return wait_at_gate(self, result);
    }
    Py_CLEAR(self->future);
    PyObject *step = Py_NewRef(self->step);
    PySendResult sent = PyIter_Send(step, Py_None, result);
    Py_DECREF(step);
    return take(self, sent, result);
}

static PySendResult
pending_send(PyObject *op, PyObject *Py_UNUSED(value), PyObject **result)
{
    return send((pending *)op, result);
}

static PyObject *
method_result(PySendResult sent, PyObject *result)
{
    if (sent == PYGEN_RETURN) {
        raising_stop(result); /* nothing for None, as tp_iternext may */
        if (!PyErr_Occurred()) {
            PyErr_SetNone(PyExc_StopIteration);
        }
        Py_DECREF(result);
        return NULL;
    }
    return result;
}

static PyObject *
pending_iternext(PyObject *op)
{
    PyObject *result;
    PySendResult sent = send((pending *)op, &result);
    return method_result(sent, result);
}

static PyObject *
pending_throw(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    pending *self = (pending *)op;
    PyObject *thrown = raising_thrown("throw", args, count);
    PyObject *type = loop_cancelled_error(generators_state_of(op));
    if (thrown == NULL || type == NULL || self->step == NULL) {
        if (thrown != NULL && type != NULL) {
            PyErr_SetRaisedException(Py_NewRef(thrown));
        }
        Py_XDECREF(thrown);
        return NULL;
    }
    PyObject *result = NULL;
    PySendResult sent;
    self->cancels = false;
    self->cancelled = false;
    if (PyErr_GivenExceptionMatches(thrown, type)) {
        self->late = false; /* it is waited for until that is done */
        sent = cancel(self, thrown, &result);
    }
    else {
        sent = throw_in(self, thrown, &result);
    }
    Py_DECREF(thrown);
    return method_result(sent, result);
}

/* The await it stands in is given up: so is the source's step. */
static PyObject *
pending_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    pending *self = (pending *)op;
    PyObject *exit = self->step == NULL ? NULL : PyObject_CallNoArgs(PyExc_GeneratorExit);
    if (exit == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    PyObject *result = NULL;
    await_throw(self->step, exit, &result);
    Py_DECREF(exit);
    Py_XDECREF(result);
    Py_CLEAR(self->step);
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
            return NULL;
        }
        PyErr_Clear();
    }
    Py_RETURN_NONE;
}

/* ---- called back by the loop ---- */

static PyObject *
pending_woken(PyObject *op, PyObject *Py_UNUSED(future))
{
    pending *self = (pending *)op;
    if (self->gate != NULL && loop_wake(self->gate) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
pending_late(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    pending *self = (pending *)op;
    self->late = true;
    Py_CLEAR(self->timer);
    return pending_woken(op, NULL);
}

/* ---- memory ---- */

static int
pending_traverse(PyObject *op, visitproc visit, void *arg)
{
    pending *self = (pending *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->step);
    Py_VISIT(self->future);
    Py_VISIT(self->gate);
    Py_VISIT(self->loop);
    Py_VISIT(self->timer);
    return 0;
}

static int
pending_clear(PyObject *op)
{
    pending *self = (pending *)op;
    Py_CLEAR(self->step);
    Py_CLEAR(self->future);
    Py_CLEAR(self->gate);
    Py_CLEAR(self->loop);
    Py_CLEAR(self->timer);
    return 0;
}

static void
pending_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    pending_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef pending_methods[] = {
    {"throw", (PyCFunction)(void (*)(void))pending_throw, METH_FASTCALL, NULL},
    {"close", pending_close, METH_NOARGS, NULL},
    {"_woken", pending_woken, METH_O, NULL},
    {"_late", pending_late, METH_NOARGS, NULL},
    {NULL},
};

static PyType_Slot pending_slots[] = {
    {Py_tp_doc, (char *)"A step of a source that may be left waiting."},
    {Py_tp_traverse, pending_traverse},
    {Py_tp_clear, pending_clear},
    {Py_tp_dealloc, pending_dealloc},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, pending_iternext},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, pending_send},
    {Py_tp_methods, pending_methods},
    {0, NULL},
};

PyType_Spec pending_spec = {
    .name = "generators._native._Pending",
    .basicsize = sizeof(pending),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = pending_slots,
};

/* ---- the source of a stream ---- */

/* Stand between the step that the stream has begun to await and its task, where a loop
   runs and it waits for a future: 1, 0 or -1. */
static int
step_between(asource *self, astream *face)
{
    generators_state *state = generators_state_of((PyObject *)face);
    PyObject *loop;
    int running = loop_running(state, &loop);
    if (running <= 0) {
        return running;
    }
    pending *made = (pending *)state->pending_type->tp_alloc(state->pending_type, 0);
    if (made == NULL) {
        Py_DECREF(loop);
        return -1;
    }
    made->loop = loop;
    int adopted = adopt(made, face->yielded);
    if (adopted <= 0) {
        Py_DECREF(made);
        return adopted;
    }
    made->step = face->awaited;
    face->awaited = NULL;
    Py_CLEAR(face->yielded);
    self->pending = made;
    return 1;
}

/* Wait for the step that was begun before. */
static astream_answer
wait_on(asource *self, astream *face, uint64_t nanoseconds, PyObject **value)
{
    stop_timer(self->pending);
    if (start_timer(self->pending, nanoseconds) < 0) {
        return ASTREAM_FAILED;
    }
    astream_answer answer = astream_await(face, (PyObject *)self->pending, value);
    return answer == ASTREAM_PENDING ? answer : asource_answer(self, face, answer, value);
}

static astream_answer
pull_read(asource *self, astream *face, PyObject **value)
{
    PyObject *read = Py_NewRef(self->read);
    PyObject *awaitable = PyObject_CallFunction(read, "n", self->size);
    Py_DECREF(read);
    if (awaitable == NULL) {
        return ASTREAM_FAILED;
    }
    astream_answer answer = astream_await(face, awaitable, value);
    Py_DECREF(awaitable);
    return answer;
}

astream_answer
asource_pull(asource *self, astream *face, uint64_t nanoseconds, PyObject **value)
{
    if (self->pending != NULL) {
        return wait_on(self, face, nanoseconds, value);
    }
    astream_answer answer =
        self->read != NULL ? pull_read(self, face, value) : astream_pull(face, value);
    if (answer != ASTREAM_PENDING) {
        return self->read != NULL ? asource_answer(self, face, answer, value) : answer;
    }
    if (nanoseconds != ASOURCE_NEVER) {
        int between = step_between(self, face);
        if (between != 0) {
            return between < 0 ? ASTREAM_FAILED : wait_on(self, face, nanoseconds, value);
        }
    }
    return ASTREAM_PENDING;
}

/* Data that was read: an empty piece is the end. */
static astream_answer
answer_read(astream *face, astream_answer answer, PyObject **value)
{
    if (answer == ASTREAM_FAILED) {
        stream_note("while reading part %zd of the file", face->pulled);
        return answer;
    }
    Py_ssize_t length = *value == Py_None ? -1 : PyObject_Size(*value);
    if (*value == Py_None) {
        PyErr_SetString(PyExc_BlockingIOError, "read() gave None: it has no data yet");
    }
    if (length <= 0) {
        Py_CLEAR(*value);
        return length < 0 ? ASTREAM_FAILED : ASTREAM_ENDED;
    }
    face->pulled++;
    return answer;
}

astream_answer
asource_answer(asource *self, astream *face, astream_answer answer, PyObject **value)
{
    if (answer == ASTREAM_ENDED) {
        return answer;
    }
    if (self->pending != NULL) {
        if (answer == ASTREAM_GAVE && self->pending->step != NULL) {
            Py_CLEAR(*value); /* late */
            return answer;
        }
        stop_timer(self->pending);
        Py_CLEAR(self->pending);
        if (self->read == NULL) {
            return astream_pulled(face, answer);
        }
    }
    return self->read != NULL ? answer_read(face, answer, value) : answer;
}

astream_outcome
asource_close(asource *self, astream *face, astream_answer answer, PyObject **value)
{
    if (self->pending == NULL) {
        return ASTREAM_END;
    }
    bool cancelled = true;
    if (answer == ASTREAM_ASKED) {
        if (self->pending->step == NULL) {
            Py_CLEAR(self->pending);
            return ASTREAM_END;
        }
        self->pending->cancels = !self->pending->cancelled;
        answer = astream_await(face, (PyObject *)self->pending, value);
        if (answer == ASTREAM_PENDING) {
            return ASTREAM_AWAIT;
        }
    }
    cancelled = self->pending->cancelled;
    Py_CLEAR(self->pending);
    if (answer == ASTREAM_GAVE) {
        Py_CLEAR(*value);
        return ASTREAM_END;
    }
    PyObject *type = loop_cancelled_error(generators_state_of((PyObject *)face));
    if (type != NULL && (PyErr_ExceptionMatches(PyExc_StopAsyncIteration) ||
                         (cancelled && PyErr_ExceptionMatches(type)))) {
        PyErr_Clear();
        return ASTREAM_END;
    }
    return ASTREAM_ERROR;
}

void
asource_release(asource *self)
{
    Py_CLEAR(self->read);
    Py_CLEAR(self->pending);
}

int
asource_traverse(asource *self, visitproc visit, void *arg)
{
    Py_VISIT(self->read);
    Py_VISIT(self->pending);
    return 0;
}

/* ---- opening ---- */

/* Whether calling it gives a coroutine: 1, 0 or -1. */
static int
is_coroutine_function(PyObject *function)
{
    PyObject *inspect = PyImport_ImportModule("inspect");
    PyObject *answer =
        inspect == NULL ? NULL
                        : PyObject_CallMethod(inspect, "iscoroutinefunction", "(O)", function);
    Py_XDECREF(inspect);
    int is = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return is;
}

/* 1 where self->read is set, 0 where the object is not read, or -1. */
static int
find_read(asource *self, PyObject *source)
{
    PyObject *read = PyObject_GetAttrString(source, "read");
    if (read == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    int is = is_coroutine_function(read);
    if (is > 0) {
        self->read = read;
    }
    else {
        Py_DECREF(read);
    }
    return is;
}

int
asource_open(asource *self, astream *face, generators_state *state, PyObject *source,
             Py_ssize_t size, const char *what)
{
    self->size = size;
    int found = size > 0 && !PyAsyncGen_CheckExact(source) ? find_read(self, source) : 0;
    if (found != 0) {
        return found < 0 ? -1 : 0;
    }
    PyAsyncMethods *methods = Py_TYPE(source)->tp_as_async;
    if (methods == NULL || methods->am_aiter == NULL) {
        PyErr_Format(PyExc_TypeError, "%s, not '%.200s'", what, Py_TYPE(source)->tp_name);
        return -1;
    }
    return astream_open(face, state, source, ASTREAM_ASYNC);
}
