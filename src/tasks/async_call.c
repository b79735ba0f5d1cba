/* _AsyncCall: one call of amap(), the coroutine of its task.
 *
 * It calls the function inside the task, awaits what that returns, and tells the window at
 * once when it has ended.  No callback goes through the loop for it.  The result of the task
 * itself is None.  A task is cancelled only by a cancellation that the call raised, and ends
 * the program only with a KeyboardInterrupt or SystemExit of the call.
 *
 * States: those of a coroutine (aio/coroutine.h), which is its base.
 *
 * Owned: the group and the task, until it has ended; the item, and then the result.
 *
 * User code runs in the function, in what it returned, and in what is dropped.  The base
 * refuses every other call meanwhile, so the fields are the step's own.
 *
 * Threads: the group's section guards the window.  The call takes it when it has ended.
 */
#include "tasks/async_call.h"

#include "aio/await.h"
#include "aio/coroutine.h"
#include "runtime/raising.h"
#include "tasks/reader.h"

typedef struct {
    coroutine base;
    call call;
    task_group *group; /* owned: until it has ended */
    PyObject *task;    /* owned: the same */
} async_call;

static async_call *
async_call_of(call *one)
{
    return (async_call *)one->object;
}

/* ---- the end ---- */

/* A call has ended: tell whoever waits for that. */
static void
async_call_tell(task_group *group)
{
    window *calls = &group->calls;
    if (calls->failing && !group->stopping && group->first_reader != NULL) {
        reader_try_to_stop_all(group); /* no item is taken that could not be given */
    }
    if (window_is_ready(calls) || (group->fills && window_has_room(calls)) ||
        (group->cancelling && calls->running == 0)) {
        task_group_wake(group);
    }
    if (group->first_reader != NULL) {
        reader_poke(group->first_reader);
    }
}

/* Where it was cancelled, or closed, and has raised something else, keep that: nobody asks for
   its result. */
static void
async_call_keep_error(async_call *self, task_group *group)
{
    if (group->cancelling && window_raises(&group->calls, &self->call) &&
        !PyErr_GivenExceptionMatches(self->call.result, group->cancelled_error) &&
        !PyErr_GivenExceptionMatches(self->call.result, PyExc_GeneratorExit)) {
        PyErr_SetRaisedException(Py_NewRef(self->call.result));
        task_group_add_late(group, self->call.index);
    }
}

/* It has ended with `result` (stolen) or, where that is NULL, with what is raised. */
static void
async_call_settle(async_call *self, task_group *group, PyObject *result)
{
    if (result == NULL) {
        raising_convert(PyExc_StopIteration, "function");
    }
    /* NULL where the collector has cleared the group */
    PyObject *function = Py_NewRef(group->function != NULL ? group->function : Py_None);
    PyObject *raised = result == NULL ? PyErr_GetRaisedException() : NULL;
    if (raised != NULL) {
        PyErr_SetRaisedException(Py_NewRef(raised));
    }
    call_end(&self->call, result, function);
    Py_DECREF(function);
    bool was_interrupted = raised != NULL && self->call.result != raised &&
                           !PyErr_GivenExceptionMatches(self->call.result, PyExc_Exception);
    Py_XDECREF(raised);
    Py_BEGIN_CRITICAL_SECTION(group);
    if (was_interrupted) { /* by Ctrl-C in its note, which comes out although others fail first
                            */
        PyErr_SetRaisedException(Py_NewRef(self->call.result));
        task_group_add_error(group);
    }
    async_call_keep_error(self, group);
    window_settle(&group->calls, &self->call);
    async_call_tell(group);
    Py_END_CRITICAL_SECTION();
}

/* Whether the task must raise it, too: asyncio cancels the task, or ends the program. */
static bool
async_call_ends_task(task_group *group, PyObject *error)
{
    return PyErr_GivenExceptionMatches(error, group->cancelled_error) ||
           PyErr_GivenExceptionMatches(error, PyExc_KeyboardInterrupt) ||
           PyErr_GivenExceptionMatches(error, PyExc_SystemExit);
}

