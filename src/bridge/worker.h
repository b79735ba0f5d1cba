/* The worker of to_async(): a thread that iterates the source, and the ring that it fills.
 *
 * A front end asks worker_take() for an item, and where there is none, worker_wait() for a
 * future that ends when there may be one.  worker_stop() tells the worker to close the source;
 * it has done so when worker_is_finished().
 */
#ifndef GENERATORS_BRIDGE_WORKER_H
#define GENERATORS_BRIDGE_WORKER_H

#include "core/ring.h"
#include "runtime/forks.h"
#include "state.h"

/* What the worker does for a loop that waits. */
typedef enum {
    WORKER_UNWATCHED, /* nothing: no loop waits, or it was woken */
    WORKER_EAGER,     /* wakes it with the first item */
    WORKER_LAZY,      /* wakes it with a batch; a timer of the loop looks for fewer */
} worker_watch;

typedef struct {
    PyObject_HEAD
    PyThread_type_lock wake_up; /* owned: held, and released to wake a worker that waits */
    PyObject *source;           /* owned; its thread's alone once it is started */
    PyObject *context;          /* owned: its maker's contextvars */
    PyObject *running;          /* owned: the set that holds it while its thread runs */
    Py_ssize_t pulled;          /* items taken from the source; the thread's alone */
    forks_mark forks;
    bool started;       /* the stream's alone */
    bool closes_source; /* `source` as it was given, before it is iterated */
    /* Guarded by `lock`: */
    generators_lock lock;
    ring ring;            /* owned, and the items in it */
    PyObject *job;        /* owned: an executor's future, or NULL */
    PyObject *loop;       /* owned: the one that waits, or waited last */
    PyObject *future;     /* owned: what it waits for, or NULL */
    PyObject *timer;      /* owned: of a lazy wait, or NULL */
    PyObject *error;      /* owned: what the source raised, to be raised after the items */
    unsigned long thread; /* that it runs on, or 0 */
    uint64_t since;       /* when the loop began to wait */
    worker_watch watch;
    bool lazy;     /* whether the next wait will be */
    bool began;    /* the worker runs, or has run */
    bool waits;    /* the thread does, for `wake_up` */
    bool asked;    /* an item was waited for */
    bool stopped;  /* it was told to close the source */
    bool cut_off;  /* by the end of the interpreter */
    bool released; /* nobody will ask for the error */
    bool finished; /* the source is closed; for ever */
} worker;

/* A worker for an iterable, or for a callable that makes one. */
PyObject *worker_new(generators_state *state, PyObject *source, size_t max_items,
                     size_t max_bytes);

/* Whether a source is iterated as it is; otherwise it is called. */
static inline bool
worker_is_iterable(PyObject *source)
{
    return Py_TYPE(source)->tp_iter != NULL || PySequence_Check(source);
}

/* Whether the process was forked since it was made. */
static inline bool
worker_is_forked(const worker *self)
{
    return forks_mark_is_old(&self->forks);
}

/* Wake the thread, if it waits.  With the lock held. */
static inline void
worker_wake_lock_held(worker *self)
{
    if (self->waits) {
        self->waits = false;
        PyThread_release_lock(self->wake_up);
    }
}

/* The oldest item; NULL where there is none now. */
PyObject *worker_take(worker *self);

/* Whether no item will come; if so, the exception of the source is set, if any. */
bool worker_is_finished(worker *self);

/* Tell the worker to close the source, and drop the items.  Keeps an exception that is set. */
void worker_stop(worker *self);

/* The same for one that nobody will ask any more.  0, or -1 with the error of the source. */
int worker_release(worker *self);

/* Close the source of one that was not started: no thread owns it yet.  0 or -1. */
int worker_close_unstarted(worker *self);

extern PyType_Spec worker_spec;

#endif
