/* The pump of to_sync: a coroutine that reads an async source on its loop's thread and
 * fills a ring, which one other thread, the reader, empties.
 */
#ifndef GENERATORS_BRIDGE_PUMP_H
#define GENERATORS_BRIDGE_PUMP_H

#include "core/ring.h"
#include "state.h"
#include "pythread.h"

typedef enum {
    PUMP_NEW,     /* nothing was done with the source */
    PUMP_READING, /* `step` is a step of the source, or NULL between two */
    PUMP_PARKED,  /* `step` waits for `gate`: the ring is full, or nothing is asked for */
    PUMP_CLOSING, /* `step` is the source's aclose(), or NULL before it */
    PUMP_ENDED,
} pump_phase;

/* A CancelledError was thrown into the step that is under way. */
typedef enum {
    PUMP_NOT_CANCELLED,
    PUMP_CANCELLED_TO_CLOSE,
    PUMP_CANCELLED_BY_OTHERS,
} pump_cancelled;

typedef struct {
    PyObject_HEAD

    /* Set when it is made. */
    PyObject *context;       /* owned: a copy of its maker's contextvars */
    PyThread_type_lock bell; /* owned: taken, and left once for each `waiting` */

    /* The reader's until pump_start() and after the end; else the loop's thread's. */
    PyObject *loop;         /* owned: NULL until pump_start() */
    PyObject *source;       /* owned: what was given, until it is read from */
    PyObject *iterator;     /* owned: what is read from, until it is closed */
    PyObject *step;         /* owned: the iterator of what is awaited, or NULL */
    PyObject *gate;         /* owned: the future that is awaited while parked, or NULL */
    PyObject *task;         /* owned: the task that runs this, or NULL */
    PyObject *cancellation; /* owned: the CancelledError that ends the task, or NULL */
    Py_ssize_t pulled;      /* items taken from the source */
    uint64_t since;         /* when the loop last had its turn */
    unsigned unchecked;     /* items until the clock is looked at */
    unsigned stride;        /* how many that was at first */
    pump_phase phase;
    pump_cancelled cancelled;
    bool cancels; /* the task was asked to cancel, and has not done it yet */
    bool executing;
    bool closes_source;
    bool owns_itself;

    /* Of both threads, under `lock`; no code of anybody else's runs under it. */
    generators_lock lock;
    ring ring;         /* owned items */
    PyObject *error;   /* owned: raised when the ring is empty, or NULL */
    bool from_closing; /* `error` is one of closing */
    bool asked;        /* an item is wanted, whether there is room or not */
    bool waiting;      /* the reader waits for the bell */
    bool parked;       /* the pump does not go on until it is woken */
    bool closing;      /* nobody wants another item */
    bool dropped;      /* nobody will ask for `error` */
    bool ended;
} pump;

/* ---- for the reader; it keeps the pump ---- */

/* A pump that reads `source`, an async iterable or a callable that makes one. */
pump *pump_new(generators_state *state, PyObject *source, size_t max_items, size_t max_bytes);

/* Before it is started: 1 if closing has to be done on a loop, 0 or -1. */
int pump_needs_closing(pump *self);

/* Have it run as a task of `loop`.  0, or -1 with an exception. */
int pump_start(pump *self, PyObject *loop);

typedef enum {
    PUMP_ITEM,  /* *item is new */
    PUMP_NONE,  /* there is none yet: it was asked for */
    PUMP_END,   /* there are no more */
    PUMP_ERROR, /* an exception is set: the source's, which ends it, or the loop's */
} pump_answer;

pump_answer pump_take(pump *self, PyObject **item);

/* Ask it to close the source, when it is started, and to give no more items.  0, or -1
   with an exception. */
int pump_close(pump *self);

/* Nobody will ask how it ends any more. */
void pump_drop(pump *self);

/* Have the bell rung when there is something to take or, `for_end`, at the end.  False
   where that is so already. */
bool pump_arm(pump *self, bool for_end);

/* When it is armed: wait for the bell for at most that long.  1 if it rang; 0 if not, maybe
   early; -1 with the exception of a signal's handler.  It is armed no more. */
int pump_wait(pump *self, uint64_t nanoseconds);

/* 0, or -1 with the exception that closing raised, if it has ended. */
int pump_closed(pump *self);

/* ---- between pump.c and pump_reader.c ---- */

/* The exception being raised is the one that the stream will raise. */
void pump_record_error(pump *self);

/* The end: let go of everything but the items and the error. */
void pump_finish(pump *self);

/* Let go of items that nobody will take. */
void pump_drop_items(pump *self);

bool pump_is_async_iterable(PyObject *object);

/* Whether a stream closes that object: 1, 0 or -1. */
int pump_is_async_generator(pump *self, PyObject *object);

extern PyType_Spec pump_spec;

#endif