static PySendResult
async_call_end(async_call *self, PyObject *result, PyObject **told)
{
    task_group *group = self->group;
    self->group = NULL; /* it is settled here, and not by the release */
    PyObject *raised = NULL;
    *told = NULL;
    if (result == NULL) {
        PyObject *error = PyErr_GetRaisedException();
        raised = async_call_ends_task(group, error) ? Py_NewRef(error) : NULL;
        if (raised != NULL && !PyErr_GivenExceptionMatches(raised, group->cancelled_error)) {
            task_group_retrieve(group);
        }
        PyErr_SetRaisedException(error);
    }
    async_call_settle(self, group, result);
    Py_DECREF(group);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
        return PYGEN_ERROR;
    }
    *told = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

/* ---- a step ---- */

/* Await what the function returns. */
static PySendResult
async_call_begin(async_call *self, PyObject **result)
{
    PyObject *function = Py_XNewRef(self->group->function);
    if (function == NULL) { /* the collector has cleared the group */
        raising_shut_down();
        return PYGEN_ERROR;
    }
    PyObject *returned = PyObject_CallOneArg(function, self->call.item);
    Py_DECREF(function);
    if (returned == NULL) {
        return PYGEN_ERROR;
    }
    PyObject *iterator = await_iterator(returned);
    if (iterator == NULL && Py_TYPE(returned)->tp_as_async == NULL &&
        PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Format(PyExc_TypeError,
                     "fn must return an awaitable, not '%.200s': for a plain function use "
                     "map_threads()",
                     Py_TYPE(returned)->tp_name);
    }
    else if (iterator == NULL && PyAsyncGen_CheckExact(returned)) {
        PyErr_SetString(
            PyExc_TypeError,
            "fn must return an awaitable, not 'async_generator': to join the items "
            "of several async generators use amerge()");
    }
    PyObject *raised = iterator == NULL ? PyErr_GetRaisedException() : NULL;
    Py_DECREF(returned);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return coroutine_await(&self->base, iterator, result);
}

static PySendResult
async_call_step(coroutine *base, PyObject *value, PyObject *exception, PyObject **result)
{
    async_call *self = (async_call *)base;
    PySendResult sent = base->state == COROUTINE_NEW && value != NULL
                            ? async_call_begin(self, result)
                            : coroutine_resume_awaited(base, value, exception, result);
    if (sent == PYGEN_NEXT) {
        return sent;
    }
    return async_call_end(self, sent == PYGEN_RETURN ? *result : NULL, result);
}

static void
async_call_release(coroutine *base)
{
    async_call *self = (async_call *)base;
    task_group *group = self->group;
    PyObject *task = self->task;
    self->group = NULL;
    self->task = NULL;
    if (group != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the task of the call was dropped");
        async_call_settle(self, group, NULL);
        Py_DECREF(group);
    }
    Py_XDECREF(task);
}

/* That of what it awaits, which the repr() of the task shows. */
static PyObject *
async_call_qualified_name(coroutine *base)
{
    PyObject *awaited = NULL, *name = NULL;
    Py_BEGIN_CRITICAL_SECTION(base);
    if (!base->running) {
        awaited = Py_XNewRef(base->awaited);
    }
    Py_END_CRITICAL_SECTION();
    if (awaited != NULL) {
        name = PyObject_GetAttrString(awaited, "__qualname__");
        Py_DECREF(awaited);
        if (name == NULL && raising_forgive(PyExc_AttributeError) < 0) {
            return NULL;
        }
    }
    if (name != NULL && PyUnicode_Check(name)) {
        return name;
    }
    Py_XDECREF(name);
    return PyUnicode_FromString("amap");
}

static const coroutine_kind async_call_kind = {
    .step = async_call_step,
    .release = async_call_release,
    .qualified_name = async_call_qualified_name,
    .is_internal = true,
};

/* ---- the short way ---- */

#ifndef Py_GIL_DISABLED /* there `running` is set in a critical section */

/* The first step of a call that ends in it, without what is needed only where it can be
   refused.  Its recursion is bounded by the function's frame. */
static PySendResult
async_call_send_first(async_call *self, PyObject **result)
{
    coroutine *base = &self->base;
    base->running = true;
    PySendResult sent = async_call_step(base, Py_None, NULL, result);
    if (sent != PYGEN_RETURN || self->task != NULL) {
        return coroutine_stepped(base, sent);
    }
    base->state = COROUTINE_ENDED;
    base->running = false;
    return sent;
}

