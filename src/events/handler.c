/* Handler: one handler of events, and what on() returns for it.
 *
 * States: active from its registration on; inactive after it returned, failed to start again,
 * was removed or was closed.  A generator function is called and primed when it is registered,
 * and again after each failure.  An async generator is made at the same times.  It is primed
 * by the first dispatch to it, which can await.
 *
 * Owned: the object that was registered; while the handler is active, also the object that is
 * sent to or called.
 *
 * User code: a generator, up to its first yield and when it is closed.
 *
 * Threads: the call that registers a handler changes it before any other call knows it.  After
 * that only the call that holds the dispatcher changes it.  `value` and `active` may be read
 * at any time.
 */
#include "events/handler.h"

#include "events/handler_object.h"
#include "runtime/raising.h"

/* ---- starting ---- */

/* `target` is stolen. */
static void
handler_set_target(handler *self, PyObject *target)
{
    PyObject *earlier = self->target;
    self->send = PyGen_CheckExact(target) ? PyGen_Type.tp_as_async->am_send : PyIter_Send;
    self->target = target;
    Py_XDECREF(earlier);
}

static void
handler_drop_target(handler *self)
{
    PyObject *target = self->target;
    self->target = NULL;
    Py_XDECREF(target);
}

bool
handler_returned(handler *self, PyObject *value)
{
    PyObject *before;
    Py_BEGIN_CRITICAL_SECTION(self);
    before = self->value;
    self->value = Py_NewRef(value);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(before);
    handler_drop_target(self);
    return generators_flag_exchange(&self->active, false);
}

/* Run the generator to its first yield.  0 or -1. */
static int
handler_prime(handler *self)
{
    self->primed = true;
    PyObject *generator = Py_NewRef(self->target), *result;
    PySendResult status = self->send(generator, Py_None, &result);
    Py_DECREF(generator);
    if (status == PYGEN_RETURN) {
        handler_returned(self, result);
    }
    if (status != PYGEN_ERROR) {
        Py_DECREF(result);
    }
    return status == PYGEN_ERROR ? -1 : 0;
}

int
handler_start(handler *self)
{
    PyObject *target = PyObject_CallNoArgs(self->object);
    if (target == NULL) {
        raising_convert(PyExc_StopIteration, "the generator function");
        raising_convert(PyExc_StopAsyncIteration, "the generator function");
        return -1;
    }
    PyTypeObject *wanted = self->kind == HANDLER_ASYNCGEN ? &PyAsyncGen_Type : &PyGen_Type;
    if (!Py_IS_TYPE(target, wanted)) {
        PyErr_Format(PyExc_TypeError, "%R should have returned a generator, not '%.200s'",
                     self->object, Py_TYPE(target)->tp_name);
        Py_DECREF(target);
        return -1;
    }
    self->primed = false;
    handler_set_target(self, target);
    return self->kind == HANDLER_ASYNCGEN ? 0 : handler_prime(self);
}

/* Take a generator that was registered itself.  0 or -1. */
static int
handler_init_generator(handler *self)
{
    int at = generator_stage(self->object);
    switch (at) {
    case GENERATOR_RUNNING:
        PyErr_SetString(PyExc_ValueError, "generator already executing");
        return -1;
    case GENERATOR_OVER:
        PyErr_SetString(PyExc_ValueError, "the generator has ended already");
        return -1;
    case GENERATOR_SUSPENDED:
        self->primed = true;
        break;
    case GENERATOR_NEW:
        break;
    default:
        return -1;
    }
    handler_set_target(self, Py_NewRef(self->object));
    return self->primed || self->kind == HANDLER_ASYNCGEN ? 0 : handler_prime(self);
}

