/* reader: the coroutine of the one task that pulls an async iterator.
 *
 * All of the iterator runs in that task, so that what an async generator holds across its
 * yields (a timeout, a task group) is left in the task that entered it.  Leaving a step of
 * the stream does not touch it: the item that comes is there for the next step.
 *
 * States: new -> pulling <-> waiting for room -> ended.  Told to stop it is cancelled where
 * it pulls, and then closes the source, if it is to, before it ends.
 *
 * Owned: the crew, the source and what it awaits; the item held.  User code runs in the
 * source, under `running`, and in deliver(), on the loop's thread.
 *
 * Threads: its crew's section guards it.
 */
#include "tasks/reader.h"

#include "aio/await.h"
#include "aio/steps_old.h"
#include "aio/loop.h"
#include "tasks/crew.h"

/* ---- a step ---- */

static PySendResult
end(reader *self, PyObject **told)
{
    self->is_ended = true;
    self->crew->readers--;
    Py_CLEAR(self->task);
    Py_CLEAR(self->awaited);
    Py_CLEAR(self->room);
    PyObject *cancelled = NULL;
    if (PyErr_Occurred()) {
        self->error = PyErr_GetRaisedException();
        if (!PyObject_TypeCheck(self->error, (PyTypeObject *)PyExc_Exception)) {
            cancelled = Py_NewRef(self->error);
        }
    }
    self->kind->ended(self);
    crew_wake(self->crew);
    *told = NULL;
    if (cancelled != NULL) {
        PyErr_SetRaisedException(cancelled);
        return PYGEN_ERROR;
    }
    *told = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

static PySendResult
await_room(reader *self, PyObject **told)
{
    self->room = loop_future(self->crew->loop);
    if (self->room == NULL) {
        return PYGEN_ERROR;
    }
    self->awaited = await_iterator(self->room);
    return self->awaited == NULL ? PYGEN_ERROR : PyIter_Send(self->awaited, Py_None, told);
}

static PySendResult
begin_closing(reader *self, PyObject **told)
{
    self->closing = true;
    PyObject *closing = PyObject_CallMethod(self->source, "aclose", NULL);
    self->awaited = closing == NULL ? NULL : await_iterator(closing);
    Py_XDECREF(closing);
    return self->awaited == NULL ? PYGEN_ERROR : PyIter_Send(self->awaited, Py_None, told);
}

static PySendResult
await_item(reader *self, PyObject **told)
{
    self->awaited = await_anext(self->source);
    return self->awaited == NULL ? PYGEN_ERROR : PyIter_Send(self->awaited, Py_None, told);
}

/* What was awaited was the source's next item, and it failed: 0 if that is no failure. */
static int
failed(reader *self)
{
    if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) {
        PyErr_Clear();
        return 0;
    }
    if (self->crew->stopping && !PyErr_ExceptionMatches(PyExc_Exception) &&
        !PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) &&
        !PyErr_ExceptionMatches(PyExc_SystemExit)) {
        PyErr_Clear(); /* as it was told */
        return 0;
    }
    stream_note("while reading item %zd", self->pulled);
    return -1;
}

/* Go on after what was awaited has come to `status`, until something must be awaited. */
static PySendResult
go_on(reader *self, PySendResult status, PyObject **told)
{
    while (status != PYGEN_NEXT) {
        bool waited = self->room != NULL, pulled = self->awaited != NULL && !waited;
        PyObject *value = status == PYGEN_RETURN ? *told : NULL;
        *told = NULL;
        Py_CLEAR(self->awaited);
        Py_CLEAR(self->room);
        if (self->closing) {
            Py_XDECREF(value);
            return end(self, told);
        }
        int ok = 0;
        bool over = false;
        if (value == NULL) {
            ok = failed(self);
            over = true;
        }
        else if (pulled) {
            self->pulled++;
            ok = self->crew->stopping ? 0 : self->kind->deliver(self, value);
        }
        Py_XDECREF(value);
        if (ok < 0 || (over && !self->crew->stopping)) {
            return end(self, told);
        }
        if (self->crew->stopping) {
            if (!self->closes) {
                return end(self, told);
            }
            status = begin_closing(self, told);
        }
        else {
            status = self->kind->wants(self) ? await_item(self, told) : await_room(self, told);
        }
    }
    return status;
}

static PySendResult
step_lock_held(reader *self, PyObject *value, PyObject *exception, PyObject **told)
{
    if (self->running || self->is_ended) {
        return old_coroutine_refuse(self->running);
    }
    self->running = true;
    PySendResult status = PYGEN_ERROR;
    if (exception != NULL && self->awaited == NULL) {
        PyErr_SetRaisedException(Py_NewRef(exception));
    }
    else if (exception != NULL) {
        status = await_throw(self->awaited, exception, told);
    }
    else if (self->awaited != NULL) {
        status = PyIter_Send(self->awaited, value, told);
    }
    else {
        /* The first step: nothing was awaited. */
        *told = Py_NewRef(Py_None);
        status = PYGEN_RETURN;
    }
    status = go_on(self, status, told);
    self->running = false;
    return status;
}

