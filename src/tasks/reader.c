/* _Reader: the coroutine of the one task that iterates an async source.
 *
 * All of the source runs in that task and its context, from the first step to the close.  So
 * what an async generator holds across its yields (a timeout, a task group, a context
 * variable) is left by the task that entered it, also where the stream is closed or dropped
 * and where the event loop ends.  A step of the stream that is cancelled does not touch the
 * reader: the item that comes is there for the next step.
 *
 * States (`phase`): between -> pulling or parked -> between -> ... -> closing -> ended.  When
 * the source has ended or failed (`is_over`), or the group is `stopping`, the reader waits
 * until it may close the source, closes it, and ends.  The group stops a reader by cancelling
 * its task once.  A cancellation by others ends the reader in the same way, and then the task
 * is cancelled.
 *
 * Owned: see the struct.
 *
 * User code runs in the source, in deliver(), and in what is dropped.  The base refuses every
 * other call meanwhile.
 *
 * Threads: the group's section guards the reader; a step takes it.
 */
#include "tasks/reader.h"

#include "aio/await.h"
#include "aio/loop.h"
#include "runtime/raising.h"

/* ---- the group's list ---- */

static void
reader_link(reader *self)
{
    self->next = self->group->first_reader;
    self->group->first_reader = self;
}

/* Whether it stood in the list. */
static bool
reader_unlink(reader *self)
{
    task_group *group = self->group;
    reader **place = group == NULL ? NULL : &group->first_reader;
    while (place != NULL && *place != NULL && *place != self) {
        place = &(*place)->next;
    }
    if (place == NULL || *place == NULL) {
        return false;
    }
    *place = self->next;
    self->next = NULL;
    return true;
}

/* ---- cancelling ---- */

/* Cancel what it waits for, once.  A source that is cancelled already is left to its end: a
   second cancellation would interrupt its `finally`. */
static int
reader_tell(reader *self)
{
    if (self->was_told || self->task == NULL || self->phase == READER_CLOSING ||
        self->phase == READER_ENDED) {
        return 0;
    }
    self->was_told = true;
    PyObject *task = Py_NewRef(self->task);
    int status = self->is_cancelled ? loop_is_being_cancelled(task) : 0;
    if (status == 0) {
        self->expects_to_leave = true;
        status = task_group_cancel(self->group, task);
    }
    if (status < 0) {
        self->was_told = self->expects_to_leave = false;
    }
    Py_DECREF(task);
    return status < 0 ? -1 : 0;
}

/* ---- what a wait came to ---- */

/* The source, or closing it, has failed with what is raised. */
static void
reader_add_error(reader *self)
{
    PyObject *earlier = self->error;
    self->error = NULL;
    raising_chain(earlier);
    self->error = PyErr_GetRaisedException();
}

/* Whether the source has ended because it was stopped. */
static bool
reader_source_was_cut(const reader *self)
{
    return PyObject_TypeCheck(self->source, self->group->state->async_stream_type) &&
           ((astream *)self->source)->was_cut;
}

/* The wait has failed with what is raised.  A cancellation is by others unless `was_told`. */
static void
reader_failed(reader *self, bool was_pulling, bool was_told)
{
    self->is_over = true;
    if (PyErr_ExceptionMatches(self->group->cancelled_error)) {
        PyObject *raised = PyErr_GetRaisedException();
        if (was_told || self->cancellation != NULL) {
            Py_DECREF(raised);
        }
        else {
            self->cancellation = raised;
        }
        return;
    }
    if (was_pulling) {
        if (raising_forgive(PyExc_StopAsyncIteration) == 0) {
            if (PyAsyncGen_CheckExact(self->source)) {
                self->closes = false; /* its code has returned */
            }
            self->group->was_cut |= reader_source_was_cut(self);
            return;
        }
        stream_note("while reading item %zd", self->pulled);
    }
    reader_add_error(self);
}

