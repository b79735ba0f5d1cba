/* workers: threads that run calls, own ones or those of an executor.
 *
 * A call goes to an own thread by the list of jobs, or to an executor by submit(), and
 * comes back by the list of those that have ended.  Neither list allocates anything: a
 * result can't be lost.  An executor may run a call twice, or end its future before: the
 * first to have it gives the result.  Threads are started as there are calls for them, up to
 * the most that ever run at once.  They are not daemons; at exit they are woken to end, as
 * those of an executor are.
 *
 * One idle thread at a time is woken, and wakes the next one if there is more to do:
 * short calls are run by few threads, without a switch for each.
 *
 * States: open -> stopped.  After the interpreter began to shut down, and in a forked child,
 * nothing can be started.
 *
 * Owned: the threads, each of which owns the workers in turn, until they are stopped.  The
 * module holds what has threads, to wake them at exit.  A call is owned by the window, and by
 * the thread that runs it: what is not collected before exit must not own the user's
 * objects.  Before the window forgets its calls, the lists are emptied (`detached`).
 *
 * Threads: one thread at a time starts calls, waits and stops: that of the stream, whose
 * `running` sees to it.  `lock` guards the lists and the idle threads.
 */
#include "tasks/workers.h"

#include "runtime/raising.h"
#include "runtime/watch.h"
#include "runtime/lock.h"

#ifndef _WIN32
#include <unistd.h>
#define PROCESS() ((long)getpid())
#else
#define PROCESS() 0L /* there is no fork */
#endif

/* Microseconds.  A signal that comes just before the wait does not interrupt it, and is
   handled after that. */
#define LONGEST_WAIT 500000

typedef struct thread_call thread_call;

/* Who has it first, the executor's thread or its callback, gives the result. */
typedef enum { CALL_NEW, CALL_RUNNING, CALL_ENDED } run_state;

struct thread_call {
    PyObject_HEAD
    call call;
    PyObject *function; /* owned: until it has ended */
    PyObject *context;  /* owned: the same */
    PyObject *future;   /* owned: the executor's, until it is settled, or NULL */
    workers *workers;   /* owned: the same; for the executor's callback */
    thread_call *next;  /* borrowed: in a list of the workers */
    bool reported;      /* it was put into that list */
    /* Guarded by `lock`: */
    generators_lock lock;
    unsigned long thread; /* that runs it, or 0 */
    run_state state;      /* where an executor has it */
    bool late;            /* the executor's future has ended, and it runs still */
};

typedef struct {
    thread_call *first; /* borrowed, as all that follow: the window owns them */
    thread_call *last;
} call_list;

/* A thread that has nothing to do; it stands on that thread's own stack. */
typedef struct idle_thread {
    PyThread_type_lock wake; /* taken; left to wake it */
    struct idle_thread *next;
} idle_thread;

struct workers {
    PyObject_HEAD
    PyObject *executor; /* owned, or NULL */
    PyObject *threads;  /* owned: a list */
    call_list jobs;     /* to be run by own threads */
    call_list ended;    /* to be settled */
    idle_thread *idle;
    PyThread_type_lock signal; /* taken; left to wake the one who waits for an end */
    generators_lock lock;
    bool waiting;  /* somebody waits for `signal` */
    bool waking;   /* an idle thread was woken, and has not looked yet */
    bool stopped;  /* what has not begun is not run */
    bool detached; /* the lists stay empty */
    bool exiting;  /* the threads end when there is nothing to do */
    long process;
};

/* ---- the lists, with `lock` held ---- */

static void
list_put(call_list *list, thread_call *one)
{
    if (list->last == NULL) {
        list->first = one;
    }
    else {
        list->last->next = one;
    }
    list->last = one;
}

static thread_call *
list_take(call_list *list)
{
    thread_call *one = list->first;
    if (one != NULL) {
        list->first = one->next;
        one->next = NULL;
        if (list->first == NULL) {
            list->last = NULL;
        }
    }
    return one;
}

static void
wake_idle(workers *self)
{
    idle_thread *idle = self->idle;
    if (idle != NULL) {
        self->waking = true;
        self->idle = idle->next;
        PyThread_release_lock(idle->wake);
    }
}

/* ---- the list of those that have ended ---- */

