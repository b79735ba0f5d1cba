/* The home of an async source: one task in one context, in which the source is iterated from
 * its first step to its close, whoever waits for its items.
 *
 * Who reads from it calls home_pull().  The source's step runs at once, as if the home task
 * made it.  Where it must wait it goes on by itself: home_wait() gives a future that ends when
 * something has come.  Nobody who leaves that wait touches the source.
 */
#ifndef GENERATORS_AIO_HOME_H
#define GENERATORS_AIO_HOME_H

#include "aio/coroutine.h"

typedef struct home home;

struct home {
    coroutine base; /* of the home task: it waits until the home is closed */

    /* Set when it is made. */
    PyObject *source; /* owned: an async iterator, until it is closed; or NULL */
    PyObject *read;   /* owned: an object's read(n), called in place of __anext__(); or NULL */
    Py_ssize_t size;  /* n */
    bool closes_source;

    /* For its owner. */
    PyObject *owner;          /* owned: whatever `came` needs, or NULL */
    void (*came)(home *self); /* what a pull waited for has come: on the loop's thread, in a
                                 callback of it.  NULL: the future of home_wait() ends */
    Py_ssize_t pulled;        /* items taken */

    /* From home_open() on. */
    generators_state *state; /* borrowed: the type holds the module */
    PyObject *loop;          /* owned */
    PyObject *task;       /* owned: until it is closed; NULL for a native stream's home, which
                             needs none */
    PyObject *context;    /* owned: the task's */
    PyObject *earlier;    /* owned: the current task while the home task stands for it */
    unsigned long thread; /* of the loop, when that was last asked */
    unsigned depth;       /* of home_enter() */

    /* The step of the source that is under way. */
    PyObject *step;   /* owned: the iterator of what is awaited, or NULL */
    PyObject *future; /* owned: what the step waits for; NULL while it waits for a turn */
    PyObject *cancellation; /* owned: to be thrown into it when it is resumed, or NULL */

    /* What has come and was not taken. */
    PyObject *item;     /* owned, or NULL */
    PyObject *overflow; /* owned: a list of what came after it; or NULL */
    PyObject *error;    /* owned: what the source raised, or NULL */
    bool has_ended;     /* the source: after these there is nothing */

    /* Who waits. */
    PyObject *waiter;  /* owned: the future of home_wait(), or NULL */
    PyObject *parking; /* owned: what the home task waits for, or NULL */
    PyObject *timer;   /* owned: a handle of the loop, or NULL */
    uint64_t alarm;    /* when it calls, by clock_precise(), while it is set */
    uint64_t deadline; /* when a wait is to end, or 0 */
    bool is_late;      /* the deadline is over, and nobody has been told */

    PyObject *closing_error; /* owned: what closing will raise, or NULL */
    uint8_t phase;           /* home_phase */
    bool is_stepping;        /* code of the source is on the stack */
    bool is_in_task;         /* the home task itself runs: nothing is to be entered */
    bool is_in_context;      /* a callback of the loop runs in `context` */
    bool has_context;        /* home_enter() has entered `context` */
    bool was_cancelled;      /* the home task, by others */
    bool is_cancelled_step;  /* the step under way was cancelled by that */
    bool cancels_step;       /* closing has cancelled the home task */
};

typedef enum {
    HOME_GAVE,    /* *item is new */
    HOME_ENDED,   /* the source has ended */
    HOME_FAILED,  /* with the exception of the source set; it has ended */
    HOME_PENDING, /* the source must be waited for */
} home_answer;

/* A home for an async iterator; `closes`: it is closed in the end. */
home *home_new(generators_state *state, PyObject *source, bool closes);

/* Before the first pull: find the loop that runs, and make the task, unless `is_native`: then
   the source is stepped as whoever calls.  1; 0 where no loop runs; or -1. */
int home_open(home *self, bool is_native);

/* Whether the loop of home_open() runs in this thread: 0, or -1 with RuntimeError. */
int home_check(home *self);

/* Between these two, pulls follow one another without entering the task for each.  0 or -1; an
   exception that is set when it is left stays set. */
int home_enter(home *self);
void home_leave(home *self);

/* The next item, in order. */
home_answer home_pull(home *self, PyObject **item);

/* Whether what read() returned is data: 1; 0 for an empty piece, which is the end; or -1. */
int home_check_data(PyObject *data);

/* Whether home_pull() would answer at once with what has come. */
static inline bool
home_has_something(const home *self)
{
    return self->item != NULL || self->error != NULL || self->has_ended;
}

/* A future that ends when something has come, the home is closed, or the timer has run out: a
   new reference, or NULL.  The one given before is not ended any more. */
PyObject *home_wait(home *self);

/* Have a wait end after so long at the latest, with `is_late` set, which the caller clears.
   0 or -1. */
int home_set_deadline(home *self, uint64_t nanoseconds);

static inline void
home_clear_deadline(home *self)
{
    self->deadline = 0;
    self->is_late = false;
}

/* Close it: cancel a step that is under way, then close the source, if it is to be.  1 where
   that must be waited for, by home_wait(), and asked again; 0 when it is done; -1 with what
   closing raised, when it is done. */
int home_close(home *self);

/* Somebody who waits for home_close() was cancelled: so is what the source does to close. */
void home_cancel_closing(home *self);

/* Nobody waits any more: close it when the loop can.  From any thread; what fails is
   reported as unraisable.  Whether the loop will do it. */
bool home_abandon(home *self);

extern PyType_Spec home_spec;

#endif
