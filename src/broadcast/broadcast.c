/* Broadcast: its methods.  The machine is hub.c, the streams that it gives are in subscriber.c
 * and sync_subscriber.c, its coroutines in publishing.c.
 */
#include "broadcast/broadcast.h"

#include "broadcast/publishing.h"
#include "broadcast/subscriber.h"
#include "broadcast/sync_subscriber.h"
#include "runtime/attributes.h"
#include "runtime/seconds.h"

/* ---- arguments ---- */

/* None leaves *policy as it is.  0 or -1. */
static int
broadcast_read_policy(PyObject *given, on_full *policy)
{
    static const char *const names[] = {"wait", "drop_oldest", "drop_newest", "close"};
    if (given == Py_None) {
        return 0;
    }
    for (size_t i = 0; PyUnicode_Check(given) && i < Py_ARRAY_LENGTH(names); i++) {
        if (PyUnicode_CompareWithASCIIString(given, names[i]) == 0) {
            *policy = (on_full)i;
            return 0;
        }
    }
    PyErr_Format(PyUnicode_Check(given) ? PyExc_ValueError : PyExc_TypeError,
                 "on_full must be 'wait', 'drop_oldest', 'drop_newest' or 'close', not %R",
                 given);
    return -1;
}

/* The same for a number. */
static int
broadcast_read_size(PyObject *given, const char *name, Py_ssize_t least, size_t *size)
{
    if (given == Py_None) {
        return 0;
    }
    Py_ssize_t number = PyNumber_AsSsize_t(given, PyExc_OverflowError);
    if (number == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (number < least) {
        PyErr_Format(PyExc_ValueError, "%s must be at least %zd, not %zd", name, least,
                     number);
        return -1;
    }
    *size = (size_t)number;
    return 0;
}

static int
broadcast_read_options(PyObject *buffersize, PyObject *policy, PyObject *replay,
                       size_t *read_buffersize, on_full *read_policy, size_t *read_replay)
{
    return broadcast_read_size(buffersize, "buffersize", 1, read_buffersize) < 0 ||
                   broadcast_read_policy(policy, read_policy) < 0 ||
                   broadcast_read_size(replay, "replay", 0, read_replay) < 0
               ? -1
               : 0;
}

/* ---- making one ---- */

static PyObject *
broadcast_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"buffersize", "on_full", "replay", NULL};
    PyObject *buffersize = Py_None, *policy = Py_None, *replay = Py_None;
    size_t given_buffersize = 256, given_replay = 0;
    on_full given_policy = ON_FULL_WAIT;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOO:Broadcast", keywords, &buffersize,
                                     &policy, &replay) ||
        broadcast_read_options(buffersize, policy, replay, &given_buffersize, &given_policy,
                               &given_replay) < 0) {
        return NULL;
    }
    hub *self = (hub *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->state = generators_state_of((PyObject *)self);
        self->buffersize = given_buffersize;
        self->policy = given_policy;
        self->replay = given_replay;
        self->limit = UINT64_MAX;
    }
    return (PyObject *)self;
}

/* ---- publishing ---- */

static void
broadcast_raise_full(void)
{
    PyObject *queues = PyImport_ImportModule("asyncio.queues");
    PyObject *error = queues == NULL ? NULL : PyObject_GetAttrString(queues, "QueueFull");
    Py_XDECREF(queues);
    if (error != NULL) {
        PyErr_SetString(error, "a subscriber is full, and nobody got the item");
        Py_DECREF(error);
    }
}

PyDoc_STRVAR(
    publish_doc,
    "publish($self, item, /)\n"
    "--\n\n"
    "Pass the item to every subscriber at once, and return the number of subscribers that\n"
    "received it.\n"
    "\n"
    "It never waits, and may be called on any thread, in a callback, a signal handler or\n"
    "a finalizer.  asyncio.QueueFull is raised if a subscriber with on_full='wait' is\n"
    "full; no subscriber then receives the item.  RuntimeError is raised if the broadcast\n"
    "is closed.");

static PyObject *
broadcast_publish(PyObject *op, PyObject *item)
{
    Py_ssize_t given;
    switch (hub_publish((hub *)op, item, &given)) {
    case HUB_PUBLISHED:
        return PyLong_FromSsize_t(given);
    case HUB_FULL:
        broadcast_raise_full();
        return NULL;
    case HUB_CLOSED:
        hub_refuse_closed();
        return NULL;
    default:
        return NULL;
    }
}

