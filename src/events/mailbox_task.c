/* _EventMailboxTask: the coroutine of the task of a background handler.
 *
 * It takes one event after another from the mailbox and gives it to the handler.  It uses a
 * dispatch for that, which does not hold the dispatcher: other dispatches go on meanwhile. The
 * failures of the handler become events for the 'error' handlers, as of any other caller.
 *
 * States: those of a coroutine.  It waits for an event while the mailbox is empty.  It ends
 * when the handler has returned or was removed, and the mailbox is empty; then it closes the
 * generator, in the task in which that ran.  If it is cancelled, the mailbox keeps the events
 * after the current one, and the next event starts another task.
 *
 * Owned: the dispatcher, the handler, and what its dispatch owns.
 *
 * User code: the handler, the 'error' handlers, and the methods of the event loop.
 *
 * Threads: see aio/coroutine.c for the object, mailbox.c for the mailbox.
 */
#include "events/mailbox_task.h"

#include "aio/await.h"
#include "aio/loop.h"
#include "events/deliver.h"
#include "events/event_coroutine.h"
#include "events/failure.h"
#include "events/post.h"
#include "runtime/budget.h"
#include "runtime/raising.h"

typedef enum {
    TASK_NEW,
    TASK_HANDLING,  /* it awaits the handler */
    TASK_REPORTING, /* it awaits the 'error' handlers */
    TASK_IDLE,      /* it awaits an event */
    TASK_PAUSED,    /* it lets the event loop run */
} mailbox_task_state;

/* NEXT_AWAIT: base.awaited or, if that is NULL, one iteration of the event loop. */
typedef enum { NEXT_ERROR = -1, NEXT_END, NEXT_AWAIT } next_step;

typedef struct {
    coroutine base;
    dispatcher *owner; /* owned */
    handler *item;     /* owned */
    dispatch run; /* the current event.  Its `next` is 0 if the handler must receive it. */
    turn_budget budget;
    mailbox_task_state state;
    bool is_closing;    /* the generator is being closed */
    bool is_thrown_out; /* GeneratorExit was thrown in: it awaits nothing more */
} mailbox_task;

/* ---- failures ---- */

/* Raise the exception that is set if it is no Exception: -1.  Else tell the event loop: 0, or
   -1 with what that raised. */
static int
mailbox_task_tell(mailbox_task *self, PyObject *failure)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        return -1;
    }
    PyObject *exception = PyErr_GetRaisedException();
    int told = failure_tell_loop(self->owner, failure, exception);
    if (told == 0) { /* the loop was closed */
        PyErr_SetRaisedException(exception);
        raising_unraisable((PyObject *)self->item);
        return 0;
    }
    Py_DECREF(exception);
    return told < 0 ? -1 : 0;
}

/* Keep an exception, which is stolen, for the dispatch that closes all handlers.  False, and
   it is not stolen, if there is none. */
static bool
mailbox_task_keep_error(mailbox_task *self, PyObject *exception)
{
    bool is_closing;
    Py_BEGIN_CRITICAL_SECTION(self->owner);
    is_closing = self->owner->closing;
    if (is_closing) {
        failure_keep(&self->item->mailbox->close_errors, exception);
    }
    Py_END_CRITICAL_SECTION();
    return is_closing;
}

/* Give the next failure to the 'error' handlers: NEXT_AWAIT; NEXT_END if that needs no await;
   or NEXT_ERROR. */
static next_step
mailbox_task_report(mailbox_task *self)
{
    dispatch *run = &self->run;
    PyObject *failure = PyList_GET_ITEM(run->failures, run->reported);
    PyObject *exception = Py_NewRef(PyTuple_GET_ITEM(failure, 2));
    event_route route;
    int found;
    Py_BEGIN_CRITICAL_SECTION(self->owner);
    found = event_table_find_errors(&self->owner->table, &route);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(route.handlers);
    if (mailbox_task_keep_error(self, exception)) {
        run->reported++;
        return NEXT_END;
    }
    if (found > 0) {
        Py_DECREF(exception);
        self->base.awaited = event_coroutine_new(self->owner, METHOD_REPORT, NULL, failure);
        run->reported++;
        self->state = TASK_REPORTING;
        return self->base.awaited == NULL ? NEXT_ERROR : NEXT_AWAIT;
    }
    run->reported++;
    PyErr_SetRaisedException(exception);
    return mailbox_task_tell(self, failure) < 0 ? NEXT_ERROR : NEXT_END;
}

