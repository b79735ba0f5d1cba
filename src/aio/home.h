/* The home of an async source: one task in one context, in which the source is iterated from
 * its first step to its close, whoever waits for its items.
 *
 * Who reads from it calls home_pull().  The source's step runs at once, as if the home task
 * made it.  Where it must wait it goes on by itself: home_wait() gives a future that ends when
 * something has come.  Nobody who leaves that wait touches the source.
 */
#ifndef GENERATORS_AIO_HOME_H
#define GENERATORS_AIO_HOME_H

#include "aio/home_state.h"

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

/* The next item, in order. */
home_answer home_pull(home *self, PyObject **item);

/* Close it: cancel a step that is under way, then close the source, if it is to be.  As in a
   TaskGroup, the source is cancelled once: what its `finally` awaits is not.  1 where
   that must be waited for, by home_wait(), and asked again; 0 when it is done; -1 with what
   closing raised, when it is done. */
int home_close(home *self);

/* Nobody waits any more: close it when the loop can.  From any thread; what fails is
   reported as unraisable.  Whether the loop will do it. */
bool home_abandon(home *self);

extern PyType_Spec home_spec;

#endif