/* Take a callable with these FUNCTION_FLAGS.  0 or -1. */
static int
handler_init_function(handler *self, int flags)
{
    self->is_function = (flags & (CO_GENERATOR | CO_ASYNC_GENERATOR)) != 0;
    if (self->is_function) {
        self->kind = flags & CO_GENERATOR ? HANDLER_GENERATOR : HANDLER_ASYNCGEN;
        return handler_start(self);
    }
    self->kind = flags & CO_COROUTINE ? HANDLER_COROUTINE : HANDLER_CALLABLE;
    self->target = Py_NewRef(self->object);
    return 0;
}

/* 1, 0 or -1. */
static int
object_is_instance(PyObject *object, PyTypeObject *exact, PyObject *abc)
{
    return Py_IS_TYPE(object, exact) ? 1 : PyObject_IsInstance(object, abc);
}

/* Find the kind of handler, and start it.  0 or -1. */
static int
handler_init(handler *self, generators_state *state)
{
    PyObject *object = self->object;
    int is = object_is_instance(object, &PyGen_Type, state->generator_abc);
    if (is != 0) {
        self->kind = HANDLER_GENERATOR;
        return is < 0 ? -1 : handler_init_generator(self);
    }
    is = object_is_instance(object, &PyAsyncGen_Type, state->async_generator_abc);
    if (is != 0) {
        self->kind = HANDLER_ASYNCGEN;
        return is < 0 ? -1 : handler_init_generator(self);
    }
    if (!PyCallable_Check(object)) {
        PyErr_Format(PyExc_TypeError,
                     "a handler must be a generator or a callable, not '%.200s'%s",
                     Py_TYPE(object)->tp_name,
                     PyCoro_CheckExact(object) ? ": register the function, not its call" : "");
        return -1;
    }
    int flags = callable_flags(object);
    return flags < 0 ? -1 : handler_init_function(self, flags);
}

static handler *
handler_alloc(generators_state *state, PyObject *type, PyObject *object)
{
    if (state->event_handler_type == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the module is being unloaded");
        return NULL;
    }
    handler *self = PyObject_GC_New(handler, state->event_handler_type);
    if (self == NULL) {
        return NULL;
    }
    self->type = Py_XNewRef(type);
    self->object = Py_NewRef(object);
    self->target = self->value = self->failure = self->future = self->loop = NULL;
    self->mailbox = NULL;
    self->send = NULL;
    self->serial = 0;
    self->calls = self->errors = self->awaits = 0;
    self->kind = HANDLER_CALLABLE;
    self->is_function = self->primed = self->restart = self->is_error = false;
    self->is_whole = type == NULL || type == Py_None;
    self->active = true;
    PyObject_GC_Track(self);
    return self;
}

handler *
handler_new_special(generators_state *state, PyObject *type, handler_kind kind,
                    PyObject *object)
{
    handler *self = handler_alloc(state, type, object);
    if (self != NULL) {
        self->kind = kind;
        self->target = Py_NewRef(object);
    }
    return self;
}

handler *
handler_new(generators_state *state, PyObject *type, PyObject *object, bool restart)
{
    handler *self = handler_alloc(state, type, object);
    if (self == NULL) {
        return NULL;
    }
    self->restart = restart;
    if (handler_init(self, state) < 0) {
        PyObject *raised = PyErr_GetRaisedException();
        Py_CLEAR(self);
        PyErr_SetRaisedException(raised);
    }
    return self;
}

/* ---- ending ---- */

/* Make the handler inactive, and add a note about that to the exception that it raised.  0, or
   -1 with an exception that must be raised instead, whose context is `exception`. */
static int
handler_note_removal(handler *self, PyObject *exception, const char *why)
{
    generators_flag_exchange(&self->active, false);
    handler_drop_target(self);
    PyObject *name = PyObject_Repr(self->object);
    if (name == NULL) {
        if (raising_forgive_answer() < 0) {
            raising_chain(Py_NewRef(exception));
            return -1;
        }
        name = PyUnicode_FromString(Py_TYPE(self->object)->tp_name);
    }
    PyObject *text = NULL;
    if (name != NULL && self->type != NULL && self->type != Py_None) {
        text = PyUnicode_FromFormat("handler %U of %R was removed: %s", name, self->type, why);
    }
    else if (name != NULL && self->type == Py_None) {
        text = PyUnicode_FromFormat("handler %U of all events was removed: %s", name, why);
    }
    else if (name != NULL) {
        text = PyUnicode_FromFormat("default handler %U was removed: %s", name, why);
    }
    Py_XDECREF(name);
    return raising_add_note(exception, text);
}

