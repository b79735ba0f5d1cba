/* An event goes to a background handler: its mailbox is filled, and its task is started or
 * woken.
 *
 * The task is started by the first event.  It runs in the running event loop or, if none runs
 * in this thread, in the loop in which the dispatcher was last used.  If that loop was closed,
 * the next event starts another task.
 *
 * Owned: by the mailbox.
 *
 * User code: the methods of event loops and futures, outside of the critical section.  With a
 * task factory that is eager, also the handler.
 *
 * Threads: the mailbox is changed in the critical section of the dispatcher.  A task of
 * another thread's loop is started and woken by call_soon_threadsafe().
 */
#include "events/post.h"

#include "aio/await.h"
#include "aio/loop.h"
#include "runtime/raising.h"

/* ---- starting the task ---- */

/* loop.create_task(coroutine, context=context): a new reference, or NULL. */
static PyObject *
post_create_task(generators_state *state, PyObject *loop, PyObject *coroutine,
                 PyObject *context)
{
    PyObject *create = PyObject_GetAttrString(loop, "create_task");
    PyObject *arguments[] = {coroutine, context};
    PyObject *task = create == NULL
                         ? NULL
                         : PyObject_Vectorcall(create, arguments, 1, state->context_keyword);
    Py_XDECREF(create);
    /* A task that waits for an event when its loop goes away is no fault. */
    if (task != NULL &&
        PyObject_SetAttrString(task, COMPAT_LOG_DESTROY_PENDING, Py_False) < 0 &&
        raising_forgive(PyExc_AttributeError) < 0) {
        Py_CLEAR(task);
    }
    return task;
}