/* Give the exception that is set to the dispatch that closes all handlers, if there is one;
   else tell the event loop.  0 or -1. */
static int
mailbox_task_tell_or_keep(mailbox_task *self)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (mailbox_task_keep_error(self, exception)) {
        return 0;
    }
    PyErr_SetRaisedException(exception);
    return mailbox_task_tell(self, NULL);
}

/* Tell what failure_keep() has kept at *kept.  0 or -1. */
static int
mailbox_task_tell_kept(mailbox_task *self, PyObject **kept)
{
    PyObject *raised = *kept;
    *kept = NULL;
    if (raised == NULL) {
        return 0;
    }
    if (!PyList_CheckExact(raised)) {
        PyErr_SetRaisedException(raised);
        return mailbox_task_tell_or_keep(self);
    }
    int status = 0;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(raised); i++) {
        PyErr_SetRaisedException(Py_NewRef(PyList_GET_ITEM(raised, i)));
        status = mailbox_task_tell_or_keep(self);
    }
    Py_DECREF(raised);
    return status;
}

/* ---- the mailbox ---- */

/* Take the next event: 1; 0 if there is none; or -1 if there will be none. */
static int
mailbox_task_take(mailbox_task *self)
{
    event_mailbox *box = self->item->mailbox;
    event_queue unwanted = {0};
    int taken;
    Py_BEGIN_CRITICAL_SECTION(self->owner);
    bool is_over = self->item->target == NULL && !generators_flag_get(&self->item->active);
    if (is_over) { /* the generator has returned */
        unwanted = box->events;
        box->events = (event_queue){0};
    }
    taken = event_queue_take(&box->events, &self->run.now);
    generators_count_set(&box->held, box->events.count);
    if (!taken && (is_over || box->is_ending)) {
        taken = -1;
    }
    Py_END_CRITICAL_SECTION();
    event_queue_clear(&unwanted);
    return taken;
}

