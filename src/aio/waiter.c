/* _Waiter: see waiter.h.
 *
 * A future of asyncio that is ended calls nobody: the loop does, in its next turn.  A home
 * that goes on with its source is in a turn of its own already, in which no task runs.  So it
 * wakes the task that waits here and now, which saves a turn of the loop for each item.
 *
 * States: pending -> done, or cancelled by the task that waits.
 *
 * Owned: all its fields.  `callback` is the first of those that add_done_callback() took, and
 * mostly the only one.
 *
 * User code that runs: the loop's methods, and the callbacks.  The state is set, and the
 * callbacks are moved out, before any of it.
 *
 * Threads: all is done on the loop's thread.
 */
#include "aio/waiter.h"

#include "aio/loop.h"
#include "compat.h"
#include "runtime/raising.h"

typedef enum {
    WAITER_PENDING,
    WAITER_DONE,
    WAITER_CANCELLED,
} waiter_state;

typedef struct {
    PyObject_HEAD
    PyObject *loop;     /* owned */
    PyObject *callback; /* owned, or NULL */
    PyObject *context;  /* owned: the callback's, or NULL */
    PyObject *more;     /* owned: a list of further (callback, context), or NULL */
    PyObject *message;  /* owned: of the cancellation, or NULL */
    uint8_t state;      /* waiter_state */
    bool blocking;      /* _asyncio_future_blocking */
    bool has_yielded;   /* itself, to be waited for */
} waiter;

/* ---- callbacks ---- */

/* Have the loop call it.  0 or -1. */
static int
waiter_call_soon(waiter *self, PyObject *callback, PyObject *context)
{
    generators_state *state = generators_state_of((PyObject *)self);
    PyObject *call_soon = PyObject_GetAttrString(self->loop, "call_soon");
    PyObject *arguments[] = {callback, (PyObject *)self, context};
    PyObject *handle = call_soon == NULL ? NULL
                                         : PyObject_Vectorcall(call_soon, arguments, 2,
                                                               state->context_keyword);
    Py_XDECREF(call_soon);
    Py_XDECREF(handle);
    return handle == NULL ? -1 : 0;
}

/* Call it now, in its context.  0, or -1 with Ctrl-C, or whatever ends the program, set. */
static int
waiter_call(waiter *self, PyObject *callback, PyObject *context)
{
    if (PyContext_Enter(context) < 0) { /* it is entered already, below this call */
        return raising_forgive(PyExc_RuntimeError) < 0
                   ? -1
                   : waiter_call_soon(self, callback, context);
    }
    PyObject *done = PyObject_CallOneArg(callback, (PyObject *)self);
    PyObject *raised = done == NULL ? PyErr_GetRaisedException() : NULL;
    Py_XDECREF(done);
    int status = PyContext_Exit(context);
    if (raised == NULL) {
        return status;
    }
    if (status < 0) {
        raising_chain(raised);
    }
    else {
        PyErr_SetRaisedException(raised);
    }
    if (PyErr_ExceptionMatches(PyExc_Exception)) {
        raising_unraisable(callback);
        return 0;
    }
    return -1;
}

/* It is over: all callbacks are called.  0, or -1 with the first exception. */
static int
waiter_finish(waiter *self, waiter_state state, bool at_once)
{
    PyObject *callback = self->callback, *context = self->context, *more = self->more;
    self->state = state;
    self->callback = self->context = self->more = NULL;
    int (*call)(waiter *, PyObject *, PyObject *) = at_once ? waiter_call : waiter_call_soon;
    int status = callback == NULL ? 0 : call(self, callback, context);
    for (Py_ssize_t i = 0; more != NULL && i < PyList_GET_SIZE(more) && status == 0; i++) {
        PyObject *pair = PyList_GET_ITEM(more, i);
        status = waiter_call_soon(self, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1));
    }
    PyObject *raised = PyErr_GetRaisedException();
    Py_XDECREF(callback);
    Py_XDECREF(context);
    Py_XDECREF(more);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return status;
}

int
waiter_end(PyObject *op, bool at_once)
{
    waiter *self = (waiter *)op;
    if (self->state != WAITER_PENDING) {
        return 0;
    }
    Py_INCREF(op);
    int status = waiter_finish(self, WAITER_DONE, at_once);
    PyObject *raised = PyErr_GetRaisedException();
    Py_DECREF(op);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return status;
}

/* ---- methods of a future ---- */

/* One more.  0 or -1. */
static int
waiter_add(waiter *self, PyObject *callback, PyObject *context)
{
    if (self->callback == NULL) {
        self->callback = Py_NewRef(callback);
        self->context = Py_NewRef(context);
        return 0;
    }
    PyObject *pair = PyTuple_Pack(2, callback, context);
    if (pair == NULL || (self->more == NULL && (self->more = PyList_New(0)) == NULL)) {
        Py_XDECREF(pair);
        return -1;
    }
    int status = PyList_Append(self->more, pair);
    Py_DECREF(pair);
    return status;
}

static PyObject *
waiter_add_done_callback(PyObject *op, PyObject *const *args, Py_ssize_t count,
                         PyObject *names)
{
    waiter *self = (waiter *)op;
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    if (count != 1 || named > 1 ||
        (named == 1 &&
         PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "context") != 0)) {
        PyErr_SetString(PyExc_TypeError, "add_done_callback(fn, *, context=None)");
        return NULL;
    }
    PyObject *context =
        named == 1 && args[1] != Py_None ? Py_NewRef(args[1]) : PyContext_CopyCurrent();
    if (context == NULL) {
        return NULL;
    }
    int status = self->state == WAITER_PENDING ? waiter_add(self, args[0], context)
                                               : waiter_call_soon(self, args[0], context);
    Py_DECREF(context);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
