/* The threads of a map_threads(), and the queues between them and the stream (workers.c).
 *
 * workers_start.h starts calls, workers_run.h is what a thread does, and workers_stop.h ends
 * it all.
 */
#ifndef GENERATORS_TASKS_WORKERS_H
#define GENERATORS_TASKS_WORKERS_H

#include "tasks/window.h"

typedef struct job job;

/* A call, as the queues hold it. */
struct job {
    call call;
    job *next;     /* borrowed: in a queue */
    bool reported; /* it was put into the queue of those that have ended */
};

typedef struct {
    job *first; /* borrowed, as all that follow: the window owns them */
    job *last;
} job_queue;

/* A thread that has nothing to do.  It stands on that thread's own stack. */
typedef struct idle_thread {
    PyThread_type_lock wake; /* taken; released to wake it */
    struct idle_thread *next;
} idle_thread;

typedef struct {
    PyObject_HEAD
    PyObject *executor; /* owned, or NULL */
    PyObject *threads;  /* owned: a list, never NULL */
    job_queue jobs;     /* to be run by own threads */
    job_queue ended;    /* to be settled */
    idle_thread *idle;
    PyThread_type_lock signal; /* taken; released to wake the one who waits for an end */
    generators_lock lock;
    bool waiting;  /* somebody waits for `signal` */
    bool waking;   /* an idle thread was woken, and has not looked yet */
    bool stopped;  /* what has not begun is not run */
    bool detached; /* the queues stay empty */
    bool exiting;  /* the threads end when there is nothing to do */
    long process;
} workers;

/* Workers of which none runs yet: of an executor, or own threads where that is NULL. */
workers *workers_new(generators_state *state, PyObject *executor);

/* Whether the process is the one that they were made in. */
bool workers_are_own(const workers *self);

/* The same; if not, RuntimeError is set. */
bool workers_check_process(const workers *self);

/* ---- for the stream's thread ---- */

/* Have a thread run it. */
void workers_put_job(workers *self, job *one);

/* Settle the calls of the window that have ended. */
void workers_look(workers *self, window *calls);

/* Wait until a call of the window has ended, and settle those that have.  Signals
   interrupt it.  0, or -1 with an exception set. */
int workers_wait(workers *self, window *calls);

/* Tell the threads to end, once they have run what is queued. */
void workers_dismiss(workers *self);

/* Empty the queues for ever, before the window forgets its calls. */
void workers_detach(workers *self);

/* ---- for the threads that run calls ---- */

/* What a thread that has popped a job does next. */
typedef enum {
    JOB_RUN,
    JOB_REPORT, /* the workers are stopped: it is not run */
    JOB_NONE,   /* wait: the thread is among the idle ones */
    JOB_EXIT,   /* end the thread */
} job_step;

/* The next job (a new reference to its object), or NULL, and what to do. */
job_step workers_pop_job(workers *self, idle_thread *me, job **popped);

/* Wait until woken, after JOB_NONE. */
void workers_wait_for_job(workers *self, idle_thread *me);

/* The job has its result.  Telling it again does nothing. */
void workers_report(workers *self, job *one);

extern PyType_Spec workers_spec;

#endif
