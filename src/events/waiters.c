/* The line of async calls that wait to dispatch.
 *
 * First come, first served.  A call stays in the line until it holds the dispatcher or gives
 * up, also after it was woken, so that no later async call comes before it.  A sync call can't
 * wait, and may come before it.  A dispatch that ends wakes the first call in the line.
 *
 * Owned: a place in the line belongs to its call, which leaves the line before it is freed.
 * The place owns a future and its loop until it is woken.
 *
 * User code: the methods of event loops and futures, outside of the critical section.
 *
 * Threads: the line is changed in the critical section of the dispatcher.  Futures are made
 * and woken outside of it.  A future of another thread's loop is woken by
 * call_soon_threadsafe().
 */
#include "events/waiters.h"

#include "aio/await.h"
#include "aio/loop.h"
#include "runtime/raising.h"

bool
waiters_is_free(dispatcher *owner, dispatch_waiter *waiter)
{
    return !owner->busy && (owner->waiters == NULL || owner->waiters == waiter);
}

void
waiters_link(dispatcher *owner, dispatch_waiter *waiter)
{
    if (waiter->is_linked) {
        return;
    }
    waiter->is_linked = true;
    waiter->previous = owner->waiters_last;
    waiter->next = NULL;
    *(owner->waiters_last == NULL ? &owner->waiters : &owner->waiters_last->next) = waiter;
    owner->waiters_last = waiter;
}

void
waiters_unlink(dispatcher *owner, dispatch_waiter *waiter)
{
    if (!waiter->is_linked) {
        return;
    }
    waiter->is_linked = false;
    *(waiter->previous == NULL ? &owner->waiters : &waiter->previous->next) = waiter->next;
    *(waiter->next == NULL ? &owner->waiters_last : &waiter->next->previous) =
        waiter->previous;
}

int
waiters_wait(dispatcher *owner, dispatch_waiter *waiter, PyObject **awaited)
{
    PyObject *loop = loop_needed(owner->state, "waiting for a dispatch to end");
    PyObject *future = loop == NULL ? NULL : loop_future(loop);
    PyObject *iterator = future == NULL ? NULL : await_iterator(future);
    if (iterator == NULL) {
        Py_XDECREF(loop);
        Py_XDECREF(future);
        return -1;
    }
    bool waits;
    PyObject *earlier_future = future, *earlier_loop = loop;
    Py_BEGIN_CRITICAL_SECTION(owner);
    waits = !waiters_is_free(owner, waiter) && !owner->closed;
    if (waits) {
        waiters_link(owner, waiter);
        earlier_future = waiter->future;
        earlier_loop = waiter->loop;
        waiter->future = future;
        waiter->loop = loop;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(earlier_future);
    Py_XDECREF(earlier_loop);
    if (!waits) {
        Py_CLEAR(iterator);
    }
    *awaited = iterator;
    return waits;
}

int
waiters_leave(dispatcher *owner, dispatch_waiter *waiter)
{
    PyObject *future, *loop;
    bool was_linked;
    Py_BEGIN_CRITICAL_SECTION(owner);
    was_linked = waiter->is_linked;
    waiters_unlink(owner, waiter);
    future = waiter->future;
    loop = waiter->loop;
    waiter->future = waiter->loop = NULL;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(future);
    Py_XDECREF(loop);
    return was_linked ? waiters_wake(owner, false) : 0;
}

/* Move the future of the first call that must be woken to *found.  False if there is none. */
static bool
waiters_next(dispatcher *owner, bool all, dispatch_waiter *found)
{
    dispatch_waiter *waiter = owner->waiters;
    while (all && waiter != NULL && waiter->future == NULL) {
        waiter = waiter->next;
    }
    if (waiter == NULL || waiter->future == NULL) {
        return false;
    }
    *found = *waiter;
    waiter->future = waiter->loop = NULL;
    return true;
}

/* The first call could not be woken, since its loop is closed and will never run it.  Remove
   it from the line.  An exception that must be raised goes to *urgent. */
static void
waiters_skip(dispatcher *owner, PyObject **urgent)
{
    if (PyErr_Occurred() && raising_forgive(PyExc_RuntimeError) < 0) {
        if (PyErr_ExceptionMatches(PyExc_Exception)) {
            raising_unraisable((PyObject *)owner);
        }
        else {
            raising_chain(*urgent);
            *urgent = PyErr_GetRaisedException();
        }
    }
    Py_BEGIN_CRITICAL_SECTION(owner);
    dispatch_waiter *first = owner->waiters;
    if (!owner->busy && first != NULL && first->future == NULL) {
        waiters_unlink(owner, first);
    }
    Py_END_CRITICAL_SECTION();
}

int
waiters_wake(dispatcher *owner, bool all)
{
    bool waits;
    Py_BEGIN_CRITICAL_SECTION(owner);
    waits = owner->waiters != NULL;
    Py_END_CRITICAL_SECTION();
    if (!waits) {
        return 0;
    }
    PyObject *raised = PyErr_GetRaisedException(), *urgent = NULL;
    for (bool goes_on = true; goes_on;) {
        dispatch_waiter found;
        Py_BEGIN_CRITICAL_SECTION(owner);
        goes_on = (all || !owner->busy) && waiters_next(owner, all, &found);
        Py_END_CRITICAL_SECTION();
        if (!goes_on) {
            break;
        }
        int status = loop_wake_on(owner->state, found.loop, found.future);
        Py_DECREF(found.loop);
        Py_DECREF(found.future);
        if (status != 0) {
            waiters_skip(owner, &urgent);
        }
        goes_on = all || status != 0;
    }
    if (urgent != NULL) {
        PyErr_SetRaisedException(urgent);
        raising_chain(raised);
        return -1;
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return 0;
}