waiter_remove_done_callback(PyObject *op, PyObject *callback)
{
    waiter *self = (waiter *)op;
    PyObject *first = Py_XNewRef(self->callback);
    int same = first == NULL ? 0 : PyObject_RichCompareBool(first, callback, Py_EQ);
    if (same > 0 && self->callback == first) {
        PyObject *dropped[] = {self->callback, self->context};
        self->callback = self->context = NULL;
        Py_DECREF(dropped[0]);
        Py_DECREF(dropped[1]);
    }
    Py_XDECREF(first);
    return same < 0 ? NULL : PyLong_FromLong(same);
}

static PyObject *
waiter_cancel(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"msg", NULL};
    waiter *self = (waiter *)op;
    PyObject *message = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:cancel", keywords, &message)) {
        return NULL;
    }
    if (self->state != WAITER_PENDING) {
        Py_RETURN_FALSE;
    }
    if (message != Py_None) {
        self->message = Py_XNewRef(message);
    }
    return waiter_finish(self, WAITER_CANCELLED, false) < 0 ? NULL : Py_NewRef(Py_True);
}

/* What it gives to who waited: 0, or -1 with CancelledError set. */
static int
waiter_check(waiter *self)
{
    if (self->state == WAITER_PENDING) {
        PyErr_SetString(PyExc_RuntimeError, "the wait is not over");
        return -1;
    }
    if (self->state == WAITER_DONE) {
        return 0;
    }
    PyObject *type = loop_cancelled_error(generators_state_of((PyObject *)self));
    if (type != NULL && self->message != NULL) {
        PyErr_SetObject(type, self->message);
    }
    else if (type != NULL) {
        PyErr_SetNone(type);
    }
    return -1;
}

static PyObject *
waiter_result(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return waiter_check((waiter *)op) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
waiter_set_result(PyObject *op, PyObject *Py_UNUSED(result))
{
    return waiter_end(op, false) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
waiter_done(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(((waiter *)op)->state != WAITER_PENDING);
}

static PyObject *
waiter_cancelled(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(((waiter *)op)->state == WAITER_CANCELLED);
}

static PyObject *
waiter_get_loop(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return Py_NewRef(((waiter *)op)->loop);
}

static PyObject *
waiter_get_blocking(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((waiter *)op)->blocking);
}

static int
waiter_set_blocking(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    int is = value == NULL ? 0 : PyObject_IsTrue(value);
    if (is >= 0) {
        ((waiter *)op)->blocking = is;
    }
    return is < 0 ? -1 : 0;
}

/* ---- awaiting it ---- */

static PyObject *
waiter_iternext(PyObject *op)
{
    waiter *self = (waiter *)op;
    if (self->state == WAITER_PENDING && !self->has_yielded) {
        self->blocking = self->has_yielded = true;
        return Py_NewRef(op);
    }
    if (self->state == WAITER_PENDING) {
        PyErr_SetString(PyExc_RuntimeError, "await wasn't used with future");
        return NULL;
    }
    waiter_check(self);
    return NULL;
}

/* ---- memory ---- */

PyObject *
waiter_new(generators_state *state, PyObject *loop)
{
    PyTypeObject *type = state->waiter_type;
    if (type == NULL) {
        raising_shut_down();
        return NULL;
    }
    waiter *self = (waiter *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->loop = Py_NewRef(loop);
    }
    return (PyObject *)self;
}

static int
waiter_traverse(PyObject *op, visitproc visit, void *arg)
{
    waiter *self = (waiter *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->loop);
    Py_VISIT(self->callback);
    Py_VISIT(self->context);
    Py_VISIT(self->more);
    Py_VISIT(self->message);
    return 0;
}

static int
waiter_clear(PyObject *op)
{
    waiter *self = (waiter *)op;
    Py_CLEAR(self->callback);
    Py_CLEAR(self->context);
    Py_CLEAR(self->more);
    Py_CLEAR(self->message);
    return 0;
}

static void
waiter_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    waiter_clear(op);
    Py_CLEAR(((waiter *)op)->loop);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef waiter_methods[] = {
    {"add_done_callback", (PyCFunction)(void (*)(void))waiter_add_done_callback,
     METH_FASTCALL | METH_KEYWORDS, NULL},
    {"remove_done_callback", waiter_remove_done_callback, METH_O, NULL},
    {"cancel", (PyCFunction)(void (*)(void))waiter_cancel, METH_VARARGS | METH_KEYWORDS, NULL},
    {"cancelled", waiter_cancelled, METH_NOARGS, NULL},
    {"done", waiter_done, METH_NOARGS, NULL},
    {"result", waiter_result, METH_NOARGS, NULL},
    {"exception", waiter_result, METH_NOARGS, NULL},
    {"set_result", waiter_set_result, METH_O, NULL},
    {"get_loop", waiter_get_loop, METH_NOARGS, NULL},
    {NULL},
};

static PyGetSetDef waiter_attributes[] = {
    {COMPAT_FUTURE_BLOCKING, waiter_get_blocking, waiter_set_blocking,
     "Whether it was yielded to be waited for.", NULL},
    {NULL},
};

static PyType_Slot waiter_slots[] = {
    {Py_tp_doc, (char *)"The future of a step that waits for its home."},
    {Py_tp_traverse, waiter_traverse},
    {Py_tp_clear, waiter_clear},
    {Py_tp_dealloc, waiter_dealloc},
    {Py_am_await, PyObject_SelfIter},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, waiter_iternext},
    {Py_tp_methods, waiter_methods},
    {Py_tp_getset, waiter_attributes},
    {0, NULL},
};

PyType_Spec waiter_spec = {
    .name = "native_generators._native._Waiter",
    .basicsize = sizeof(waiter),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = waiter_slots,
};