static PySendResult
step(PyObject *op, PyObject *value, PyObject *exception, PyObject **told)
{
    reader *self = (reader *)op;
    *told = NULL;
    PySendResult status;
    if (self->crew == NULL) {
        return old_coroutine_refuse(self->running); /* cleared by the collector */
    }
    Py_INCREF(self);
    Py_BEGIN_CRITICAL_SECTION(self->crew);
    status = step_lock_held(self, value, exception, told);
    Py_END_CRITICAL_SECTION();
    Py_DECREF(self);
    return status;
}

/* ---- for the stream ---- */

reader *
reader_new(generators_state *state, crew *of, const reader_kind *kind, PyObject *source)
{
    reader *self = (reader *)state->reader_type->tp_alloc(state->reader_type, 0);
    if (self != NULL) {
        self->kind = kind;
        self->crew = (crew *)Py_NewRef(of);
        self->source = Py_NewRef(source);
    }
    return self;
}

int
reader_start(reader *self)
{
    self->crew->readers++;
    PyObject *task = crew_spawn(self->crew, (PyObject *)self);
    if (task == NULL) {
        if (!self->is_ended) {
            self->is_ended = true;
            self->crew->readers--;
        }
        return -1;
    }
    if (!self->is_ended) {
        self->task = task;
        return 0;
    }
    Py_DECREF(task);
    return 0;
}

void
reader_poke(reader *self)
{
    if (self->room == NULL || !(self->crew->stopping || self->kind->wants(self))) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *room = Py_NewRef(self->room);
    if (loop_wake(room) < 0) {
        raising_unraisable((PyObject *)self);
    }
    Py_DECREF(room);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

int
reader_stop(reader *self)
{
    self->crew->stopping = true;
    if (self->task == NULL || self->closing) {
        return 0;
    }
    PyObject *task = Py_NewRef(self->task);
    int status = crew_cancel(self->crew, task);
    Py_DECREF(task);
    return status;
}

/* ---- as a coroutine ---- */

static PySendResult
reader_am_send(PyObject *op, PyObject *value, PyObject **told)
{
    return step(op, value, NULL, told);
}

static PyObject *
reader_send(PyObject *op, PyObject *value)
{
    PyObject *told;
    PySendResult status = step(op, value, NULL, &told);
    return old_coroutine_stepped(status, told);
}

static PyObject *
reader_iternext(PyObject *op)
{
    return reader_send(op, Py_None);
}

static PyObject *
reader_throw(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    return old_coroutine_throw(op, step, args, count);
}

static PyObject *
reader_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    reader *self = (reader *)op;
    bool running = false;
    if (self->crew == NULL) {
        Py_RETURN_NONE; /* cleared by the collector */
    }
    Py_BEGIN_CRITICAL_SECTION(self->crew);
    running = self->running;
    if (!self->is_ended && !running) {
        self->is_ended = true;
        self->crew->readers--;
        Py_CLEAR(self->awaited);
    }
    Py_END_CRITICAL_SECTION();
    if (running) {
        old_coroutine_refuse(running);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
get_name(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *source = ((reader *)op)->source; /* NULL once the collector has cleared this */
    return PyUnicode_FromFormat("reader of %s",
                                source == NULL ? "nothing" : Py_TYPE(source)->tp_name);
}

static int
reader_traverse(PyObject *op, visitproc visit, void *arg)
{
    reader *self = (reader *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->crew);
    Py_VISIT(self->source);
    Py_VISIT(self->task);
    Py_VISIT(self->awaited);
    Py_VISIT(self->room);
    Py_VISIT(self->item);
    Py_VISIT(self->error);
    return 0;
}

static int
reader_clear(PyObject *op)
{
    reader *self = (reader *)op;
    self->is_ended = true;
    Py_CLEAR(self->task);
    Py_CLEAR(self->awaited);
    Py_CLEAR(self->room);
    Py_CLEAR(self->item);
    Py_CLEAR(self->error);
    Py_CLEAR(self->source);
    Py_CLEAR(self->crew);
    return 0;
}

static void
reader_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    reader_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef reader_methods[] = {
    {"send", reader_send, METH_O, NULL},
    {"throw", (PyCFunction)(void (*)(void))reader_throw, METH_FASTCALL, NULL},
    {"close", reader_close, METH_NOARGS, NULL},
    {NULL},
};

static PyGetSetDef reader_getset[] = {
    {"__name__", get_name, NULL, NULL, NULL},
    {"__qualname__", get_name, NULL, NULL, NULL},
    {NULL},
};

static PyType_Slot reader_slots[] = {
    {Py_tp_doc,
     (char *)"What pulls an async source of amap() or amerge(), as its task runs it."},
    {Py_tp_traverse, reader_traverse},
    {Py_tp_clear, reader_clear},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_iternext, reader_iternext},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, reader_am_send},
    {Py_tp_methods, reader_methods},
    {Py_tp_getset, reader_getset},
    {0, NULL},
};

PyType_Spec reader_spec = {
    .name = "generators._native._Reader",
    .basicsize = sizeof(reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = reader_slots,
};
