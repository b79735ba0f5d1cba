/* Dispatcher: events to handlers.  Its methods, and the sync face.
 *
 * States: open; closing, when it takes nothing more but a turn is under way, which
 * closes the handlers at its end; closed.
 *
 * Owned: the handlers, by the table; events that wait, by the queue.  What a turn and
 * a waiting call hold is theirs.
 *
 * User code that runs: handlers, and __hash__ and __eq__ of types; readers of events;
 * sources of run().  It may call any method: a dispatch within a turn is queued.
 *
 * Threads: a turn is held by one call at a time, and what another thread dispatches
 * meanwhile is queued as what a handler dispatches is.  All that several calls change
 * is changed in the critical section of the dispatcher.
 */
#include "events/dispatcher.h"

#include "events/call.h"
#include "events/queue_task.h"

#include "runtime/closing.h"
#include "runtime/raising.h"
#include "runtime/attributes.h"

#define EVENTS_BETWEEN_CHECKS                                      \
    1024 /* for signals: neither source nor handler need be Python \
          */

/* ---- dispatching ---- */

/* 1 where there are handlers, 0, or -1. */
static int
dispatch(dispatcher *self, PyObject *event, PyObject *type, PyObject *data)
{
    turn run;
    switch (turn_begin(&run, self, event, type, data, NULL)) {
    case TURN_TAKEN:
        turn_run(&run);
        return turn_end(&run) < 0 ? -1 : 1;
    case TURN_DONE:
    case TURN_QUEUED:
        return 1;
    case TURN_NOBODY:
        return 0;
    default:
        return -1;
    }
}

static int
dispatch_event(dispatcher *self, PyObject *event)
{
    PyObject *type = event_reader_read(&self->key, event);
    PyObject *data = type == NULL ? NULL : event_reader_read(&self->data, event);
    int handled = data == NULL ? -1 : dispatch(self, event, type, data);
    Py_XDECREF(type);
    Py_XDECREF(data);
    return handled;
}

static PyObject *
answer(int handled)
{
    return handled < 0 ? NULL : PyBool_FromLong(handled);
}

/* 0, or -1 with TypeError. */
static int
check_emit(const char *name, Py_ssize_t count)
{
    if (count == 1 || count == 2) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "%s expected 1 or 2 arguments, got %zd", name, count);
    return -1;
}

PyDoc_STRVAR(
    emit_doc,
    "emit($self, type, data=None, /)\n"
    "--\n\n"
    "Give `data` to the handlers of that type, in order of registration, or where there\n"
    "are none Event(type, data) to the default.  Whether there are any.\n\n"
    "Called while a dispatch is under way, by a handler or on another thread, it is\n"
    "queued: that dispatch runs it after the events before it.  What a queued event\n"
    "raises goes to the 'error' handlers, else to the exception handler of the running\n"
    "event loop; without a loop, that dispatch raises it.\n\n"
    "The exception of a handler goes to the 'error' handlers; where there are none it is\n"
    "raised when the other handlers have run, several of them as one ExceptionGroup.  An\n"
    "async handler, of this type or of 'error', is a TypeError before any is called; a\n"
    "closed dispatcher is a RuntimeError.\n\n"
    ">>> d = Dispatcher()\n"
    ">>> seen = []\n"
    ">>> handle = d.on('message', seen.append)\n"
    ">>> d.emit('message', 'hello'), d.emit('other'), seen\n"
    "(True, False, ['hello'])");

static PyObject *
dispatcher_emit(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    if (check_emit("emit", count) < 0) {
        return NULL;
    }
    return answer(dispatch((dispatcher *)op, NULL, args[0], count > 1 ? args[1] : Py_None));
}

PyDoc_STRVAR(aemit_doc,
             "aemit($self, type, data=None, /)\n"
             "--\n\n"
             "A coroutine that does what emit() does, and awaits async handlers one after\n"
             "another.  While another dispatch is under way it waits for its turn, first\n"
             "come, first served; within a handler, or in a task that one began, it is\n"
             "queued as by emit().  Cancelling it cancels the handler that is awaited, and\n"
             "the rest of them do not get the event; queued events are run by a task of the\n"
             "event loop.");