PyDoc_STRVAR(
    apublish_doc,
    "apublish($self, item, /)\n"
    "--\n\n"
    "A coroutine that does what publish() does, but waits while a subscriber with\n"
    "on_full='wait' is full, and lets other tasks run now and then.  If it is cancelled,\n"
    "no subscriber receives the item.  The items of several tasks may be published in\n"
    "another order than apublish() was called.");

static PyObject *
broadcast_apublish(PyObject *op, PyObject *item)
{
    return publishing_new_item((hub *)op, item);
}

PyDoc_STRVAR(
    run_doc,
    "run($self, source, /)\n"
    "--\n\n"
    "Publish each item of an iterable, then close the broadcast.\n"
    "\n"
    "This is for a thread without an event loop: it waits while a subscriber with\n"
    "on_full='wait' is full.  If the source raises an exception, each subscriber raises\n"
    "the same exception after the items that it holds, and so does run().  A source that\n"
    "is a generator is closed in every case.  run() returns when the broadcast is closed.");

static PyObject *
broadcast_run(PyObject *op, PyObject *source)
{
    return publishing_run((hub *)op, source) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(
    arun_doc,
    "arun($self, source, /)\n"
    "--\n\n"
    "A coroutine that does what run() does, for an async iterable or an iterable.  If it\n"
    "is cancelled, a source that is a generator is closed, and the subscribers end after\n"
    "the items that they hold.");

static PyObject *
broadcast_arun(PyObject *op, PyObject *source)
{
    return publishing_new_run((hub *)op, source);
}

PyDoc_STRVAR(close_doc,
             "close($self, /)\n"
             "--\n\n"
             "Close the broadcast: nothing more can be published, and each subscriber ends\n"
             "after the items that it holds.  It may be called on any thread, and more than\n"
             "once.");

static PyObject *
broadcast_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return hub_close((hub *)op, NULL) < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- subscribing ---- */

PyDoc_STRVAR(
    subscribe_doc,
    "subscribe($self, /, *, buffersize=None, on_full=None, replay=None,\n"
    "          close_with_task=False)\n"
    "--\n\n"
    "Return an async iterator over the items that are published from now on, which has a\n"
    "buffer of its own.  Its attribute `held` is the number of items in the buffer, and\n"
    "`dropped` the number of items that it did not receive.\n"
    "\n"
    "Each of `buffersize`, `on_full` and `replay` is as for the Broadcast if it is None.\n"
    "At most as many items can be replayed as the Broadcast keeps for replay, and as fit\n"
    "into the buffer.\n"
    "\n"
    "The iterator may be used on any event loop.  Cancelling a pending step loses\n"
    "nothing: the next step resumes it.  close_with_task=True closes the stream when the\n"
    "asyncio task that took its first item ends.");

static PyObject *
broadcast_subscribe(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"buffersize", "on_full", "replay", "close_with_task", NULL};
    hub *self = (hub *)op;
    PyObject *buffersize = Py_None, *policy = Py_None, *replay = Py_None;
    size_t its_buffersize = self->buffersize, its_replay = self->replay;
    on_full its_policy = self->policy;
    int close_with_task = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOOp:subscribe", keywords, &buffersize,
                                     &policy, &replay, &close_with_task) ||
        broadcast_read_options(buffersize, policy, replay, &its_buffersize, &its_policy,
                               &its_replay) < 0) {
        return NULL;
    }
    return subscriber_new(self, its_buffersize, its_policy, its_replay, close_with_task);
}

PyDoc_STRVAR(
    subscribe_sync_doc,
    "subscribe_sync($self, /, *, buffersize=None, on_full=None, replay=None,\n"
    "               timeout=None)\n"
    "--\n\n"
    "Return what subscribe() returns as an iterator, for code in another thread that is\n"
    "not async.  A step waits for an item.  After `timeout` seconds it raises\n"
    "TimeoutError, and the next step waits again.  close() on another thread ends a step\n"
    "that waits.  A step that would wait on the thread of an event loop raises\n"
    "RuntimeError.");

