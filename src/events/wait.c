/* The line of async calls that wait for a turn of the dispatcher.
 *
 * First come, first served.  A call stays in its place until it takes the turn or
 * leaves, woken or not, so that one that comes later does not pass it; a sync dispatch,
 * which can't wait, may.  Who lets the dispatcher go wakes the first.
 *
 * Owned: each place is its call's, which leaves the line before it goes; a future and
 * its loop are the place's, until it is woken.
 *
 * Threads: the line is changed in the dispatcher's critical section.  Futures are made
 * and woken outside; one of another thread's loop is woken through that loop.
 */
#include "events/events.h"

#include "aio/await.h"
#include "aio/loop.h"
#include "runtime/raising.h"

bool
event_wait_is_free(dispatcher *owner, event_waiter *waiter)
{
    return !owner->busy && (owner->waiting == NULL || owner->waiting == waiter);
}

void
event_wait_link(dispatcher *owner, event_waiter *waiter)
{
    if (waiter->is_linked) {
        return;
    }
    waiter->is_linked = true;
    waiter->previous = owner->waiting_last;
    waiter->next = NULL;
    *(owner->waiting_last == NULL ? &owner->waiting : &owner->waiting_last->next) = waiter;
    owner->waiting_last = waiter;
}

void
event_wait_unlink(dispatcher *owner, event_waiter *waiter)
{
    if (!waiter->is_linked) {
        return;
    }
    waiter->is_linked = false;
    *(waiter->previous == NULL ? &owner->waiting : &waiter->previous->next) = waiter->next;
    *(waiter->next == NULL ? &owner->waiting_last : &waiter->next->previous) =
        waiter->previous;
}

int
event_wait_begin(dispatcher *owner, event_waiter *waiter, PyObject **awaited)
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
    waits = !event_wait_is_free(owner, waiter) && !owner->closed;
    if (waits) {
        event_wait_link(owner, waiter);
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
event_wait_leave(dispatcher *owner, event_waiter *waiter)
{
    PyObject *future, *loop;
    bool was_linked;
    Py_BEGIN_CRITICAL_SECTION(owner);
    was_linked = waiter->is_linked;
    event_wait_unlink(owner, waiter);
    future = waiter->future;
    loop = waiter->loop;
    waiter->future = waiter->loop = NULL;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(future);
    Py_XDECREF(loop);
    return was_linked ? event_wait_wake(owner, false) : 0;
}

/* The first of the line that is to be woken, with its future moved out. */
static bool
next_waiter(dispatcher *owner, bool all, event_waiter *found)
{
    event_waiter *waiter = owner->waiting;
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

/* The first could not be woken: its loop is closed, and will never run it.  It gives up
   its place.  An exception that must pass goes to *urgent. */
static void
pass_over(dispatcher *owner, PyObject **urgent)
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
    event_waiter *first = owner->waiting;
    if (!owner->busy && first != NULL && first->future == NULL) {
        event_wait_unlink(owner, first);
    }
    Py_END_CRITICAL_SECTION();
}

int
event_wait_wake(dispatcher *owner, bool all)
{
    bool waits;
    Py_BEGIN_CRITICAL_SECTION(owner);
    waits = owner->waiting != NULL;
    Py_END_CRITICAL_SECTION();
    if (!waits) {
        return 0;
    }
    PyObject *raised = PyErr_GetRaisedException(), *urgent = NULL;
    for (bool goes_on = true; goes_on;) {
        event_waiter found;
        Py_BEGIN_CRITICAL_SECTION(owner);
        goes_on = (all || !owner->busy) && next_waiter(owner, all, &found);
        Py_END_CRITICAL_SECTION();
        if (!goes_on) {
            break;
        }
        int status = loop_wake_on(owner->state, found.loop, found.future);
        Py_DECREF(found.loop);
        Py_DECREF(found.future);
        if (status != 0) {
            pass_over(owner, &urgent);
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
