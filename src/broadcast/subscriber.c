/* _Subscriber: what Broadcast.subscribe() gives, an async stream of the items published.
 *
 * States and threads: those of an async stream.  It has no source: its subscription (hub.c)
 * holds the items.  A step without one waits on its loop, which may be another one each time.
 *
 * Owned: the subscription, which it leaves at the end or when it is dropped.
 *
 * User code that runs: what is dropped, the loop's methods, and the Broadcast's guard.
 */
#include "broadcast/subscriber.h"

#include "aio/loop.h"
#include "stream/astream.h"

typedef struct {
    astream stream;
    subscription subscription;
} subscriber;

/* ---- the stream's own ---- */

/* 0, or -1 with an exception where the Broadcast's guard lets nobody wait here. */
static int
subscriber_ask_guard(const hub *from)
{
    PyObject *guard = Py_XNewRef(from->guard);
    if (guard == NULL) {
        return 0;
    }
    PyObject *done = PyObject_CallNoArgs(guard);
    Py_DECREF(guard);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Wait for an item.  ASTREAM_REFUSE where no loop runs that could wait, or nobody may. */
static astream_outcome
subscriber_wait(subscriber *self, PyObject **value)
{
    subscription *mine = &self->subscription;
    subscription_status status = subscription_ask(mine);
    if (status == SUBSCRIPTION_WAITS) {
        if (subscriber_ask_guard(mine->hub) < 0) {
            return ASTREAM_REFUSE;
        }
        PyObject *loop = Py_XNewRef(gate_known_loop(&mine->place));
        if (loop == NULL) {
            loop = loop_needed(mine->hub->state, "a subscriber of a Broadcast");
        }
        if (loop == NULL) {
            return ASTREAM_REFUSE;
        }
        status = subscription_wait(mine, loop, value);
        Py_DECREF(loop);
    }
    switch (status) {
    case SUBSCRIPTION_WAITS:
        return ASTREAM_WAIT;
    case SUBSCRIPTION_READY:
        return ASTREAM_AGAIN;
    case SUBSCRIPTION_ENDED:
        return ASTREAM_END;
    default:
        return ASTREAM_ERROR;
    }
}

static astream_outcome
subscriber_step(astream *base, astream_answer Py_UNUSED(answer), PyObject **value)
{
    subscriber *self = (subscriber *)base;
    *value = subscription_take(&self->subscription);
    return *value != NULL ? ASTREAM_ITEM : subscriber_wait(self, value);
}

static int
subscriber_release(astream *base)
{
    subscription_leave(&((subscriber *)base)->subscription);
    return 0;
}

/* What it holds now is given, and nothing that is published later.  A step that waits holds
   nothing, and ends. */
static int
subscriber_stop(astream *base)
{
    if (subscription_stop(&((subscriber *)base)->subscription) < 0) {
        return -1;
    }
    PyObject *future = Py_XNewRef(base->future);
    if (future == NULL) {
        return 0;
    }
    int status = loop_wake_from_anywhere(generators_state_of((PyObject *)base), future);
    Py_DECREF(future);
    return status < 0 ? -1 : 0;
}

static void
subscriber_measure(astream *base, measures *into)
{
    subscription_measure(&((subscriber *)base)->subscription, into);
}

static const astream_kind subscriber_kind = {.step = subscriber_step,
                                             .release = subscriber_release,
                                             .stop = subscriber_stop,
                                             .measure = subscriber_measure};

/* ---- making one ---- */

PyObject *
subscriber_new(hub *joined, size_t buffersize, on_full policy, size_t replay,
               int close_with_task)
{
    PyTypeObject *type = joined->state->subscriber_type;
    subscriber *self = (subscriber *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &subscriber_kind;
    self->stream.close_with_task = close_with_task;
    self->subscription.buffersize = buffersize;
    self->subscription.policy = policy;
    if (subscription_join(&self->subscription, joined, replay) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- memory ---- */

static int
subscriber_traverse(PyObject *op, visitproc visit, void *arg)
{
    int status = subscription_traverse(&((subscriber *)op)->subscription, visit, arg);
    return status != 0 ? status : astream_traverse(op, visit, arg);
}

static int
subscriber_clear(PyObject *op)
{
    subscription_clear(&((subscriber *)op)->subscription);
    return astream_clear(op);
}

/* ---- the type ---- */

static PyObject *
subscriber_get_dropped(PyObject *op, void *Py_UNUSED(closure))
{
    return subscription_dropped(&((subscriber *)op)->subscription);
}

static PyGetSetDef subscriber_attributes[] = {
    {"dropped", subscriber_get_dropped, NULL, "The number of items that it did not receive.",
     NULL},
    {NULL},
};

PyDoc_STRVAR(subscriber_doc,
             "An async iterator over the items of a Broadcast.  Broadcast.subscribe()\n"
             "returns it.");

static PyType_Slot subscriber_slots[] = {
    {Py_tp_doc, (char *)subscriber_doc},
    {Py_tp_traverse, subscriber_traverse},
    {Py_tp_clear, subscriber_clear},
    {Py_tp_getset, subscriber_attributes},
    {0, NULL},
};

PyType_Spec subscriber_spec = {
    .name = "native_generators._native._Subscriber",
    .basicsize = sizeof(subscriber),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = subscriber_slots,
};
