/* What every asynchronous stream promises (see astream.c), to be built upon.
 *
 * How a type is written: its struct begins with `astream`, its spec names
 * generators._AsyncStream as the base (add_async_stream_type() in module.c), its tp_new
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

#include "state.h"
#include "runtime/raising.h"

typedef struct astream astream;

/* Why a step is called. */
typedef enum {
    ASTREAM_ASKED,   /* for the next item; also after ASTREAM_AGAIN and ASTREAM_WAIT */
    ASTREAM_GAVE,    /* what was awaited gave *value, which the step owns now */
    ASTREAM_ENDED,   /* the source that was pulled has ended */
    ASTREAM_FAILED,  /* what was awaited raised: the exception is set */
    ASTREAM_PENDING, /* never a step's own: what was begun must be waited for */
} astream_answer;

/* What a step came to. */
typedef enum {
    ASTREAM_ITEM,   /* *value is the item; it is given away */
    ASTREAM_END,    /* there is none: the stream ends, with the error held, if any */
    ASTREAM_ERROR,  /* with an exception set: the stream ends */
    ASTREAM_REFUSE, /* with an exception set: the call raises it, and nothing has changed */
    ASTREAM_AGAIN,  /* no item yet: call again, once others had their turn if it is due */
    ASTREAM_AWAIT,  /* astream_pull() or astream_await() said ASTREAM_PENDING.  The step
                       is called with what comes of it; who cancels, cancels that */
    ASTREAM_WAIT,   /* *value is a future of loop_future(), given away, that somebody will
                       end by loop_wake().  Who cancels only leaves the wait: nothing is
                       lost, and the next step begins anew.  As a task cancels the future
                       that it waits for, each wait has a fresh one */
} astream_outcome;

typedef struct {
    /* Runs with the object locked and `running` set, so that no other call into the
       object does anything until it returns.  It does not block. */
    astream_outcome (*step)(astream *self, astream_answer answer, PyObject **value);

    /* What must be waited for before the source can be closed (tasks, a worker), in the
       same way, until ASTREAM_END or ASTREAM_ERROR; or NULL.  A wait that was left goes on
       with the next aclose(). */
    astream_outcome (*close)(astream *self, astream_answer answer, PyObject **value);

    /* Let go of all that the type holds and close what it opened itself, at once.
       Called at the end, once or more; where the stream was dropped, without close().
       0, or -1 with an exception set. */
    int (*release)(astream *self);
} astream_kind;

typedef enum {
    ASTREAM_STEPPING,
    ASTREAM_CLOSING,        /* kind->close() is under way, or was left */
    ASTREAM_CLOSING_SOURCE, /* the same of the source's aclose() */
    ASTREAM_IS_ENDED,       /* for ever; source and first are NULL */
} astream_phase;

struct astream {
    PyObject_HEAD
    const astream_kind *kind; /* static */
    PyObject *source;         /* owned: the iterator read from, or NULL */
    PyObject *first;          /* owned: the item that aprime() made, or NULL */
    PyObject *awaited;        /* owned: the iterator that the step under way awaits */
    PyObject *yielded;        /* owned: what it yielded, until that is passed on */
    PyObject *raised;         /* owned: what closing will raise, or NULL */
    PyObject *held;           /* owned: see astream_hold() */
    PyObject *idle;           /* owned: an awaitable to be used again, or NULL */
    PyObject *finalizer;      /* owned: the hook that was set at the first step, or NULL */
    PyObject *weak_references;
    Py_ssize_t pulled; /* items taken from source */
    int close_with_task;
    astream_phase phase;
    bool source_is_async;
    bool closes_source;
    bool source_is_stream; /* an async one of this module */
    bool introduced;       /* to the hooks */
    bool followed;         /* a task's end will close it */
    bool started;          /* an item was asked for */
    bool running;          /* an awaitable of this stream is under way */
    bool executing;        /* code of this object, or called by it, is on the stack */
    bool paused;           /* others have their turn */
    bool pulling;          /* what is awaited is a step of the source */
    bool waiting;          /* what is awaited is an ASTREAM_WAIT's */
    bool abandoned;        /* its hook is being called, since nobody holds it */
    bool unawaited;        /* nobody waits for its closing: an ASTEP_ABANDON began it */
    /* The budget: see budget_is_spent(). */
    unsigned unchecked; /* items until the clock is read */
    unsigned stride;    /* how many that is */
    unsigned ready;     /* items since the last pause */
    uint64_t since;     /* when it last gave way, or 0: from the next reading on */
    uint64_t checked;   /* the time when the clock was last read */
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

/* astream_pull() for the item that is ready, of a source that is not async; or NULL, with
   an exception set or without, for astream_pull_ended() to tell why. */
static inline PyObject *
astream_pull_ready(astream *self)
{
    PyObject *source = self->source; /* stays: nobody can close it while a step runs */
    PyObject *item = Py_TYPE(source)->tp_iternext(source);
    if (item != NULL) {
        self->pulled++;
    }
    return item;
}

astream_answer astream_pull_ended(astream *self);

/* The value of any awaitable. */
astream_answer astream_await(astream *self, PyObject *awaitable, PyObject **value);

/* After ASTREAM_FAILED, where something made before must be given first: true, and the
   exception is raised when the step comes to ASTREAM_END; or false where it can't wait
   (cancellation, GeneratorExit, KeyboardInterrupt): return ASTREAM_ERROR. */
bool astream_hold(astream *self);

/* For a type's own traverse and clear, which add what the type holds.  Clear runs in the
   object's deallocation: it lets nobody see the object, not even an unraisable hook. */
int astream_traverse(PyObject *op, visitproc visit, void *arg);
int astream_clear(PyObject *op);
void astream_finalize(PyObject *op);

/* ---- between astream.c and astep.c ---- */

typedef enum {
    ASTEP_ANEXT,
    ASTEP_ASEND,
    ASTEP_ATHROW,
    ASTEP_ACLOSE,
    ASTEP_APRIME,
    ASTEP_AENTER,
    ASTEP_ABANDON, /* an aclose() whose outcome nobody waits for */
} astep_call;

/* Whether an awaitable is under way that closes it. */
static inline bool
astream_is_closing(const astream *self)
{
    return self->running && self->phase != ASTREAM_STEPPING;
}

/* An awaitable of one call; `argument` is what asend() sends or athrow() throws. */
PyObject *astep_new(astream *self, astep_call call, PyObject *argument);

/* The same for anext(), sooner. */
PyObject *astep_new_anext(astream *self);

/* What an answer to a step of the source means: StopAsyncIteration is its end. */
astream_answer astream_pulled(astream *self, astream_answer answer);

/* Whether others must have their turn: 1, 0, or -1.  Called for each `unchecked`. */
int astream_budget_is_spent(astream *self);

/* After a pause. */
void astream_begin_turn(astream *self);

/* ---- from aphase.c ---- */

/* One step of the phase that the stream is in. */
astream_outcome astream_make_step(astream *self, astream_answer answer, PyObject **value);

/* A phase is over: go on to the next, with the error to be raised at the end, if any. */
void astream_next_phase(astream *self, astream_outcome outcome);

/* The exception being raised is what the end will raise, the earlier one its context. */
void astream_keep_raised(astream *self);

/* Wait for a future, which is given away: ASTREAM_WAIT and *result to be passed on,
   ASTREAM_AGAIN where it has ended, or ASTREAM_ERROR. */
astream_outcome astream_begin_waiting(astream *self, PyObject *future, PyObject **result);

extern PyType_Spec astream_spec;

#endif
