/* What a background handler holds: the events that it was given, and the task that takes them.
 *
 * States: without a task, before its first event and after its event loop has ended; with a
 * task, which takes events or waits for one; ending, when it receives no more events; and
 * after that without a task for ever.
 *
 * Owned: see the struct.  It belongs to a handler.
 *
 * User code: none runs here but that of objects that are dropped.  See post.c for what fills
 * it, and mailbox_task.c for what takes from it.
 *
 * Threads: the caller holds the critical section of the dispatcher.
 */
#include "events/mailbox.h"

static const char *const mailbox_policies[] = {"wait", "drop_oldest", "drop_newest", "close"};

event_mailbox *
mailbox_new(Py_ssize_t limit, PyObject *policy)
{
    size_t found = 0, count = Py_ARRAY_LENGTH(mailbox_policies);
    if (limit < 1) {
        PyErr_Format(PyExc_ValueError, "buffersize must be 1 or greater, not %zd", limit);
        return NULL;
    }
    while (found < count && policy != NULL &&
           !(PyUnicode_Check(policy) &&
             PyUnicode_CompareWithASCIIString(policy, mailbox_policies[found]) == 0)) {
        found++;
    }
    if (found == count) {
        PyErr_Format(PyExc_ValueError,
                     "on_full must be 'wait', 'drop_oldest', 'drop_newest' or 'close', not %R",
                     policy);
        return NULL;
    }
    event_mailbox *self = PyMem_Calloc(1, sizeof(event_mailbox));
    if (self == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    self->limit = (size_t)limit;
    self->policy = (mailbox_policy)found;
    self->context = PyContext_CopyCurrent();
    if (self->context == NULL) {
        mailbox_free(self);
        return NULL;
    }
    return self;
}

void
mailbox_free(event_mailbox *self)
{
    if (self == NULL) {
        return;
    }
    event_queue_clear(&self->events);
    PyObject *held[] = {self->context, self->task,      self->loop,        self->bell,
                        self->gate,    self->gate_loop, self->close_errors};
    PyMem_Free(self);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(held); i++) {
        Py_XDECREF(held[i]);
    }
}

int
mailbox_traverse(event_mailbox *self, visitproc visit, void *arg)
{
    Py_VISIT(self->context);
    Py_VISIT(self->task);
    Py_VISIT(self->loop);
    Py_VISIT(self->bell);
    Py_VISIT(self->gate);
    Py_VISIT(self->gate_loop);
    Py_VISIT(self->close_errors);
    return event_queue_traverse(&self->events, visit, arg);
}