static PyObject *
broadcast_subscribe_sync(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"buffersize", "on_full", "replay", "timeout", NULL};
    hub *self = (hub *)op;
    PyObject *buffersize = Py_None, *policy = Py_None, *replay = Py_None, *timeout = Py_None;
    size_t its_buffersize = self->buffersize, its_replay = self->replay;
    on_full its_policy = self->policy;
    uint64_t nanoseconds;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOOO:subscribe_sync", keywords,
                                     &buffersize, &policy, &replay, &timeout) ||
        broadcast_read_options(buffersize, policy, replay, &its_buffersize, &its_policy,
                               &its_replay) < 0 ||
        seconds_read(timeout, "timeout", &nanoseconds) < 0) {
        return NULL;
    }
    return sync_subscriber_new(self, its_buffersize, its_policy, its_replay, nanoseconds);
}

static PyObject *
broadcast_get_subscribers(PyObject *op, void *Py_UNUSED(closure))
{
    hub *self = (hub *)op;
    generators_lock_take(&self->lock);
    size_t count = self->count;
    generators_lock_leave(&self->lock);
    return PyLong_FromSize_t(count);
}

/* For whoever makes a Broadcast of its own: see hub_state.h.  Before anybody subscribes. */
static PyObject *
broadcast_set_guard(PyObject *op, PyObject *guard)
{
    PyObject **place = &((hub *)op)->guard;
    if (*place == NULL) {
        *place = Py_NewRef(guard);
    }
    Py_RETURN_NONE;
}

/* ---- the type ---- */

PyDoc_STRVAR(
    broadcast_doc,
    "Broadcast(*, buffersize=256, on_full='wait', replay=0)\n"
    "--\n\n"
    "Sends each item to every subscriber.  A slow subscriber does not delay the others.\n"
    "\n"
    "The items are shared, not copied.  A subscriber holds at most `buffersize` of them.\n"
    "`on_full` says what happens if one more item comes:\n"
    "\n"
    "    wait         apublish(), run() and arun() wait; publish() raises asyncio.QueueFull\n"
    "    drop_oldest  the oldest item of the subscriber is dropped, and counted\n"
    "    drop_newest  the subscriber does not receive the new item, which is counted\n"
    "    close        the subscriber receives no more items, and raises BufferError after\n"
    "                 those that it holds\n"
    "\n"
    "A new subscriber first receives the last `replay` items.  subscribe() can choose\n"
    "other values of these parameters for one subscriber.\n"
    "\n"
    "All methods may be called on any thread.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> async def main():\n"
    "...     prices = Broadcast()\n"
    "...     one, other = prices.subscribe(), prices.subscribe()\n"
    "...     prices.publish(101)\n"
    "...     prices.publish(102)\n"
    "...     prices.close()\n"
    "...     return [price async for price in one], [price async for price in other]\n"
    ">>> asyncio.run(main())\n"
    "([101, 102], [101, 102])");

static PyMethodDef broadcast_methods[] = {
    {"publish", broadcast_publish, METH_O, publish_doc},
    {"apublish", broadcast_apublish, METH_O, apublish_doc},
    {"run", broadcast_run, METH_O, run_doc},
    {"arun", broadcast_arun, METH_O, arun_doc},
    {"close", broadcast_close, METH_NOARGS, close_doc},
    {"subscribe", (PyCFunction)(void (*)(void))broadcast_subscribe,
     METH_VARARGS | METH_KEYWORDS, subscribe_doc},
    {"subscribe_sync", (PyCFunction)(void (*)(void))broadcast_subscribe_sync,
     METH_VARARGS | METH_KEYWORDS, subscribe_sync_doc},
    {"_set_guard", broadcast_set_guard, METH_O, "For Dispatcher.subscribe()."},
    ATTRIBUTES_GENERIC,
    {NULL},
};

static PyGetSetDef broadcast_attributes[] = {
    {"subscribers", broadcast_get_subscribers, NULL, "The number of subscribers.", NULL},
    {NULL},
};

static PyMemberDef broadcast_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(hub, weak_references), Py_READONLY, NULL},
    {NULL},
};

static PyType_Slot broadcast_slots[] = {
    {Py_tp_doc, (char *)broadcast_doc},
    {Py_tp_new, broadcast_new},
    {Py_tp_traverse, hub_traverse},
    {Py_tp_clear, hub_clear},
    {Py_tp_dealloc, hub_dealloc},
    {Py_tp_methods, broadcast_methods},
    {Py_tp_members, broadcast_members},
    {Py_tp_getset, broadcast_attributes},
    {0, NULL},
};

PyType_Spec broadcast_spec = {
    .name = "native_generators.Broadcast",
    .basicsize = sizeof(hub),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = broadcast_slots,
};
