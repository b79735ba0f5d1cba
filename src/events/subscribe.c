/* Dispatcher.subscribe(): the events of a type as an async stream.
 *
 * Each stream has a Broadcast of its own, which the dispatcher publishes to.  The Broadcast is
 * the `object` of a handler.  It is used by its public methods.
 *
 * Owned: the Broadcast, by the handler.  A stream that was closed or dropped leaves its
 * Broadcast, and the next event removes the handler.
 *
 * User code: none but that of objects that are dropped.
 *
 * Threads: see broadcast/hub.c.
 */
#include "events/subscribe.h"

#include "events/register.h"
#include "runtime/raising.h"

const char dispatcher_subscribe_doc[] = PyDoc_STR(
    "subscribe($self, type, /, *, buffersize=256, on_full='wait', close_with_task=False)\n"
    "--\n\n"
    "Return an async iterator over the data of the events of this type, from now on.  If\n"
    "the type is None, it yields all events, whole.\n"
    "\n"
    "The stream holds at most `buffersize` events that were not read.  `on_full` says\n"
    "what happens if one more comes, as for Broadcast: 'wait' makes an async dispatch\n"
    "wait, and a sync dispatch fail with asyncio.QueueFull; 'drop_oldest' and\n"
    "'drop_newest' drop an event; 'close' ends the stream with BufferError.  The stream\n"
    "ends when the dispatcher is closed.\n"
    "\n"
    "A step that would wait in an async handler of the same dispatcher raises\n"
    "RuntimeError, since the next event would come after the handler.  A background\n"
    "handler, or a task that a handler starts, may wait.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> async def main():\n"
    "...     with Dispatcher() as d:\n"
    "...         prices = d.subscribe('price')\n"
    "...         d.emit('price', 101), d.emit('other', 1), d.emit('price', 102)\n"
    "...     return [price async for price in prices]\n"
    ">>> asyncio.run(main())\n"
    "[101, 102]");

/* The guard of a Broadcast, which it calls before a step of the stream waits.  The next event
   comes after the handler that the current dispatch awaits: RuntimeError where that is the one
   who waits.  A task that it has started may wait. */
static PyObject *
subscribe_check_reader(PyObject *reference, PyObject *Py_UNUSED(ignored))
{
    PyObject *op = PyObject_CallNoArgs(reference);
    if (op == NULL || op == Py_None) {
        return op;
    }
    dispatcher *owner = (dispatcher *)op;
    bool is_refused;
    Py_BEGIN_CRITICAL_SECTION(op);
    is_refused =
        generators_flag_get(&owner->steps) && dispatcher_find_caller(owner) == CALLER_HANDLER;
    Py_END_CRITICAL_SECTION();
    Py_DECREF(op);
    if (!is_refused) {
        Py_RETURN_NONE;
    }
    PyErr_SetString(PyExc_RuntimeError,
                    "a handler that reads a stream of its own dispatcher would wait for ever, "
                    "since the next event comes after the handler: register the handler with "
                    "background=True, or read the stream in a task");
    return NULL;
}

static PyMethodDef subscribe_check_reader_def = {"check_reader", subscribe_check_reader,
                                                 METH_NOARGS, NULL};

