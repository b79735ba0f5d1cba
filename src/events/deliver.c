/* An event goes to one handler.
 *
 * The handler is sent to, called or awaited, by its kind.  A handler that returns is removed.
 * A handler that raises is started again or removed (see handler_failed()), and the failure is
 * recorded by dispatch_fail().
 *
 * Owned: by the dispatch.
 *
 * User code: handlers, and the methods of what they return.
 *
 * Threads: see dispatch.c.
 */
#include "events/deliver.h"

#include "aio/await.h"
#include "events/failure.h"
#include "events/once.h"
#include "events/post.h"
#include "events/subscribe.h"
#include "runtime/raising.h"

/* ---- a handler ends or fails ---- */

/* Remove a handler that has ended from the table. */
static void
deliver_remove(dispatch *self, handler *item)
{
    int status;
    Py_BEGIN_CRITICAL_SECTION(self->owner);
    status = event_table_remove(&self->owner->table, item);
    Py_END_CRITICAL_SECTION();
    if (status < 0) {
        dispatch_fail(self, item, PyErr_GetRaisedException());
    }
}

/* A handler raised the exception that is set. */
static void
deliver_failed(dispatch *self, handler *item)
{
    if (!PyErr_Occurred()) { /* CPython can lose one without memory */
        PyErr_SetString(PyExc_SystemError, "error return without exception set");
    }
    PyObject *exception = PyErr_GetRaisedException(), *second;
    generators_count_add(&item->errors);
    bool was_active = generators_flag_get(&item->active);
    handler_failed(item, exception, &second);
    if (was_active && !generators_flag_get(&item->active)) {
        deliver_remove(self, item);
    }
    dispatch_fail(self, item, exception);
    if (second != NULL) {
        dispatch_fail(self, item, second);
    }
}

static void
deliver_returned(dispatch *self, handler *item, PyObject *value)
{
    if (handler_returned(item, value)) {
        deliver_remove(self, item);
    }
}

/* ---- awaiting ---- */

/* Make the value of the dispatcher's context variable during this dispatch, by which
   dispatcher_find_caller() knows its async handlers.  0 or -1. */