/* Put the exception that is set into *second.  An exception that was there becomes its
   context. */
static void
exception_add_second(PyObject **second)
{
    if (*second != NULL) {
        raising_chain(*second);
    }
    *second = PyErr_GetRaisedException();
}

void
handler_failed(handler *self, PyObject *exception, PyObject **second)
{
    *second = NULL;
    if (self->kind == HANDLER_CALLABLE || self->kind == HANDLER_COROUTINE ||
        !handler_is_listed(self) || self->target == NULL ||
        !generators_flag_get(&self->active)) {
        return;
    }
    int at = generator_stage(self->target), status = 0;
    if (at < 0) {
        exception_add_second(second);
    }
    if (at == GENERATOR_RUNNING || at == GENERATOR_SUSPENDED) {
        return; /* it refused to be resumed, since it runs elsewhere */
    }
    if (!self->is_function) {
        status = handler_note_removal(self, exception, "a generator cannot be started again");
    }
    else if (!self->restart) {
        status = handler_note_removal(self, exception, "restart=False");
    }
    else if (handler_start(self) < 0) {
        exception_add_second(second);
        PyObject *failure = Py_NewRef(*second);
        status = handler_note_removal(self, failure, "it failed when it was started again");
        Py_DECREF(failure);
    }
    if (status < 0) {
        exception_add_second(second);
    }
}

int
handler_close(handler *self, bool can_await, PyObject **closing)
{
    PyObject *target = self->target;
    self->target = NULL;
    generators_flag_exchange(&self->active, false);
    *closing = NULL;
    int status = 0;
    if (target != NULL && self->kind == HANDLER_GENERATOR) {
        PyObject *done = PyObject_CallMethod(target, "close", NULL);
        Py_XDECREF(done);
        status = done == NULL ? -1 : 0;
    }
    else if (target != NULL && self->kind == HANDLER_ASYNCGEN && can_await &&
             (self->primed || !self->is_function)) {
        *closing = PyObject_CallMethod(target, "aclose", NULL);
        status = *closing == NULL ? -1 : 1;
    }
    Py_XDECREF(target);
    return status;
}

/* ---- the type ---- */

static int
handler_traverse(PyObject *op, visitproc visit, void *arg)
{
    handler *self = (handler *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->type);
    Py_VISIT(self->object);
    Py_VISIT(self->target);
    Py_VISIT(self->value);
    Py_VISIT(self->failure);
    Py_VISIT(self->future);
    Py_VISIT(self->loop);
    return self->mailbox == NULL ? 0 : mailbox_traverse(self->mailbox, visit, arg);
}

static int
handler_clear(PyObject *op)
{
    handler *self = (handler *)op;
    Py_CLEAR(self->target);
    Py_CLEAR(self->object);
    Py_CLEAR(self->type);
    Py_CLEAR(self->value);
    Py_CLEAR(self->failure);
    Py_CLEAR(self->future);
    Py_CLEAR(self->loop);
    event_mailbox *mailbox = self->mailbox;
    self->mailbox = NULL;
    mailbox_free(mailbox);
    return 0;
}

static void
handler_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    handler_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *
handler_repr(PyObject *op)
{
    handler *self = (handler *)op;
    if (self->type == NULL) {
        return PyUnicode_FromFormat("<default handler %R>", self->object);
    }
    if (self->type == Py_None) {
        return PyUnicode_FromFormat("<handler %R of all events>", self->object);
    }
    return PyUnicode_FromFormat("<handler %R of %R>", self->object, self->type);
}