#endif

static PySendResult
async_call_am_send(PyObject *op, PyObject *value, PyObject **result)
{
    coroutine *base = (coroutine *)op;
#ifndef Py_GIL_DISABLED
    if (base->state == COROUTINE_NEW && value == Py_None && !base->running) {
        *result = NULL;
        return async_call_send_first((async_call *)op, result);
    }
#endif
    return coroutine_resume(base, value, NULL, result);
}

/* ---- for the stream ---- */

/* No task was made of it: it has ended with what is raised, which stays. */
static void
async_call_fail(async_call *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    task_group *group = self->group;
    self->group = NULL;
    PyErr_SetRaisedException(Py_NewRef(raised));
    async_call_settle(self, group, NULL);
    Py_DECREF(group);
    coroutine_give_up(&self->base);
    PyErr_SetRaisedException(raised);
}

int
async_call_start(task_group *group, PyObject *item)
{
    PyTypeObject *type = group->state->async_call_type;
    if (type == NULL) {
        raising_shut_down();
        return -1;
    }
    async_call *self = (async_call *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return -1;
    }
    call_init(&self->call, (PyObject *)self, item, &group->calls);
    self->group = (task_group *)Py_NewRef((PyObject *)group);
    if (coroutine_init(&self->base, &async_call_kind, false) < 0) {
        Py_DECREF(self);
        return -1;
    }
    window_start(&group->calls, &self->call);
    PyObject *task = task_group_spawn(group, (PyObject *)self);
    if (self->group != NULL) { /* it has not ended */
        if (task == NULL) {
            async_call_fail(self);
        }
        else {
            self->task = Py_NewRef(task);
        }
    }
    int status = task == NULL ? -1 : self->call.settled;
    Py_XDECREF(task);
    Py_DECREF(self);
    return status;
}

/* The tasks of the calls that run, in a list: calls end while they are cancelled. */
static PyObject *
async_call_tasks(task_group *group)
{
    PyObject *tasks = PyList_New(0);
    call *one = tasks == NULL ? NULL : group->calls.first_running;
    for (; one != NULL; one = one->next_running) {
        PyObject *task = async_call_of(one)->task;
        if (task != NULL && PyList_Append(tasks, task) < 0) {
            Py_DECREF(tasks);
            return NULL;
        }
    }
    return tasks;
}

int
async_call_cancel_all(task_group *group)
{
    group->cancelling = group->calls.ending = true;
    PyObject *tasks = async_call_tasks(group);
    if (tasks == NULL) {
        return -1;
    }
    int status = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(tasks) && status == 0; i++) {
        status = task_group_cancel(group, PyList_GET_ITEM(tasks, i));
    }
    Py_DECREF(tasks);
    return status;
}

/* ---- memory ---- */

static int
async_call_traverse(PyObject *op, visitproc visit, void *arg)
{
    async_call *self = (async_call *)op;
    Py_VISIT((PyObject *)self->group);
    Py_VISIT(self->task);
    int status = call_traverse(&self->call, visit, arg);
    return status != 0 ? status : coroutine_traverse(op, visit, arg);
}

static int
async_call_clear(PyObject *op)
{
    async_call *self = (async_call *)op;
    coroutine_clear(op);
    PyObject *group = (PyObject *)self->group;
    self->group = NULL;
    Py_XDECREF(group);
    Py_CLEAR(self->task);
    call_clear(&self->call);
    return 0;
}

static PyType_Slot async_call_slots[] = {
    {Py_tp_doc, (char *)"A call of amap(), the coroutine of its task."},
    {Py_tp_traverse, async_call_traverse},
    {Py_tp_clear, async_call_clear},
    {Py_tp_finalize, coroutine_finalize},
    {Py_tp_dealloc, coroutine_dealloc},
    {Py_tp_iternext, coroutine_iternext},
    {Py_am_send, async_call_am_send},
    {0, NULL},
};

PyType_Spec async_call_spec = {
    .name = "native_generators._native._AsyncCall",
    .basicsize = sizeof(async_call),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = async_call_slots,
};