/* 0 or -1. */
static int
subscribe_set_guard(dispatcher *owner, PyObject *broadcast)
{
    PyObject *reference = PyWeakref_NewRef((PyObject *)owner, NULL), *done = NULL;
    PyObject *guard =
        reference == NULL ? NULL : PyCFunction_New(&subscribe_check_reader_def, reference);
    if (guard != NULL) {
        done = PyObject_CallMethod(broadcast, "_set_guard", "(O)", guard);
    }
    Py_XDECREF(guard);
    Py_XDECREF(reference);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* A Broadcast: a new reference, or NULL. */
static PyObject *
subscribe_make_broadcast(dispatcher *owner, PyObject *buffersize, PyObject *policy)
{
    PyTypeObject *type = owner->state->broadcast_type;
    if (type == NULL) { /* the module is being unloaded */
        dispatcher_refuse_closed();
        return NULL;
    }
    PyObject *options = PyDict_New(), *broadcast = NULL;
    if (options != NULL &&
        (buffersize == NULL || PyDict_SetItemString(options, "buffersize", buffersize) == 0) &&
        (policy == NULL || PyDict_SetItemString(options, "on_full", policy) == 0)) {
        broadcast = PyObject_Call((PyObject *)type, owner->state->empty_tuple, options);
    }
    if (broadcast != NULL && subscribe_set_guard(owner, broadcast) < 0) {
        Py_CLEAR(broadcast);
    }
    Py_XDECREF(options);
    return broadcast;
}

/* broadcast.subscribe(close_with_task=...): a new reference, or NULL. */
static PyObject *
subscribe_make_stream(dispatcher *owner, PyObject *broadcast, int close_with_task)
{
    PyObject *options =
        Py_BuildValue("{sO}", "close_with_task", close_with_task ? Py_True : Py_False);
    PyObject *subscribe =
        options == NULL ? NULL : PyObject_GetAttrString(broadcast, "subscribe");
    PyObject *stream = subscribe == NULL
                           ? NULL
                           : PyObject_Call(subscribe, owner->state->empty_tuple, options);
    Py_XDECREF(options);
    Py_XDECREF(subscribe);
    return stream;
}

PyObject *
dispatcher_subscribe(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "buffersize", "on_full", "close_with_task", NULL};
    dispatcher *owner = (dispatcher *)op;
    PyObject *type, *buffersize = NULL, *policy = NULL;
    int close_with_task = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOp:subscribe", keywords, &type,
                                     &buffersize, &policy, &close_with_task)) {
        return NULL;
    }
    PyObject *broadcast = subscribe_make_broadcast(owner, buffersize, policy);
    PyObject *stream =
        broadcast == NULL ? NULL : subscribe_make_stream(owner, broadcast, close_with_task);
    handler *item = stream == NULL
                        ? NULL
                        : handler_new_special(owner->state, type, HANDLER_STREAM, broadcast);
    int status = item == NULL ? -1 : dispatcher_add(owner, item);
    PyObject *raised = status < 0 ? PyErr_GetRaisedException() : NULL;
    Py_XDECREF((PyObject *)item);
    Py_XDECREF(broadcast);
    if (status < 0) {
        Py_XDECREF(stream);
        PyErr_SetRaisedException(raised);
        return NULL;
    }
    return stream;
}

/* Whether the exception that is set is asyncio.QueueFull: 1, and it is cleared; 0; or -1 with
   another exception. */
static int
subscribe_is_full(void)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *queues = PyImport_ImportModule("asyncio.queues");
    PyObject *full = queues == NULL ? NULL : PyObject_GetAttrString(queues, "QueueFull");
    Py_XDECREF(queues);
    if (full == NULL) {
        raising_chain(raised);
        return -1;
    }
    int is = PyErr_GivenExceptionMatches(raised, full);
    Py_DECREF(full);
    if (is) {
        Py_DECREF(raised);
    }
    else {
        PyErr_SetRaisedException(raised);
    }
    return is;
}

/* Whether the stream has left the Broadcast: 1, 0 or -1. */
static int
subscribe_has_left(PyObject *broadcast)
{
    PyObject *count = PyObject_GetAttrString(broadcast, "subscribers");
    int has = count == NULL ? -1 : PyObject_Not(count);
    Py_XDECREF(count);
    return has;
}

PyObject *
subscribe_publish(handler *item, PyObject *data, bool can_await, bool *is_over)
{
    PyObject *broadcast = Py_NewRef(item->object), *result = NULL;
    int has_left = subscribe_has_left(broadcast);
    *is_over = has_left > 0;
    if (has_left > 0) {
        result = Py_NewRef(Py_None);
    }
    else if (has_left == 0) {
        PyObject *count = PyObject_CallMethod(broadcast, "publish", "(O)", data);
        if (count != NULL) {
            result = Py_NewRef(Py_None);
            Py_DECREF(count);
        }
        else if (can_await && subscribe_is_full() > 0) {
            result = PyObject_CallMethod(broadcast, "apublish", "(O)", data);
        }
    }
    Py_DECREF(broadcast);
    return result;
}

int
subscribe_close(handler *item)
{
    PyObject *done = PyObject_CallMethod(item->object, "close", NULL);
    generators_flag_exchange(&item->active, false);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}