static PyObject *
dispatcher_aemit(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    if (check_emit("aemit", count) < 0) {
        return NULL;
    }
    return event_call_new((dispatcher *)op, CALL_EMIT, args[0], count > 1 ? args[1] : Py_None);
}

PyDoc_STRVAR(dispatch_doc,
             "dispatch($self, event, /)\n"
             "--\n\n"
             "emit() with the type and the data that `key` and `data` find in the event, and\n"
             "the whole event for the default.  An event that lacks one raises as the lookup\n"
             "does: AttributeError or KeyError.");

static PyObject *
dispatcher_dispatch(PyObject *op, PyObject *event)
{
    return answer(dispatch_event((dispatcher *)op, event));
}

PyDoc_STRVAR(adispatch_doc, "adispatch($self, event, /)\n"
                            "--\n\n"
                            "A coroutine that does what dispatch() does, as aemit() does it.");

static PyObject *
dispatcher_adispatch(PyObject *op, PyObject *event)
{
    return event_call_new((dispatcher *)op, CALL_DISPATCH, event, NULL);
}

/* ---- run ---- */

/* Dispatch every event: 0 at the end or when the dispatcher was closed, or -1. */
static int
run(dispatcher *self, PyObject *source)
{
    for (unsigned count = 1; !dispatcher_is_closing(self); count++) {
        PyObject *event;
        if (event_source_next(source, &event) < 0) {
            return -1;
        }
        if (event == NULL) {
            return 0;
        }
        int status = dispatch_event(self, event);
        Py_DECREF(event);
        if (status < 0 || (count % EVENTS_BETWEEN_CHECKS == 0 && PyErr_CheckSignals() < 0)) {
            return -1;
        }
    }
    return 0;
}

PyDoc_STRVAR(run_doc,
             "run($self, events, /)\n"
             "--\n\n"
             "dispatch() every event of an iterable, until it ends or a handler closes the\n"
             "dispatcher.  What dispatch() raises ends it.  A generator given as `events` is\n"
             "closed in any case.\n\n"
             ">>> d = Dispatcher()\n"
             ">>> @d.on('message')\n"
             "... def handle_messages():\n"
             "...     while True:\n"
             "...         message = yield\n"
             "...         print(message)\n"
             ">>> d.run([{'type': 'message', 'data': 'hello'}])\n"
             "hello");

static PyObject *
dispatcher_run(PyObject *op, PyObject *events)
{
    dispatcher *self = (dispatcher *)op;
    PyObject *source = PyObject_GetIter(events);
    if (source == NULL) {
        return NULL;
    }
    int closes = closing_is_due(source, self->state->generator_abc);
    int status = closes < 0 ? -1 : run(self, source);
    if (closes > 0) {
        status = closing_close(source); /* -1 with what run() raised, too */
    }
    PyObject *raised = status < 0 ? PyErr_GetRaisedException() : NULL;
    Py_DECREF(source);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(arun_doc,
             "arun($self, events, /)\n"
             "--\n\n"
             "A coroutine that does what run() does over an async iterable, or an iterable,\n"
             "as aemit() does it: while a handler is slow no event is asked for.  An async\n"
             "generator given as `events` is closed in any case.");

static PyObject *
dispatcher_arun(PyObject *op, PyObject *events)
{
    return event_call_new((dispatcher *)op, CALL_RUN, events, NULL);
}

/* ---- closing ---- */

/* 0, or -1 with TypeError where a handler can be closed only by awaiting it. */
static int
check_close_lock_held(dispatcher *self)
{
    if (self->closing) {
        return 0;
    }
    PyObject *handlers = event_table_list(&self->table);
    if (handlers == NULL) {
        return -1;
    }
    int status = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(handlers) && status == 0; i++) {
        handler *item = (handler *)PyList_GET_ITEM(handlers, i);
        if (item->kind == HANDLER_ASYNCGEN && (item->primed || !item->is_function)) {
            PyErr_SetString(PyExc_TypeError,
                            "a handler is an async generator: await aclose()");
            status = -1;
        }
    }
    Py_DECREF(handlers);
    return status;
}