static int
dispatch_make_token(dispatch *self)
{
    dispatcher *owner = self->owner;
    if (dispatcher_make_variable(owner) < 0) {
        return -1;
    }
    uint64_t serial;
    Py_BEGIN_CRITICAL_SECTION(owner);
    serial = ++owner->serial;
    Py_END_CRITICAL_SECTION();
    PyObject *token = PyLong_FromUnsignedLongLong(serial);
    if (token == NULL) {
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(owner);
    self->token = owner->token = token;
    Py_END_CRITICAL_SECTION();
    return 0;
}

/* Close an awaitable that will not be awaited, so that nobody is warned about that.  The
   exception that is set stays set, or becomes the context of one that must be raised. */
static void
awaitable_abandon(PyObject *awaitable)
{
    PyObject *raised = PyErr_GetRaisedException();
    if (await_close(awaitable) < 0 && raising_forgive_answer() < 0) {
        raising_chain(raised);
        return;
    }
    PyErr_SetRaisedException(raised);
}

int
deliver_await(dispatch *self, handler *item, PyObject *awaitable, dispatch_await why)
{
    if (awaitable != NULL && (self->token != NULL || dispatch_make_token(self) == 0)) {
        self->awaited = await_iterator(awaitable);
    }
    if (awaitable != NULL && self->awaited == NULL) {
        awaitable_abandon(awaitable);
    }
    Py_XDECREF(awaitable);
    if (self->awaited == NULL) {
        deliver_failed(self, item);
        return 0;
    }
    if (why == AWAIT_CALL || why == AWAIT_SENDING) {
        generators_count_add(&item->awaits);
    }
    self->awaiting = why;
    self->current = (handler *)Py_NewRef((PyObject *)item); /* it was NULL */
    return 1;
}

/* What this handler receives, borrowed from the dispatch. */
static PyObject *
deliver_argument(dispatch *self, handler *item)
{
    return item->is_whole ? self->now.event : self->argument;
}

static int
deliver_asend(dispatch *self, handler *item)
{
    dispatch_await why = item->primed ? AWAIT_SENDING : AWAIT_PRIMING;
    PyObject *target = Py_NewRef(item->target);
    item->primed = true;
    PyObject *awaitable = PyObject_CallMethod(
        target, "asend", "(O)", why == AWAIT_SENDING ? deliver_argument(self, item) : Py_None);
    Py_DECREF(target);
    return deliver_await(self, item, awaitable, why);
}

PySendResult
deliver_resume_awaited(dispatch *self, coroutine *caller, PyObject *value, PyObject *exception,
                       PyObject **result)
{
    PyObject *mark = NULL, *variable = self->owner->variable; /* never replaced */
    *result = NULL;
    if (self->token != NULL) {
        mark = PyContextVar_Set(variable, self->token);
        if (mark == NULL) {
            PyObject *raised = PyErr_GetRaisedException();
            if (coroutine_close_awaited(caller) < 0) {
                raising_chain(raised);
            }
            else {
                PyErr_SetRaisedException(raised);
            }
            return PYGEN_ERROR;
        }
    }
    generators_flag_exchange(&self->owner->steps, true);
    PySendResult sent = coroutine_resume_awaited(caller, value, exception, result);
    generators_flag_exchange(&self->owner->steps, false);
    if (sent == PYGEN_NEXT && dispatcher_keep_loop(self->owner) < 0) {
        raising_unraisable((PyObject *)self->owner);
    }
    if (mark != NULL) {
        PyObject *raised = sent == PYGEN_ERROR ? PyErr_GetRaisedException() : NULL;
        if (PyContextVar_Reset(variable, mark) < 0) {
            raising_unraisable(variable);
        }
        Py_DECREF(mark);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
    }
    return sent;
}

/* What was awaited raised the exception that is set. */
static void
deliver_await_failed(dispatch *self, handler *item)
{
    if (item->kind == HANDLER_ASYNCGEN && self->awaiting != AWAIT_CLOSING &&
        raising_forgive(PyExc_StopAsyncIteration) == 0) {
        deliver_returned(self, item, Py_None);
        return;
    }
    raising_convert(PyExc_StopIteration, "the handler");
    raising_convert(PyExc_StopAsyncIteration, "the handler");
    if (self->awaiting == AWAIT_CLOSING) {
        dispatch_fail(self, item, PyErr_GetRaisedException());
        return;
    }
    deliver_failed(self, item);
}

void
deliver_awaited(dispatch *self, PyObject *result)
{
    handler *item = self->current;
    self->current = NULL;
    if (self->awaiting >= AWAIT_PUBLISHING) {
        if (result == NULL) { /* this is no failure of the handler */
            dispatch_fail(self, item, PyErr_GetRaisedException());
        }
        else if (self->awaiting == AWAIT_ROOM) {
            self->next--; /* try again */
        }
    }
    else if (result == NULL) {
        deliver_await_failed(self, item);
    }
    else if (self->awaiting == AWAIT_PRIMING && item->target != NULL) {
        self->next--; /* it is primed; now send the data */
    }
    Py_XDECREF(result);
    Py_DECREF(item);
}

/* ---- calling and sending ---- */

/* A plain callable returned `result`, which is stolen and is not None.  A coroutine must be
   awaited.  A generator is a mistake, since nothing would run it. */
static int
deliver_result(dispatch *self, handler *item, PyObject *result)
{
    bool is_generator = PyGen_CheckExact(result);
    int is_coroutine = PyCoro_CheckExact(result);
    PyAsyncMethods *methods = Py_TYPE(result)->tp_as_async;
    if (!is_generator && !is_coroutine && methods != NULL && methods->am_await != NULL) {
        is_coroutine = PyObject_IsInstance(result, self->owner->state->coroutine_abc);
    }
    if (is_coroutine > 0 && self->is_async) {
        return deliver_await(self, item, result, AWAIT_CALL);
    }
    if (is_coroutine != 0 || is_generator) {
        if (is_coroutine >= 0) {
            PyErr_Format(PyExc_TypeError,
                         is_generator ? "handler %R returned a generator, which is never "
                                        "run; register the generator or its function"
                                      : "handler %R returned a coroutine, which a sync "
                                        "dispatch can't await",
                         item->object);
        }
        deliver_failed(self, item);
        PyObject *closed = PyObject_CallMethod(result, "close", NULL);
        if (closed == NULL) {
            deliver_failed(self, item);
        }
        Py_XDECREF(closed);
    }
    Py_DECREF(result);
    return 0;
}

int
deliver_called(dispatch *self, handler *item, PyObject *result)
{
    if (result == NULL) {
        raising_convert(PyExc_StopIteration, "the handler");
        raising_convert(PyExc_StopAsyncIteration, "the handler");
        deliver_failed(self, item);
        return 0;
    }
    if (item->kind == HANDLER_COROUTINE) {
        return deliver_await(self, item, result, AWAIT_CALL);
    }
    if (result == Py_None) {
        Py_DECREF(result);
        return 0;
    }
    return deliver_result(self, item, result);
}

void
deliver_sent(dispatch *self, handler *item, PySendResult status, PyObject *result)
{
    if (status == PYGEN_ERROR) {
        deliver_failed(self, item);
        return;
    }
    if (status == PYGEN_RETURN) {
        deliver_returned(self, item, result);
    }
    Py_DECREF(result);
}

int
deliver_to_handler(dispatch *self, handler *item)
{
    if (item->target == NULL) { /* it has ended since this event began */
        return 0;
    }
    if (item->kind != HANDLER_ASYNCGEN || item->primed) {
        generators_count_add(&item->calls);
    }
    if (item->kind == HANDLER_ASYNCGEN) {
        return deliver_asend(self, item);
    }
    int awaits = 0;
    PyObject *target = Py_NewRef(item->target), *argument = deliver_argument(self, item);
    if (item->kind == HANDLER_GENERATOR) {
        PyObject *result;
        PySendResult status = item->send(target, argument, &result);
        deliver_sent(self, item, status, result);
    }
    else {
        awaits = deliver_called(self, item, PyObject_CallOneArg(target, argument));
    }
    Py_DECREF(target);
    return awaits;
}

/* ---- background handlers and wait_for() ---- */

/* Await something of the dispatcher's own, which is stolen. */
static int
deliver_wait(dispatch *self, handler *item, PyObject *awaited, dispatch_await why)
{
    self->awaited = awaited;
    self->awaiting = why;
    self->current = (handler *)Py_NewRef((PyObject *)item); /* it was NULL */
    return 1;
}

/* The current event for a mailbox; or the failure that the 'error' handlers receive. */
static event_record
deliver_record(dispatch *self)
{
    bool is_report = self->argument != self->now.data;
    return (event_record){
        .event = is_report ? NULL : Py_XNewRef(self->now.event),
        .type = Py_NewRef(is_report ? self->owner->state->str_error : self->now.type),
        .data = Py_NewRef(self->argument),
    };
}

/* Its mailbox is full, and the handler asked to be removed then. */
static void
deliver_refuse(dispatch *self, handler *item)
{
    if (!generators_flag_exchange(&item->active, false)) {
        return;
    }
    deliver_remove(self, item);
    if (post_finish(self->owner, item) < 0) {
        dispatch_fail(self, item, PyErr_GetRaisedException());
    }
    PyErr_Format(PyExc_BufferError,
                 "the background handler %R was removed, since it already held %zu events",
                 item->object, item->mailbox->limit);
    dispatch_fail(self, item, PyErr_GetRaisedException());
}

static int
deliver_post(dispatch *self, handler *item)
{
    event_record record = deliver_record(self);
    post_status status = post_event(self->owner, item, &record);
    if (status == POST_REFUSED) {
        deliver_refuse(self, item);
    }
    if (status != POST_IS_FULL) {
        if (status == POST_ERROR) {
            dispatch_fail(self, item, PyErr_GetRaisedException());
        }
        return 0;
    }
    event_record_clear(&record);
    PyObject *awaited = NULL;
    if (!self->is_async || dispatcher_is_called_by(self->owner, item)) {
        post_raise_full(item);
    }
    else {
        int waits = post_wait(self->owner, item, false, &awaited);
        if (waits >= 0) {
            self->next -= waits == 0; /* there is room now: try again */
            return waits == 0 ? 0 : deliver_wait(self, item, awaited, AWAIT_ROOM);
        }
    }
    dispatch_fail(self, item, PyErr_GetRaisedException());
    return 0;
}

/* Give the argument to a stream. */
static int
deliver_publish(dispatch *self, handler *item)
{
    bool is_over;
    if (!generators_flag_get(&item->active)) {
        return 0;
    }
    PyObject *awaitable =
        subscribe_publish(item, deliver_argument(self, item), self->is_async, &is_over);
    if (awaitable == NULL) {
        dispatch_fail(self, item, PyErr_GetRaisedException());
        return 0;
    }
    if (is_over && generators_flag_exchange(&item->active, false)) {
        deliver_remove(self, item);
    }
    if (awaitable != Py_None) {
        return deliver_await(self, item, awaitable, AWAIT_PUBLISHING);
    }
    Py_DECREF(awaitable);
    return 0;
}

int
deliver_event(dispatch *self, handler *item)
{
    if (item->mailbox != NULL) {
        return item->target == NULL && item->kind != HANDLER_ASYNCGEN
                   ? 0
                   : deliver_post(self, item);
    }
    if (item->kind == HANDLER_ONCE) {
        if (generators_flag_get(&item->active) &&
            once_offer(self->owner, item, deliver_argument(self, item)) < 0) {
            dispatch_fail(self, item, PyErr_GetRaisedException());
        }
        return 0;
    }
    return item->kind == HANDLER_STREAM ? deliver_publish(self, item)
                                        : deliver_to_handler(self, item);
}

int
deliver_wait_for_end(dispatch *self, handler *item)
{
    if (item->mailbox == NULL) {
        return 0;
    }
    int status = post_finish(self->owner, item);
    if (status > 0 && self->aborted != NULL) {
        status = post_cancel(self->owner, item) < 0 ? -1 : 1;
    }
    if (status <= 0 || dispatcher_is_called_by(self->owner, item)) {
        return status < 0 ? -1 : 0; /* it does not wait for itself */
    }
    PyObject *awaited;
    status = post_wait(self->owner, item, true, &awaited);
    return status > 0 ? deliver_wait(self, item, awaited, AWAIT_END) : status;
}

/* Keep the exceptions with which the task of a background handler has ended. */
static void
deliver_take_close_errors(dispatch *self, handler *item)
{
    PyObject *errors;
    Py_BEGIN_CRITICAL_SECTION(self->owner);
    errors = item->mailbox->close_errors;
    item->mailbox->close_errors = NULL;
    Py_END_CRITICAL_SECTION();
    if (errors == NULL) {
        return;
    }
    if (!PyList_CheckExact(errors)) {
        dispatch_fail(self, item, errors);
        return;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(errors); i++) {
        dispatch_fail(self, item, Py_NewRef(PyList_GET_ITEM(errors, i)));
    }
    Py_DECREF(errors);
}

int
deliver_close(dispatch *self, handler *item, bool can_await, PyObject **closing)
{
    *closing = NULL;
    if (item->kind == HANDLER_ONCE) {
        return once_close(self->owner, item);
    }
    if (item->kind == HANDLER_STREAM) {
        return subscribe_close(item);
    }
    if (item->mailbox != NULL) {
        deliver_take_close_errors(self, item);
        int has_task = post_finish(self->owner, item);
        if (has_task != 0) {
            return has_task < 0 ? -1 : 0; /* its task closes it */
        }
    }
    return handler_close(item, can_await, closing);
}
