/* The source of an arun(), of a Dispatcher or a Broadcast.
 *
 * States: given -> open -> closed.  The coroutine itself iterates an open one, from its first
 * step to its end, in one task.
 *
 * Owned: the source and what was raised.  User code runs in the source's methods, and where it
 * is dropped; the coroutine refuses other calls meanwhile.
 */
#include "aio/arun_source.h"

#include "aio/await.h"
#include "runtime/closing.h"
#include "runtime/raising.h"

int
arun_source_open(arun_source *self, generators_state *state)
{
    PyObject *given = self->source;
    self->is_async = arun_source_is_async(given);
    PyObject *iterator = self->is_async ? await_aiter(given) : PyObject_GetIter(given);
    if (iterator == NULL) {
        return -1;
    }
    self->source = iterator;
    Py_DECREF(given);
    int closes = closing_is_due(iterator, self->is_async ? state->async_generator_abc
                                                         : state->generator_abc);
    self->closes = closes > 0;
    return closes < 0 ? -1 : 0;
}

int
arun_source_close(arun_source *self, coroutine *by, bool may_wait)
{
    PyObject *source = self->source;
    self->source = NULL;
    self->failure = PyErr_GetRaisedException();
    bool fails = false;
    if (source != NULL && self->closes && !self->is_async) {
        fails = closing_close(source) < 0;
    }
    else if (source != NULL && self->closes && may_wait) {
        PyObject *closing = PyObject_CallMethod(source, "aclose", NULL);
        by->awaited = closing == NULL ? NULL : await_iterator(closing);
        Py_XDECREF(closing);
        fails = by->awaited == NULL;
    }
    PyObject *raised = fails ? PyErr_GetRaisedException() : NULL;
    Py_XDECREF(source);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return fails ? -1 : by->awaited != NULL;
}

int
arun_source_end(arun_source *self, bool fails)
{
    PyObject *failure = self->failure;
    self->failure = NULL;
    if (fails) {
        raising_chain(failure);
        return -1;
    }
    if (failure == NULL) {
        return 0;
    }
    PyErr_SetRaisedException(failure);
    return -1;
}

int
arun_source_traverse(const arun_source *self, visitproc visit, void *arg)
{
    Py_VISIT(self->source);
    Py_VISIT(self->failure);
    return 0;
}

void
arun_source_clear(arun_source *self)
{
    PyObject *source = self->source, *failure = self->failure;
    self->source = self->failure = NULL;
    Py_XDECREF(source);
    Py_XDECREF(failure);
}
