/* The worker of to_async(): a thread that iterates the source, the ring that it fills,
 * and how a loop waits for it.
 *
 * A face asks worker_take() for an item, and where there is none, worker_wait() for a
 * future that ends when there may be one.  worker_stop() tells the worker to close the
 * source; it has done so when worker_is_finished().
 */
#ifndef GENERATORS_BRIDGE_WORKER_H
#define GENERATORS_BRIDGE_WORKER_H

#include "core/ring.h"
#include "runtime/forks.h"
#include "state.h"

/* What the worker does for a loop that waits. */
typedef enum {
    WORKER_UNWATCHED, /* nothing: it does not wait, or has been told */
    WORKER_EAGER,     /* tells it of the first item */
    WORKER_LAZY,      /* tells it of a batch; a timer of the loop looks for fewer */
} worker_watch;

typedef struct {
    PyObject_HEAD
    PyThread_type_lock gate; /* owned; taken, but while a worker that waits is woken */
    PyObject *source;        /* owned; of its thread alone once it is started */
    PyObject *context;       /* owned: the contextvars of who made it */
    Py_ssize_t pulled;       /* items taken from the source; the thread's alone */
    PyObject *running;       /* owned: the set that holds it while its thread runs */
    forks_mark forks;
    bool started;       /* the stream's alone */
    bool closes_source; /* `source` as it was given, which was not iterated */
    /* Guarded by `lock`: */
    generators_lock lock;
    ring ring;            /* owned, and the items in it */
    PyObject *place;      /* owned: the future of an executor, or NULL */
    PyObject *loop;       /* owned: the one that waits, or waited last */
    PyObject *future;     /* owned: what it waits for, or NULL */
    PyObject *timer;      /* owned: of a lazy wait, or NULL */
    PyObject *error;      /* owned: what the source raised, to be raised after the items */
    unsigned long thread; /* that it runs on, or 0 */
    uint64_t since;       /* when the loop began to wait */
    worker_watch watch;
    bool lazy;     /* whether the next wait will be */
    bool began;    /* the worker runs, or has run */
    bool waits;    /* the worker does, for the gate */
    bool asked;    /* an item was waited for */
    bool stopped;  /* it was told to close the source */
    bool cut_off;  /* by the end of the interpreter */
    bool released; /* nobody will ask for the error */
    bool finished; /* the source is closed; for ever */
} worker;

/* A worker for an iterable, or of a callable that makes one. */
PyObject *worker_new(generators_state *state, PyObject *source, size_t max_items,
                     size_t max_bytes);

/* Start the worker on a thread of its own, or in an executor.  0 or -1. */
int worker_start(worker *self, generators_state *state, PyObject *executor);

/* Whether the process was forked since it was made. */
static inline bool
worker_is_forked(const worker *self)
{
    return forks_mark_is_old(&self->forks);
}

/* The oldest item; NULL where there is none now. */
PyObject *worker_take(worker *self);

/* A future of the running loop for the next item, or the finish; NULL with an exception. */
PyObject *worker_wait(worker *self, generators_state *state);

/* Whether no item will come; with true the exception of the source is set, if any. */
bool worker_is_finished(worker *self);

/* Tell the worker to close the source, and forget the items. */
void worker_stop(worker *self);

/* The same for one that nobody will ask any more.  0, or -1 with the error of the source. */
int worker_release(worker *self);

/* Close the source of one that was not started: no thread owns it yet.  0 or -1. */
int worker_close_unstarted(worker *self);

/* ---- between worker.c and start.c ---- */

/* From the first worker on, forks are counted.  0 or -1. */
int worker_watch_forks(generators_state *state);

/* Open the source, iterate it until its end or the stop, close it: on its thread. */
void worker_run(worker *self);

/* The worker's end, or that of one that never began, with what is raised, if anything. */
void worker_finish(worker *self);

extern PyType_Spec worker_spec;

#endif
