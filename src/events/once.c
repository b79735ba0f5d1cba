/* An event goes to wait_for().
 *
 * A call of wait_for() has a handler in the table, from the call on.  It is removed when an
 * event is what it waits for, when `where` fails, and when the coroutine ends for another
 * reason.
 *
 * Owned: the data or the exception, by the handler, until the coroutine takes it.
 *
 * User code: `where`, and the methods of event loops and futures.
 *
 * Threads: a handler is settled once, in the critical section of the dispatcher, and its
 * coroutine is woken outside of it.
 */
#include "events/once.h"

#include "aio/loop.h"
#include "runtime/raising.h"

int
once_settle(dispatcher *owner, handler *item, PyObject *data, PyObject *failure)
{
    PyObject *future = NULL, *loop = NULL, *unused[] = {data, failure};
    int status = 0;
    Py_BEGIN_CRITICAL_SECTION(owner);
    if (generators_flag_exchange(&item->active, false)) {
        item->value = data;
        item->failure = failure;
        unused[0] = unused[1] = NULL;
        future = item->future;
        loop = item->loop;
        item->future = item->loop = NULL;
        status = event_table_remove(&owner->table, item);
    }
    Py_END_CRITICAL_SECTION();
    PyObject *raised = status < 0 ? PyErr_GetRaisedException() : NULL;
    Py_XDECREF(unused[0]);
    Py_XDECREF(unused[1]);
    if (future != NULL && loop_wake_on(owner->state, loop, future) < 0) {
        raising_chain(raised);
        raised = PyErr_GetRaisedException();
    }
    Py_XDECREF(future);
    Py_XDECREF(loop);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
        return -1;
    }
    return 0;
}

/* Whether `where` takes the data: 1, 0 or -1. */
static int
once_ask(PyObject *where, PyObject *data)
{
    if (where == Py_None) {
        return 1;
    }
    PyObject *answer = PyObject_CallOneArg(where, data);
    if (answer == NULL) {
        raising_convert(PyExc_StopIteration, "where");
        raising_convert(PyExc_StopAsyncIteration, "where");
        return -1;
    }
    int is = -1;
    if (PyCoro_CheckExact(answer)) {
        PyObject *closed = PyObject_CallMethod(answer, "close", NULL);
        if (closed != NULL) {
            PyErr_SetString(PyExc_TypeError,
                            "where must be a plain function, and returned a coroutine");
        }
        Py_XDECREF(closed);
    }
    else {
        is = PyObject_IsTrue(answer);
    }
    Py_DECREF(answer);
    return is;
}

int
once_offer(dispatcher *owner, handler *item, PyObject *data)
{
    PyObject *where = Py_NewRef(item->target);
    int is = once_ask(where, data);
    Py_DECREF(where);
    if (is > 0) {
        return once_settle(owner, item, Py_NewRef(data), NULL);
    }
    if (is < 0 && PyErr_ExceptionMatches(PyExc_Exception)) {
        return once_settle(owner, item, NULL, PyErr_GetRaisedException());
    }
    return is;
}

int
once_close(dispatcher *owner, handler *item)
{
    dispatcher_refuse_closed();
    return once_settle(owner, item, NULL, PyErr_GetRaisedException());
}
