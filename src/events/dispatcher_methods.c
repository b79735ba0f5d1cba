/* Dispatcher: the type, and its sync methods.
 *
 * States: see dispatcher.c.
 *
 * Owned: see dispatcher.c.
 *
 * User code: handlers; __hash__() and __eq__() of types; what reads an event; the source of
 * run().  It may call any method.  What it dispatches during a dispatch is queued.
 *
 * Threads: one call at a time holds the dispatcher.  What another thread dispatches meanwhile
 * is queued, as what a handler dispatches.
 */
#include "events/dispatcher_methods.h"

#include "events/dispatch_start.h"
#include "events/emit_threadsafe.h"
#include "events/event_coroutine.h"
#include "events/event_source.h"
#include "events/failure.h"
#include "events/queue_task.h"
#include "events/register.h"
#include "events/subscribe.h"
#include "events/wait_for.h"

#include "runtime/attributes.h"
#include "runtime/closing.h"

#define EVENTS_BETWEEN_CHECKS \
    1024 /* of signals: source and handlers need not run Python code */

/* ---- dispatching ---- */

/* 1 if there is a handler, 0, or -1. */
static int
dispatcher_give(dispatcher *self, PyObject *event, PyObject *type, PyObject *data)
{
    dispatch run;
    switch (dispatch_start(&run, self, event, type, data, NULL)) {
    case DISPATCH_STARTED:
        dispatch_run(&run);
        return dispatch_end(&run) < 0 ? -1 : 1;
    case DISPATCH_DONE:
    case DISPATCH_QUEUED:
        return 1;
    case DISPATCH_NONE:
        return 0;
    default:
        return -1;
    }
}

static int
dispatcher_give_event(dispatcher *self, PyObject *event)
{
    PyObject *type = event_reader_read(&self->key, event);
    PyObject *data = type == NULL ? NULL : event_reader_read(&self->data, event);
    int handled = data == NULL ? -1 : dispatcher_give(self, event, type, data);
    Py_XDECREF(type);
    Py_XDECREF(data);
    return handled;
}

static PyObject *
handled_answer(int handled)
{
    return handled < 0 ? NULL : PyBool_FromLong(handled);
}

/* 0, or -1 with TypeError. */
static int
emit_check_arguments(const char *name, Py_ssize_t count)
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
    "Call the handlers of this type with `data`, in order of registration.  If the type\n"
    "has no handler, call the default handler with Event(type, data).  Return whether\n"
    "there is a handler.\n\n"
    "During a dispatch, when a handler or another thread calls emit(), the event is\n"
    "queued.  That dispatch runs it after the events that were queued before.  An\n"
    "exception of a queued event goes to the 'error' handlers.  Without them, it goes to\n"
    "the exception handler of the running event loop.  Without a loop, that dispatch\n"
    "raises it.\n\n"
    "The exception of a handler goes to the 'error' handlers.  Without them, it is raised\n"
    "after the other handlers have run; several exceptions are raised as one\n"
    "ExceptionGroup.  If a handler of this type or of 'error' is async, TypeError is\n"
    "raised and no handler is called.  RuntimeError is raised if the dispatcher is\n"
    "closed.\n\n"
    ">>> d = Dispatcher()\n"
    ">>> seen = []\n"
    ">>> handle = d.on('message', seen.append)\n"
    ">>> d.emit('message', 'hello'), d.emit('other'), seen\n"
    "(True, False, ['hello'])");

static PyObject *
dispatcher_emit(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    if (emit_check_arguments("emit", count) < 0) {
        return NULL;
    }
    return handled_answer(
        dispatcher_give((dispatcher *)op, NULL, args[0], count > 1 ? args[1] : Py_None));
}

