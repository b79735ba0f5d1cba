/* _ThreadCall: a call of map_threads().
 *
 * An own thread runs it.  An executor calls it as the function that was submitted, and its
 * future calls _settle().  An executor may run a call twice, or end its future before the call
 * has ended: whoever claims it first, the thread or the callback, gives the result.
 *
 * States (`state`, where an executor has it): new -> running -> ended.
 *
 * Owned: the function and the context, until it has ended; the executor's future; the workers,
 * until the executor has told them.  User code runs in the function.
 *
 * Threads: `lock` guards the state, and which thread runs it.  The thread that has claimed it
 * writes the result, and the stream's thread reads that after the report.
 */
#include "tasks/thread_call.h"

#include "runtime/raising.h"

typedef enum { CALL_NEW, CALL_RUNNING, CALL_ENDED } run_state;

struct thread_call {
    PyObject_HEAD
    job job;
    PyObject *function; /* owned: until it has ended */
    PyObject *context;  /* owned: the same */
    PyObject *future;   /* owned: the executor's, or NULL */
    bool was_cancelled; /* that future, before the call began: for the stream's thread */
    workers *workers;   /* owned: until they were told; for the executor's callback */
    /* Guarded by `lock`: */
    generators_lock lock;
    unsigned long thread; /* that runs it, or 0 */
    run_state state;
    bool late; /* the executor's future has ended, and it runs still */
};

static thread_call *
thread_call_of(call *one)
{
    return (thread_call *)one->object;
}

job *
thread_call_job(thread_call *self)
{
    return &self->job;
}

/* ---- running it ---- */

static void
thread_call_set_thread(thread_call *self, unsigned long thread)
{
    generators_lock_take(&self->lock);
    self->thread = thread;
    generators_lock_leave(&self->lock);
}

bool
thread_call_runs_here(call *one)
{
    thread_call *self = thread_call_of(one);
    generators_lock_take(&self->lock);
    bool here = self->thread == PyThread_get_thread_ident();
    generators_lock_leave(&self->lock);
    return here;
}

static void
thread_call_drop(thread_call *self)
{
    PyObject *function = self->function, *context = self->context;
    self->function = self->context = NULL;
    Py_XDECREF(function);
    Py_XDECREF(context);
}

void
thread_call_run(job *one)
{
    thread_call *self = thread_call_of(&one->call);
    PyObject *result = NULL;
    thread_call_set_thread(self, PyThread_get_thread_ident());
    if (PyContext_Enter(self->context) == 0) {
        result = PyObject_CallOneArg(self->function, one->call.item);
        if (result == NULL) {
            raising_convert(PyExc_StopIteration, "function");
        }
        if (PyContext_Exit(self->context) < 0) {
            Py_CLEAR(result);
        }
    }
    call_end(&one->call, result, self->function);
    thread_call_set_thread(self, 0);
    thread_call_drop(self);
}

/* ---- by an executor ---- */

/* Claim it, if nobody did: the state that it was in. */
static run_state
thread_call_claim(thread_call *self, bool late)
{
    generators_lock_take(&self->lock);
    run_state state = self->state;
    if (state == CALL_NEW) {
        self->state = CALL_RUNNING;
    }
    self->late = self->late || (late && state == CALL_RUNNING);
    generators_lock_leave(&self->lock);
    return state;
}

/* It has its result: whether the executor's future has ended before. */
static bool
thread_call_leave(thread_call *self)
{
    generators_lock_take(&self->lock);
    self->state = CALL_ENDED;
    bool late = self->late;
    generators_lock_leave(&self->lock);
    return late;
}

/* Tell its workers, once. */
static void
thread_call_deliver(thread_call *self)
{
    generators_lock_take(&self->lock);
    workers *pool = self->workers;
    self->workers = NULL;
    generators_lock_leave(&self->lock);
    if (pool != NULL) {
        workers_report(pool, &self->job);
        Py_DECREF(pool);
    }
}

/* What an executor calls. */
static PyObject *
thread_call_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    thread_call *self = (thread_call *)op;
    if (PyTuple_GET_SIZE(args) != 0 || (kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0) ||
        thread_call_claim(self, false) != CALL_NEW) {
        PyErr_SetString(PyExc_TypeError, "a call runs once, without arguments");
        return NULL;
    }
    thread_call_run(&self->job);
    if (thread_call_leave(self)) {
        thread_call_deliver(self);
    }
    Py_RETURN_NONE;
}

