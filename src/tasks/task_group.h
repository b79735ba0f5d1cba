/* What the tasks of one asynchronous stream share (task_group.c).
 *
 * A group has the loop, the window of calls, the readers, and whom to wake.  Tasks own their
 * group and never the stream, so that the stream is dropped when its user drops it.
 */
#ifndef GENERATORS_TASKS_TASK_GROUP_H
#define GENERATORS_TASKS_TASK_GROUP_H

#include "stream/astream.h"
#include "tasks/window.h"

struct reader; /* see reader.h */

typedef struct {
    PyObject_HEAD
    generators_state *state; /* borrowed: the type holds the module */
    window calls;
    PyObject *function;        /* owned: what calls call, or NULL */
    PyObject *loop;            /* owned: from the first step on */
    PyObject *make_future;     /* owned: the loop's create_future() */
    PyObject *make_task;       /* owned: makes a task of a coroutine */
    PyObject *options;         /* owned: keyword arguments for it, or NULL */
    PyObject *cancelled_error; /* owned: asyncio.CancelledError, from the first step on */
    PyObject *waiter;          /* owned: the future of the step that waits, or NULL */
    PyObject *late;            /* owned: a list of what calls raised when they were cancelled,
                                  each followed by a note that tells it; or NULL */
    PyObject *error;           /* owned: what was raised while the tasks ended, or NULL */

    /* Lists of readers, borrowed.  A reader that runs is owned by its task, and one that is
       ready by the tuple of its amerge(); each leaves its list before it goes. */
    struct reader *first_reader; /* of those that run */
    struct reader *first_ready;  /* of those that have something to give */
    struct reader *last_ready;

    unsigned long thread; /* of the loop, when that was last asked */
    bool fills;           /* the stream itself starts calls when there is room */
    bool stopping;        /* no reader takes another item */
    bool was_cut;         /* a reader has left its source before the end, by stop() */
    bool cancelling;      /* the calls were cancelled */
    bool is_detached;     /* the stream is gone: nothing is ready for it any more */
} task_group;

task_group *task_group_new(generators_state *state);

/* At the first step: find the loop.  0, or -1 with an exception set. */
int task_group_open(task_group *self, const char *who);

/* Whether a step may be made here, on the thread of the loop that was found: 0, or -1 with
   RuntimeError. */
int task_group_check(task_group *self, const char *who);

/* Run a coroutine as a task, which may have ended already: it, or NULL. */
PyObject *task_group_spawn(task_group *self, PyObject *coroutine);

/* A future of the loop, or NULL. */
static inline PyObject *
task_group_new_future(task_group *self)
{
    return PyObject_CallNoArgs(self->make_future);
}

/* What a step that must wait returns: ASTREAM_WAIT, or ASTREAM_ERROR. */
astream_outcome task_group_wait(task_group *self, PyObject **value);

/* The same in a close: ASTREAM_FINISH, or ASTREAM_ERROR. */
astream_outcome task_group_wait_to_finish(task_group *self, PyObject **value);

/* Something has changed for the step that waits.  No exception is set; what fails is
   unraisable. */
void task_group_wake(task_group *self);

/* Cancel a task, from any thread.  A task of a loop that is closed is left alone.  0 or -1. */
int task_group_cancel(task_group *self, PyObject *task);

/* An exception that is set was raised while the tasks ended: keep it.  An earlier one becomes
   its context.  Where the stream is gone it is reported as unraisable. */
void task_group_add_error(task_group *self);

/* An exception that is set was raised by a call when it was cancelled: keep it. */
void task_group_add_late(task_group *self, Py_ssize_t index);

/* Add what task_group_add_late() has kept as notes to `failure` or, if that is NULL, to the
   first of them, which is then raised as by task_group_add_error().  0, or -1 with what must
   be raised instead. */
int task_group_tell_late(task_group *self, PyObject *failure);

/* The current task ends with an exception that the stream raises, too: asyncio need not report
   it as never retrieved.  No exception is set. */
void task_group_retrieve(task_group *self);

/* Raise what task_group_add_error() has kept: -1; or 0 where that is nothing. */
int task_group_raise(task_group *self);

/* The same where an exception is set: what was kept becomes its context. */
void task_group_chain(task_group *self);

extern PyType_Spec task_group_spec;

#endif
