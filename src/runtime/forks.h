/* Whether the process was forked since an object was made.
 *
 * In a child the threads of the parent are missing: an object that has one compares its mark
 * with the counter.  It keeps the counter itself, so that it can ask while it is torn down,
 * when the module's state is gone.
 */
#ifndef GENERATORS_RUNTIME_FORKS_H
#define GENERATORS_RUNTIME_FORKS_H

#include "state.h"

typedef struct {
    PyObject *counter;        /* owned; it holds no other object */
    const unsigned long *now; /* in the counter */
    unsigned long then;
} forks_mark;

/* A counter, for the module's state; NULL with an exception set. */
PyObject *forks_new(void);

/* Count a fork: called in the child. */
void forks_count(generators_state *state);

/* Set the mark of a new object. */
void forks_mark_set(forks_mark *mark, generators_state *state);

/* For tp_dealloc.  A mark that was never set has nothing to drop. */
void forks_mark_clear(forks_mark *mark);

/* Whether this is a child of the process in which the mark was set. */
static inline bool
forks_mark_is_old(const forks_mark *mark)
{
    return mark->now != NULL && *mark->now != mark->then;
}

#endif
