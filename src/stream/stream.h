/* What every synchronous stream promises (see stream.c), to be built upon.
 *
 * A type puts `stream` first in its struct, names Stream as its base, and
 * gives a stream_kind.  It writes how the next item is made and what it
 * holds; everything that a generator does is here.
 */
#ifndef GENERATORS_STREAM_STREAM_H
#define GENERATORS_STREAM_STREAM_H

#include "state.h"
#include "runtime/raising.h"
#include "stream/measures.h"

typedef struct stream stream;

typedef struct {
    /* The next item, or NULL: at the end without an exception set.  Runs with
       the object locked and `running` set, so that no other call into the
       object does anything until it returns. */
    PyObject *(*next)(stream *self);

    /* Let go of all that the type holds and close what it opened itself.
       Called at the end, once or more.  0, or -1 with an exception set. */
    int (*release)(stream *self);

    /* close() was called while another call is under way: 1 to refuse it, as a generator
       does, or end what the other call waits for, and return when the stream has ended: 0, or
       -1 with an exception set.  NULL: it is refused. */
    int (*close_running)(stream *self);

    /* stop() was called for the first time: nothing more is to be taken from the source.  With
       the object locked, from any thread, perhaps while a step waits.  0, or -1 with an
       exception set.  NULL: the type has no stop(). */
    int (*stop)(stream *self);

    /* Add to what the base has measured, or NULL.  With the object locked; runs no code of the
       user's. */
    void (*measure)(stream *self, measures *into);
} stream_kind;

struct stream {
    PyObject_HEAD
    const stream_kind *kind; /* static */
    PyObject *source;        /* owned: the iterator read from, or NULL */
    PyObject *first;         /* owned: the item that prime() made, or NULL */
    PyObject *raised;        /* borrowed: what ends the stream, while it lets go of all */
    PyObject *weak_references;
    uint64_t given;    /* items */
    uint64_t failures; /* errors raised by steps */
    Py_ssize_t pulled; /* items taken from source */
    bool closes_source;
    bool releases_first; /* release() comes before the source is closed */
    bool started;        /* an item was asked for */
    bool running;        /* code of this object, or called by it, is under way */
    bool ended;          /* for ever; source and first are NULL */
    bool dropped;        /* nobody holds it any longer: release() must not wait */
    bool refused;        /* set by next(): what it raises does not end the stream */
    bool is_stopped;     /* nothing more is to be taken from the source */
    bool was_cut;        /* it has ended for that, and not with the source's own end */
};

/* Read from `source`: take its iterator, and find out whether the stream closes
   it.  0, or -1 with an exception set. */
int stream_open(stream *self, generators_state *state, PyObject *source);

/* What a source that gave no item means: 0 for its end, -1 with its exception,
   which is given its note. */
int stream_source_ended(stream *self);

/* The source's next item: 1 and *item, 0 at its end, or -1 with its exception. */
static inline int
stream_pull(stream *self, PyObject **item)
{
    PyObject *source = Py_NewRef(self->source);
    *item = Py_TYPE(source)->tp_iternext(source);
    Py_DECREF(source);
    if (*item == NULL) {
        return stream_source_ended(self);
    }
    self->pulled++;
    return 1;
}

/* Up to `count` items at once, in `items`: how many, fewer than that at the source's end and
   where the item was `stop`, which is not put there, and *stopped is set; or -1 with its
   exception: those that came before it stay in `items`, NULL after the last. */
Py_ssize_t stream_pull_many(stream *self, PyObject **items, Py_ssize_t count, PyObject *stop,
                            bool *stopped);

/* Run `body` as a step is run: guarded, locked, and ending the stream when it
   fails.  0, or -1 with an exception set. */
int stream_run(stream *self, int (*body)(stream *self));

/* For a type's own traverse and clear, which add what the type holds. */
int stream_traverse(PyObject *op, visitproc visit, void *arg);
int stream_clear(PyObject *op);

/* What stop() does: 0, or -1 with an exception set. */
int stream_stop(stream *self);

/* The method, for the table of a type that has it. */
PyObject *stream_stop_method(PyObject *op, PyObject *ignored);
extern const char stream_stop_doc[];
#define STREAM_STOP_METHOD                                       \
    {                                                            \
        "stop", stream_stop_method, METH_NOARGS, stream_stop_doc \
    }

extern PyType_Spec stream_spec;

#endif