/* Wait for an event.  NEXT_END if there is one now. */
static next_step
mailbox_task_sleep(mailbox_task *self)
{
    event_mailbox *box = self->item->mailbox;
    PyObject *loop = loop_needed(self->owner->state, "a background handler");
    PyObject *bell = loop == NULL ? NULL : loop_future(loop);
    PyObject *iterator = bell == NULL ? NULL : await_iterator(bell);
    Py_XDECREF(loop);
    if (iterator == NULL) {
        Py_XDECREF(bell);
        return NEXT_ERROR;
    }
    bool waits;
    Py_BEGIN_CRITICAL_SECTION(self->owner);
    waits = box->events.count == 0 && !box->is_ending && box->worker == self;
    if (waits) { /* it is NULL while the task runs */
        box->bell = bell;
        bell = NULL;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(bell);
    if (!waits) {
        Py_DECREF(iterator);
        return NEXT_END;
    }
    self->base.awaited = iterator;
    self->state = TASK_IDLE;
    return NEXT_AWAIT;
}

/* There will be no more events: close the generator. */
static void
mailbox_task_close(mailbox_task *self)
{
    PyObject *closing;
    bool closes_all;
    self->is_closing = self->run.is_ending = true;
    Py_BEGIN_CRITICAL_SECTION(self->owner);
    closes_all = self->owner->closing;
    Py_END_CRITICAL_SECTION();
    if (!self->item->is_function && !closes_all) {
        return; /* the owner of a registered generator closes it */
    }
    int status = handler_close(self->item, !self->is_thrown_out, &closing);
    if (status < 0) {
        dispatch_fail(&self->run, self->item, PyErr_GetRaisedException());
    }
    else if (status > 0) {
        deliver_await(&self->run, self->item, closing, AWAIT_CLOSING);
    }
}

/* ---- steps ---- */

/* Make what was taken the current event. */
static void
mailbox_task_set_event(mailbox_task *self)
{
    dispatch *run = &self->run;
    PyObject *earlier = run->argument;
    run->argument = Py_NewRef(run->now.data);
    run->next = 0;
    run->is_error = self->item->is_error;
    Py_XDECREF(earlier);
}

/* The current event is done: forget it.  0, or -1 with an exception. */
static int
mailbox_task_end_event(mailbox_task *self)
{
    dispatch *run = &self->run;
    PyObject *failures = run->failures, *argument = run->argument;
    run->failures = run->argument = NULL;
    run->reported = 0;
    Py_XDECREF(failures);
    Py_XDECREF(argument);
    event_record_clear(&run->now);
    return mailbox_task_tell_kept(self, &run->raised) < 0 ||
                   mailbox_task_tell_kept(self, &run->close_errors) < 0
               ? -1
               : 0;
}

/* Go on until something must be awaited: NEXT_AWAIT and base.awaited; NEXT_END; or NEXT_ERROR.
 */
static next_step
mailbox_task_advance(mailbox_task *self)
{
    dispatch *run = &self->run;
    for (;;) {
        if (run->awaited != NULL) {
            self->base.awaited = run->awaited;
            run->awaited = NULL;
            self->state = TASK_HANDLING;
            return NEXT_AWAIT;
        }
        if (run->aborted != NULL) {
            PyErr_SetRaisedException(run->aborted);
            run->aborted = NULL;
            return NEXT_ERROR;
        }
        if (run->next == 0) {
            run->next = 1;
            deliver_to_handler(run, self->item);
            continue;
        }
        if (run->failures != NULL && run->reported < PyList_GET_SIZE(run->failures)) {
            next_step next = mailbox_task_report(self);
            if (next != NEXT_END) {
                return next;
            }
            continue;
        }
        if (mailbox_task_end_event(self) < 0) {
            return NEXT_ERROR;
        }
        if (budget_spend(&self->budget)) {
            self->state = TASK_PAUSED;
            return NEXT_AWAIT;
        }
        int taken = self->is_closing ? -1 : mailbox_task_take(self);
        if (post_open_gate(self->owner, self->item) < 0) {
            return NEXT_ERROR;
        }
        if (taken > 0) {
            mailbox_task_set_event(self);
        }
        else if (taken == 0) {
            next_step next = mailbox_task_sleep(self);
            if (next != NEXT_END) {
                return next;
            }
        }
        else if (self->is_closing) {
            return NEXT_END;
        }
        else {
            mailbox_task_close(self); /* what it awaits or raises comes next */
        }
    }
}

/* What was awaited ended with `given`, which is stolen; or it is NULL and an exception is set.
   0, or -1 with an exception. */
static int
mailbox_task_awaited(mailbox_task *self, PyObject *given)
{
    dispatch *run = &self->run;
    if (self->state == TASK_HANDLING) {
        deliver_awaited(run, given);
        return 0;
    }
    int status = given != NULL ? 0 : -1;
    if (status < 0 && self->state == TASK_REPORTING) {
        status = mailbox_task_tell(self, NULL);
    }
    else if (self->state == TASK_REPORTING && given == Py_False) { /* they were removed */
        PyObject *failure = PyList_GET_ITEM(run->failures, run->reported - 1);
        PyErr_SetRaisedException(Py_NewRef(PyTuple_GET_ITEM(failure, 2)));
        status = mailbox_task_tell(self, failure);
    }
    Py_XDECREF(given);
    return status;
}

/* The task has no more steps.  An exception that is set stays set. */
static void
mailbox_task_leave(mailbox_task *self)
{
    PyObject *raised = PyErr_GetRaisedException(), *task = NULL, *bell = NULL;
    event_mailbox *box = self->item == NULL ? NULL : self->item->mailbox;
    event_queue unwanted = {0};
    bool was_worker = false;
    if (box != NULL) {
        Py_BEGIN_CRITICAL_SECTION(self->owner);
        was_worker = box->worker == self;
        if (was_worker) {
            box->worker = NULL;
            task = box->task;
            bell = box->bell;
            box->task = box->bell = NULL;
            if (box->is_ending) {
                unwanted = box->events;
                box->events = (event_queue){0};
                generators_count_set(&box->held, 0);
            }
        }
        Py_END_CRITICAL_SECTION();
    }
    event_queue_clear(&unwanted);
    Py_XDECREF(task);
    Py_XDECREF(bell);
    if (was_worker) {
        post_forget_ending(self->owner, self->item);
    }
    if (was_worker && post_open_gate(self->owner, self->item) < 0) {
        raising_unraisable((PyObject *)self->item);
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

static PySendResult
mailbox_task_step(coroutine *op, PyObject *value, PyObject *exception, PyObject **result)
{
    mailbox_task *self = (mailbox_task *)op;
    *result = NULL;
    budget_stop(&self->budget);
    if (self->state == TASK_NEW && exception != NULL) {
        PyErr_SetRaisedException(Py_NewRef(exception));
        return PYGEN_ERROR;
    }
    self->is_thrown_out |=
        exception != NULL && PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit);
    for (;;) {
        if (self->state != TASK_NEW) {
            PyObject *given;
            PySendResult sent =
                self->state == TASK_HANDLING
                    ? deliver_resume_awaited(&self->run, op, value, exception, &given)
                    : coroutine_resume_awaited(op, value, exception, &given);
            if (sent == PYGEN_NEXT) {
                *result = given;
                return sent;
            }
            if (mailbox_task_awaited(self, given) < 0) {
                return PYGEN_ERROR;
            }
        }
        value = Py_None;
        exception = NULL;
        next_step next = mailbox_task_advance(self);
        if (next == NEXT_ERROR) {
            return PYGEN_ERROR;
        }
        if (next == NEXT_END) {
            *result = Py_NewRef(Py_None);
            return PYGEN_RETURN;
        }
        if (op->awaited == NULL) {
            return coroutine_pause(result);
        }
    }
}

static void
mailbox_task_release(coroutine *op)
{
    mailbox_task *self = (mailbox_task *)op;
    if (self->run.current != NULL) { /* it would not be closed */
        PyErr_SetNone(PyExc_GeneratorExit);
        deliver_awaited(&self->run, NULL);
    }
    mailbox_task_leave(self);
    dispatch_clear(&self->run);
}

static PyObject *
mailbox_task_name(coroutine *op)
{
    handler *item = ((mailbox_task *)op)->item;
    if (item == NULL) {
        return PyUnicode_FromString("Dispatcher.background");
    }
    return PyUnicode_FromFormat("Dispatcher.background(%R)", item->object);
}

static const coroutine_kind mailbox_task_kind = {
    .step = mailbox_task_step,
    .release = mailbox_task_release,
    .qualified_name = mailbox_task_name,
    .is_internal = true,
};

/* ---- memory and the type ---- */

static PyObject *
mailbox_task_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    generators_state *state = generators_state_of_subclass(type);
    PyObject *owner, *item;
    if (!PyArg_ParseTuple(args, "O!O!", state->dispatcher_type, &owner,
                          state->event_handler_type, &item)) {
        return NULL;
    }
    if (((handler *)item)->mailbox == NULL) {
        PyErr_SetString(PyExc_TypeError, "it is no background handler");
        return NULL;
    }
    if (dispatcher_make_variable((dispatcher *)owner) < 0) {
        return NULL;
    }
    mailbox_task *self = (mailbox_task *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->owner = (dispatcher *)Py_NewRef(owner);
    self->item = (handler *)Py_NewRef(item);
    self->run = (dispatch){
        .owner = self->owner,
        .next = 1,
        .token = Py_NewRef(item), /* dispatcher_find_caller() knows its handler by it */
        .is_async = true,
        .is_queued = true,
    };
    if (coroutine_init(&self->base, &mailbox_task_kind, false) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int
mailbox_task_traverse(PyObject *op, visitproc visit, void *arg)
{
    mailbox_task *self = (mailbox_task *)op;
    Py_VISIT((PyObject *)self->owner);
    Py_VISIT((PyObject *)self->item);
    int status = dispatch_traverse(&self->run, visit, arg);
    return status != 0 ? status : coroutine_traverse(op, visit, arg);
}

static int
mailbox_task_clear(PyObject *op)
{
    mailbox_task *self = (mailbox_task *)op;
    dispatcher *owner = self->owner;
    handler *item = self->item;
    self->owner = NULL;
    self->item = NULL;
    dispatch_clear(&self->run);
    int status = coroutine_clear(op);
    Py_XDECREF((PyObject *)owner);
    Py_XDECREF((PyObject *)item);
    return status;
}

static PyType_Slot mailbox_task_slots[] = {
    {Py_tp_doc, (char *)"The coroutine of the task of a background handler."},
    {Py_tp_new, mailbox_task_new},
    {Py_tp_traverse, mailbox_task_traverse},
    {Py_tp_clear, mailbox_task_clear},
    COROUTINE_SLOTS,
    {0, NULL},
};

PyType_Spec event_mailbox_task_spec = {
    .name = "native_generators._native._EventMailboxTask",
    .basicsize = sizeof(mailbox_task),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = mailbox_task_slots,
};
