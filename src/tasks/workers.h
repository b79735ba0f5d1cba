/* Threads that run calls, and what comes back from them (workers.c). */
#ifndef GENERATORS_TASKS_WORKERS_H
#define GENERATORS_TASKS_WORKERS_H

#include "tasks/window.h"

typedef struct workers workers;

/* Workers of which none runs yet: of an executor, or own threads where that is NULL. */
workers *workers_new(generators_state *state, PyObject *executor);

/* Start a call of `function` in a copy of this thread's context; there are to be as many
   threads as calls run then.  0, or -1 with an exception set; the item is kept by the call. */
int workers_start(workers *self, window *calls, PyObject *function, PyObject *item);

/* Settle the calls of the window that have ended. */
void workers_look(workers *self, window *calls);

/* Wait until a call of the window has ended, and settle those that have.  Signals
   interrupt it.  0, or -1 with an exception set. */
int workers_wait(workers *self, window *calls);

/* Cancel what has not begun, wait for the rest unless it is `abandoned`, and end the
   threads.  0, or -1 with an exception set.  Again does nothing. */
int workers_stop(workers *self, window *calls, bool abandoned);

/* Whether the process is the one that they were made in; if not, RuntimeError is set. */
bool workers_are_here(workers *self);

extern PyType_Spec thread_call_spec;

extern PyType_Spec workers_spec;

#endif
