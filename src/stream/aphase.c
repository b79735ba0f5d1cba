/* The phases of an async stream: stepping, closing what its type began, closing its
 * source, ended.  Each is made of steps that an awaitable (astep.c) makes and waits
 * between; here is what one step of a phase does, and how the next phase begins.
 *
 * Owned: the errors of the phases are the stream's, chained in `raised`, until an
 * awaitable gives them.
 *
 * User code that runs: the source's, and a type's own step, close and release.  Threads:
 * all is called with the stream locked and `executing` set.
 */
#include "stream/astream.h"
#include "aio/await.h"

void
astream_keep_raised(astream *self)
{
    PyObject *earlier = self->raised;
    self->raised = NULL;
    raising_chain(earlier);
    self->raised = PyErr_GetRaisedException();
}

/* Whether the source is left to another who closes it already, and has its error. */
static bool
is_closed_elsewhere(astream *self, PyObject *source)
{
    bool closing = false;
    if (self->unawaited && self->source_is_stream) {
        Py_BEGIN_CRITICAL_SECTION(source);
        closing = astream_is_closing((astream *)source);
        Py_END_CRITICAL_SECTION();
    }
    return closing;
}

/* Close the source, in the way of a step. */
static astream_outcome
close_source(astream *self, astream_answer answer, PyObject **value)
{
    if (answer == ASTREAM_ASKED) {
        PyObject *source = self->source;
        self->source = NULL;
        if (source == NULL || !self->closes_source || is_closed_elsewhere(self, source)) {
            Py_XDECREF(source);
            return ASTREAM_END;
        }
        PyObject *closing =
            PyObject_CallMethod(source, self->source_is_async ? "aclose" : "close", NULL);
        Py_DECREF(source);
        if (closing == NULL) {
            return ASTREAM_ERROR;
        }
        if (!self->source_is_async) {
            Py_DECREF(closing);
            return ASTREAM_END;
        }
        answer = astream_await(self, closing, value);
        Py_DECREF(closing);
    }
    if (answer == ASTREAM_GAVE) {
        Py_CLEAR(*value);
        return ASTREAM_END;
    }
    return answer == ASTREAM_PENDING ? ASTREAM_AWAIT : ASTREAM_ERROR;
}

astream_outcome
astream_make_step(astream *self, astream_answer answer, PyObject **value)
{
    switch (self->phase) {
    case ASTREAM_STEPPING:
        return self->kind->step(self, answer, value);
    case ASTREAM_CLOSING:
        return self->kind->close == NULL ? ASTREAM_END
                                         : self->kind->close(self, answer, value);
    default:
        return close_source(self, answer, value);
    }
}

void
astream_next_phase(astream *self, astream_outcome outcome)
{
    if (outcome == ASTREAM_ERROR) {
        astream_keep_raised(self);
    }
    PyObject *first = self->first;
    self->first = NULL;
    if (self->phase == ASTREAM_STEPPING && outcome == ASTREAM_END && self->held != NULL) {
        self->raised = self->held;
        self->held = NULL;
    }
    self->phase++;
    Py_XDECREF(first);
    if (self->phase == ASTREAM_IS_ENDED && self->kind->release(self) < 0) {
        astream_keep_raised(self);
    }
}

astream_outcome
astream_begin_waiting(astream *self, PyObject *future, PyObject **result)
{
    PyObject *iterator = await_iterator(future);
    Py_DECREF(future);
    PySendResult sent =
        iterator == NULL ? PYGEN_ERROR : PyIter_Send(iterator, Py_None, result);
    if (sent == PYGEN_NEXT) {
        self->awaited = iterator;
        self->waiting = true;
        return ASTREAM_WAIT;
    }
    Py_XDECREF(iterator);
    if (sent == PYGEN_RETURN) {
        Py_CLEAR(*result);
    }
    return sent == PYGEN_RETURN ? ASTREAM_AGAIN : ASTREAM_ERROR;
}
