/* Dispatcher.on(), off() and handlers(): registering, removing and listing handlers.
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

#include "events/post.h"
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

int
dispatcher_add(dispatcher *self, handler *item)
{
    if (item->type != NULL && event_type_check(item->type) < 0) {
        return -1;
    }
    int status;
    Py_BEGIN_CRITICAL_SECTION(self);
    status = dispatcher_add_lock_held(self, item);
    Py_END_CRITICAL_SECTION();
    return status;
}

/* Make a handler, if the dispatcher is open and the type can be hashed; or NULL. */
static handler *
dispatcher_make_handler(dispatcher *self, PyObject *type, PyObject *object, bool restart)
{
    if (dispatcher_is_closing(self)) {
        dispatcher_refuse_closed();
        return NULL;
    }
    if (dispatcher_keep_loop(self) < 0) {
        return NULL;
    }
    return type != NULL && event_type_check(type) < 0
               ? NULL
               : handler_new(self->state, type, object, restart);
}

handler *
dispatcher_register(dispatcher *self, PyObject *type, PyObject *object, bool restart,
                    event_mailbox *mailbox)
{
    handler *item = dispatcher_make_handler(self, type, object, restart);
    if (item == NULL || !generators_flag_get(&item->active)) {
        PyObject *raised = PyErr_GetRaisedException();
        mailbox_free(mailbox);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
        return item;
    }
    item->mailbox = mailbox;
    if (dispatcher_add(self, item) < 0) {
        PyObject *raised = PyErr_GetRaisedException();
        Py_CLEAR(item); /* its generator is closed */
        PyErr_SetRaisedException(raised);
    }
    return item;
}

/* The keyword arguments of on(). */
typedef struct {
    int restart, background;
    Py_ssize_t buffersize; /* 0 for the default */
    PyObject *on_full;     /* borrowed; NULL for the default */
} on_options;

#define DEFAULT_BUFFERSIZE 256

/* 0, or -1 with an exception. */
static int
on_options_check(on_options *options)
{
    if (options->background) {
        return 0;
    }
    if (options->buffersize != 0 || options->on_full != NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "buffersize and on_full are for background handlers: also pass "
                        "background=True");
        return -1;
    }
    return 0;
}

/* on(type, object) with these options.  A new reference, or NULL. */
static handler *
dispatcher_register_with(dispatcher *self, PyObject *type, PyObject *object,
                         on_options *options)
{
    event_mailbox *mailbox = NULL;
    if (options->background) {
        PyObject *policy = options->on_full == NULL ? PyUnicode_FromString("wait")
                                                    : Py_NewRef(options->on_full);
        mailbox = policy == NULL ? NULL
                                 : mailbox_new(options->buffersize == 0 ? DEFAULT_BUFFERSIZE
                                                                        : options->buffersize,
                                               policy);
        Py_XDECREF(policy);
        if (mailbox == NULL) {
            return NULL;
        }
    }
    return dispatcher_register(self, type, object, options->restart, mailbox);
}

/* What `on(type)` returns: a function whose self is (dispatcher, type, restart, background,
   buffersize[, on_full]). */
static PyObject *
dispatcher_decorate(PyObject *arguments, PyObject *object)
{
    PyObject *op, *type;
    on_options options = {.on_full = NULL};
    if (!PyArg_ParseTuple(arguments, "OOppn|O:on", &op, &type, &options.restart,
                          &options.background, &options.buffersize, &options.on_full)) {
        return NULL;
    }
    handler *item = dispatcher_register_with((dispatcher *)op, type, object, &options);
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
    "on($self, type, handler=..., /, *, restart=True, background=False, buffersize=256,\n"
    "   on_full='wait')\n"
    "--\n\n"
    "Register a handler for events of this type, after the handlers that the type has.\n"
    "If the type is None, the handler receives all events, after the handlers of their\n"
    "type; as the default handler, it receives the whole event.  Without a handler,\n"
    "return a decorator that registers a function and returns it.\n"
    "\n"
    "A generator function is called, and the generator is primed: it runs to its first\n"
    "yield.  A generator is primed unless it has started.  Each yield returns the data of\n"
    "an event.  Async generators work in the same way with aemit(), adispatch() and\n"
    "arun(); the first of them primes the generator.  Any other callable is called with\n"
    "the data.  If it is a coroutine function, the result is awaited.\n"
    "\n"
    "on() raises what priming raises.  It raises ValueError for a generator that has ended\n"
    "or is running, TypeError for an object that can't be a handler, and RuntimeError if\n"
    "the dispatcher is closed.  A generator function is called again after it has failed,\n"
    "unless `restart` is false.\n"
    "\n"
    "A background handler has a task of its own.  A dispatch puts the event into its buffer\n"
    "and does not wait for it; aclose() does.  Its exceptions go to the 'error' handlers.\n"
    "Without them, they go to the exception handler of the event loop.  If the buffer\n"
    "holds `buffersize` events, `on_full` says what happens: 'wait' makes a dispatch wait\n"
    "for room, and a dispatch that cannot wait fails with asyncio.QueueFull; 'drop_oldest'\n"
    "and 'drop_newest' drop an event, which the handler counts in `dropped`; 'close'\n"
    "removes the handler, after the events that it holds, and fails with BufferError.\n"
    "\n"
    "With a handler, return a Handler, whose attributes tell the state: `active`,\n"
    "`returned` and, after the handler has returned, `value`; `calls`, `errors`,\n"
    "`awaits`.");