PyDoc_STRVAR(
    aemit_doc,
    "aemit($self, type, data=None, /)\n"
    "--\n\n"
    "A coroutine that does what emit() does.  It awaits async handlers one after another.\n\n"
    "During another dispatch it waits until that dispatch has ended.  Calls that wait are\n"
    "served in the order in which they came.  In a handler, or in a task that a handler\n"
    "started, the event is queued as by emit().\n\n"
    "If the coroutine is cancelled, the handler that is awaited is cancelled, and the\n"
    "handlers after it do not receive the event.  A task of the event loop runs the events\n"
    "that are queued.");

static PyObject *
dispatcher_aemit(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    if (emit_check_arguments("aemit", count) < 0) {
        return NULL;
    }
    return event_coroutine_new((dispatcher *)op, METHOD_AEMIT, args[0],
                               count > 1 ? args[1] : Py_None);
}

PyDoc_STRVAR(
    dispatch_doc,
    "dispatch($self, event, /)\n"
    "--\n\n"
    "Do what emit() does, with the type and the data that `key` and `data` find in the\n"
    "event.  The default handler receives the whole event.  If the event has no type or\n"
    "no data, the exception of the lookup is raised: AttributeError or KeyError.");

static PyObject *
dispatcher_dispatch(PyObject *op, PyObject *event)
{
    return handled_answer(dispatcher_give_event((dispatcher *)op, event));
}

PyDoc_STRVAR(adispatch_doc,
             "adispatch($self, event, /)\n"
             "--\n\n"
             "A coroutine that does what dispatch() does, in the same way as aemit().");

static PyObject *
dispatcher_adispatch(PyObject *op, PyObject *event)
{
    return event_coroutine_new((dispatcher *)op, METHOD_ADISPATCH, event, NULL);
}

/* ---- run ---- */

/* Dispatch every event: 0 at the end, or when the dispatcher is closed; or -1. */
static int
dispatcher_run_source(dispatcher *self, PyObject *source)
{
    for (unsigned count = 1; !dispatcher_is_closing(self); count++) {
        PyObject *event;
        if (event_source_next(source, &event) < 0) {
            return -1;
        }
        if (event == NULL) {
            return 0;
        }
        int status = dispatcher_give_event(self, event);
        Py_DECREF(event);
        if (status < 0 || (count % EVENTS_BETWEEN_CHECKS == 0 && PyErr_CheckSignals() < 0)) {
            return -1;
        }
    }
    return 0;
}

PyDoc_STRVAR(
    run_doc,
    "run($self, events, /)\n"
    "--\n\n"
    "Call dispatch() with each event of an iterable, until it ends or a handler closes\n"
    "the dispatcher.  An exception of dispatch() ends it.  If `events` is a generator, it\n"
    "is closed in every case.\n\n"
    ">>> d = Dispatcher()\n"
    ">>> @d.on('message')\n"
    "... def handle_messages():\n"
    "...     while True:\n"
    "...         message = yield\n"
    "...         print(message)\n"
    ">>> d.run([{'type': 'message', 'data': 'hello'}])\n"
    "hello");

static PyObject *
dispatcher_run_method(PyObject *op, PyObject *events)
{
    dispatcher *self = (dispatcher *)op;
    PyObject *source = event_source_open(events);
    if (source == NULL) {
        return NULL;
    }
    int closes = closing_is_due(source, self->state->generator_abc);
    int status = closes < 0 ? -1 : dispatcher_run_source(self, source);
    if (closes > 0) {
        status = closing_close(source); /* -1 also if run() raised */
    }
    PyObject *raised = status < 0 ? PyErr_GetRaisedException() : NULL;
    Py_DECREF(source);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(
    arun_doc,
    "arun($self, events, /)\n"
    "--\n\n"
    "A coroutine that does what run() does, in the same way as aemit().  `events` is an\n"
    "async iterable or an iterable.  While a handler is awaited, no event is requested.\n"
    "If `events` is an async generator or a generator, it is closed in every case.");

static PyObject *
dispatcher_arun(PyObject *op, PyObject *events)
{
    return event_coroutine_new((dispatcher *)op, METHOD_ARUN, events, NULL);
}

/* ---- closing ---- */

/* 0, or -1 with TypeError if a handler can be closed only with await. */
static int
dispatcher_check_close_lock_held(dispatcher *self)
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
        if (item->mailbox != NULL &&
            (item->mailbox->worker != NULL || item->mailbox->events.count > 0)) {
            PyErr_SetString(PyExc_TypeError,
                            "a handler runs in the background: await aclose()");
            status = -1;
        }
        else if (item->kind == HANDLER_ASYNCGEN && (item->primed || !item->is_function)) {
            PyErr_SetString(PyExc_TypeError,
                            "a handler is an async generator: await aclose()");
            status = -1;
        }
    }
    Py_DECREF(handlers);
    if (status == 0 && self->ending != NULL && PyList_GET_SIZE(self->ending) > 0) {
        PyErr_SetString(PyExc_TypeError,
                        "a handler that was removed runs in the background: await aclose()");
        status = -1;
    }
    return status;
}

