/* The tasks that iterate the async sources of amap() and amerge() (reader.c). */
#ifndef GENERATORS_TASKS_READER_H
#define GENERATORS_TASKS_READER_H

#include "aio/coroutine.h"
#include "tasks/task_group.h"

typedef struct reader reader;

/* What a reader asks of the type of its stream.  All run with the group locked. */
typedef struct {
    bool (*wants)(reader *self);                  /* another item */
    bool (*may_close)(reader *self);              /* the source, now that no item is wanted */
    int (*deliver)(reader *self, PyObject *item); /* 0, or -1 with an exception set */
    bool ends_stream; /* the end of this reader stops the others; an error always does */
} reader_kind;

typedef enum {
    READER_BETWEEN, /* nothing is awaited */
    READER_PULLING, /* the source's next item is */
    READER_PARKED,  /* `room` is */
    READER_CLOSING, /* the source's aclose() is */
    READER_ENDED,
} reader_phase;

struct reader {
    coroutine base;
    const reader_kind *kind; /* static */
    task_group *group;       /* owned */
    PyObject *source;        /* owned: an async iterator, until it is closed; or NULL */
    PyObject *task;          /* owned: that runs it, from its start to its end, or NULL */
    PyObject *room;          /* owned: the future that it waits for while it is parked */
    PyObject *item;          /* owned: held for amerge(), or NULL */
    PyObject *name;          /* owned: of the source in amerge(), an exact str; or NULL */
    PyObject *error;         /* owned: what the source has raised, or NULL */
    PyObject *cancellation;  /* owned: of the task, by others; or NULL */
    reader *next;            /* borrowed: see the group's lists */
    reader *next_ready;      /* borrowed */
    Py_ssize_t pulled;       /* items */
    reader_phase phase;
    bool closes;           /* the source, in the end */
    bool is_over;          /* no item will come */
    bool was_told;         /* to stop, by cancelling its task */
    bool expects_to_leave; /* that cancellation has not arrived yet */
    bool is_cancelled;     /* by others, while it waits for what it waits for now */
    bool is_ready;         /* it stands in the list of those that are */
    bool was_started;      /* perhaps its first step is still under way */
    bool drains;           /* no further item is asked for */
};

/* One that was not started; `closes`: it closes the source in the end.  What the source raises
   is kept by the group: see task_group_raise(). */
reader *reader_new(task_group *group, const reader_kind *kind, PyObject *source, bool closes);

/* Run it as a task of the group, which may end at once.  0, or -1 with an exception set. */
int reader_start(reader *self);

/* Whether reader_start() was called. */
static inline bool
reader_was_started(const reader *self)
{
    return self->was_started;
}

/* Something has changed: if it is parked it looks again. */
void reader_poke(reader *self);

/* Ask for no further item: the one that the source is giving is delivered.  A source that is a
   native stream is stopped and read to its end.  From any thread.  0 or -1. */
int reader_drain(reader *self);

/* Have no reader of the group take another item: what they wait for is cancelled, and they
   close their sources.  0, or -1 with an exception set: call it again. */
int reader_stop_all(task_group *group);

/* The same where nobody can be told of an exception.  None is set before. */
void reader_try_to_stop_all(task_group *group);

extern PyType_Spec reader_spec;

#endif
