/* A call of map_threads() (thread_call.c). */
#ifndef GENERATORS_TASKS_THREAD_CALL_H
#define GENERATORS_TASKS_THREAD_CALL_H

#include "tasks/workers.h"

typedef struct thread_call thread_call;

/* A call of `function` in a copy of this thread's context; or NULL. */
thread_call *thread_call_new(generators_state *state, PyObject *function, PyObject *item,
                             const window *calls);

/* It, as the queues hold it. */
job *thread_call_job(thread_call *self);

/* Run it, on an own thread.  It has its result then. */
void thread_call_run(job *one);

/* Give it to the workers' executor.  0, or -1 with an exception set. */
int thread_call_submit(thread_call *self, workers *pool);

/* Cancel the executor's future of a call, if it has one.  0, or -1 with an exception set. */
int thread_call_cancel(call *one);

/* Whether it ran on when the stream ended, and raised then. */
bool thread_call_is_late(call *one);

/* Whether this thread runs it. */
bool thread_call_runs_here(call *one);

extern PyType_Spec thread_call_spec;

#endif