static void
report(workers *self, thread_call *one)
{
    bool wake = false;
    generators_lock_take(&self->lock);
    if (!one->reported && !self->detached) {
        one->reported = true;
        list_put(&self->ended, one);
        wake = self->waiting;
        self->waiting = false;
    }
    generators_lock_leave(&self->lock);
    if (wake) {
        PyThread_release_lock(self->signal);
    }
}

/* One that has ended, or NULL; then, if `wait`, a report will wake. */
static thread_call *
take_ended(workers *self, bool wait)
{
    generators_lock_take(&self->lock);
    thread_call *one = list_take(&self->ended);
    self->waiting = one == NULL && wait;
    generators_lock_leave(&self->lock);
    return one;
}

/* After a signal was handled: nobody waits any longer. */
static void
leave_wait(workers *self)
{
    generators_lock_take(&self->lock);
    bool woken = !self->waiting;
    self->waiting = false;
    generators_lock_leave(&self->lock);
    if (woken) {
        PyThread_acquire_lock(self->signal, WAIT_LOCK);
    }
}

static int
wait_for_signal(workers *self)
{
    for (;;) {
        if (Py_MakePendingCalls() < 0) {
            leave_wait(self);
            return -1;
        }
        PyLockStatus status;
        Py_BEGIN_ALLOW_THREADS
        status = PyThread_acquire_lock_timed(self->signal, LONGEST_WAIT, 1);
        Py_END_ALLOW_THREADS
        if (status == PY_LOCK_ACQUIRED) {
            return 0;
        }
    }
}

void
workers_look(workers *self, window *calls)
{
    thread_call *one;
    while ((one = take_ended(self, false)) != NULL) {
        Py_INCREF(one);
        Py_CLEAR(one->future);
        window_settle(calls, &one->call);
        Py_DECREF(one);
    }
}

int
workers_wait(workers *self, window *calls)
{
    thread_call *one;
    while ((one = take_ended(self, true)) == NULL) {
        if (wait_for_signal(self) < 0) {
            return -1;
        }
    }
    Py_INCREF(one);
    Py_CLEAR(one->future);
    window_settle(calls, &one->call);
    Py_DECREF(one);
    workers_look(self, calls);
    return 0;
}

/* ---- a call ---- */

static void
set_thread(thread_call *self, unsigned long thread)
{
    generators_lock_take(&self->lock);
    self->thread = thread;
    generators_lock_leave(&self->lock);
}

static void
run_call(thread_call *self)
{
    PyObject *result = NULL;
    set_thread(self, PyThread_get_thread_ident());
    if (PyContext_Enter(self->context) == 0) {
        result = PyObject_CallOneArg(self->function, self->call.item);
        if (result == NULL && PyErr_ExceptionMatches(PyExc_StopIteration)) {
            raising_convert(PyExc_StopIteration, "function");
        }
        if (PyContext_Exit(self->context) < 0) {
            Py_CLEAR(result);
        }
    }
    call_end(&self->call, result, self->function);
    set_thread(self, 0);
    Py_CLEAR(self->function);
    Py_CLEAR(self->context);
}

/* Have it, if nobody had: the state that it was in. */
static run_state
claim(thread_call *self, bool late)
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

/* Its result is there: whether the executor's future has ended before. */
static bool
leave(thread_call *self)
{
    generators_lock_take(&self->lock);
    self->state = CALL_ENDED;
    bool late = self->late;
    generators_lock_leave(&self->lock);
    return late;
}

/* Tell its workers, once. */
static void
deliver(thread_call *self)
{
    generators_lock_take(&self->lock);
    workers *pool = self->workers;
    self->workers = NULL;
    generators_lock_leave(&self->lock);
    if (pool != NULL) {
        report(pool, self);
        Py_DECREF(pool);
    }
}

/* What an executor calls. */
static PyObject *
thread_call_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    thread_call *self = (thread_call *)op;
    if (PyTuple_GET_SIZE(args) != 0 || (kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0) ||
        claim(self, false) != CALL_NEW) {
        PyErr_SetString(PyExc_TypeError, "a call runs once, without arguments");
        return NULL;
    }
    run_call(self);
    if (leave(self)) {
        deliver(self);
    }
    Py_RETURN_NONE;
}

/* The callback of an executor's future.  Where that ended without the call (it was
   cancelled, say, or could not be sent), its exception is the call's; where the call still
   runs, that has the result. */
