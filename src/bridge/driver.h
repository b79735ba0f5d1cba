/* The driver of to_sync(): a coroutine that reads an async source on its loop's thread and
 * puts what it gives into a channel.
 *
 * driver_reader.h has what the threads that read from it do.
 */
#ifndef GENERATORS_BRIDGE_DRIVER_H
#define GENERATORS_BRIDGE_DRIVER_H

#include "aio/coroutine.h"
#include "bridge/channel.h"
#include "runtime/budget.h"

typedef enum {
    DRIVER_NEW,     /* the source was not touched */
    DRIVER_READING, /* what is awaited is a step of the source */
    DRIVER_PARKED,  /* what is awaited is `parking`: there is no room, or nobody asks */
    DRIVER_CLOSING, /* what is awaited is the source's aclose() */
    DRIVER_CLOSED,
} driver_phase;

/* Who threw a CancelledError into the step that is under way. */
typedef enum {
    DRIVER_NOT_CANCELLED,
    DRIVER_CANCELLED_TO_CLOSE,
    DRIVER_CANCELLED_BY_OTHERS,
} driver_cancelled;

typedef struct {
    coroutine base;
    channel channel;
    PyObject *context; /* owned: a copy of its maker's contextvars */

    /* The reader's until it is started and after the end; otherwise the loop's thread's. */
    PyObject *loop;         /* owned: NULL until it is started */
    PyObject *source;       /* owned: what was given, until it is read from */
    PyObject *iterator;     /* owned: what is read from, until it is closed */
    PyObject *parking;      /* owned: the future that is awaited while parked, or NULL */
    PyObject *task;         /* owned: the task that runs this, or NULL */
    PyObject *cancellation; /* owned: the CancelledError that ends the task, or NULL */
    Py_ssize_t pulled;      /* items taken from the source */
    turn_budget budget;
    driver_phase phase;
    driver_cancelled cancelled;
    bool cancels; /* the task was asked to cancel, and has not done it yet */
    bool closes_source;
    bool owns_itself;
} driver;

/* A driver of `source`, an async iterable or a callable that makes one. */
driver *driver_new(generators_state *state, PyObject *source, size_t max_items,
                   size_t max_bytes);

/* Before it is started: whether a loop is needed to close the source.  1, 0 or -1. */
int driver_needs_closing(driver *self);

/* The exception being raised is the one that the stream will raise. */
void driver_record_error(driver *self);

/* End it without a further step: the loop will not run again, or was never found. */
void driver_give_up(driver *self);

extern PyType_Spec driver_spec;

#endif
