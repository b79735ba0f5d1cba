/* The machine of event_stream and aevent_stream: events of any kind in, text/event-stream
   out. */
#ifndef GENERATORS_SSE_WRITER_H
#define GENERATORS_SSE_WRITER_H

#include "core/buffer.h"
#include "sse/event.h"

typedef struct {
    buffer bytes;     /* written, and not taken */
    PyObject *dumps;  /* owned; NULL: the default */
    PyObject *error;  /* owned, or NULL */
    int64_t retry;    /* to be sent first, or SSE_EVENT_NO_RETRY */
    Py_ssize_t index; /* of the event that is written; -1: the last event, given by error() */
    bool begun;
    bool finished; /* nothing more is written */
} sse_writer;

/* Read the parameters.  NULL means not given.  0 or -1. */
int sse_writer_open(sse_writer *self, PyObject *dumps, PyObject *retry, PyObject *error);

/* 0, or -1 with a TypeError that says what an iterable of events is not. */
int sse_writer_check_source(generators_state *state, PyObject *events);

/* Write what comes before all events, once.  0 or -1. */
int sse_writer_begin(sse_writer *self);

/* Write event number `index` of the source.  0, or -1; then nothing was written. */
int sse_writer_write(sse_writer *self, generators_state *state, PyObject *event,
                     Py_ssize_t index);

/* Write a comment that says nothing.  0 or -1. */
int sse_writer_beat(sse_writer *self);

/* The exception that is set ended the events.  Finish; if `error` gives a last event, write
   it: 0.  Otherwise -1 with what is to be raised set. */
int sse_writer_fail(sse_writer *self, generators_state *state);

/* Take the bytes that were written: a new reference, or NULL. */
PyObject *sse_writer_take(sse_writer *self);

void sse_writer_close(sse_writer *self);
int sse_writer_traverse(sse_writer *self, visitproc visit, void *arg);

#endif
