/* The event loop that runs in this thread, which is asyncio's or speaks as it does.
 *
 * `asyncio` is not imported where no loop of it can be running.
 */
#ifndef GENERATORS_AIO_LOOP_H
#define GENERATORS_AIO_LOOP_H

#include "state.h"

/* 1 and *loop (new), 0 where none runs, or -1. */
int loop_running(generators_state *state, PyObject **loop);

/* The loop, or NULL with a RuntimeError that says that `who` needs one. */
PyObject *loop_needed(generators_state *state, const char *who);

/* 1 and *task (new): the task that runs now; 0 where none does; or -1. */
int loop_task(generators_state *state, PyObject **task);

/* A future of the loop, to be waited for with ASTREAM_WAIT. */
PyObject *loop_future(PyObject *loop);

/* End the wait for a future, unless it has ended.  On its loop's thread.  0 or -1. */
int loop_wake(PyObject *future);

/* The same on any thread, by call_soon_threadsafe() of `loop`, the future's own.  0; 1 where
   that is closed, so that nobody will wake; or -1. */
int loop_wake_on(generators_state *state, PyObject *loop, PyObject *future);

/* The same for whoever does not know the loop. */
int loop_wake_from_anywhere(generators_state *state, PyObject *future);

/* asyncio.CancelledError, borrowed, or NULL. */
PyObject *loop_cancelled_error(generators_state *state);

/* Whether a task was cancelled and has not ended for that yet: 1, 0, or -1. */
int loop_is_being_cancelled(PyObject *task);

/* A cancellation of the task has done what it was for: what the task does next is not
   cancelled.  What fails is unraisable; what is raised stays. */
void loop_uncancel(PyObject *task);

/* Run a coroutine as a task of the loop, which is kept until it ends.  0 or -1. */
int loop_spawn(generators_state *state, PyObject *loop, PyObject *coroutine);

#endif
