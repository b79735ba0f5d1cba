/* What every asynchronous stream is built upon; async_stream.c says what it promises.
 *
 * How a type is written: its struct begins with `astream`, its spec names
 * AsyncStream as the base (add_async_stream_type() in module.c), its tp_new
 * sets `kind` and opens the source with astream_open().  It gives a step, which makes
 * the next item without blocking, and can be left where it must wait and called again:
 *
 *     static astream_outcome
 *     doubled_step(astream *base, astream_answer answer, PyObject **value)
 *     {
 *         if (answer == ASTREAM_ASKED) {
 *             answer = astream_pull(base, value);
 *         }
 *         switch (answer) {
 *         case ASTREAM_GAVE:
 *             Py_SETREF(*value, PyNumber_Add(*value, *value));
 *             return *value == NULL ? ASTREAM_ERROR : ASTREAM_ITEM;
 *         case ASTREAM_ENDED:
 *             return ASTREAM_END;
 *         case ASTREAM_FAILED:
 *             return ASTREAM_ERROR;
 *         default:
 *             return ASTREAM_AWAIT;
 *         }
 *     }
 *
 * Everything that an async generator does is in the base.  A constructor takes the
 * keyword close_with_task: parse it with "p" into `close_with_task`.
 */
#ifndef GENERATORS_STREAM_ASTREAM_H
#define GENERATORS_STREAM_ASTREAM_H

#include "aio/home_enter.h"
#include "runtime/budget.h"
#include "state.h"
#include "runtime/raising.h"
#include "stream/measures.h"

typedef struct astream astream;

/* Why a step is called. */
typedef enum {
    ASTREAM_ASKED,   /* for the next item; also after ASTREAM_AGAIN and ASTREAM_WAIT */
    ASTREAM_GAVE,    /* what was awaited gave *value, which the step owns now */
    ASTREAM_ENDED,   /* the source that was pulled has ended */
    ASTREAM_FAILED,  /* what was awaited raised: the exception is set */
    ASTREAM_LATE,    /* the time given to astream_pull_within() is over; the source's step goes
                        on, and the next pull gives what comes of it */
    ASTREAM_PENDING, /* never a step's own: what was begun must be waited for */
} astream_answer;

/* What a step came to. */
typedef enum {
    ASTREAM_ITEM,   /* *value is the item, stolen */
    ASTREAM_END,    /* there is none: the stream ends, with the error stashed, if any */
    ASTREAM_ERROR,  /* with an exception set: the stream ends */
    ASTREAM_REFUSE, /* with an exception set: the call raises it, and nothing has changed */
    ASTREAM_AGAIN,  /* no item yet: call again, once others had their turn if it is due */
    ASTREAM_AWAIT,  /* a pull or astream_await() answered ASTREAM_PENDING.  The step is called
                       with what comes of it */
    ASTREAM_WAIT,   /* *value is a future of loop_future(), stolen, that somebody will end by
                       loop_wake().  Who cancels only leaves the wait: nothing is lost, and the
                       next step begins anew.  As a task cancels the future that it waits for,
                       each wait has a new one */
    ASTREAM_FINISH, /* the same in a `close` that must come to its end: who cancels waits on,
                       and the cancellation is raised when the stream has ended */
} astream_outcome;

typedef struct {
    /* Runs with the object locked and `running` set, so that no other call into the
       object does anything until it returns.  It does not block. */
    astream_outcome (*step)(astream *self, astream_answer answer, PyObject **value);

    /* What must be waited for before the source can be closed (tasks, a worker), in the
       same way, until ASTREAM_END or ASTREAM_ERROR; or NULL.  A wait that was left is resumed
       by the next aclose(). */
    astream_outcome (*close)(astream *self, astream_answer answer, PyObject **value);

    /* Release all that the type holds and close what it opened itself, at once.
       Called at the end, once or more; where the stream was dropped, without close().
       0, or -1 with an exception set. */
    int (*release)(astream *self);

    /* Or NULL, as what follows.  stop() was called for the first time: nothing more is to be
       taken from the source, which is no stream that can be stopped itself.  Pulls by
       astream_pull() see to that.  With the object locked, from any thread, perhaps while a
       step waits.  0, or -1 with an exception set. */
    int (*stop)(astream *self);

    /* Add to what the base has measured.  With the object locked; runs no code of the user's.
     */
    void (*measure)(astream *self, measures *into);
} astream_kind;

typedef enum {
    ASTREAM_STEPPING,
    ASTREAM_CLOSING,        /* kind->close() is under way, or was left */
    ASTREAM_CLOSING_SOURCE, /* the same of the source's aclose() */
    ASTREAM_IS_ENDED,       /* for ever; source, home and first are NULL */
} astream_phase;

