/* _SyncSubscriber: what Broadcast.subscribe_sync() gives, a stream of the items published.
 *
 * States: those of a stream.  A step without an item waits in its thread.  A step that timed
 * out, was interrupted, or would block an event loop is refused and changes nothing.
 *
 * Owned: the subscription (hub.c), which it leaves at the end, or when it is dropped or
 * closed, from another thread too: a step that waits ends then.
 *
 * User code that runs: signal handlers, and what is dropped.
 *
 * Threads: see stream.c.  The object's critical section is suspended during a wait; `running`
 * refuses other calls.
 */
#include "broadcast/sync_subscriber.h"

#include "aio/loop.h"
#include "core/clock.h"
#include "runtime/patched.h"
#include "runtime/seconds.h"
#include "stream/stream.h"

typedef struct {
    stream stream;
    subscription subscription;
    uint64_t timeout; /* nanoseconds, or SECONDS_FOREVER */
} sync_subscriber;

/* ---- waiting ---- */

/* 0, or -1 with RuntimeError where an event loop runs in this thread. */
static int
sync_subscriber_check_thread(const sync_subscriber *self)
{
    PyObject *loop;
    int running = loop_running(self->subscription.hub->state, &loop);
    Py_XDECREF(loop);
    if (running > 0) {
        PyErr_SetString(PyExc_RuntimeError,
                        "subscribe_sync() cannot wait on the thread of an event loop: use "
                        "subscribe() there");
    }
    return running == 0 ? 0 : -1;
}

static void
sync_subscriber_raise_timeout(const sync_subscriber *self)
{
    PyObject *seconds = PyFloat_FromDouble((double)self->timeout / (double)CLOCK_SECOND);
    if (seconds != NULL) {
        PyErr_Format(PyExc_TimeoutError, "no item came within %R seconds", seconds);
        Py_DECREF(seconds);
    }
}

/* What is left of the time, since `start`. */
static uint64_t
sync_subscriber_time_left(const sync_subscriber *self, uint64_t start)
{
    if (self->timeout == SECONDS_FOREVER) {
        return SECONDS_FOREVER;
    }
    uint64_t elapsed = clock_precise() - start;
    return elapsed < self->timeout ? self->timeout - elapsed : 0;
}

/* 1 where there may be an item now, 0 at the end, or -1. */
static int
sync_subscriber_wait(sync_subscriber *self, uint64_t start)
{
    if (sync_subscriber_check_thread(self) < 0) {
        self->stream.refused = true;
        return -1;
    }
    uint64_t left = sync_subscriber_time_left(self, start);
    subscription_status status = subscription_wait(&self->subscription, NULL, NULL);
    if (status != SUBSCRIPTION_WAITS) {
        return status == SUBSCRIPTION_ERROR ? -1 : status == SUBSCRIPTION_READY;
    }
    int slept = subscription_sleep(&self->subscription, left);
    if (slept < 0) {
        self->stream.refused = true;
        return -1;
    }
    if (slept == 0 && sync_subscriber_time_left(self, start) == 0) {
        self->stream.refused = true;
        sync_subscriber_raise_timeout(self);
        return -1;
    }
    return 1;
}

/* ---- the stream's own ---- */

static PyObject *
sync_subscriber_next(stream *base)
{
    sync_subscriber *self = (sync_subscriber *)base;
    PyObject *item = subscription_take(&self->subscription);
    if (item != NULL) {
        return item;
    }
    uint64_t start = clock_precise();
    while (sync_subscriber_wait(self, start) > 0) {
        item = subscription_take(&self->subscription);
        if (item != NULL) {
            return item;
        }
    }
    return NULL;
}

static int
sync_subscriber_release(stream *base)
{
    subscription_leave(&((sync_subscriber *)base)->subscription);
    return 0;
}

/* close() while a step waits: the step ends. */
static int
sync_subscriber_close_running(stream *base)
{
    subscription_leave(&((sync_subscriber *)base)->subscription);
    return 0;
}

/* What it holds now is given, and nothing that is published later.  A step that waits holds
   nothing, and ends. */
static int
sync_subscriber_stop(stream *base)
{
    return subscription_stop(&((sync_subscriber *)base)->subscription);
}

static void
sync_subscriber_measure(stream *base, measures *into)
{
    subscription_measure(&((sync_subscriber *)base)->subscription, into);
}

static const stream_kind sync_subscriber_kind = {
    .next = sync_subscriber_next,
    .release = sync_subscriber_release,
    .close_running = sync_subscriber_close_running,
    .stop = sync_subscriber_stop,
    .measure = sync_subscriber_measure,
};

/* ---- making one ---- */

PyObject *
sync_subscriber_new(hub *joined, size_t buffersize, on_full policy, size_t replay,
                    uint64_t timeout)
{
    if (patched_check_threads("subscribe_sync()", "read it in a process without it") < 0) {
        return NULL;
    }
    PyTypeObject *type = joined->state->sync_subscriber_type;
    sync_subscriber *self = (sync_subscriber *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &sync_subscriber_kind;
    self->timeout = timeout;
    self->subscription.buffersize = buffersize;
    self->subscription.policy = policy;
    if (gate_thread_init(&self->subscription.thread) < 0 ||
        subscription_join(&self->subscription, joined, replay) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- memory ---- */

static int
sync_subscriber_traverse(PyObject *op, visitproc visit, void *arg)
{
    int status = subscription_traverse(&((sync_subscriber *)op)->subscription, visit, arg);
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

static int
sync_subscriber_clear(PyObject *op)
{
    sync_subscriber *self = (sync_subscriber *)op;
    subscription_clear(&self->subscription);
    gate_thread_free(&self->subscription.thread);
    return stream_clear(op);
}

/* ---- the type ---- */

static PyObject *
sync_subscriber_get_dropped(PyObject *op, void *Py_UNUSED(closure))
{
    return subscription_dropped(&((sync_subscriber *)op)->subscription);
}

static PyGetSetDef sync_subscriber_attributes[] = {
    {"dropped", sync_subscriber_get_dropped, NULL,
     "The number of items that it did not receive.", NULL},
    {NULL},
};

PyDoc_STRVAR(sync_subscriber_doc,
             "An iterator over the items of a Broadcast.  Broadcast.subscribe_sync()\n"
             "returns it.");

static PyMethodDef sync_subscriber_methods[] = {
    STREAM_STOP_METHOD,
    {NULL},
};

static PyType_Slot sync_subscriber_slots[] = {
    {Py_tp_doc, (char *)sync_subscriber_doc}, {Py_tp_traverse, sync_subscriber_traverse},
    {Py_tp_clear, sync_subscriber_clear},     {Py_tp_getset, sync_subscriber_attributes},
    {Py_tp_methods, sync_subscriber_methods}, {0, NULL},
};

PyType_Spec sync_subscriber_spec = {
    .name = "native_generators._native._SyncSubscriber",
    .basicsize = sizeof(sync_subscriber),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = sync_subscriber_slots,
};
