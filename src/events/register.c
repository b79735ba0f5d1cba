/* Dispatcher.on() and off(): registering and removing handlers.
 *
 * A generator is primed before any other call knows the handler.  It is closed when it
 * receives no more events: here or, during a dispatch, by that dispatch after the current
 * event.
 *
 * Owned: the handlers, by the table.
 *
 * User code: a generator up to its first yield and when it is closed, and __hash__() and
 * __eq__() of types and handlers.
 *
 * Threads: the table is changed in the critical section of the dispatcher.
 */
#include "events/register.h"

#include "runtime/raising.h"

/* ---- on() ---- */

/* Check that a type can be hashed.  0 or -1. */
static int
event_type_check(PyObject *type)
{
    if (PyObject_Hash(type) == -1) {
        stream_note("while reading the handlers of events of type %R", type);
        return -1;
    }
    return 0;
}

/* 0, or -1 with RuntimeError if the dispatcher is closed, or with MemoryError. */
static int
dispatcher_add_lock_held(dispatcher *self, handler *item)
{
    if (self->closing) {
        dispatcher_refuse_closed();
        return -1;
    }
    item->serial = ++self->serial;
    if (event_table_add(&self->table, self->state, item) < 0) {
        return -1;
    }
    if (!self->closing) {
        return 0;
    }
    /* __eq__() of a type has closed the dispatcher, without this handler. */
    if (event_table_remove(&self->table, item) == 0) {
        dispatcher_refuse_closed();
    }
    return -1;
}

handler *
dispatcher_register(dispatcher *self, PyObject *type, PyObject *object, bool restart)
{
    if (dispatcher_is_closing(self)) {
        dispatcher_refuse_closed();
        return NULL;
    }
    if (type != NULL && event_type_check(type) < 0) {
        return NULL;
    }
    handler *item = handler_new(self->state, type, object, restart);
    if (item == NULL || !generators_flag_get(&item->active)) {
        return item;
    }
    int status;
    Py_BEGIN_CRITICAL_SECTION(self);
    status = dispatcher_add_lock_held(self, item);
    Py_END_CRITICAL_SECTION();
    if (status < 0) {
        PyObject *raised = PyErr_GetRaisedException();
        Py_CLEAR(item); /* its generator is closed */
        PyErr_SetRaisedException(raised);
    }
    return item;
}

/* What `on(type)` returns: a function whose self is (dispatcher, type, restart). */
static PyObject *
dispatcher_decorate(PyObject *arguments, PyObject *object)
{
    handler *item = dispatcher_register((dispatcher *)PyTuple_GET_ITEM(arguments, 0),
                                        PyTuple_GET_ITEM(arguments, 1), object,
                                        PyTuple_GET_ITEM(arguments, 2) == Py_True);
    if (item == NULL) {
        return NULL;
    }
    Py_DECREF(item);
    return Py_NewRef(object);
}

/* on() was called with one argument, which must be a type.  0, or -1 with TypeError if it is
   what a decorator without its parentheses receives.  A class is accepted, as a type of
   events. */
static int
event_type_refuse_handler(PyObject *type)
{
    bool is_handler = (PyCallable_Check(type) && !PyType_Check(type)) ||
                      PyGen_CheckExact(type) || PyAsyncGen_CheckExact(type) ||
                      PyCoro_CheckExact(type);
    if (!is_handler) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError,
                 "on() requires an event type, not only the handler %R; use @on(type) or "
                 "on(type, handler)",
                 type);
    return -1;
}

static PyMethodDef dispatcher_decorate_def = {"on", dispatcher_decorate, METH_O, NULL};

const char dispatcher_on_doc[] = PyDoc_STR(
    "on($self, type, handler=..., /, *, restart=True)\n"
    "--\n\n"
    "Register a handler for events of this type, after the handlers that the type has.\n"
    "Without a handler, return a decorator that registers a function and returns it.\n\n"
    "A generator function is called, and the generator is primed: it runs to its first\n"
    "yield.  A generator is primed unless it has started.  Each yield returns the data of\n"
    "an event.  Async generators work in the same way with aemit(), adispatch() and\n"
    "arun(); the first of them primes the generator.  Any other callable is called with\n"
    "the data.  If it is a coroutine function, the result is awaited.\n\n"
    "on() raises what priming raises.  It raises ValueError for a generator that has ended\n"
    "or is running, TypeError for an object that can't be a handler, and RuntimeError if\n"
    "the dispatcher is closed.  A generator function is called again after it has failed,\n"
    "unless `restart` is false.\n\n"
    "With a handler, return an object with the state of the handler: `active`, `returned`\n"
    "and, after it has returned, its `value`.");

