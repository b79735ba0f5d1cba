/* The window of calls, and what all calls share.
 *
 * A call stands in the list once it is known when its result will be given: where the
 * results are ordered when it is started, and else when it is settled.  A window belongs to
 * one stream, which locks.
 */
#include "tasks/window.h"

#include "runtime/raising.h"

/* ---- making one ---- */

int
window_open(window *self, Py_ssize_t concurrency, PyObject *buffersize, bool ordered,
            bool returns_exceptions)
{
    if (concurrency < 1) {
        PyErr_Format(PyExc_ValueError, "concurrency must be at least one, not %zd",
                     concurrency);
        return -1;
    }
    self->concurrency = concurrency;
    self->buffersize = concurrency > PY_SSIZE_T_MAX / 2 ? PY_SSIZE_T_MAX : 2 * concurrency;
    self->ordered = ordered;
    self->returns_exceptions = returns_exceptions;
    if (buffersize == Py_None) {
        return 0;
    }
    self->buffersize = PyNumber_AsSsize_t(buffersize, PyExc_OverflowError);
    if (self->buffersize == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (self->buffersize < 1) {
        PyErr_Format(PyExc_ValueError, "buffersize must be at least one, not %zd",
                     self->buffersize);
        return -1;
    }
    return 0;
}

/* ---- calls in it ---- */

static void
append(window *self, call *one)
{
    Py_INCREF(one);
    if (self->last == NULL) {
        self->first = one;
    }
    else {
        self->last->next = one;
    }
    self->last = one;
}

void
window_start(window *self, call *one)
{
    one->index = self->started++;
    self->held++;
    self->running++;
    one->next_running = self->first_running;
    one->previous_running = &self->first_running;
    if (one->next_running != NULL) {
        one->next_running->previous_running = &one->next_running;
    }
    self->first_running = (call *)Py_NewRef(one);
    if (self->ordered) {
        append(self, one);
    }
}

/* Whether it ends the stream.  What else is a result all the same is so by
   asyncio.gather(), too: what ends a call, and not the program. */
static bool
raises(const window *self, const call *one)
{
    return one->failed && (!self->returns_exceptions ||
                           PyErr_GivenExceptionMatches(one->result, PyExc_KeyboardInterrupt) ||
                           PyErr_GivenExceptionMatches(one->result, PyExc_SystemExit) ||
                           PyErr_GivenExceptionMatches(one->result, PyExc_GeneratorExit));
}

static void
stop_running(call *one)
{
    *one->previous_running = one->next_running;
    if (one->next_running != NULL) {
        one->next_running->previous_running = one->previous_running;
    }
    one->next_running = NULL;
    one->previous_running = NULL;
    Py_DECREF(one);
}

void
window_settle(window *self, call *one)
{
    if (one->settled) {
        return;
    }
    one->settled = true;
    if (one->previous_running == NULL) {
        return; /* forgotten */
    }
    self->running--;
    self->failing = self->failing || raises(self, one);
    if (!self->ordered) {
        append(self, one);
    }
    stop_running(one);
}

/* The first, which is in the window no longer. */
static call *
pop(window *self)
{
    call *one = self->first;
    self->first = one->next;
    one->next = NULL;
    if (self->first == NULL) {
        self->last = NULL;
    }
    self->held--;
    return one;
}

int
window_take(window *self, PyObject **value)
{
    call *one = pop(self);
    PyObject *result = one->result;
    bool raised = raises(self, one);
    one->result = NULL;
    Py_DECREF(one);
    if (raised) {
        PyErr_SetRaisedException(result);
        return -1;
    }
    *value = result;
    return 1;
}

void
window_clear(window *self)
{
    while (self->first != NULL) {
        Py_DECREF(pop(self));
    }
    while (self->first_running != NULL) {
        stop_running(self->first_running);
    }
    self->running = 0;
    self->held = 0;
}

int
window_traverse(window *self, visitproc visit, void *arg)
{
    for (call *one = self->first_running; one != NULL; one = one->next_running) {
        Py_VISIT(one);
    }
    Py_VISIT(self->first); /* which visits the next one */
    return 0;
}

/* ---- a call's own ---- */

/* A short text of the item; NULL where it has none, with an exception set only if that must be
   raised (KeyboardInterrupt, MemoryError and their like). */
static PyObject *
call_item_text(PyObject *item)
{
    PyObject *reprlib = PyImport_ImportModule("reprlib");
    PyObject *text = NULL;
    if (reprlib != NULL) {
        text = PyObject_CallMethod(reprlib, "repr", "(O)", item);
        Py_DECREF(reprlib);
    }
    if (text == NULL) {
        raising_forgive_answer();
    }
    return text;
}

/* The name of the function, in the same way. */
static PyObject *
call_function_name(PyObject *function)
{
    PyObject *name = PyObject_GetAttrString(function, "__qualname__");
    if (name == NULL && raising_forgive_answer() == 0) {
        name = Py_NewRef((PyObject *)Py_TYPE(function));
    }
    return name;
}

/* The text of the note, or NULL with an exception set. */
static PyObject *
call_note_text(PyObject *item, Py_ssize_t index, PyObject *function)
{
    PyObject *item_text = call_item_text(item);
    if (item_text == NULL && PyErr_Occurred()) {
        return NULL;
    }
    PyObject *text = NULL, *name = call_function_name(function);
    if (name != NULL) {
        text = item_text == NULL
                   ? PyUnicode_FromFormat("while calling %S with item %zd", name, index)
                   : PyUnicode_FromFormat("while calling %S with item %zd: %U", name, index,
                                          item_text);
    }
    Py_XDECREF(name);
    Py_XDECREF(item_text);
    return text;
}

/* Say in a note for which item the exception (stolen) was raised.  Returns it, or what must be
   raised instead. */
static PyObject *
call_add_note(call *self, PyObject *exception, PyObject *function)
{
    /* CancelledError, GeneratorExit and KeyboardInterrupt are no Exceptions. */
    if (!PyObject_TypeCheck(exception, (PyTypeObject *)PyExc_Exception)) {
        return exception;
    }
    PyObject *item = Py_NewRef(self->item);
    PyObject *text = call_note_text(item, self->index, function);
    if (raising_add_note(exception, text) < 0) {
        Py_DECREF(exception);
        exception = PyErr_GetRaisedException();
    }
    Py_DECREF(item);
    return exception;
}

void
call_end(call *self, PyObject *result, PyObject *function)
{
    self->failed = result == NULL;
    if (result == NULL) {
        result = call_add_note(self, PyErr_GetRaisedException(), function);
    }
    PyObject *earlier = self->result, *item = self->item;
    self->result = result;
    self->item = NULL;
    Py_XDECREF(earlier);
    Py_XDECREF(item);
}

int
call_traverse(PyObject *op, visitproc visit, void *arg)
{
    call *self = (call *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->next);
    Py_VISIT(self->item);
    Py_VISIT(self->result);
    return 0;
}

int
call_clear(PyObject *op)
{
    call *self = (call *)op;
    Py_CLEAR(self->next);
    Py_CLEAR(self->item);
    Py_CLEAR(self->result);
    return 0;
}
