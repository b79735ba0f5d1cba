/* _Publishing: the coroutines apublish() and arun() of a Broadcast; and run(), which does in a
 * thread what arun() does in a task.
 *
 * States: new -> (at the source | waiting for room | paused)* -> closing -> ended.  apublish()
 * has no source.
 *
 * arun() iterates its source in the task that awaits it, as `async for` does there: a
 * cancellation goes to what the source awaits.  When the source has ended or failed it is
 * closed, if it is a generator, and then the broadcast is closed.  What was raised is what
 * every subscriber raises, but for what ends a task and not a source: a cancellation,
 * GeneratorExit, KeyboardInterrupt and SystemExit.
 *
 * Owned: the hub, the item or the source, and what was raised.
 *
 * User code that runs: the source's, what is awaited, and all that hub_publish() runs.  The
 * coroutine refuses other steps meanwhile.
 *
 * Threads: see aio/coroutine.c for the object, hub.c for the hub.
 */
#include "broadcast/publishing.h"

#include "aio/arun_source.h"
#include "aio/await.h"
#include "aio/loop.h"
#include "runtime/closing.h"
#include "runtime/raising.h"
#include "stream/refusal.h"

typedef enum {
    PUBLISHING_NEW,
    PUBLISHING_READY, /* for the next item; waited for room, or paused */
    PUBLISHING_AT_SOURCE,
    PUBLISHING_CLOSING,
} publishing_state;

typedef struct {
    coroutine base;
    hub *owner;         /* owned; NULL when it has ended */
    PyObject *item;     /* owned: to be published, or NULL */
    arun_source source; /* of arun() */
    gate_place place;
    turn_budget budget;
    Py_ssize_t pulled; /* items taken from the source */
    Py_ssize_t given;  /* how many got the last item */
    publishing_state state;
    bool is_run;
    bool is_closing; /* it must not wait any more */
} publishing;

/* What the functions below return. */
typedef enum {
    NEXT_ERROR = -1,
    NEXT_DONE,
    NEXT_AWAIT, /* base.awaited or, if that is NULL, one turn of the loop */
} next_step;

/* ---- an item ---- */

/* Wait until there may be room. */
static next_step
publishing_wait(publishing *self)
{
    PyObject *loop = loop_needed(self->owner->state, self->is_run ? "arun()" : "apublish()");
    if (loop == NULL) {
        return NEXT_ERROR;
    }
    PyObject *waiter;
    int waits = hub_wait_for_room(self->owner, &self->place, loop, &waiter);
    Py_DECREF(loop);
    if (waits <= 0) {
        return waits < 0 ? NEXT_ERROR : NEXT_DONE;
    }
    self->base.awaited = waiter; /* it is its own iterator */
    self->state = PUBLISHING_READY;
    return NEXT_AWAIT;
}

static next_step
publishing_publish(publishing *self)
{
    for (;;) {
        switch (hub_publish(self->owner, self->item, &self->given)) {
        case HUB_PUBLISHED: {
            PyObject *item = self->item;
            self->item = NULL;
            Py_DECREF(item);
            return NEXT_DONE;
        }
        case HUB_FULL: {
            next_step next = publishing_wait(self);
            if (next != NEXT_DONE) {
                return next;
            }
            break;
        }
        case HUB_CLOSED:
            if (self->is_run) {
                self->state = PUBLISHING_CLOSING;
                return NEXT_DONE;
            }
            hub_refuse_closed();
            return NEXT_ERROR;
        default:
            return NEXT_ERROR;
        }
    }
}

/* Whether the loop must have its turn: 1, 0 or -1. */
static int
publishing_must_pause(publishing *self)
{
    bool is_due = self->is_run ? budget_spend(&self->budget) : hub_spend(self->owner);
    if (!is_due) {
        return 0;
    }
    self->state = PUBLISHING_READY;
    PyObject *loop;
    int running = loop_running(self->owner->state, &loop);
    Py_XDECREF(loop);
    return running;
}

static next_step
publishing_begin_item(publishing *self)
{
    int pauses = publishing_must_pause(self);
    return pauses == 0 ? publishing_publish(self) : pauses < 0 ? NEXT_ERROR : NEXT_AWAIT;
}

/* ---- a source ---- */

static next_step
publishing_open(publishing *self)
{
    PyObject *given = self->source.source;
    if (arun_source_open(&self->source, self->owner->state) < 0) {
        if (self->source.source == given) {
            refusal_add_hint("run", given, false);
        }
        return NEXT_ERROR;
    }
    self->state = PUBLISHING_READY;
    return NEXT_DONE;
}

/* The source came to `item` (stolen), or to what is raised, if anything: NEXT_DONE with the
   item, or without one at the end. */
static next_step
publishing_take_pulled(publishing *self, PyObject *item, PyObject *stop)
{
    self->state = PUBLISHING_READY;
    if (item != NULL) {
        self->item = item;
        self->pulled++;
        return NEXT_DONE;
    }
    if (!PyErr_Occurred() || raising_forgive(stop) == 0) {
        self->state = PUBLISHING_CLOSING;
        return NEXT_DONE;
    }
    stream_note("while reading item %zd", self->pulled);
    return NEXT_ERROR;
}