PyObject *
dispatcher_on(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "", "restart", NULL};
    PyObject *type, *object = NULL;
    int restart = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O$p:on", keywords, &type, &object,
                                     &restart)) {
        return NULL;
    }
    if (object != NULL) {
        return (PyObject *)dispatcher_register((dispatcher *)op, type, object, restart);
    }
    if (event_type_refuse_handler(type) < 0 || event_type_check(type) < 0) {
        return NULL;
    }
    PyObject *arguments = PyTuple_Pack(3, op, type, restart ? Py_True : Py_False);
    PyObject *decorator =
        arguments == NULL ? NULL : PyCFunction_New(&dispatcher_decorate_def, arguments);
    Py_XDECREF(arguments);
    return decorator;
}

/* ---- off() ---- */

/* Remove a handler: 1 if the caller must close it, 0, or -1. */
static int
dispatcher_remove_lock_held(dispatcher *self, handler *item)
{
    if (!generators_flag_exchange(&item->active, false)) {
        return 0;
    }
    if (event_table_remove(&self->table, item) < 0) {
        generators_flag_exchange(&item->active, true);
        return -1;
    }
    if (!item->is_function) {
        return 0; /* the owner of a registered generator closes it */
    }
    if (!self->busy) {
        return 1;
    }
    PyObject *removed = Py_XNewRef(self->removed);
    if (removed == NULL) {
        removed = PyList_New(0);
        if (removed == NULL) {
            return -1;
        }
        if (self->removed ==
            NULL) { /* read again: PyList_New() may run the garbage collector */
            self->removed = Py_NewRef(removed);
        }
        else {
            PyObject *unused = removed;
            removed = Py_NewRef(self->removed);
            Py_DECREF(unused);
        }
    }
    int status = PyList_Append(removed, (PyObject *)item);
    Py_DECREF(removed);
    return status;
}

static int
dispatcher_remove(dispatcher *self, handler *item)
{
    int status;
    Py_BEGIN_CRITICAL_SECTION(self);
    status = dispatcher_remove_lock_held(self, item);
    Py_END_CRITICAL_SECTION();
    PyObject *closing;
    return status > 0 ? handler_close(item, false, &closing) : status;
}

/* The handlers of a type: a new tuple, or NULL with an exception. */
static PyObject *
dispatcher_handlers_of(dispatcher *self, PyObject *type)
{
    PyObject *handlers;
    Py_BEGIN_CRITICAL_SECTION(self);
    handlers = event_table_handlers(&self->table, self->state, type);
    Py_END_CRITICAL_SECTION();
    return handlers;
}

/* Whether `object` was registered, or is what on() returned for it: 1, 0 or -1. */
static int
handler_is_for(handler *item, PyObject *object)
{
    return (PyObject *)item == object ? 1
                                      : PyObject_RichCompareBool(item->object, object, Py_EQ);
}

const char dispatcher_off_doc[] = PyDoc_STR(
    "off($self, type, handler, /)\n"
    "--\n\n"
    "Remove a handler.  `handler` is the object that was registered, or the object that\n"
    "on() returned.  Return whether the handler was registered.\n\n"
    "The handler receives no event after the current one.  If a generator function was\n"
    "registered, its generator is closed after the current event, or at once if there is\n"
    "none.  An async generator is left to the event loop, which closes it.");

PyObject *
dispatcher_off(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    dispatcher *self = (dispatcher *)op;
    if (count != 2) {
        PyErr_Format(PyExc_TypeError, "off expected 2 arguments, got %zd", count);
        return NULL;
    }
    PyObject *handlers = dispatcher_handlers_of(self, args[0]), *raised = NULL;
    if (handlers == NULL) {
        return NULL;
    }
    bool found = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(handlers); i++) {
        handler *item = (handler *)PyTuple_GET_ITEM(handlers, i);
        int is = handler_is_for(item, args[1]);
        if (is < 0 || (is > 0 && dispatcher_remove(self, item) < 0)) {
            bool is_urgent = !PyErr_ExceptionMatches(PyExc_Exception);
            raising_chain(raised);
            raised = PyErr_GetRaisedException();
            if (is_urgent) {
                break;
            }
        }
        found |= is > 0;
    }
    Py_DECREF(handlers);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
        return NULL;
    }
    return PyBool_FromLong(found);
}