/* Start the task in the loop that runs in this thread, unless there is one.  0 or -1. */
static int
post_start_here(dispatcher *owner, handler *item, PyObject *loop)
{
    event_mailbox *box = item->mailbox;
    PyTypeObject *type = owner->state->event_mailbox_task_type;
    if (type == NULL) {
        raising_shut_down();
        return -1;
    }
    PyObject *coroutine =
        PyObject_CallFunctionObjArgs((PyObject *)type, (PyObject *)owner, item, NULL);
    if (coroutine == NULL) {
        return -1;
    }
    PyObject *earlier = NULL;
    bool is_first;
    Py_BEGIN_CRITICAL_SECTION(owner);
    is_first = box->worker == NULL;
    if (is_first) {
        box->worker = coroutine;
        earlier = box->loop;
        box->loop = Py_NewRef(loop);
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(earlier);
    PyObject *task =
        !is_first ? NULL : post_create_task(owner->state, loop, coroutine, box->context);
    int status = is_first && task == NULL ? -1 : 0;
    Py_BEGIN_CRITICAL_SECTION(owner);
    if (is_first && box->worker == coroutine) {
        if (task == NULL) {
            box->worker = NULL;
        }
        else { /* it is NULL, since there was no worker */
            box->task = task;
            task = NULL;
        }
    }
    Py_END_CRITICAL_SECTION();
    PyObject *raised = PyErr_GetRaisedException();
    Py_XDECREF(task);
    Py_DECREF(coroutine);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return status;
}

/* Called by the loop of another thread: its self is (dispatcher, handler). */
static PyObject *
post_start_later(PyObject *arguments, PyObject *Py_UNUSED(ignored))
{
    dispatcher *owner = (dispatcher *)PyTuple_GET_ITEM(arguments, 0);
    PyObject *loop = loop_needed(owner->state, "a background handler");
    int status = loop == NULL
                     ? -1
                     : post_start_here(owner, (handler *)PyTuple_GET_ITEM(arguments, 1), loop);
    Py_XDECREF(loop);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef post_start_later_def = {"start", post_start_later, METH_NOARGS, NULL};

/* Have the loop in which the dispatcher was last used start the task.  0 or -1. */
static int
post_start_elsewhere(dispatcher *owner, handler *item)
{
    PyObject *loop;
    Py_BEGIN_CRITICAL_SECTION(owner);
    loop = Py_XNewRef(owner->loop);
    Py_END_CRITICAL_SECTION();
    if (loop == NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "a background handler needs an event loop, and none is running: emit "
                        "the event in a coroutine, or enter `async with dispatcher` first");
        return -1;
    }
    PyObject *arguments = PyTuple_Pack(2, (PyObject *)owner, (PyObject *)item);
    PyObject *start =
        arguments == NULL ? NULL : PyCFunction_New(&post_start_later_def, arguments);
    PyObject *handle =
        start == NULL ? NULL : PyObject_CallMethod(loop, "call_soon_threadsafe", "(O)", start);
    Py_XDECREF(arguments);
    Py_XDECREF(start);
    Py_XDECREF(handle);
    Py_DECREF(loop);
    return handle == NULL ? -1 : 0;
}

static int
post_start(dispatcher *owner, handler *item)
{
    PyObject *loop;
    int running = loop_running(owner->state, &loop);
    if (running <= 0) {
        return running < 0 ? -1 : post_start_elsewhere(owner, item);
    }
    int status = post_start_here(owner, item, loop);
    Py_DECREF(loop);
    return status;
}

/* ---- waking the task ---- */

/* Whether the loop of a task will not run it: 1, 0 or -1. */
static int
post_loop_is_closed(dispatcher *owner, PyObject *loop)
{
    PyObject *here;
    if (loop_running(owner->state, &here) < 0) {
        return -1;
    }
    Py_XDECREF(here);
    if (here == loop) {
        return 0;
    }
    PyObject *closed = PyObject_CallMethod(loop, "is_closed", NULL);
    int is = closed == NULL ? -1 : PyObject_IsTrue(closed);
    Py_XDECREF(closed);
    return is;
}

/* The loop of the task was closed: it never runs again. */
static void
post_forget_task(dispatcher *owner, handler *item, PyObject *loop)
{
    (void)owner; /* with the GIL, a critical section is nothing */
    event_mailbox *box = item->mailbox;
    PyObject *task = NULL;
    Py_BEGIN_CRITICAL_SECTION(owner);
    if (box->loop == loop) {
        task = box->task;
        box->task = NULL;
        box->worker = NULL;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(task);
}

/* Wake the task, or start one.  0 or -1. */
static int
post_ring(dispatcher *owner, handler *item)
{
    event_mailbox *box = item->mailbox;
    for (;;) {
        PyObject *bell, *loop;
        bool has_worker;
        Py_BEGIN_CRITICAL_SECTION(owner);
        has_worker = box->worker != NULL;
        bell = box->bell;
        box->bell = NULL;
        loop = Py_XNewRef(box->loop);
        Py_END_CRITICAL_SECTION();
        int is_dead = !has_worker    ? 1
                      : bell != NULL ? loop_wake_on(owner->state, loop, bell)
                                     : post_loop_is_closed(owner, loop);
        if (has_worker && is_dead > 0) {
            post_forget_task(owner, item, loop);
        }
        Py_XDECREF(bell);
        Py_XDECREF(loop);
        if (!has_worker || is_dead <= 0) {
            return has_worker ? is_dead : post_start(owner, item);
        }
    }
}

/* ---- putting an event in ---- */

static post_status
post_put_lock_held(handler *item, event_record *record, event_record *dropped)
{
    event_mailbox *box = item->mailbox;
    if (box->events.count >= box->limit) {
        switch (box->policy) {
        case MAILBOX_WAIT:
            return POST_IS_FULL;
        case MAILBOX_CLOSE:
            *dropped = *record;
            return POST_REFUSED;
        case MAILBOX_DROP_NEWEST:
            *dropped = *record;
            generators_count_add(&box->dropped);
            return POST_DONE;
        default:
            event_queue_take(&box->events, dropped);
            generators_count_add(&box->dropped);
        }
    }
    int status = event_queue_put(&box->events, record);
    generators_count_set(&box->held, box->events.count);
    return status < 0 ? POST_ERROR : POST_DONE;
}

/* Take the event back that could not be told to a task. */
static void
post_take_back(dispatcher *owner, handler *item)
{
    (void)owner;
    event_record last = {0};
    PyObject *raised = PyErr_GetRaisedException();
    Py_BEGIN_CRITICAL_SECTION(owner);
    if (item->mailbox->worker == NULL) {
        event_queue_take_last(&item->mailbox->events, &last);
        generators_count_set(&item->mailbox->held, item->mailbox->events.count);
    }
    Py_END_CRITICAL_SECTION();
    event_record_clear(&last);
    PyErr_SetRaisedException(raised);
}

post_status
post_event(dispatcher *owner, handler *item, event_record *record)
{
    event_record dropped = {0};
    post_status status;
    Py_BEGIN_CRITICAL_SECTION(owner);
    status = post_put_lock_held(item, record, &dropped);
    Py_END_CRITICAL_SECTION();
    event_record_clear(&dropped);
    if (status == POST_ERROR) {
        PyObject *raised = PyErr_GetRaisedException();
        event_record_clear(record);
        PyErr_SetRaisedException(raised);
    }
    if (status == POST_DONE && post_ring(owner, item) < 0) {
        post_take_back(owner, item);
        return POST_ERROR;
    }
    return status;
}

void
post_raise_full(handler *item)
{
    PyObject *queues = PyImport_ImportModule("asyncio.queues");
    PyObject *full = queues == NULL ? NULL : PyObject_GetAttrString(queues, "QueueFull");
    Py_XDECREF(queues);
    if (full != NULL) {
        PyErr_Format(full,
                     "the background handler %R already holds %zu events, and this dispatch "
                     "cannot wait for it",
                     item->object, item->mailbox->limit);
        Py_DECREF(full);
    }
}

/* ---- waiting for the task ---- */

int
post_wait(dispatcher *owner, handler *item, bool for_end, PyObject **awaited)
{
    event_mailbox *box = item->mailbox;
    *awaited = NULL;
    if (post_ring(owner, item) < 0) { /* its loop may have been closed */
        return -1;
    }
    PyObject *loop = loop_needed(owner->state, "waiting for a background handler");
    PyObject *future = loop == NULL ? NULL : loop_future(loop);
    PyObject *iterator = future == NULL ? NULL : await_iterator(future);
    if (iterator == NULL) {
        Py_XDECREF(loop);
        Py_XDECREF(future);
        return -1;
    }
    bool waits;
    PyObject *unused[] = {future, loop};
    Py_BEGIN_CRITICAL_SECTION(owner);
    waits = for_end ? box->worker != NULL || box->events.count > 0
                    : box->events.count >= box->limit;
    if (waits) {
        unused[0] = box->gate;
        unused[1] = box->gate_loop;
        box->gate = future;
        box->gate_loop = loop;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(unused[0]);
    Py_XDECREF(unused[1]);
    if (!waits) {
        Py_CLEAR(iterator);
    }
    *awaited = iterator;
    return waits;
}

int
post_open_gate(dispatcher *owner, handler *item)
{
    PyObject *gate, *loop;
    Py_BEGIN_CRITICAL_SECTION(owner);
    gate = item->mailbox->gate;
    loop = item->mailbox->gate_loop;
    item->mailbox->gate = item->mailbox->gate_loop = NULL;
    Py_END_CRITICAL_SECTION();
    int status = gate == NULL ? 0 : loop_wake_on(owner->state, loop, gate);
    Py_XDECREF(gate);
    Py_XDECREF(loop);
    return status < 0 ? -1 : 0;
}

/* ---- the end ---- */

/* Keep the handler, which has been removed, so that aclose() waits for it.  0 or -1. */
static int
post_keep_ending(dispatcher *owner, handler *item)
{
    PyObject *list = PyList_New(0), *unused;
    if (list == NULL) {
        return -1;
    }
    int status = 0;
    Py_BEGIN_CRITICAL_SECTION(owner);
    unused = owner->ending == NULL ? NULL : list;
    if (owner->ending == NULL) {
        owner->ending = list;
    }
    PyObject *ending = Py_NewRef(owner->ending);
    if (!item->mailbox->is_ending) {
        item->mailbox->is_ending = true;
        status = owner->closing ? 0 : PyList_Append(ending, (PyObject *)item);
    }
    Py_DECREF(ending);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(unused);
    return status;
}

void
post_forget_ending(dispatcher *owner, handler *item)
{
    PyObject *found = NULL;
    Py_BEGIN_CRITICAL_SECTION(owner);
    Py_ssize_t count = owner->ending == NULL ? 0 : PyList_GET_SIZE(owner->ending);
    for (Py_ssize_t i = 0; i < count && found == NULL; i++) {
        if (PyList_GET_ITEM(owner->ending, i) == (PyObject *)item) {
            found = Py_NewRef((PyObject *)item);
            if (PyList_SetSlice(owner->ending, i, i + 1, NULL) < 0) {
                raising_unraisable((PyObject *)item);
            }
        }
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(found);
}

int
post_finish(dispatcher *owner, handler *item)
{
    event_mailbox *box = item->mailbox;
    bool has_task;
    generators_flag_exchange(&item->active, false);
    if (post_keep_ending(owner, item) < 0) {
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(owner);
    has_task = box->worker != NULL || box->events.count > 0;
    Py_END_CRITICAL_SECTION();
    if (!has_task) {
        post_forget_ending(owner, item);
        return 0;
    }
    if (post_ring(owner, item) < 0) {
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(owner);
    has_task = box->worker != NULL || box->events.count > 0;
    Py_END_CRITICAL_SECTION();
    return has_task;
}

int
post_cancel(dispatcher *owner, handler *item)
{
    (void)owner;
    event_mailbox *box = item->mailbox;
    event_queue events;
    PyObject *task = NULL;
    Py_BEGIN_CRITICAL_SECTION(owner);
    events = box->events;
    box->events = (event_queue){0};
    generators_count_set(&box->held, 0);
    if (!box->is_cancelled) {
        box->is_cancelled = true;
        task = Py_XNewRef(box->task);
    }
    Py_END_CRITICAL_SECTION();
    event_queue_clear(&events);
    PyObject *done = task == NULL ? NULL : PyObject_CallMethod(task, "cancel", NULL);
    int status = task == NULL || done != NULL ? 0 : -1;
    Py_XDECREF(done);
    Py_XDECREF(task);
    return status;
}