PyDoc_STRVAR(handler_doc,
             "A handler that was registered by Dispatcher.on(type, handler), which returns\n"
             "it.\n"
             "\n"
             "It can't be made in another way.");

static PyMemberDef handler_members[] = {
    {"handler", Py_T_OBJECT_EX, offsetof(handler, object), Py_READONLY,
     "The object that was registered."},
    {NULL},
};

static PyObject *
handler_get_type(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *type = ((handler *)op)->type;
    return Py_NewRef(type == NULL ? Py_None : type);
}

static PyObject *
handler_get_value(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(op);
    value = Py_NewRef(((handler *)op)->value == NULL ? Py_None : ((handler *)op)->value);
    Py_END_CRITICAL_SECTION();
    return value;
}

static PyObject *
handler_get_returned(PyObject *op, void *Py_UNUSED(closure))
{
    bool returned;
    Py_BEGIN_CRITICAL_SECTION(op);
    returned = ((handler *)op)->value != NULL;
    Py_END_CRITICAL_SECTION();
    return PyBool_FromLong(returned);
}

static PyObject *
handler_get_active(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(generators_flag_get(&((handler *)op)->active));
}

/* `offset` is where the count is. */
static PyObject *
handler_get_count(PyObject *op, void *offset)
{
    const char *at = (const char *)op + (size_t)offset;
    return PyLong_FromUnsignedLongLong(generators_count_get((const generators_count *)at));
}

static PyObject *
handler_get_dropped(PyObject *op, void *Py_UNUSED(closure))
{
    event_mailbox *mailbox = ((handler *)op)->mailbox;
    return PyLong_FromUnsignedLongLong(
        mailbox == NULL ? 0 : generators_count_get(&mailbox->dropped));
}

static PyObject *
handler_get_held(PyObject *op, void *Py_UNUSED(closure))
{
    event_mailbox *mailbox = ((handler *)op)->mailbox;
    return PyLong_FromUnsignedLongLong(mailbox == NULL ? 0
                                                       : generators_count_get(&mailbox->held));
}

static PyObject *
handler_get_background(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((handler *)op)->mailbox != NULL);
}

static PyGetSetDef handler_getters[] = {
    {"active", handler_get_active, NULL,
     "Whether it receives events.  False after it returned, was removed or was closed.", NULL},
    {"type", handler_get_type, NULL,
     "The type of the events that it receives.  None for the default handler, and for a\n"
     "handler of all events.",
     NULL},
    {"background", handler_get_background, NULL,
     "Whether it receives events in a task of its own.", NULL},
    {"calls", handler_get_count, NULL,
     "The number of events that it was given.  A background handler is given an event when\n"
     "its task takes it.",
     (void *)offsetof(handler, calls)},
    {"errors", handler_get_count, NULL, "The number of exceptions that it has raised.",
     (void *)offsetof(handler, errors)},
    {"awaits", handler_get_count, NULL,
     "The number of events for which it was awaited.  It is 0 for a handler that is\n"
     "not async.",
     (void *)offsetof(handler, awaits)},
    {"dropped", handler_get_dropped, NULL,
     "The number of events that were dropped because its buffer was full.", NULL},
    {"held", handler_get_held, NULL,
     "The number of events in the buffer of a background handler.", NULL},
    {"value", handler_get_value, NULL,
     "The value that it returned.  None if it has not returned.", NULL},
    {"returned", handler_get_returned, NULL, "Whether it has returned.", NULL},
    {NULL},
};

static PyType_Slot handler_slots[] = {
    {Py_tp_doc, (char *)handler_doc}, {Py_tp_traverse, handler_traverse},
    {Py_tp_clear, handler_clear},     {Py_tp_dealloc, handler_dealloc},
    {Py_tp_repr, handler_repr},       {Py_tp_members, handler_members},
    {Py_tp_getset, handler_getters},  {0, NULL},
};

PyType_Spec event_handler_spec = {
    .name = "native_generators.Handler",
    .basicsize = sizeof(handler),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = handler_slots,
};
