/* Closing an async stream while another step is under way: see take_over.h.
 *
 * A step that waits is ended: what its task waits for is ended, so that the task resumes the
 * step soon, and that raises StopAsyncIteration.  A step of another loop can't be ended from
 * here, and neither can one whose code is on the stack.
 *
 * Owned: the futures of those who wait for another to close the stream are the stream's.
 *
 * User code that runs: the futures' and the loop's methods, and what the interrupted step
 * awaited in place.  So the stream is looked at again after each.
 *
 * Threads: called with the stream locked.
 */
#include "stream/take_over.h"

#include "aio/await.h"
#include "aio/home_step.h"
#include "aio/loop.h"
#include "runtime/raising.h"
#include "stream/aphase.h"

const char *
astep_call_name(astep_call call)
{
    static const char *const names[] = {"anext",  "anext",      "athrow", "aclose",
                                        "aprime", "__aenter__", "aclose"};
    return names[call];
}

PySendResult
astep_refuse_overlap(const astep *step)
{
    PyErr_Format(PyExc_RuntimeError, "%s(): asynchronous generator is already running",
                 astep_call_name(step->call));
    return PYGEN_ERROR;
}

void
astep_wake_closers(astream *self)
{
    PyObject *closers = self->closers;
    self->closers = NULL;
    if (closers == NULL) {
        return;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(closers); i++) {
        if (loop_wake(PyList_GET_ITEM(closers, i)) < 0) {
            raising_unraisable((PyObject *)self);
        }
    }
    Py_DECREF(closers);
}

/* Whether code of the step under way is on the stack: it runs, is being dropped, or what it
   awaits has called back.  Such a step can't be ended now. */
static bool
astep_is_on_stack(const astream *self)
{
    return self->executing || self->current == NULL || self->current->running;
}

/* Another step waits, which `step` takes the place of. */
static void
astep_interrupt(astep *step, astream *self)
{
    astep *other = (astep *)self->current;
    PyObject *awaited = other->base.awaited, *future = self->future;
    bool is_source = awaited != NULL && !self->waiting;
    other->base.awaited = NULL;
    other->is_interrupted = true;
    self->future = NULL;
    self->waiting = self->waits_for_home = false;
    astep_set_under_way(step, self);
    if (self->home != NULL) {
        home_schedule_turn(self->home);
    }
    if (is_source && await_close(awaited) < 0) {
        aphase_add_error(self);
    }
    Py_XDECREF(awaited);
    if (future != NULL && loop_wake(future) < 0) {
        raising_unraisable((PyObject *)self);
    }
    Py_XDECREF(future);
}

/* Whether the step that waits is one of the loop that runs here: only that can be ended from
   here.  1, 0, or -1 with an exception set. */
static int
astep_is_of_this_loop(astream *self)
{
    if (self->future == NULL) {
        return 1;
    }
    PyObject *loop, *future = Py_NewRef(self->future);
    int running = loop_running(generators_state_of((PyObject *)self), &loop);
    PyObject *other = running < 0 ? NULL : PyObject_CallMethod(future, "get_loop", NULL);
    int is = other == NULL ? -1 : other == loop;
    Py_DECREF(future);
    Py_XDECREF(loop);
    Py_XDECREF(other);
    return is;
}

/* Another step is closing the stream: wait for that. */
static PySendResult
astep_wait_for_closer(astep *step, astream *self, PyObject **result)
{
    generators_state *state = generators_state_of((PyObject *)step);
    PyObject *loop;
    int running = loop_running(state, &loop);
    if (running <= 0) {
        return running < 0 ? PYGEN_ERROR : astep_refuse_overlap(step);
    }
    PyObject *future = loop_future(loop);
    Py_DECREF(loop);
    if (future == NULL || (self->closers == NULL && (self->closers = PyList_New(0)) == NULL) ||
        PyList_Append(self->closers, future) < 0) {
        Py_XDECREF(future);
        return PYGEN_ERROR;
    }
    step->is_closer = true;
    PySendResult sent = coroutine_await(&step->base, await_iterator(future), result);
    Py_DECREF(future);
    return sent;
}

PySendResult
astep_take_over(astep *step, astream *self, PyObject **result)
{
    *result = NULL;
    if (step->call == ASTEP_ABANDON) {
        *result = Py_NewRef(Py_None); /* another closes it, or reads it and will */
        return PYGEN_RETURN;
    }
    if (astep_is_on_stack(self)) {
        return astep_refuse_overlap(step);
    }
    if (self->phase != ASTREAM_STEPPING) {
        return astep_wait_for_closer(step, self, result);
    }
    coroutine *other = self->current;
    int is_here = astep_is_of_this_loop(self);
    if (is_here < 0) {
        return PYGEN_ERROR;
    }
    /* get_loop() is anybody's: the step may have ended meanwhile, or another have begun.
     */
    if (self->running) {
        if (!is_here || astep_is_on_stack(self) || self->current != other) {
            return astep_refuse_overlap(step);
        }
        astep_interrupt(step, self);
    }
    return PYGEN_RETURN;
}
