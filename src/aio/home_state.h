/* What a home is, for the files home*.c: see home.h. */
#ifndef GENERATORS_AIO_HOME_STATE_H
#define GENERATORS_AIO_HOME_STATE_H

#include "aio/coroutine.h"

typedef enum {
    HOME_READING,
    HOME_CANCELLING,
    HOME_CLOSING,
    HOME_CLOSED,
} home_phase;

typedef struct home home;

struct home {
    coroutine base; /* of the home task: it waits until the home is closed */

    /* Set when it is made. */
    PyObject *source; /* owned: an async iterator, until it is closed; or NULL */
    PyObject *read;   /* owned: an object's read(n), called in place of __anext__(); or NULL */
    Py_ssize_t size;  /* n */
    bool closes_source;

    Py_ssize_t pulled; /* items taken */

    /* From home_open() on. */
    generators_state *state; /* borrowed: the type holds the module */
    PyObject *loop;          /* owned */
    PyObject *task;    /* owned: until it is closed; NULL for a native stream's home, which
                          needs none */
    PyObject *context; /* owned: the task's */
    PyObject *loop_context; /* owned: in which the loop calls back.  It is none of those that a
                               task which is woken may enter */
    PyObject *earlier;      /* owned: the current task while the home task stands for it */
    unsigned long thread;   /* of the loop, when that was last asked */
    unsigned depth;         /* of home_enter() */

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
    bool is_pulled;          /* it was called by home_pull() */
    bool needs_turn;         /* the step waits for a turn of the loop: the next home_pull()
                                goes on with it, or home_schedule_turn() */
    bool is_in_task;         /* the home task itself runs: nothing is to be entered */
    bool is_alone;           /* no task was the current one when the home was entered last */
    bool was_cancelled;      /* the home task, by others */
    bool is_cancelled_step;  /* the step under way was cancelled by that */
    bool cancels_step;       /* closing has cancelled the home task */
    bool is_cancel_due;      /* which has not been told of it yet */
};

/* Whether home_pull() would answer at once with what has come. */
static inline bool
home_has_something(const home *self)
{
    return self->item != NULL || self->error != NULL || self->has_ended;
}

#endif