/* The wait has given `value` (stolen), or has raised where that is NULL. */
static void
reader_wait_ended(reader *self, PyObject *value, bool was_told)
{
    bool was_pulling = self->phase == READER_PULLING;
    bool was_closing = self->phase == READER_CLOSING;
    PyObject *room = self->room;
    self->room = NULL;
    self->is_cancelled = false;
    self->phase = was_closing ? READER_ENDED : READER_BETWEEN;
    if (value == NULL) {
        reader_failed(self, was_pulling, was_told);
    }
    else if (was_pulling) {
        self->pulled++;
        if (self->kind->deliver(self, value) < 0) {
            self->is_over = true;
            reader_add_error(self);
        }
    }
    Py_XDECREF(value);
    Py_XDECREF(room);
}

/* ---- the next wait ---- */

static PySendResult
reader_park(reader *self, PyObject **result)
{
    PyObject *room = task_group_new_future(self->group);
    if (room == NULL) {
        return PYGEN_ERROR;
    }
    self->room = room;
    self->phase = READER_PARKED;
    return coroutine_await(&self->base, await_iterator(room), result);
}

static PySendResult
reader_close_source(reader *self, PyObject **result)
{
    PyObject *source = self->source;
    self->phase = READER_CLOSING;
    self->source = NULL;
    PyObject *closing = PyObject_CallMethod(source, "aclose", NULL);
    Py_DECREF(source);
    if (closing == NULL) {
        return PYGEN_ERROR;
    }
    PySendResult sent = coroutine_await(&self->base, await_iterator(closing), result);
    PyObject *raised = sent == PYGEN_ERROR ? PyErr_GetRaisedException() : NULL;
    Py_DECREF(closing);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return sent;
}

/* PYGEN_RETURN with *result NULL where there is nothing more to wait for. */
static PySendResult
reader_begin_wait(reader *self, PyObject **result)
{
    *result = NULL;
    if (self->is_over || self->group->stopping || self->drains) {
        self->group->was_cut |= self->drains && !self->is_over;
        if (self->source == NULL || !self->closes) {
            self->phase = READER_ENDED;
            return PYGEN_RETURN;
        }
        return self->kind->may_close(self) ? reader_close_source(self, result)
                                           : reader_park(self, result);
    }
    if (!self->kind->wants(self)) {
        return reader_park(self, result);
    }
    self->phase = READER_PULLING;
    return coroutine_await(&self->base, await_anext(self->source), result);
}

/* ---- a step ---- */

