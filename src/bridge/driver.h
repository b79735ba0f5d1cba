/* The driver of to_sync(): a coroutine that reads an async source on its loop's thread and
 * puts the items into a channel.
 *
 * driver_reader.h has the functions for the threads that read from the channel.
 */
#ifndef GENERATORS_BRIDGE_DRIVER_H
#define GENERATORS_BRIDGE_DRIVER_H

#include "aio/coroutine.h"
#include "bridge/channel.h"
#include "runtime/budget.h"

typedef enum {
    DRIVER_NEW,     /* the source was not used yet */
    DRIVER_READING, /* awaits a step of the source */
    DRIVER_PARKED,  /* awaits `parking`: there is no room, or nobody asks */
    DRIVER_CLOSING, /* awaits the source's aclose() */
    DRIVER_CLOSED,
} driver_phase;

/* Who threw a CancelledError into the step in progress. */
typedef enum {
    DRIVER_NOT_CANCELLED,
    DRIVER_CANCELLED_TO_CLOSE,
    DRIVER_CANCELLED_BY_OTHERS,
} driver_cancelled;

typedef struct {
    coroutine base;
    channel channel;
    PyObject *context; /* owned: a copy of the context of the code that made it */

    /* These belong to the reader until the driver is started and after the end, and to the
       loop's thread in between. */
    PyObject *loop;         /* owned: NULL until it is started */
    PyObject *source;       /* owned: the given source, until it is read from */
    PyObject *iterator;     /* owned: the iterator, until it is closed */
    PyObject *parking;      /* owned: the future that it awaits while parked, or NULL */
    PyObject *task;         /* owned: the task that runs the driver, or NULL */
    PyObject *cancellation; /* owned: the CancelledError that ends the task, or NULL */
    Py_ssize_t pulled;      /* items taken from the source */
    turn_budget budget;
    driver_phase phase;
    driver_cancelled cancelled;
    bool cancels; /* the task was asked to cancel, and has not done so yet */
    bool closes_source;
    bool owns_itself;
    bool passes_stop; /* the source itself was stopped, and is read to its end */
    PyObject *name;   /* owned: of the source, for repr() */
} driver;

/* Make a driver of `source`, an async iterable or a callable that makes one. */
driver *driver_new(generators_state *state, PyObject *source, size_t max_items,
                   size_t max_bytes);

/* Whether closing the source, before the driver is started, needs a loop.  1, 0 or -1. */
int driver_needs_closing(driver *self);

/* Record the exception that is set.  The stream will raise it. */
void driver_record_error(driver *self);

/* End the driver without a further step: the loop will not run again, or there is none. */
void driver_give_up(driver *self);

extern PyType_Spec driver_spec;

#endif
