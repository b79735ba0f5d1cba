/* async_call: one call of amap(), the coroutine of its task.
 *
 * It calls the function inside the task, awaits what that returns, and tells the window at
 * once when it has ended: no callback goes through the loop for it.  The task's own result
 * is None, or the cancellation or the end of the program that the call raised.
 *
 * States: new -> awaiting -> ended.  To asyncio and debuggers it looks as the coroutine that
 * it awaits.
 *
 * Owned: the crew and the task until it has ended, and what it awaits.
 *
 * Threads: its fields are guarded by its own section and its crew's together, inside which
 * user code runs; `running` refuses whoever comes in there.  On another thread than the loop's
 * only a debugger, or the collector, looks at it.
 */
#include "tasks/async_call.h"

#include "aio/await.h"
#include "aio/steps_old.h"
#include "tasks/crew.h"
#include "runtime/raising.h"
#include "runtime/attributes.h"

typedef struct {
    call call;
    crew *crew;        /* owned: until it has ended */
    PyObject *task;    /* owned: the same */
    PyObject *awaited; /* owned: the iterator of what is awaited, or NULL */
    bool running;
} async_call;

PyObject *
async_call_task(call *one)
{
    return ((async_call *)one)->task;
}

/* ---- a step ---- */

/* What the function returned is to be awaited. */
static int
begin(async_call *self)
{
    PyObject *function = self->crew->function;
    PyObject *returned = PyObject_CallOneArg(function, self->call.item);
    if (returned == NULL) {
        return -1;
    }
    self->awaited = await_iterator(returned);
    if (self->awaited == NULL && Py_TYPE(returned)->tp_as_async == NULL &&
        PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Format(PyExc_TypeError,
                     "fn must return an awaitable, not '%.200s': for a plain function use "
                     "map_threads()",
                     Py_TYPE(returned)->tp_name);
    }
    Py_DECREF(returned);
    return self->awaited == NULL ? -1 : 0;
}

/* It came to its end, with `result` (stolen) or what is raised. */
static PySendResult
end(async_call *self, PyObject *result, PyObject **told)
{
    crew *of = self->crew;
    self->crew = NULL;
    if (result == NULL) {
        raising_convert(PyExc_StopIteration, "function");
    }
    call_end(&self->call, result, of->function);
    Py_CLEAR(self->awaited);
    Py_CLEAR(self->task);
    bool fails = self->call.failed &&
                 !PyObject_TypeCheck(self->call.result, (PyTypeObject *)PyExc_Exception);
    PyObject *raised = fails ? Py_NewRef(self->call.result) : NULL;
    window_settle(&of->calls, &self->call);
    if (window_is_ready(&of->calls) || (of->fills && window_has_room(&of->calls)) ||
        (of->stopping && of->calls.running == 0)) {
        crew_wake(of);
    }
    if (of->feeder != NULL) {
        reader_poke(of->feeder);
    }
    Py_DECREF(of);
    *told = NULL;
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
        return PYGEN_ERROR;
    }
    *told = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

static PySendResult
step_lock_held(async_call *self, PyObject *value, PyObject *exception, PyObject **told)
{
    if (self->running || self->crew == NULL) {
        return old_coroutine_refuse(self->running);
    }
    if (Py_EnterRecursiveCall(" in a call of amap()")) {
        return PYGEN_ERROR;
    }
    self->running = true;
    PySendResult status = PYGEN_ERROR;
    if (exception != NULL && self->awaited == NULL) {
        PyErr_SetRaisedException(Py_NewRef(exception));
    }
    else if (exception != NULL) {
        status = await_throw(self->awaited, exception, told);
    }
    else if (self->awaited != NULL || begin(self) == 0) {
        status = PyIter_Send(self->awaited, value, told);
    }
    if (status != PYGEN_NEXT) {
        status = end(self, status == PYGEN_RETURN ? *told : NULL, told);
    }
    self->running = false;
    Py_LeaveRecursiveCall();
    return status;
}

static PySendResult
step(PyObject *op, PyObject *value, PyObject *exception, PyObject **told)
{
    async_call *self = (async_call *)op;
    *told = NULL;
    crew *of;
    bool running;
    Py_BEGIN_CRITICAL_SECTION(self);
    of = (crew *)Py_XNewRef((PyObject *)self->crew);
    running = self->running;
    Py_END_CRITICAL_SECTION();
    if (of == NULL) {
        return old_coroutine_refuse(running);
    }
    PySendResult status;
    Py_BEGIN_CRITICAL_SECTION2(self, of);
    status = step_lock_held(self, value, exception, told);
    Py_END_CRITICAL_SECTION2();
    Py_DECREF(of);
    return status;
}

/* ---- starting ---- */