static PySendResult
reader_end(reader *self, PyObject **result)
{
    PyObject *raised = self->cancellation;
    self->cancellation = NULL;
    if (raised == NULL && self->error != NULL &&
        (PyErr_GivenExceptionMatches(self->error, PyExc_KeyboardInterrupt) ||
         PyErr_GivenExceptionMatches(self->error, PyExc_SystemExit))) {
        raised = Py_NewRef(self->error); /* asyncio ends the program */
    }
    else if (raised != NULL && self->error == NULL && !self->group->stopping) {
        self->error = Py_NewRef(raised);
    }
    if (raised != NULL) {
        if (!PyErr_GivenExceptionMatches(raised, self->group->cancelled_error)) {
            task_group_retrieve(self->group);
        }
        PyErr_SetRaisedException(raised);
        return PYGEN_ERROR;
    }
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

/* Go on with what the wait came to, until it must wait again or has ended. */
static PySendResult
reader_run(reader *self, PySendResult sent, bool was_told, PyObject **result)
{
    while (sent != PYGEN_NEXT) {
        reader_wait_ended(self, sent == PYGEN_RETURN ? *result : NULL, was_told);
        was_told = false;
        *result = NULL;
        if (self->phase == READER_ENDED) {
            return reader_end(self, result);
        }
        sent = reader_begin_wait(self, result);
        if (self->phase == READER_ENDED) {
            return reader_end(self, result);
        }
    }
    if (self->phase == READER_PULLING && self->group->stopping && reader_tell(self) < 0) {
        raising_unraisable((PyObject *)self);
    }
    return sent;
}

/* close(): what it awaits is closed, as at any `await`, and the source is left. */
static PySendResult
reader_exit(reader *self, PyObject *exception)
{
    if (coroutine_close_awaited(&self->base) < 0) {
        reader_add_error(self);
    }
    if (!self->group->stopping) {
        PyErr_SetString(PyExc_RuntimeError, "the task of the source was closed");
        reader_add_error(self);
    }
    PyErr_SetRaisedException(Py_NewRef(exception));
    return PYGEN_ERROR;
}

static PySendResult
reader_step_lock_held(reader *self, PyObject *value, PyObject *exception, PyObject **result)
{
    if (value == NULL && PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit)) {
        return reader_exit(self, exception);
    }
    bool was_cancelled =
        value == NULL && PyErr_GivenExceptionMatches(exception, self->group->cancelled_error);
    bool was_told = was_cancelled && self->expects_to_leave;
    self->is_cancelled = self->is_cancelled || (was_cancelled && !was_told);
    if (was_told) {
        self->expects_to_leave = false;
        PyObject *task = Py_NewRef(self->task);
        loop_uncancel(task);
        Py_DECREF(task);
    }
    PySendResult sent = coroutine_resume_awaited(&self->base, value, exception, result);
    return reader_run(self, sent, was_told, result);
}

static PySendResult
reader_step(coroutine *base, PyObject *value, PyObject *exception, PyObject **result)
{
    reader *self = (reader *)base;
    PySendResult sent;
    Py_BEGIN_CRITICAL_SECTION(self->group); /* which stays until the collector clears this */
    sent = reader_step_lock_held(self, value, exception, result);
    Py_END_CRITICAL_SECTION();
    return sent;
}

static void
reader_tell_end(reader *self, task_group *group)
{
    PyObject *error = self->error;
    self->error = NULL;
    if (self->kind->ends_stream || error != NULL) {
        reader_try_to_stop_all(group);
    }
    if (error != NULL) {
        PyErr_SetRaisedException(error);
        task_group_add_error(group);
    }
    task_group_wake(group);
}

static void
reader_release(coroutine *base)
{
    reader *self = (reader *)base;
    task_group *group = self->group;
    PyObject *held[] = {self->task, self->room, self->source, self->cancellation};
    self->task = self->room = self->source = self->cancellation = NULL;
    self->phase = READER_ENDED;
    self->is_over = true;
    Py_BEGIN_CRITICAL_SECTION(group);
    if (reader_unlink(self)) {
        reader_tell_end(self, group);
    }
    Py_END_CRITICAL_SECTION();
    for (size_t i = 0; i < Py_ARRAY_LENGTH(held); i++) {
        Py_XDECREF(held[i]);
    }
}

static PyObject *
reader_qualified_name(coroutine *base)
{
    PyObject *source = Py_XNewRef(((reader *)base)->source);
    PyObject *name = PyUnicode_FromFormat(
        "reader of %s", source == NULL ? "a source" : Py_TYPE(source)->tp_name);
    Py_XDECREF(source);
    return name;
}

static const coroutine_kind reader_coroutine = {
    .step = reader_step,
    .release = reader_release,
    .qualified_name = reader_qualified_name,
    .is_internal = true,
};

/* ---- for the stream ---- */