static next_step
publishing_pull(publishing *self)
{
    PyObject *source = self->source.source;
    if (self->source.is_async) {
        self->base.awaited = await_anext(source);
        self->state = PUBLISHING_AT_SOURCE;
        return self->base.awaited == NULL ? NEXT_ERROR : NEXT_AWAIT;
    }
    PyObject *item = PyIter_Check(source) ? Py_TYPE(source)->tp_iternext(source) : NULL;
    return publishing_take_pulled(self, item, PyExc_StopIteration);
}

/* Publish items until something must be awaited, or the source has ended. */
static next_step
publishing_advance_run(publishing *self)
{
    next_step next = NEXT_DONE;
    while (next == NEXT_DONE && self->state != PUBLISHING_CLOSING) {
        if (self->item != NULL) {
            next = publishing_publish(self);
            continue;
        }
        if (hub_is_closed(self->owner)) {
            self->state = PUBLISHING_CLOSING; /* nobody wants another item */
            break;
        }
        int pauses = publishing_must_pause(self);
        next = pauses == 0 ? publishing_pull(self) : pauses < 0 ? NEXT_ERROR : NEXT_AWAIT;
    }
    return next;
}

/* ---- the end ---- */

/* End the broadcast with what is raised, if anything, which is raised again.  0 or -1. */
static int
publishing_end(hub *owner)
{ /* CancelledError is no Exception */
    PyObject *raised = PyErr_GetRaisedException();
    bool fails = raised != NULL && PyErr_GivenExceptionMatches(raised, PyExc_Exception);
    int status = hub_close(owner, fails ? raised : NULL);
    if (raised == NULL) {
        return status;
    }
    if (status < 0) {
        raising_unraisable((PyObject *)owner);
    }
    PyErr_SetRaisedException(raised);
    return -1;
}

/* The source is closed; `fails` if that raised the exception that is set. */
static next_step
publishing_finish(publishing *self, bool fails)
{
    arun_source_end(&self->source, fails); /* what it raises ends the broadcast */
    return publishing_end(self->owner) < 0 ? NEXT_ERROR : NEXT_DONE;
}

/* Close the source after its end, or after what is raised. */
static next_step
publishing_close_source(publishing *self)
{
    PyObject *item = self->item, *raised = PyErr_GetRaisedException();
    self->item = NULL;
    self->state = PUBLISHING_CLOSING;
    Py_XDECREF(item);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    int status = arun_source_close(&self->source, &self->base, !self->is_closing);
    return status > 0 ? NEXT_AWAIT : publishing_finish(self, status < 0);
}

/* ---- steps ---- */

/* What was awaited ended with `given` (stolen); or it is NULL, and an exception is set. */
static next_step
publishing_take_given(publishing *self, PyObject *given)
{
    if (self->state == PUBLISHING_AT_SOURCE) {
        return publishing_take_pulled(self, given, PyExc_StopAsyncIteration);
    }
    Py_XDECREF(given);
    if (given == NULL) {
        return NEXT_ERROR;
    }
    if (self->state == PUBLISHING_NEW && self->is_run) {
        return publishing_open(self);
    }
    return NEXT_DONE;
}

static next_step
publishing_advance(publishing *self, PyObject *given)
{
    if (self->is_run && self->state == PUBLISHING_CLOSING) {
        Py_XDECREF(given);
        return publishing_finish(self, given == NULL);
    }
    bool is_new = self->state == PUBLISHING_NEW;
    next_step next = publishing_take_given(self, given);
    if (!self->is_run) {
        return next != NEXT_DONE ? next
               : is_new          ? publishing_begin_item(self)
                                 : publishing_publish(self);
    }
    if (next == NEXT_DONE) {
        next = publishing_advance_run(self);
    }
    return next == NEXT_AWAIT ? next : publishing_close_source(self);
}

static PySendResult
publishing_step(coroutine *base, PyObject *value, PyObject *exception, PyObject **result)
{
    publishing *self = (publishing *)base;
    budget_stop(&self->budget);
    self->is_closing |=
        exception != NULL && PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit);
    for (;;) {
        PyObject *given;
        PySendResult sent = coroutine_resume_awaited(base, value, exception, &given);
        if (sent == PYGEN_NEXT) {
            *result = given;
            return sent;
        }
        next_step next = publishing_advance(self, given);
        value = Py_None;
        exception = NULL;
        if (next == NEXT_ERROR) {
            return PYGEN_ERROR;
        }
        if (next == NEXT_DONE) {
            *result = self->is_run ? Py_NewRef(Py_None) : PyLong_FromSsize_t(self->given);
            return *result == NULL ? PYGEN_ERROR : PYGEN_RETURN;
        }
        if (base->awaited == NULL) {
            return coroutine_pause(result);
        }
    }
}