int
async_call_start(crew *of, generators_state *state, PyObject *item)
{
    PyTypeObject *type = state->async_call_type;
    async_call *self = (async_call *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return -1;
    }
    self->call.item = Py_NewRef(item);
    self->crew = (crew *)Py_NewRef(of);
    window_start(&of->calls, &self->call);
    PyObject *task = crew_spawn(of, (PyObject *)self);
    if (task == NULL && self->crew != NULL) {
        /* Nobody will run it. */
        PyObject *raised = PyErr_GetRaisedException();
        PyErr_SetRaisedException(Py_NewRef(raised));
        PyObject *told;
        end(self, NULL, &told);
        Py_XDECREF(told);
        PyErr_SetRaisedException(raised);
    }
    else if (self->crew != NULL) {
        self->task = Py_NewRef(task);
    }
    int status = task == NULL ? -1 : self->call.settled;
    Py_XDECREF(task);
    Py_DECREF(self);
    return status;
}

/* ---- as a coroutine ---- */

static PySendResult
async_call_am_send(PyObject *op, PyObject *value, PyObject **told)
{
    return step(op, value, NULL, told);
}

static PyObject *
async_call_send(PyObject *op, PyObject *value)
{
    PyObject *told;
    PySendResult status = step(op, value, NULL, &told);
    return old_coroutine_stepped(status, told);
}

static PyObject *
async_call_iternext(PyObject *op)
{
    return async_call_send(op, Py_None);
}

static PyObject *
async_call_throw(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    return old_coroutine_throw(op, step, args, count);
}

static PyObject *
async_call_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    bool ended;
    Py_BEGIN_CRITICAL_SECTION(op);
    ended = ((async_call *)op)->crew == NULL;
    Py_END_CRITICAL_SECTION();
    if (!ended && old_coroutine_close(op, step) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* Of what it awaits, or None. */
static PyObject *
get_of_awaited(PyObject *op, void *closure)
{
    PyObject *awaited;
    Py_BEGIN_CRITICAL_SECTION(op);
    awaited = Py_XNewRef(((async_call *)op)->awaited);
    Py_END_CRITICAL_SECTION();
    if (awaited == NULL) {
        Py_RETURN_NONE;
    }
    PyObject *value = PyObject_GetAttrString(awaited, closure);
    Py_DECREF(awaited);
    if (value == NULL && raising_forgive(PyExc_AttributeError) == 0) {
        Py_RETURN_NONE;
    }
    return value;
}

static PyObject *
get_name(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *name = get_of_awaited(op, "__qualname__");
    if (name == Py_None) {
        Py_SETREF(name, PyUnicode_FromString("amap"));
    }
    return name;
}

static int
async_call_traverse(PyObject *op, visitproc visit, void *arg)
{
    async_call *self = (async_call *)op;
    Py_VISIT(self->crew);
    Py_VISIT(self->task);
    Py_VISIT(self->awaited);
    return call_traverse(op, visit, arg);
}

static int
async_call_clear(PyObject *op)
{
    async_call *self = (async_call *)op;
    Py_CLEAR(self->crew);
    Py_CLEAR(self->task);
    Py_CLEAR(self->awaited);
    return call_clear(op);
}

static void
async_call_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    async_call_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef async_call_methods[] = {
    {"send", async_call_send, METH_O, NULL},
    {"throw", (PyCFunction)(void (*)(void))async_call_throw, METH_FASTCALL, NULL},
    {"close", async_call_close, METH_NOARGS, NULL},
    {NULL},
};

static PyGetSetDef async_call_getset[] = {
    {"__name__", get_name, NULL, NULL, NULL},
    {"__qualname__", get_name, NULL, NULL, NULL},
    {"cr_await", get_of_awaited, NULL, NULL, "cr_await"},
    {"cr_frame", get_of_awaited, NULL, NULL, "cr_frame"},
    {"cr_code", get_of_awaited, NULL, NULL, "cr_code"},
    {"cr_running", attributes_get_flag, NULL, NULL, (void *)offsetof(async_call, running)},
    {NULL},
};

static PyType_Slot async_call_slots[] = {
    {Py_tp_doc, (char *)"A call of amap(), as its task runs it."},
    {Py_tp_traverse, async_call_traverse},
    {Py_tp_clear, async_call_clear},
    {Py_tp_dealloc, async_call_dealloc},
    {Py_tp_iternext, async_call_iternext},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, async_call_am_send},
    {Py_tp_methods, async_call_methods},
    {Py_tp_getset, async_call_getset},
    {0, NULL},
};

PyType_Spec async_call_spec = {
    .name = "generators._native._AsyncCall",
    .basicsize = sizeof(async_call),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = async_call_slots,
};