reader *
reader_new(task_group *group, const reader_kind *kind, PyObject *source, bool closes)
{
    PyTypeObject *type = group->state->reader_type;
    if (type == NULL) {
        raising_shut_down();
        return NULL;
    }
    reader *self = (reader *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->kind = kind;
    self->group = (task_group *)Py_NewRef((PyObject *)group);
    self->source = Py_NewRef(source);
    self->closes = closes;
    if (coroutine_init(&self->base, &reader_coroutine, false) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return self;
}

int
reader_start(reader *self)
{
    self->was_started = true;
    reader_link(self);
    PyObject *task = task_group_spawn(self->group, (PyObject *)self);
    if (task == NULL) {
        PyObject *raised = PyErr_GetRaisedException();
        coroutine_give_up(&self->base);
        PyErr_SetRaisedException(raised);
        return -1;
    }
    if (self->phase == READER_ENDED) {
        Py_DECREF(task);
        return 0;
    }
    self->task = task;
    if (self->phase == READER_PULLING && self->group->stopping) {
        return reader_tell(self);
    }
    return 0;
}

void
reader_poke(reader *self)
{
    if (self->room == NULL) {
        return;
    }
    bool is_ending = self->is_over || self->group->stopping || self->drains;
    if (!(is_ending ? self->kind->may_close(self) : self->kind->wants(self))) {
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
reader_drain(reader *self)
{
    generators_state *state = self->group->state;
    PyObject *source = Py_XNewRef(self->source);
    int is_stopped = source == NULL ? 0 : astream_stop_source(state, source);
    Py_XDECREF(source);
    if (is_stopped != 0) {
        return is_stopped < 0 ? -1 : 0;
    }
    self->drains = true;
    PyObject *room = self->room;
    if (room == NULL || !self->kind->may_close(self)) {
        return 0;
    }
    Py_INCREF(room);
    int status = loop_wake_from_anywhere(state, room);
    Py_DECREF(room);
    return status < 0 ? -1 : 0;
}

/* One that runs at this moment looks at `stopping` before it waits again. */
static reader *
reader_find_to_tell(task_group *group)
{
    reader *one = group->first_reader;
    while (one != NULL && (one->was_told || one->base.running || one->task == NULL ||
                           one->phase == READER_CLOSING)) {
        one = one->next;
    }
    return one;
}

int
reader_stop_all(task_group *group)
{
    group->stopping = true;
    reader *one;
    int status = 0;
    while (status == 0 && (one = reader_find_to_tell(group)) != NULL) {
        Py_INCREF(one);
        status = reader_tell(one);
        Py_DECREF(one);
    }
    return status;
}

void
reader_try_to_stop_all(task_group *group)
{
    if (reader_stop_all(group) < 0) {
        raising_unraisable((PyObject *)group);
    }
}

/* ---- memory ---- */

static int
reader_traverse(PyObject *op, visitproc visit, void *arg)
{
    reader *self = (reader *)op;
    Py_VISIT((PyObject *)self->group);
    Py_VISIT(self->source);
    Py_VISIT(self->task);
    Py_VISIT(self->room);
    Py_VISIT(self->item);
    Py_VISIT(self->error);
    Py_VISIT(self->cancellation);
    return coroutine_traverse(op, visit, arg);
}

static int
reader_clear(PyObject *op)
{
    reader *self = (reader *)op;
    coroutine_clear(op);
    reader_unlink(self);
    self->phase = READER_ENDED;
    PyObject *held[] = {self->task,         self->room, self->item,   self->error,
                        self->cancellation, self->name, self->source, (PyObject *)self->group};
    self->task = self->room = self->item = self->error = NULL;
    self->cancellation = self->source = self->name = NULL;
    self->group = NULL;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(held); i++) {
        Py_XDECREF(held[i]);
    }
    return 0;
}

static PyType_Slot reader_slots[] = {
    {Py_tp_doc,
     (char *)"What iterates an async source of amap() or amerge(): the coroutine of a task."},
    {Py_tp_traverse, reader_traverse},
    {Py_tp_clear, reader_clear},
    COROUTINE_SLOTS,
    {0, NULL},
};

PyType_Spec reader_spec = {
    .name = "native_generators._native._Reader",
    .basicsize = sizeof(reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = reader_slots,
};