PyObject *
dispatcher_on(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "", "restart", "background", "buffersize", "on_full", NULL};
    PyObject *type, *object = NULL, *buffersize = NULL;
    on_options options = {.restart = 1};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O$ppOO:on", keywords, &type, &object,
                                     &options.restart, &options.background, &buffersize,
                                     &options.on_full)) {
        return NULL;
    }
    if (buffersize != NULL) {
        options.buffersize = PyNumber_AsSsize_t(buffersize, PyExc_OverflowError);
        if (options.buffersize < 1) {
            if (!PyErr_Occurred()) {
                PyErr_Format(PyExc_ValueError, "buffersize must be 1 or greater, not %zd",
                             options.buffersize);
            }
            return NULL;
        }
    }
    if (on_options_check(&options) < 0) {
        return NULL;
    }
    if (object != NULL) {
        return (PyObject *)dispatcher_register_with((dispatcher *)op, type, object, &options);
    }
    if (event_type_refuse_handler(type) < 0 || event_type_check(type) < 0) {
        return NULL;
    }
    PyObject *arguments = Py_BuildValue(options.on_full == NULL ? "(OOiin)" : "(OOiinO)", op,
                                        type, options.restart, options.background,
                                        options.buffersize, options.on_full);
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
    if (item->mailbox != NULL) {
        return 1;
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
    if (status > 0 && item->mailbox != NULL) {
        int has_task = post_finish(self, item);
        status = has_task != 0 ? has_task : item->is_function;
        if (has_task > 0) { /* its task closes it */
            return 0;
        }
    }
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
    if (!handler_is_listed(item)) {
        return 0;
    }
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

/* ---- listing ---- */

/* Those of a list or tuple, which is stolen, that on() registered: a new tuple, or NULL. */
static PyObject *
handlers_registered(PyObject *handlers)
{
    PyObject *list = handlers == NULL ? NULL : PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < PySequence_Fast_GET_SIZE(handlers); i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(handlers, i);
        if (handler_is_listed((handler *)item) && PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
    }
    PyObject *registered = list == NULL ? NULL : PyList_AsTuple(list);
    Py_XDECREF(list);
    Py_XDECREF(handlers);
    return registered;
}

const char dispatcher_handlers_doc[] = PyDoc_STR(
    "handlers($self, type=None, /)\n"
    "--\n\n"
    "Return the handlers of a type, as a tuple of Handler objects in order of registration.\n"
    "For None, return all handlers, with the default handler and those of all events.\n\n"
    ">>> d = Dispatcher()\n"
    ">>> handle = d.on('message', print)\n"
    ">>> d.handlers('message') == d.handlers() == (handle,)\n"
    "True");

PyObject *
dispatcher_handlers(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    dispatcher *self = (dispatcher *)op;
    if (count > 1) {
        PyErr_Format(PyExc_TypeError, "handlers expected at most 1 argument, got %zd", count);
        return NULL;
    }
    if (count > 0 && args[0] != Py_None) {
        return handlers_registered(dispatcher_handlers_of(self, args[0]));
    }
    PyObject *list;
    Py_BEGIN_CRITICAL_SECTION(op);
    list = event_table_list(&self->table);
    Py_END_CRITICAL_SECTION();
    return handlers_registered(list);
}

PyObject *
dispatcher_get_types(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *list, *types;
    Py_BEGIN_CRITICAL_SECTION(op);
    list = event_table_types(&((dispatcher *)op)->table);
    Py_END_CRITICAL_SECTION();
    types = list == NULL ? NULL : PyList_AsTuple(list);
    Py_XDECREF(list);
    return types;
}
