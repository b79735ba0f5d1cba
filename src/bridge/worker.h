/* The worker of to_async(): a thread that iterates the source, and the ring that it fills.
 *
 * A front end takes an item with worker_take().  If there is none, worker_wait() gives a
 * future that ends when there may be one.  worker_stop() tells the worker to close the source;
 * worker_is_finished() tells whether it has done so.
 */
#ifndef GENERATORS_BRIDGE_WORKER_H
#define GENERATORS_BRIDGE_WORKER_H

#include "core/ring.h"
#include "runtime/forks.h"
#include "state.h"
#include "stream/measures.h"

/* What the worker does for a loop that waits. */
typedef enum {
    WORKER_UNWATCHED, /* nothing: no loop waits, or it was woken */
    WORKER_EAGER,     /* wakes the loop with the first item */
    WORKER_LAZY, /* wakes the loop with a batch; a timer of the loop looks for fewer items */
} worker_watch;

typedef struct {
    PyObject_HEAD
    PyThread_type_lock wake_up; /* owned: held, and released to wake a worker that waits */
    PyThread_type_lock reader;  /* owned: the same for plain code that waits; NULL before it
                                   has waited */
    PyObject *sizeof_item;      /* owned: the user's function, or NULL */
    PyObject *iterator;         /* owned: between two refills, while no thread has it */
    PyObject *on_close;         /* owned: called to wake a source that blocks, or NULL */
    PyObject *source;           /* owned; only the thread uses it once it is started */
    PyObject *name;             /* owned: of the source, for repr() */
    PyObject *generator_abc;    /* owned: what is closed is an instance of it */
    PyObject *context;          /* owned: the context of the code that made it */
    PyObject *running; /* owned: the set that holds the worker while its thread runs */
    Py_ssize_t pulled; /* items taken from the source; only for the thread */
    forks_mark forks;
    bool started;       /* only for the stream */
    bool closes_source; /* `source` is the given one, and is not iterated yet */
    bool holds;         /* its place in the executor, for its whole life */
    PyObject *executor; /* owned: that runs refills, or NULL */
    /* `lock` guards these. */
    generators_lock lock;
    ring ring;           /* owned, and the items in it */
    PyObject *job;       /* owned: an executor's future, or NULL */
    PyObject *loop;      /* owned: the loop that waits, or waited last */
    PyObject *future;    /* owned: the future that the loop waits for, or NULL */
    PyObject *timer;     /* owned: the timer of a lazy wait, or NULL */
    PyObject *error;     /* owned: the exception of the source, to be raised after the items */
    PyObject *stoppable; /* owned: the source's iterator, if it is a stream with stop() */
    unsigned long thread; /* on which the worker runs, or 0 */
    uint64_t since;       /* when the loop began to wait */
    worker_watch watch;
    bool lazy;         /* the next wait will be lazy */
    bool began;        /* the worker runs or has run */
    bool waits;        /* the thread waits for `wake_up` */
    bool asked;        /* an item was asked for */
    bool stopped;      /* the worker was told to close the source */
    bool at_work;      /* a thread has the iterator, or a refill was asked for */
    bool reader_waits; /* for the release of `reader` */
    bool in_source;    /* the source's next() is under way */
    bool draining;     /* it was told to take nothing more from the source */
    bool was_cut;      /* it has left the source for that */
    bool cut_off;      /* the end of the interpreter stopped it */
    bool released;     /* nobody will ask for the error */
    bool finished;     /* the source is closed; never reset */
} worker;

/* Make a worker of the stream type `who`, for an iterable or for a callable that makes one. */
PyObject *worker_new(generators_state *state, const char *who, PyObject *source,
                     size_t max_items, size_t max_bytes);

/* Whether a source is iterated as it is.  Otherwise it is called. */
static inline bool
worker_is_iterable(PyObject *source)
{
    return Py_TYPE(source)->tp_iter != NULL || PySequence_Check(source);
}

/* Whether the process was forked after the worker was made. */
static inline bool
worker_is_forked(const worker *self)
{
    return forks_mark_is_old(&self->forks);
}

/* With the lock held: wake the thread, if it waits. */
static inline void
worker_wake_lock_held(worker *self)
{
    if (self->waits) {
        self->waits = false;
        PyThread_release_lock(self->wake_up);
    }
}

/* Set what wakes the source, or None.  0, or -1 with TypeError. */
int worker_set_on_close(worker *self, PyObject *on_close);

/* After worker_stop(): call that, once, if the source is at work.  An exception that is set
   stays set.  0, or -1 with what it raised, whose context that is. */
int worker_call_on_close(worker *self);

/* What a stream's kind->measure() tells of its worker. */
void worker_measure(worker *self, measures *into);

/* Take the oldest item.  NULL if there is none now. */
PyObject *worker_take(worker *self);

/* Whether no more items will come.  If so, the source's exception is set, if there is one. */
bool worker_is_finished(worker *self);

/* Tell the worker to take nothing more from the source.  From any thread.  0 or -1. */
int worker_drain(worker *self, generators_state *state);

/* Tell the worker to close the source, and drop the items.  An exception that is set stays
   set. */
void worker_stop(worker *self);

/* The same for a worker that nobody will use again.  0, or -1 with the source's error. */
int worker_release(worker *self);

/* Close the source of a worker that was not started, which no thread owns yet.  0 or -1. */
int worker_close_unstarted(worker *self);

/* Whether a thread must be asked to go on: the worker does not hold its place in the executor,
   and there is something to do.  The caller asks, and it counts as asked. */
bool worker_needs_refill(worker *self);

extern PyType_Spec worker_spec;

#endif