PyDoc_STRVAR(
    close_doc,
    "close($self, /)\n"
    "--\n\n"
    "Close the handlers, the last one first, and take no more events; closing again does\n"
    "nothing.  What they raise is raised as one ExceptionGroup.\n\n"
    "While a dispatch is under way it is that dispatch which closes them, when it is\n"
    "done with the events that it has, and raises.  An async generator that has begun is\n"
    "a TypeError, and nothing is closed: await aclose().");

static PyObject *
dispatcher_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    dispatcher *self = (dispatcher *)op;
    int status;
    Py_BEGIN_CRITICAL_SECTION(op);
    status = check_close_lock_held(self);
    Py_END_CRITICAL_SECTION();
    if (status < 0) {
        return NULL;
    }
    turn run;
    if (turn_begin_closing(&run, self, NULL) == TURN_TAKEN) {
        turn_run(&run);
        if (turn_end(&run) < 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(aclose_doc,
             "aclose($self, /)\n"
             "--\n\n"
             "A coroutine that does what close() does, async generators included.  It waits\n"
             "for its turn as aemit() does; calls that come later get a RuntimeError.");

static PyObject *
dispatcher_aclose(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return event_call_new((dispatcher *)op, CALL_CLOSE, NULL, NULL);
}

PyDoc_STRVAR(enter_doc, "__enter__($self, /)\n--\n\nThe dispatcher itself.");
PyDoc_STRVAR(exit_doc, "__exit__($self, /, *exception)\n--\n\nClose the dispatcher.");
PyDoc_STRVAR(aenter_doc,
             "__aenter__($self, /)\n--\n\nA coroutine that gives the dispatcher itself.");
PyDoc_STRVAR(aexit_doc, "__aexit__($self, /, *exception)\n--\n\naclose().");

static PyObject *
dispatcher_enter(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return Py_NewRef(op);
}

static PyObject *
dispatcher_exit(PyObject *op, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(count))
{
    return dispatcher_close(op, NULL);
}

static PyObject *
dispatcher_aenter(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return event_call_new((dispatcher *)op, CALL_ENTER, NULL, NULL);
}

static PyObject *
dispatcher_aexit(PyObject *op, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(count))
{
    return dispatcher_aclose(op, NULL);
}

/* ---- memory ---- */

static int
dispatcher_traverse(PyObject *op, visitproc visit, void *arg)
{
    dispatcher *self = (dispatcher *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->leaving);
    Py_VISIT(self->variable);
    int status = event_table_traverse(&self->table, visit, arg);
    if (status == 0) {
        status = event_queue_traverse(&self->queue, visit, arg);
    }
    if (status == 0) {
        status = event_reader_traverse(&self->key, visit, arg);
    }
    return status != 0 ? status : event_reader_traverse(&self->data, visit, arg);
}

static int
dispatcher_clear(PyObject *op)
{
    dispatcher *self = (dispatcher *)op;
    self->closing = self->closed = true; /* who still has it is refused */
    event_table_clear(&self->table);
    event_queue_clear(&self->queue);
    event_reader_clear(&self->key);
    event_reader_clear(&self->data);
    Py_CLEAR(self->leaving);
    Py_CLEAR(self->variable);
    return 0;
}

static void
dispatcher_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (((dispatcher *)op)->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    dispatcher_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- making one ---- */

static int
dispatcher_init(dispatcher *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"key", "data", "default", NULL};
    PyObject *key = NULL, *data = NULL, *fallback = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOO:Dispatcher", keywords, &key, &data,
                                     &fallback)) {
        return -1;
    }
    key = key == NULL ? PyUnicode_FromString("type") : Py_NewRef(key);
    data = data == NULL ? PyUnicode_FromString("data") : Py_NewRef(data);
    int status =
        key == NULL || data == NULL ? -1 : event_table_open(&self->table, self->state);
    if (status == 0) {
        status = event_reader_open(&self->key, key, "key");
    }
    if (status == 0) {
        status = event_reader_open(&self->data, data, "data");
    }
    Py_XDECREF(key);
    Py_XDECREF(data);
    if (status < 0 || fallback == Py_None) {
        return status;
    }
    handler *item = dispatcher_register(self, NULL, fallback, true);
    Py_XDECREF((PyObject *)item);
    return item == NULL ? -1 : 0;
}

