/* The tasks of one asynchronous stream (crew.c, async_call.c, reader.c).
 *
 * A crew has what the tasks share: the loop, the window of calls, and whom to wake.  Tasks
 * own their crew and never the stream, so that this is dropped when its user drops it.
 */
#ifndef GENERATORS_TASKS_CREW_H
#define GENERATORS_TASKS_CREW_H

#include "stream/astream.h"
#include "tasks/window.h"

typedef struct crew crew;
typedef struct reader reader;

/* What readers do for a stream. */
typedef struct {
    bool (*wants)(reader *self);                  /* another item */
    int (*deliver)(reader *self, PyObject *item); /* 0, or -1 with an exception set */
    void (*ended)(reader *self);                  /* with `error`, if any */
} reader_kind;

/* A coroutine that pulls an async iterator, in one task from the first item to the last. */
struct reader {
    PyObject_HEAD
    const reader_kind *kind; /* static */
    crew *crew;              /* owned */
    PyObject *source;        /* owned: an async iterator */
    PyObject *task;          /* owned: that runs it, until it has ended, or NULL */
    PyObject *awaited;       /* owned: the iterator of what is awaited, or NULL */
    PyObject *room;          /* owned: the future that it waits for while nothing is wanted */
    PyObject *item;          /* owned: held for amerge, or NULL */
    PyObject *error;         /* owned: with which the source has ended, or NULL */
    reader *next;            /* borrowed: of amerge's list */
    Py_ssize_t pulled;       /* items */
    Py_ssize_t number;       /* of the source */
    bool closes;             /* the source, when told to stop */
    bool closing;
    bool running;
    bool is_ended;
    bool is_ready; /* stands in amerge's list */
};

struct crew {
    PyObject_HEAD
    window calls;
    PyObject *function;  /* owned: what calls call, or NULL */
    PyObject *loop;      /* owned: from the first step on */
    PyObject *make_task; /* owned: makes a task of a coroutine */
    PyObject *options;   /* owned: keyword arguments for it, or NULL */
    PyObject *waiter;    /* owned: the future of the step that waits, or NULL */
    reader *first_ready; /* owned, as all that follow: amerge's, with something to give */
    reader *last_ready;
    reader *feeder;       /* borrowed: that starts calls when there is room, or NULL */
    Py_ssize_t readers;   /* that run */
    unsigned long thread; /* where the loop ran when that was last asked */
    bool fills;           /* the stream starts calls when there is room */
    bool stopping;        /* everything is to end */
};

crew *crew_new(generators_state *state);

/* At the first step: find the loop.  0, or -1 with an exception set. */
int crew_open(crew *self, generators_state *state, const char *who);

/* Whether a step may be made here, on the thread of the loop that was found: 0, or -1 with
   RuntimeError. */
int crew_check(crew *self, generators_state *state, const char *who);

/* Run a coroutine as a task, which may have ended already: it, or NULL. */
PyObject *crew_spawn(crew *self, PyObject *coroutine);

/* What a step that must wait gives: ASTREAM_WAIT, or ASTREAM_ERROR. */
astream_outcome crew_wait(crew *self, PyObject **value);

/* Something has changed for the one who waits.  What fails is unraisable. */
void crew_wake(crew *self);

/* Cancel the calls.  0, or -1 with an exception set. */
int crew_cancel_calls(crew *self);

/* Cancel a task, from whatever thread; one of a loop that is closed is left alone. */
int crew_cancel(crew *self, PyObject *task);

/* Start a call with that item: 1 where it has ended at once, 0, or -1. */
int async_call_start(crew *self, generators_state *state, PyObject *item);

/* The task of a call, borrowed, or NULL. */
PyObject *async_call_task(call *one);

reader *reader_new(generators_state *state, crew *crew, const reader_kind *kind,
                   PyObject *source);
int reader_start(reader *self);

/* It may want another item now. */
void reader_poke(reader *self);

/* Stop pulling, and close the source if it `closes` that. */
int reader_stop(reader *self);

extern PyType_Spec crew_spec;

#endif