static PyObject *
thread_call_settle(PyObject *op, PyObject *future)
{
    thread_call *self = (thread_call *)op;
    run_state state = claim(self, true);
    if (state == CALL_RUNNING) {
        Py_RETURN_NONE;
    }
    if (state == CALL_NEW) {
        PyObject *result = PyObject_CallMethod(future, "result", NULL);
        if (result != NULL) {
            Py_DECREF(result);
            PyErr_SetString(PyExc_RuntimeError, "the executor did not run the call");
        }
        call_end(&self->call, NULL, self->function);
        Py_CLEAR(self->function);
        Py_CLEAR(self->context);
        leave(self);
    }
    deliver(self);
    Py_RETURN_NONE;
}

static int
thread_call_traverse(PyObject *op, visitproc visit, void *arg)
{
    thread_call *self = (thread_call *)op;
    Py_VISIT(self->function);
    Py_VISIT(self->context);
    Py_VISIT(self->future);
    Py_VISIT(self->workers);
    Py_VISIT(Py_TYPE(op));
    return call_traverse(&self->call, visit, arg);
}

static int
thread_call_clear(PyObject *op)
{
    thread_call *self = (thread_call *)op;
    self->state = CALL_ENDED;
    Py_CLEAR(self->function);
    Py_CLEAR(self->context);
    Py_CLEAR(self->future);
    Py_CLEAR(self->workers);
    call_clear(&self->call);
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
    .name = "generators._native._ThreadCall",
    .basicsize = sizeof(thread_call),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = thread_call_slots,
};

/* ---- a thread ---- */

/* The next job, or NULL: the thread is then among the idle ones, or, if `exiting`, to end. */
static thread_call *
take_job(workers *self, idle_thread *me, bool *exiting)
{
    generators_lock_take(&self->lock);
    thread_call *job = list_take(&self->jobs);
    Py_XINCREF(job);
    *exiting = self->exiting;
    if (job == NULL && !self->exiting) {
        me->next = self->idle;
        self->idle = me;
    }
    else if (self->jobs.first != NULL && !self->waking) {
        wake_idle(self);
    }
    generators_lock_leave(&self->lock);
    return job;
}

static void
wait_for_job(workers *self, idle_thread *me)
{
    Py_BEGIN_ALLOW_THREADS
    PyThread_acquire_lock(me->wake, WAIT_LOCK);
    Py_END_ALLOW_THREADS
    generators_lock_take(&self->lock);
    self->waking = false;
    generators_lock_leave(&self->lock);
}

static PyObject *
workers_run(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    workers *self = (workers *)op;
    idle_thread me = {lock_new_taken(), NULL};
    if (me.wake == NULL) {
        return NULL;
    }
    for (;;) {
        bool exiting;
        thread_call *job = take_job(self, &me, &exiting);
        if (job != NULL) {
            generators_lock_take(&self->lock);
            bool stopped = self->stopped;
            generators_lock_leave(&self->lock);
            if (!stopped) {
                run_call(job);
            }
            report(self, job);
            Py_DECREF(job);
        }
        else if (exiting) {
            break;
        }
        else {
            wait_for_job(self, &me);
        }
    }
    PyThread_release_lock(me.wake);
    PyThread_free_lock(me.wake);
    Py_RETURN_NONE;
}

/* Tell the threads to end, once they have run what is queued. */
static void
dismiss(workers *self)
{
    generators_lock_take(&self->lock);
    self->exiting = true;
    while (self->idle != NULL) {
        wake_idle(self);
    }
    generators_lock_leave(&self->lock);
}