PyDoc_STRVAR(
    close_doc,
    "close($self, /)\n"
    "--\n\n"
    "Close the handlers in reverse order of registration.  After that, the dispatcher\n"
    "accepts no events.  A second call does nothing.  The exceptions of the handlers are\n"
    "raised as one ExceptionGroup.\n"
    "\n"
    "During a dispatch, the handlers are closed by that dispatch, after the events that\n"
    "are queued, and it raises their exceptions.  If a handler is an async generator that\n"
    "has started, TypeError is raised and nothing is closed; await aclose() instead.");

static PyObject *
dispatcher_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    dispatcher *self = (dispatcher *)op;
    int status;
    Py_BEGIN_CRITICAL_SECTION(op);
    status = dispatcher_check_close_lock_held(self);
    Py_END_CRITICAL_SECTION();
    if (status < 0) {
        return NULL;
    }
    dispatch run;
    if (dispatch_start_closing(&run, self, NULL) == DISPATCH_STARTED) {
        dispatch_run(&run);
        if (dispatch_end(&run) < 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(
    aclose_doc,
    "aclose($self, /)\n"
    "--\n\n"
    "A coroutine that does what close() does, for async generators too.  It waits as\n"
    "aemit() does.  Calls that come later raise RuntimeError.");

static PyObject *
dispatcher_aclose(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return event_coroutine_new((dispatcher *)op, METHOD_ACLOSE, NULL, NULL);
}

PyDoc_STRVAR(enter_doc, "__enter__($self, /)\n--\n\nReturn the dispatcher.");
PyDoc_STRVAR(exit_doc, "__exit__($self, /, *exception)\n--\n\nClose the dispatcher.");
PyDoc_STRVAR(aenter_doc,
             "__aenter__($self, /)\n--\n\nA coroutine that returns the dispatcher.");
PyDoc_STRVAR(aexit_doc, "__aexit__($self, /, *exception)\n--\n\nThe same as aclose().");

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
    return event_coroutine_new((dispatcher *)op, METHOD_AENTER, NULL, NULL);
}

static PyObject *
dispatcher_aexit(PyObject *op, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(count))
{
    return dispatcher_aclose(op, NULL);
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
    handler *item = dispatcher_register(self, NULL, fallback, true, NULL);
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
    if (dispatcher_keep_loop(self) < 0 || dispatcher_init(self, args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- the type ---- */

/* len(): the number of events that wait for the current dispatch to end. */
static Py_ssize_t
dispatcher_length(PyObject *op)
{
    Py_ssize_t count;
    Py_BEGIN_CRITICAL_SECTION(op);
    count = (Py_ssize_t)((dispatcher *)op)->queue.count;
    Py_END_CRITICAL_SECTION();
    return count;
}

/* It is true, also if no event waits. */
static int
dispatcher_bool(PyObject *Py_UNUSED(op))
{
    return 1;
}

static PyMethodDef dispatcher_methods[] = {
    {"on", (PyCFunction)(void (*)(void))dispatcher_on, METH_VARARGS | METH_KEYWORDS,
     dispatcher_on_doc},
    {"off", (PyCFunction)(void (*)(void))dispatcher_off, METH_FASTCALL, dispatcher_off_doc},
    {"emit", (PyCFunction)(void (*)(void))dispatcher_emit, METH_FASTCALL, emit_doc},
    {"aemit", (PyCFunction)(void (*)(void))dispatcher_aemit, METH_FASTCALL, aemit_doc},
    {"emit_threadsafe", (PyCFunction)(void (*)(void))dispatcher_emit_threadsafe, METH_FASTCALL,
     dispatcher_emit_threadsafe_doc},
    {"wait_for", (PyCFunction)(void (*)(void))dispatcher_wait_for,
     METH_VARARGS | METH_KEYWORDS, dispatcher_wait_for_doc},
    {"subscribe", (PyCFunction)(void (*)(void))dispatcher_subscribe,
     METH_VARARGS | METH_KEYWORDS, dispatcher_subscribe_doc},
    {"handlers", (PyCFunction)(void (*)(void))dispatcher_handlers, METH_FASTCALL,
     dispatcher_handlers_doc},
    {"dispatch", dispatcher_dispatch, METH_O, dispatch_doc},
    {"adispatch", dispatcher_adispatch, METH_O, adispatch_doc},
    {"run", dispatcher_run_method, METH_O, run_doc},
    {"arun", dispatcher_arun, METH_O, arun_doc},
    {"close", dispatcher_close, METH_NOARGS, close_doc},
    {"aclose", dispatcher_aclose, METH_NOARGS, aclose_doc},
    {"__enter__", dispatcher_enter, METH_NOARGS, enter_doc},
    {"__exit__", (PyCFunction)(void (*)(void))dispatcher_exit, METH_FASTCALL, exit_doc},
    {"__aenter__", dispatcher_aenter, METH_NOARGS, aenter_doc},
    {"__aexit__", (PyCFunction)(void (*)(void))dispatcher_aexit, METH_FASTCALL, aexit_doc},
    ATTRIBUTES_GENERIC,
    {NULL},
};

static PyMemberDef dispatcher_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(dispatcher, weak_references), Py_READONLY,
     NULL},
    {NULL},
};

static PyGetSetDef dispatcher_getters[] = {
    {"closed", attributes_get_flag, NULL,
     "Whether it was closed.  A closed dispatcher accepts no more events.",
     (void *)offsetof(dispatcher, closing)},
    {"types", dispatcher_get_types, NULL,
     "The types of events that have handlers, as a tuple.", NULL},
    {NULL},
};

PyDoc_STRVAR(
    dispatcher_doc,
    "Dispatcher(*, key='type', data='data', default=None)\n"
    "--\n\n"
    "Dispatches events to handlers.  A handler is a generator, which receives the data of\n"
    "events by send(), or a callable; see on().\n\n"
    "`key` and `data` say where dispatch() and run() find the type and the data of an\n"
    "event.  Each is a callable that is called with the event, or the name of an attribute\n"
    "of the event.  If the event has no such attribute, the name is a key of the event as a\n"
    "mapping; for a dict it is always a key.  `default` is a handler that receives the\n"
    "whole event if its type has no handler.\n\n"
    "A handler that returns is removed.  If a handler raises an exception, the handlers of\n"
    "type 'error' receive an ErrorEvent(event, handler, exception).  Without them, the\n"
    "dispatch raises the exception.  After an exception, a generator function is called\n"
    "and primed again.\n\n"
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
    {Py_sq_length, dispatcher_length},
    {Py_nb_bool, dispatcher_bool},
    {Py_tp_getset, dispatcher_getters},
    {0, NULL},
};

PyType_Spec dispatcher_spec = {
    .name = "native_generators.Dispatcher",
    .basicsize = sizeof(dispatcher),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = dispatcher_slots,
};
