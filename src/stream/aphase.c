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
#include "stream/aphase.h"

#include "aio/home.h"
#include "aio/home_wait.h"
#include "runtime/raising.h"

void
aphase_add_error(astream *self)
{
    PyObject *earlier = self->raised;
    self->raised = NULL;
    raising_chain(earlier);
    self->raised = PyErr_GetRaisedException();
}

static astream_outcome
aphase_close_home(astream *self, PyObject **value)
{
    if (home_check(self->home) < 0) {
        return ASTREAM_REFUSE;
    }
    int status = home_close(self->home);
    if (status <= 0) {
        return status < 0 ? ASTREAM_ERROR : ASTREAM_END;
    }
    *value = home_wait(self->home);
    return *value == NULL ? ASTREAM_ERROR : ASTREAM_FINISH;
}

/* Close the source, in the way of a step. */
static astream_outcome
aphase_close_source(astream *self, astream_answer answer, PyObject **value)
{
    if (self->home != NULL) {
        return aphase_close_home(self, value);
    }
    if (answer == ASTREAM_ASKED) {
        PyObject *source = self->source;
        self->source = NULL;
        if (source == NULL || !self->closes_source) {
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
aphase_step(astream *self, astream_answer answer, PyObject **value)
{
    switch (self->phase) {
    case ASTREAM_STEPPING:
        return self->kind->step(self, answer, value);
    case ASTREAM_CLOSING:
        return self->kind->close == NULL ? ASTREAM_END
                                         : self->kind->close(self, answer, value);
    default:
        return aphase_close_source(self, answer, value);
    }
}

void
aphase_next(astream *self, astream_outcome outcome)
{
    if (outcome == ASTREAM_ERROR) {
        aphase_add_error(self);
    }
    if (self->phase == ASTREAM_STEPPING) {
        self->was_cut = astream_has_been_cut(self);
    }
    if (self->phase == ASTREAM_STEPPING && outcome == ASTREAM_END && self->stashed != NULL) {
        self->raised = self->stashed;
        self->stashed = NULL;
    }
    PyObject *first = self->first;
    self->first = NULL;
    bool is_last = self->phase == ASTREAM_CLOSING_SOURCE;
    self->phase++;
    Py_XDECREF(first);
    if (is_last) {
        PyObject *dropped[] = {(PyObject *)self->home, self->source, self->read};
        self->home = NULL;
        self->source = self->read = NULL;
        for (size_t i = 0; i < Py_ARRAY_LENGTH(dropped); i++) {
            Py_XDECREF(dropped[i]);
        }
        if (self->kind->release(self) < 0) {
            aphase_add_error(self);
        }
    }
}