static void
publishing_release(coroutine *base)
{
    publishing *self = (publishing *)base;
    hub *owner = self->owner;
    if (owner == NULL) {
        return;
    }
    PyObject *item = self->item;
    self->item = NULL;
    self->owner = NULL;
    gate_leave(&owner->lock, &self->place);
    Py_XDECREF(item);
    arun_source_clear(&self->source);
    Py_DECREF((PyObject *)owner);
}

static PyObject *
publishing_qualified_name(coroutine *base)
{
    return PyUnicode_FromString(((publishing *)base)->is_run ? "Broadcast.arun"
                                                             : "Broadcast.apublish");
}

static const coroutine_kind publishing_kind = {
    .step = publishing_step,
    .release = publishing_release,
    .qualified_name = publishing_qualified_name,
};

/* ---- making one ---- */

static publishing *
publishing_new(hub *owner, bool is_run)
{
    PyTypeObject *type = owner->state->publishing_type;
    if (type == NULL) {
        raising_shut_down();
        return NULL;
    }
    publishing *self = (publishing *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->is_run = is_run;
    if (coroutine_init(&self->base, &publishing_kind, true) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    self->owner = (hub *)Py_NewRef((PyObject *)owner);
    return self;
}

PyObject *
publishing_new_item(hub *owner, PyObject *item)
{
    publishing *self = publishing_new(owner, false);
    if (self != NULL) {
        self->item = Py_NewRef(item);
    }
    return (PyObject *)self;
}

PyObject *
publishing_new_run(hub *owner, PyObject *source)
{
    publishing *self = publishing_new(owner, true);
    if (self != NULL) {
        self->source.source = Py_NewRef(source);
    }
    return (PyObject *)self;
}

/* ---- run() ---- */

/* Wait for room in this thread.  0 or -1. */
static int
publishing_sleep(hub *owner, gate_thread *thread)
{
    PyObject *loop;
    int running = loop_running(owner->state, &loop);
    Py_XDECREF(loop);
    if (running > 0) {
        PyErr_SetString(PyExc_RuntimeError,
                        "run() cannot wait for a subscriber on the thread of an event loop: "
                        "use arun() there");
    }
    if (running != 0 || (thread->lock == NULL && gate_thread_init(thread) < 0)) {
        return -1;
    }
    return hub_sleep_for_room(owner, thread) < 0 ? -1 : 0;
}

static int
publishing_run_item(hub *owner, PyObject *item, gate_thread *thread)
{
    for (;;) {
        Py_ssize_t given;
        hub_status status = hub_publish(owner, item, &given);
        if (status != HUB_FULL) {
            return status == HUB_ERROR ? -1 : 0;
        }
        if (publishing_sleep(owner, thread) < 0) {
            return -1;
        }
    }
}

static int
publishing_run_all(hub *owner, PyObject *iterator, gate_thread *thread)
{
    Py_ssize_t pulled = 0;
    while (!hub_is_closed(owner) && PyIter_Check(iterator)) {
        PyObject *item = Py_TYPE(iterator)->tp_iternext(iterator);
        if (item == NULL) {
            if (!PyErr_Occurred() || raising_forgive(PyExc_StopIteration) == 0) {
                return 0;
            }
            stream_note("while reading item %zd", pulled);
            return -1;
        }
        pulled++;
        int status = publishing_run_item(owner, item, thread);
        Py_DECREF(item);
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

int
publishing_run(hub *owner, PyObject *source)
{
    PyObject *iterator = PyObject_GetIter(source);
    if (iterator == NULL) {
        refusal_add_hint("run", source, false);
    }
    else {
        int closes = closing_is_due(iterator, owner->state->generator_abc);
        gate_thread thread = {NULL, NULL, false};
        int status = closes < 0 ? -1 : publishing_run_all(owner, iterator, &thread);
        gate_thread_free(&thread);
        if (closes > 0) {
            status = closing_close(iterator);
        }
        PyObject *raised = status < 0 ? PyErr_GetRaisedException() : NULL;
        Py_DECREF(iterator);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
    }
    return publishing_end(owner);
}

/* ---- memory ---- */

static int
publishing_traverse(PyObject *op, visitproc visit, void *arg)
{
    publishing *self = (publishing *)op;
    Py_VISIT((PyObject *)self->owner);
    Py_VISIT(self->item);
    int status = arun_source_traverse(&self->source, visit, arg);
    if (status == 0) {
        status = gate_place_traverse(&self->place, visit, arg);
    }
    return status != 0 ? status : coroutine_traverse(op, visit, arg);
}

static int
publishing_clear(PyObject *op)
{
    publishing_release((coroutine *)op);
    return coroutine_clear(op);
}

static PyType_Slot publishing_slots[] = {
    {Py_tp_doc, (char *)"A coroutine of a Broadcast."},
    {Py_tp_traverse, publishing_traverse},
    {Py_tp_clear, publishing_clear},
    COROUTINE_SLOTS,
    {0, NULL},
};

PyType_Spec publishing_spec = {
    .name = "native_generators._native._Publishing",
    .basicsize = sizeof(publishing),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = publishing_slots,
};
