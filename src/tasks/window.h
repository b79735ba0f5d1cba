/* The window: the calls that were started and whose results were not given yet (window.c).
 *
 * It says whether another call may be started and which result is next, whoever runs the calls
 * and however they are waited for.
 */
#ifndef GENERATORS_TASKS_WINDOW_H
#define GENERATORS_TASKS_WINDOW_H

#include "stream/measures.h"

typedef struct call call;

/* What a call of any kind has in common.  It is a part of an object, which the window owns as
   long as the call stands in one of its lists. */
struct call {
    PyObject *object; /* borrowed: the object that this is a part of */
    call *next;       /* owned: the one after it in the window */
    call *next_running;
    call **previous_running; /* the pointer to it; NULL once it does not run */
    PyObject *item;          /* owned: what the function is called with.  After the end only
                                where the item is given, too */
    PyObject *result;        /* owned: what it returned or raised; NULL before it ended */
    Py_ssize_t index;        /* of the item */
    bool failed;             /* `result` was raised */
    bool settled;            /* the window knows that it ended */
    bool late;               /* it failed when the stream had begun to end */
    bool keeps_item;         /* it is given with the result */
};

typedef struct {
    call *first; /* owned, with all that follow: in the order in which they are given */
    call *last;
    call *first_running; /* owned, with all that follow: the ones that are not settled */
    Py_ssize_t started;  /* in all */
    Py_ssize_t held;     /* started, and not given yet */
    Py_ssize_t running;  /* started, and not settled yet */
    Py_ssize_t concurrency;
    Py_ssize_t buffersize;
    uint64_t failures; /* calls that raised */
    bool ordered;
    bool returns_exceptions;
    bool pairs;   /* an item is given with its result */
    bool failing; /* a call has raised what ends the stream when its turn comes */
    bool ending;  /* the stream ends: what calls raise now is not counted */
} window;

/* What a user chooses. */
typedef struct {
    Py_ssize_t concurrency;
    PyObject *buffersize; /* borrowed: None is WINDOW_RESULTS or, if that is more or results
                             are not ordered, twice the concurrency */
    int ordered;
    int returns_exceptions;
    int pairs;
} window_options;

#define WINDOW_OPTIONS                                        \
    {                                                         \
        .concurrency = 8, .buffersize = Py_None, .ordered = 1 \
    }
#define WINDOW_RESULTS 1000

/* Take the user's arguments.  0, or -1 with an exception set. */
int window_open(window *self, const window_options *options);

static inline bool
window_has_room(const window *self)
{
    return self->running < self->concurrency && self->held < self->buffersize &&
           !self->failing;
}

/* The call was started. */
void window_start(window *self, call *one);

/* The call has its result.  Telling it again does nothing. */
void window_settle(window *self, call *one);

/* Whether what the call raised ends the stream. */
bool window_raises(const window *self, const call *one);

static inline bool
window_is_ready(const window *self)
{
    return self->first != NULL && self->first->settled;
}

/* The next result of a window that is ready: 1 and *value, or -1 with an exception set that a
   call raised. */
int window_pop(window *self, PyObject **value);

/* For a stream's kind->measure(). */
static inline void
window_measure(const window *self, measures *into)
{
    into->held += self->held - self->running;
    into->running += self->running;
    if (self->returns_exceptions) {
        into->errors += self->failures;
    }
    else {
        measures_count_errors(into, self->failures);
    }
}

/* Forget the calls, whatever becomes of them. */
void window_clear(window *self);

int window_traverse(window *self, visitproc visit, void *arg);

/* ---- a call ---- */

/* A new one, of that object. */
void call_init(call *self, PyObject *object, PyObject *item, const window *calls);

/* Give a call its result: `result` (stolen), or the exception that is set where that is NULL.
   The exception gets the attribute `item`, and a note that names the item. */
void call_end(call *self, PyObject *result, PyObject *function);

int call_traverse(call *self, visitproc visit, void *arg);
void call_clear(call *self);

#endif
