/* Dispatcher.on() and off(): handlers that come and go.
 *
 * A handler is made ready, which runs user code, before anybody knows it, and closed when
 * nobody gives it events any more: here, or where a turn is under way by that turn, when
 * it is done with the event.
 *
 * Threads: see dispatcher.c.
 */
#include "events/events.h"

#include "runtime/raising.h"

void
dispatcher_refuse_closed(void)
{
    PyErr_SetString(PyExc_RuntimeError, "the dispatcher is closed");
}

static int
check_type(PyObject *type)
{
    if (PyObject_Hash(type) == -1) {
        stream_note("while reading the handlers of events of type %R", type);
        return -1;
    }
    return 0;
}

/* 0, or -1 where it is closed, or memory lacks. */
static int
add_lock_held(dispatcher *self, handler *item)
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
    /* __eq__ of a type has closed it, and the handlers that it had then. */
    if (event_table_remove(&self->table, item) == 0) {
        dispatcher_refuse_closed();
    }
    return -1;
}

/* Register a handler; `type` is NULL for the default one. */
handler *
dispatcher_register(dispatcher *self, PyObject *type, PyObject *object, bool restart)
{
    if (dispatcher_is_closing(self)) {
        dispatcher_refuse_closed();
        return NULL;
    }
    if (type != NULL && check_type(type) < 0) {
        return NULL;
    }
    handler *item = handler_new(self->state, type, object, restart);
    if (item == NULL || !generators_flag_get(&item->active)) {
        return item;
    }
    int status;
    Py_BEGIN_CRITICAL_SECTION(self);
    status = add_lock_held(self, item);
    Py_END_CRITICAL_SECTION();
    if (status < 0) {
        PyObject *raised = PyErr_GetRaisedException();
        Py_CLEAR(item); /* its generator is closed */
        PyErr_SetRaisedException(raised);
    }
    return item;
}

/* What `on(type)` gives: a function whose self is (dispatcher, type, restart). */
static PyObject *
decorate(PyObject *arguments, PyObject *object)
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

/* on() was given one argument, which must be a type: 0, or -1 with TypeError where it is what
   a decorator without its parentheses gets.  A class may be a type of events. */
static int
check_is_type(PyObject *type)
{
    bool is_handler = (PyCallable_Check(type) && !PyType_Check(type)) ||
                      PyGen_CheckExact(type) || PyAsyncGen_CheckExact(type) ||
                      PyCoro_CheckExact(type);
    if (!is_handler) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError,
                 "on() needs a type of events, not only the handler %R: use @on(type), or "
                 "on(type, handler)",
                 type);
    return -1;
}

static PyMethodDef decorate_def = {"on", decorate, METH_O, NULL};

const char dispatcher_on_doc[] = PyDoc_STR(
    "on($self, type, handler=..., /, *, restart=True)\n"
    "--\n\n"
    "Register a handler for events of that type, after those that it has; without one,\n"
    "a decorator that does, and gives the function back.\n\n"
    "A generator function is called and primed, that is, run to its first yield; a\n"
    "generator is primed unless it has begun.  Their yields give the data of each event.\n"
    "An async generator function is the same to aemit(), adispatch() and arun(), and is\n"
    "primed by the first of them.  Any other callable is called with the data; if it is\n"
    "a coroutine function it is awaited.\n\n"
    "What priming raises is raised here.  A generator that has ended or is running is a\n"
    "ValueError, what is no handler a TypeError, a closed dispatcher a RuntimeError.\n"
    "With restart=False a generator function is not called again when it has failed.\n\n"
    "Given a handler, it returns an object that tells what became of it: `active`, and\n"
    "when it has `returned`, its `value`.");

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
    if (check_is_type(type) < 0 || check_type(type) < 0) {
        return NULL;
    }
    PyObject *arguments = PyTuple_Pack(3, op, type, restart ? Py_True : Py_False);
    PyObject *decorator = arguments == NULL ? NULL : PyCFunction_New(&decorate_def, arguments);
    Py_XDECREF(arguments);
    return decorator;
}

/* Take it off; 1 where it is to be closed here, 0, or -1. */
static int
take_off_lock_held(dispatcher *self, handler *item)
{
    if (!generators_flag_exchange(&item->active, false)) {
        return 0;
    }
    if (event_table_remove(&self->table, item) < 0) {
        generators_flag_exchange(&item->active, true);
        return -1;
    }
    if (!item->is_function) {
        return 0; /* a generator that was handed over stays its owner's */
    }
    if (!self->busy) {
        return 1;
    }
    PyObject *leaving = Py_XNewRef(self->leaving);
    if (leaving == NULL) {
        leaving = PyList_New(0);
        if (leaving == NULL) {
            return -1;
        }
        if (self->leaving == NULL) { /* still: making a list may run the collector */
            self->leaving = Py_NewRef(leaving);
        }
        else {
            PyObject *unused = leaving;
            leaving = Py_NewRef(self->leaving);
            Py_DECREF(unused);
        }
    }
    int status = PyList_Append(leaving, (PyObject *)item);
    Py_DECREF(leaving);
    return status;
}

static int
take_off(dispatcher *self, handler *item)
{
    int status;
    Py_BEGIN_CRITICAL_SECTION(self);
    status = take_off_lock_held(self, item);
    Py_END_CRITICAL_SECTION();
    PyObject *closing;
    return status > 0 ? handler_close(item, false, &closing) : status;
}

/* Those of a type, a new tuple; NULL with an exception. */
static PyObject *
handlers_of(dispatcher *self, PyObject *type)
{
    PyObject *handlers;
    Py_BEGIN_CRITICAL_SECTION(self);
    handlers = event_table_handlers(&self->table, self->state, type);
    Py_END_CRITICAL_SECTION();
    return handlers;
}

/* Whether `object` is what was registered, or what on() gave for it: 1, 0 or -1. */
static int
is_handler(handler *item, PyObject *object)
{
    return (PyObject *)item == object ? 1
                                      : PyObject_RichCompareBool(item->object, object, Py_EQ);
}

const char dispatcher_off_doc[] = PyDoc_STR(
    "off($self, type, handler, /)\n"
    "--\n\n"
    "Take a handler off, given as it was registered or as what on() returned.  Whether\n"
    "there was one.  From the next event on it gets none; the generator that was made of\n"
    "a generator function is closed when the event under way is done with, or here where\n"
    "there is none, and an async one is left for its loop to close.");

PyObject *
dispatcher_off(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    dispatcher *self = (dispatcher *)op;
    if (count != 2) {
        PyErr_Format(PyExc_TypeError, "off expected 2 arguments, got %zd", count);
        return NULL;
    }
    PyObject *handlers = handlers_of(self, args[0]), *raised = NULL;
    if (handlers == NULL) {
        return NULL;
    }
    bool found = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(handlers); i++) {
        handler *item = (handler *)PyTuple_GET_ITEM(handlers, i);
        int is = is_handler(item, args[1]);
        if (is < 0 || (is > 0 && take_off(self, item) < 0)) {
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