static PyObject *
dispatcher_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    dispatcher *self = (dispatcher *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->state = generators_state_of((PyObject *)self);
    if (dispatcher_init(self, args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- the type ---- */

static PyMethodDef dispatcher_methods[] = {
    {"on", (PyCFunction)(void (*)(void))dispatcher_on, METH_VARARGS | METH_KEYWORDS,
     dispatcher_on_doc},
    {"off", (PyCFunction)(void (*)(void))dispatcher_off, METH_FASTCALL, dispatcher_off_doc},
    {"emit", (PyCFunction)(void (*)(void))dispatcher_emit, METH_FASTCALL, emit_doc},
    {"aemit", (PyCFunction)(void (*)(void))dispatcher_aemit, METH_FASTCALL, aemit_doc},
    {"dispatch", dispatcher_dispatch, METH_O, dispatch_doc},
    {"adispatch", dispatcher_adispatch, METH_O, adispatch_doc},
    {"run", dispatcher_run, METH_O, run_doc},
    {"arun", dispatcher_arun, METH_O, arun_doc},
    {"close", dispatcher_close, METH_NOARGS, close_doc},
    {"aclose", dispatcher_aclose, METH_NOARGS, aclose_doc},
    {"__enter__", dispatcher_enter, METH_NOARGS, enter_doc},
    {"__exit__", (PyCFunction)(void (*)(void))dispatcher_exit, METH_FASTCALL, exit_doc},
    {"__aenter__", dispatcher_aenter, METH_NOARGS, aenter_doc},
    {"__aexit__", (PyCFunction)(void (*)(void))dispatcher_aexit, METH_FASTCALL, aexit_doc},
    {NULL},
};

static PyMemberDef dispatcher_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(dispatcher, weak_references), Py_READONLY,
     NULL},
    {NULL},
};

static PyGetSetDef dispatcher_getters[] = {
    {"closed", attributes_get_flag, NULL, "Whether it was closed: it takes no more events.",
     (void *)offsetof(dispatcher, closing)},
    {NULL},
};

PyDoc_STRVAR(
    dispatcher_doc,
    "Dispatcher(*, key='type', data='data', default=None)\n"
    "--\n\n"
    "Events to handlers, which are generators fed by send(), or callables; see on().\n\n"
    "`key` and `data` say what an event's type and data are, for dispatch() and run():\n"
    "the name of an attribute, else of a key of the event as a mapping (of a dict, its\n"
    "key), or a callable of the event.  `default` is a handler that gets each whole event\n"
    "of a type that has no handler.\n\n"
    "A handler that returns is removed.  One that raises is reported to the handlers of\n"
    "type 'error', which get an ErrorEvent of event, handler and exception, or raises out\n"
    "of the dispatch; a generator function is then called and primed afresh.\n\n"
    ">>> d = Dispatcher()\n"
    ">>> @d.on('message')\n"
    "... def handle_messages():\n"
    "...     while True:\n"
    "...         message = yield\n"
    "...         print(message)\n"
    ">>> d.emit('message', 'hello')\n"
    "hello\n"
    "True");

static PyType_Slot dispatcher_slots[] = {
    {Py_tp_doc, (char *)dispatcher_doc},
    {Py_tp_new, dispatcher_new},
    {Py_tp_traverse, dispatcher_traverse},
    {Py_tp_clear, dispatcher_clear},
    {Py_tp_dealloc, dispatcher_dealloc},
    {Py_tp_methods, dispatcher_methods},
    {Py_tp_members, dispatcher_members},
    {Py_tp_getset, dispatcher_getters},
    {0, NULL},
};

PyType_Spec dispatcher_spec = {
    .name = "generators.Dispatcher",
    .basicsize = sizeof(dispatcher),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = dispatcher_slots,
};
