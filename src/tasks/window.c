/* The window of calls, and what all calls share.
 *
 * A call is put into the list when it is known when its result will be given.  With ordered
 * results that is when it is started, and otherwise when it is settled.
 *
 * Threads: a window belongs to one stream, which locks it.
 */
#include "tasks/window.h"

#include "runtime/raising.h"

/* ---- making one ---- */

int
window_open(window *self, const window_options *options)
{
    Py_ssize_t concurrency = options->concurrency;
    PyObject *buffersize = options->buffersize;
    if (concurrency < 1) {
        PyErr_Format(PyExc_ValueError, "concurrency must be at least one, not %zd",
                     concurrency);
        return -1;
    }
    self->concurrency = concurrency;
    self->buffersize = concurrency > PY_SSIZE_T_MAX / 2 ? PY_SSIZE_T_MAX : 2 * concurrency;
    self->ordered = options->ordered;
    self->returns_exceptions = options->returns_exceptions;
    self->pairs = options->pairs;
    if (buffersize == Py_None) {
        /* One slow call must not hold up the others, whose results wait behind it. */
        if (self->ordered && self->buffersize < WINDOW_RESULTS) {
            self->buffersize = WINDOW_RESULTS;
        }
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
window_append(window *self, call *one)
{
    Py_INCREF(one->object);
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
    self->first_running = one;
    Py_INCREF(one->object);
    if (self->ordered) {
        window_append(self, one);
    }
}

/* With return_exceptions, what asyncio.gather() takes for a result is one: whatever ends a
   call, and not the program. */
bool
window_raises(const window *self, const call *one)
{
    return one->failed && (!self->returns_exceptions ||
                           PyErr_GivenExceptionMatches(one->result, PyExc_KeyboardInterrupt) ||
                           PyErr_GivenExceptionMatches(one->result, PyExc_SystemExit) ||
                           PyErr_GivenExceptionMatches(one->result, PyExc_GeneratorExit));
}

static void
window_stop_running(call *one)
{
    *one->previous_running = one->next_running;
    if (one->next_running != NULL) {
        one->next_running->previous_running = one->previous_running;
    }
    one->next_running = NULL;
    one->previous_running = NULL;
    Py_DECREF(one->object);
}

void
window_settle(window *self, call *one)
{
    if (one->settled) {
        return;
    }
    one->settled = true;
    if (one->previous_running == NULL) {
        return; /* the window has forgotten it */
    }
    self->running--;
    self->failures += one->failed && !self->ending;
    one->late = self->ending && window_raises(self, one);
    self->failing = self->failing || window_raises(self, one);
    if (!self->ordered) {
        window_append(self, one);
    }
    window_stop_running(one);
}

/* Take the first one out of the window. */
static call *
window_pop_call(window *self)
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
window_pop(window *self, PyObject **value)
{
    call *one = window_pop_call(self);
    PyObject *result = one->result;
    PyObject *item = one->item;
    bool raised = window_raises(self, one);
    one->result = one->item = NULL;
    Py_DECREF(one->object);
    if (raised) {
        Py_XDECREF(item);
        PyErr_SetRaisedException(result);
        return -1;
    }
    *value = result;
    if (self->pairs) {
        *value = PyTuple_Pack(2, item, result);
        Py_DECREF(result);
    }
    Py_XDECREF(item);
    return *value == NULL ? -1 : 1;
}

void
window_clear(window *self)
{
    while (self->first != NULL) {
        Py_DECREF(window_pop_call(self)->object);
    }
    while (self->first_running != NULL) {
        window_stop_running(self->first_running);
    }
    self->running = 0;
    self->held = 0;
}

int
window_traverse(window *self, visitproc visit, void *arg)
{
    for (call *one = self->first_running; one != NULL; one = one->next_running) {
        Py_VISIT(one->object);
    }
    if (self->first != NULL) {
        Py_VISIT(self->first->object); /* which visits the next one */
    }
    return 0;
}

/* ---- a call ---- */

void
call_init(call *self, PyObject *object, PyObject *item, const window *calls)
{
    self->object = object;
    self->keeps_item = calls->pairs;
    self->item = Py_NewRef(item);
}

/* As many characters of a repr() as reprlib keeps of an object that it does not know. */
#define ITEM_TEXT 30

/* The repr() of an object, with its middle left out where it is long, and its type where that
   fails, as reprlib has them. */
static PyObject *
call_short_repr(PyObject *item)
{
    PyObject *text = PyObject_Repr(item);
    if (text == NULL && raising_forgive_answer() == 0) {
        text = PyUnicode_FromFormat("<%s instance at %p>", Py_TYPE(item)->tp_name, item);
    }
    Py_ssize_t length = text == NULL ? 0 : PyUnicode_GET_LENGTH(text);
    if (length <= ITEM_TEXT) {
        return text;
    }
    Py_ssize_t start = (ITEM_TEXT - 3) / 2, end = ITEM_TEXT - 3 - start;
    PyObject *head = PyUnicode_Substring(text, 0, start);
    PyObject *tail = PyUnicode_Substring(text, length - end, length);
    Py_DECREF(text);
    text = head == NULL || tail == NULL ? NULL : PyUnicode_FromFormat("%U...%U", head, tail);
    Py_XDECREF(head);
    Py_XDECREF(tail);
    return text;
}

/* Whether reprlib leaves out what a large one holds, where repr() would make all of it. */
static bool
call_item_may_be_large(PyObject *item)
{
    return PyUnicode_Check(item) || PyLong_Check(item) || PyTuple_Check(item) ||
           PyList_Check(item) || PyDict_Check(item) || PyAnySet_Check(item);
}

/* A short text of the item.  NULL where it has none; then an exception is set only if it must
   be raised (KeyboardInterrupt, MemoryError and the like).  reprlib lets no MemoryError of a
   __repr__() through, so it is used only where it is needed. */
static PyObject *
call_item_text(PyObject *item)
{
    PyObject *text = NULL;
    if (call_item_may_be_large(item)) {
        PyObject *reprlib = PyImport_ImportModule("reprlib");
        if (reprlib != NULL) {
            text = PyObject_CallMethod(reprlib, "repr", "(O)", item);
            Py_DECREF(reprlib);
        }
    }
    else {
        text = call_short_repr(item);
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

/* Name the item in a note on the exception (stolen).  Returns it, or what must be raised
   instead. */
static PyObject *
call_add_note(call *self, PyObject *exception, PyObject *function)
{
    PyObject *item = Py_NewRef(self->item);
    if (PyObject_SetAttrString(exception, "item", item) < 0 && raising_forgive_answer() < 0) {
        raising_chain(exception);
        Py_DECREF(item);
        return PyErr_GetRaisedException();
    }
    /* No note on CancelledError, GeneratorExit and KeyboardInterrupt. */
    if (!PyObject_TypeCheck(exception, (PyTypeObject *)PyExc_Exception)) {
        Py_DECREF(item);
        return exception;
    }
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
    Py_XDECREF(earlier);
    if (!self->keeps_item) {
        self->item = NULL;
        Py_XDECREF(item);
    }
}

int
call_traverse(call *self, visitproc visit, void *arg)
{
    if (self->next != NULL) {
        Py_VISIT(self->next->object);
    }
    Py_VISIT(self->item);
    Py_VISIT(self->result);
    return 0;
}

void
call_clear(call *self)
{
    call *next = self->next;
    self->next = NULL;
    if (next != NULL) {
        Py_DECREF(next->object);
    }
    Py_CLEAR(self->item);
    Py_CLEAR(self->result);
}