/* The callback of an executor's future.  Where that ended without the call (it was cancelled,
   say, or could not be sent), the future's exception is the call's.  Where the call still
   runs, it gives the result. */
static PyObject *
thread_call_settle(PyObject *op, PyObject *future)
{
    thread_call *self = (thread_call *)op;
    run_state state = thread_call_claim(self, true);
    if (state == CALL_RUNNING) {
        Py_RETURN_NONE;
    }
    if (state == CALL_NEW) {
        PyObject *result = PyObject_CallMethod(future, "result", NULL);
        if (result != NULL) {
            Py_DECREF(result);
            PyErr_SetString(PyExc_RuntimeError, "the executor did not run the call");
        }
        call_end(&self->job.call, NULL, self->function);
        thread_call_drop(self);
        thread_call_leave(self);
    }
    thread_call_deliver(self);
    Py_RETURN_NONE;
}

int
thread_call_submit(thread_call *self, workers *pool)
{
    PyObject *settle = PyObject_GetAttrString((PyObject *)self, "_settle");
    if (settle == NULL) {
        return -1;
    }
    PyObject *executor = Py_NewRef(pool->executor), *done = NULL;
    self->workers = (workers *)Py_NewRef((PyObject *)pool);
    PyObject *future = PyObject_CallMethod(executor, "submit", "(O)", (PyObject *)self);
    Py_DECREF(executor);
    if (future != NULL) {
        self->future = Py_NewRef(future);
        done = PyObject_CallMethod(future, "add_done_callback", "(O)", settle);
        Py_DECREF(future);
    }
    Py_DECREF(settle);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

int
thread_call_cancel(call *one)
{
    PyObject *future = Py_XNewRef(thread_call_of(one)->future);
    if (future == NULL) {
        return 0;
    }
    PyObject *done = PyObject_CallMethod(future, "cancel", NULL);
    Py_DECREF(future);
    int is_cancelled = done == NULL ? -1 : PyObject_IsTrue(done);
    Py_XDECREF(done);
    thread_call_of(one)->was_cancelled = is_cancelled > 0;
    return is_cancelled < 0 ? -1 : 0;
}

bool
thread_call_is_late(call *one)
{
    return one->late && !thread_call_of(one)->was_cancelled;
}

/* ---- making one ---- */

thread_call *
thread_call_new(generators_state *state, PyObject *function, PyObject *item,
                const window *calls)
{
    PyTypeObject *type = state->thread_call_type;
    if (type == NULL) {
        raising_shut_down();
        return NULL;
    }
    thread_call *self = (thread_call *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    call_init(&self->job.call, (PyObject *)self, item, calls);
    self->job.call.index = calls->started;
    self->function = Py_NewRef(function);
    self->context = PyContext_CopyCurrent();
    if (self->context == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return self;
}

static int
thread_call_traverse(PyObject *op, visitproc visit, void *arg)
{
    thread_call *self = (thread_call *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->function);
    Py_VISIT(self->context);
    Py_VISIT(self->future);
    Py_VISIT((PyObject *)self->workers);
    return call_traverse(&self->job.call, visit, arg);
}

static int
thread_call_clear(PyObject *op)
{
    thread_call *self = (thread_call *)op;
    self->state = CALL_ENDED;
    PyObject *pool = (PyObject *)self->workers;
    self->workers = NULL;
    Py_XDECREF(pool);
    Py_CLEAR(self->function);
    Py_CLEAR(self->context);
    Py_CLEAR(self->future);
    call_clear(&self->job.call);
    return 0;
}

static void
thread_call_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    thread_call_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef thread_call_methods[] = {
    {"_settle", thread_call_settle, METH_O, "Called with the executor's future."},
    {NULL},
};

static PyType_Slot thread_call_slots[] = {
    {Py_tp_doc, (char *)"A call of map_threads(), as an executor runs it."},
    {Py_tp_call, thread_call_call},
    {Py_tp_traverse, thread_call_traverse},
    {Py_tp_clear, thread_call_clear},
    {Py_tp_dealloc, thread_call_dealloc},
    {Py_tp_methods, thread_call_methods},
    {0, NULL},
};

PyType_Spec thread_call_spec = {
    .name = "native_generators._native._ThreadCall",
    .basicsize = sizeof(thread_call),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = thread_call_slots,
};