/* Called before the interpreter joins all threads. */
static PyObject *
at_exit(PyObject *reference, PyObject *Py_UNUSED(ignored))
{
    PyObject *module;
    generators_state *state = watch_state(reference, &module);
    if (state == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    PyObject *all =
        state->all_workers == NULL ? PyList_New(0) : PySequence_List(state->all_workers);
    for (Py_ssize_t i = 0; all != NULL && i < PyList_GET_SIZE(all); i++) {
        workers *self = (workers *)PyList_GET_ITEM(all, i);
        if (self->process == PROCESS()) {
            dismiss(self);
        }
    }
    Py_DECREF(module);
    if (all == NULL) {
        return NULL;
    }
    Py_DECREF(all);
    Py_RETURN_NONE;
}

static PyMethodDef at_exit_method = {"_end_workers", at_exit, METH_NOARGS, NULL};

/* The set of all that have threads, from the first on; borrowed, or NULL. */
static PyObject *
all_workers(generators_state *state, PyObject *module)
{
    PyObject *all = generators_late(state, &state->all_workers);
    if (all != NULL) {
        return all;
    }
    /* First, so that no set is there that nobody is told of at exit. */
    if (watch_exit(module, &at_exit_method) < 0) {
        return NULL;
    }
    PyObject *set = PySet_New(NULL);
    return set == NULL ? NULL : generators_set_late(state, &state->all_workers, set);
}

static int
start_thread(workers *self)
{
    PyObject *module = PyType_GetModule(Py_TYPE(self));
    PyObject *all = all_workers(PyModule_GetState(module), module);
    if (all == NULL || PySet_Add(all, (PyObject *)self) < 0) {
        return -1;
    }
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *class = NULL, *arguments = NULL, *thread = NULL, *done = NULL;
    if (threading != NULL) {
        class = PyObject_GetAttrString(threading, "Thread");
    }
    PyObject *run = class == NULL ? NULL : PyObject_GetAttrString((PyObject *)self, "_run");
    if (run != NULL) {
        arguments = Py_BuildValue("(OOs)", Py_None, run, "map_threads");
    }
    if (arguments != NULL) {
        thread = PyObject_CallObject(class, arguments);
    }
    if (thread != NULL && PyList_Append(self->threads, thread) == 0) {
        done = PyObject_CallMethod(thread, "start", NULL);
        if (done == NULL) {
            Py_ssize_t count = PyList_GET_SIZE(self->threads);
            PyObject *raised = PyErr_GetRaisedException();
            PyList_SetSlice(self->threads, count - 1, count, NULL);
            PyErr_SetRaisedException(raised);
        }
    }
    Py_XDECREF(thread);
    Py_XDECREF(arguments);
    Py_XDECREF(run);
    Py_XDECREF(class);
    Py_XDECREF(threading);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* ---- starting ---- */

bool
workers_are_here(workers *self)
{
    if (self->process == PROCESS()) {
        return true;
    }
    PyErr_SetString(
        PyExc_RuntimeError,
        "map_threads() was begun before a fork, and its threads are in the parent");
    return false;
}

static int
give_to_thread(workers *self, window *calls, thread_call *one)
{
    if (self->exiting) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot start calls after the interpreter began to shut down");
        return -1;
    }
    if (PyList_GET_SIZE(self->threads) <= calls->running && start_thread(self) < 0) {
        return -1;
    }
    generators_lock_take(&self->lock);
    list_put(&self->jobs, one);
    if (!self->waking) {
        wake_idle(self);
    }
    generators_lock_leave(&self->lock);
    return 0;
}

static int
give_to_executor(workers *self, thread_call *one)
{
    PyObject *done = NULL;
    PyObject *settle = PyObject_GetAttrString((PyObject *)one, "_settle");
    if (settle == NULL) {
        return -1;
    }
    one->workers = (workers *)Py_NewRef(self);
    one->future = PyObject_CallMethod(self->executor, "submit", "(O)", (PyObject *)one);
    if (one->future != NULL) {
        PyObject *future = Py_NewRef(one->future);
        done = PyObject_CallMethod(future, "add_done_callback", "(O)", settle);
        Py_DECREF(future);
    }
    Py_DECREF(settle);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

int
workers_start(workers *self, window *calls, PyObject *function, PyObject *item)
{
    generators_state *state = PyType_GetModuleState(Py_TYPE(self));
    PyTypeObject *type = state->thread_call_type;
    thread_call *one = (thread_call *)type->tp_alloc(type, 0);
    if (one == NULL) {
        return -1;
    }
    call_init(&one->call, (PyObject *)one, item);
    one->call.index = calls->started; /* before it runs */
    one->function = Py_NewRef(function);
    one->context = PyContext_CopyCurrent();
    int status = -1;
    if (one->context != NULL) {
        status = self->executor == NULL ? give_to_thread(self, calls, one)
                                        : give_to_executor(self, one);
    }
    if (status == 0) {
        window_start(calls, &one->call);
    }
    Py_DECREF(one);
    return status;
}

/* ---- stopping ---- */

/* Only futures of an executor: own threads look at `stopped`. */
static int
cancel(window *calls)
{
    for (call *one = calls->first_running; one != NULL; one = one->next_running) {
        PyObject *future = ((thread_call *)one->object)->future;
        if (future != NULL) {
            PyObject *done = PyObject_CallMethod(future, "cancel", NULL);
            if (done == NULL) {
                return -1;
            }
            Py_DECREF(done);
        }
    }
    return 0;
}

/* Whether one of the calls is what runs here: it can't be waited for. */
static bool
runs_here(window *calls)
{
    unsigned long thread = PyThread_get_thread_ident();
    for (call *one = calls->first_running; one != NULL; one = one->next_running) {
        thread_call *running = (thread_call *)one->object;
        generators_lock_take(&running->lock);
        bool here = running->thread == thread;
        generators_lock_leave(&running->lock);
        if (here) {
            return true;
        }
    }
    return false;
}

static int
wait_for_all(workers *self, window *calls)
{
    if (runs_here(calls)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "a call cannot wait for the end of its own stream");
        return -1;
    }
    while (calls->running > 0) {
        if (workers_wait(self, calls) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
join_all(workers *self)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(self->threads); i++) {
        PyObject *thread = Py_NewRef(PyList_GET_ITEM(self->threads, i));
        PyObject *done = PyObject_CallMethod(thread, "join", NULL);
        Py_DECREF(thread);
        if (done == NULL) {
            return -1;
        }
        Py_DECREF(done);
    }
    return 0;
}

static void
detach(workers *self)
{
    generators_lock_take(&self->lock);
    self->detached = true;
    self->jobs.first = self->jobs.last = NULL;
    self->ended.first = self->ended.last = NULL;
    generators_lock_leave(&self->lock);
}

int
workers_stop(workers *self, window *calls, bool abandoned)
{
    if (self->stopped) {
        return 0;
    }
    generators_lock_take(&self->lock);
    self->stopped = true;
    generators_lock_leave(&self->lock);
    if (self->process != PROCESS()) {
        return 0; /* nothing of this is here */
    }
    int status = cancel(calls);
    if (status == 0 && !abandoned) {
        status = wait_for_all(self, calls);
    }
    detach(self);
    dismiss(self);
    if (status == 0 && !abandoned) {
        status = join_all(self);
    }
    generators_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state->all_workers != NULL) {
        PyObject *raised = PyErr_GetRaisedException();
        if (PySet_Discard(state->all_workers, (PyObject *)self) < 0) {
            raising_unraisable((PyObject *)self);
        }
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
    }
    return status;
}

/* ---- making them ---- */

workers *
workers_new(generators_state *state, PyObject *executor)
{
    PyTypeObject *type = state->workers_type;
    workers *self = (workers *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->process = PROCESS();
    self->executor = Py_XNewRef(executor);
    self->threads = PyList_New(0);
    self->signal = lock_new_taken();
    if (self->threads == NULL || self->signal == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return self;
}

static int
workers_traverse(PyObject *op, visitproc visit, void *arg)
{
    workers *self = (workers *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->executor);
    Py_VISIT(self->threads);
    return 0;
}

/* The list of threads stays: it is never NULL. */
static int
workers_clear(PyObject *op)
{
    Py_CLEAR(((workers *)op)->executor);
    return 0;
}

static void
workers_dealloc(PyObject *op)
{
    workers *self = (workers *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    workers_clear(op);
    Py_CLEAR(self->threads);
    if (self->signal != NULL) {
        PyThread_release_lock(self->signal);
        PyThread_free_lock(self->signal);
    }
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef workers_methods[] = {
    {"_run", workers_run, METH_NOARGS, "What each thread does."},
    {NULL},
};

static PyType_Slot workers_slots[] = {
    {Py_tp_doc, (char *)"The threads of map_threads()."},
    {Py_tp_traverse, workers_traverse},
    {Py_tp_clear, workers_clear},
    {Py_tp_dealloc, workers_dealloc},
    {Py_tp_methods, workers_methods},
    {0, NULL},
};

PyType_Spec workers_spec = {
    .name = "generators._native._Workers",
    .basicsize = sizeof(workers),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = workers_slots,
};