struct astream {
    PyObject_HEAD
    const astream_kind *kind; /* static */
    PyObject *source;         /* owned: the iterator read from, or NULL */
    PyObject *read;      /* owned: read(n) of an object, which is called instead; or NULL */
    home *home;          /* owned: in which the source is iterated, or NULL */
    PyObject *first;     /* owned: the item that aprime() made, or NULL */
    PyObject *yielded;   /* owned: what the step under way yielded, until it is passed on */
    PyObject *future;    /* owned: what the task of the step under way waits for, where that
                            is a future of this module; or NULL */
    PyObject *raised;    /* owned: what closing will raise, or NULL */
    PyObject *stashed;   /* owned: see astream_stash_error() */
    PyObject *postponed; /* owned: see ASTREAM_FINISH; or NULL */
    PyObject *closers;   /* owned: a list of the futures of those who wait for another to
                            close the stream, or NULL */
    PyObject *idle;      /* owned: a step to be used again, or NULL */
    PyObject *finalizer; /* owned: the hook that was set at the first step, or NULL */
    PyObject *weak_references;
    coroutine *current; /* borrowed: the step that is under way, or NULL */
    turn_budget budget;
    uint64_t given;       /* items */
    uint64_t failures;    /* errors raised by steps */
    Py_ssize_t pulled;    /* items taken from source */
    Py_ssize_t read_size; /* what read() is asked for */
    int close_with_task;
    astream_phase phase;
    bool source_is_async;
    bool closes_source;
    bool source_is_stream; /* an async one of this module */
    bool is_timed;         /* astream_pull_within() is used */
    bool has_pulled;       /* so that it is known whether there is a home */
    bool introduced;       /* to the hooks */
    bool followed;         /* a task's end will close it */
    bool started;          /* an item was asked for */
    bool running;          /* a step of this stream is under way */
    bool executing;        /* code of this object, or called by it, is on the stack */
    bool pulling;          /* what is awaited is a step of the source */
    bool waits_for_home;   /* what is waited for is an item of the home */
    bool waiting;          /* what is awaited is an ASTREAM_WAIT's or _FINISH's, or the home */
    bool finishing;        /* it is an ASTREAM_FINISH's */
    bool is_due;           /* others must have their turn before the next item */
    bool is_stopped;       /* nothing more is to be taken from the source */
    bool passes_stop;      /* the source itself was stopped, and is read to its end */
    bool was_cut;          /* it has ended for that, and not with the source's own end */
    bool is_finalized;     /* its finalizer has run: no step is stashed any more */
    bool abandoned;        /* its hook is being called, since nobody holds it */
};

/* ---- for a type's author ---- */

typedef enum {
    ASTREAM_ASYNC,        /* an async iterable */
    ASTREAM_SYNC,         /* an iterable */
    ASTREAM_SYNC_OR_ASYNC /* an async one, if it is both */
} astream_source;

/* Read from `source`: take its iterator, and find out whether the stream closes it.
   0, or -1 with an exception set. */
int astream_open(astream *self, generators_state *state, PyObject *source,
                 astream_source accepted);

/* The source's next item.  A failure is given its note. */
astream_answer astream_pull(astream *self, PyObject **value);

/* The same, waiting for at most so long where a loop of asyncio runs: then ASTREAM_LATE may be
   the answer.  For a stream that sets `is_timed` when it is made. */
#define ASTREAM_FOREVER UINT64_MAX
astream_answer astream_pull_within(astream *self, uint64_t nanoseconds, PyObject **value);

/* Between these two, pulls that follow one another cost less.  0 or -1; an exception that is
   set when it is left stays set. */
static inline int
astream_enter_source(astream *self)
{
    return self->home == NULL ? 0 : home_enter(self->home);
}

static inline void
astream_leave_source(astream *self, bool entered)
{
    if (entered) {
        home_leave(self->home);
    }
}

/* Count one pull that was ready in a step that makes many: true where it must answer
   ASTREAM_AGAIN or ASTREAM_ITEM now, so that others have their turn. */
static inline bool
astream_spend(astream *self)
{
    if (!budget_spend(&self->budget)) {
        return false;
    }
    self->is_due = true;
    self->budget.unchecked = 0; /* the next step asks whether it is due */
    return true;
}

/* astream_pull() for the item that is ready, of a source that is not async; or NULL, with
   an exception set or without, for astream_pull_ended() to tell why. */
static inline PyObject *
astream_pull_ready(astream *self)
{
    PyObject *source = Py_NewRef(self->source);
    PyObject *item = Py_TYPE(source)->tp_iternext(source);
    Py_DECREF(source);
    if (item != NULL) {
        self->pulled++;
    }
    return item;
}

astream_answer astream_pull_ended(astream *self);

/* Whether nothing more may be taken from the source.  What it is making is still to come.  It
   counts as the end, and `was_cut` is set. */
bool astream_is_cut(astream *self);

/* After ASTREAM_ENDED: whether that is no end of the source's own, so that what it has begun
   to give (a line, a record) is not complete. */
bool astream_has_been_cut(const astream *self);

/* What stop() does.  0, or -1 with an exception set. */
int astream_stop(astream *self);

/* Have a native stream, sync or async, take nothing more from its source: 1; 0 where it can't
   be stopped, or is none; or -1. */
int astream_stop_source(generators_state *state, PyObject *source);

/* Read what it tells of itself, with the stream locked. */
void astream_measure(astream *self, measures *into);

/* The value of any awaitable. */
astream_answer astream_await(astream *self, PyObject *awaitable, PyObject **value);

/* After ASTREAM_FAILED, where something made before must be given first: true, and the
   exception is raised when the step comes to ASTREAM_END; or false where it can't wait
   (cancellation, GeneratorExit, KeyboardInterrupt): return ASTREAM_ERROR. */
bool astream_stash_error(astream *self);

/* For a type's own traverse and clear, which add what the type holds.  Clear runs in the
   object's deallocation: nobody must see the object, not even an unraisable hook. */
int astream_traverse(PyObject *op, visitproc visit, void *arg);
int astream_clear(PyObject *op);
void astream_finalize(PyObject *op);

/* ---- for the files of this room ---- */

/* What an answer to a step of the source means: StopAsyncIteration is its end. */
astream_answer astream_pulled(astream *self, astream_answer answer, PyObject **value);

/* What has come to the home, or ASTREAM_PENDING. */
astream_answer astream_pull_home(astream *self, PyObject **value);

/* Whether others must have their turn now: 1, 0, or -1. */
int astream_is_turn_over(astream *self);

#endif
