/* The machine of event_source and aevent_source: bytes and text in, ServerSentEvents out. */
#ifndef GENERATORS_SSE_READER_H
#define GENERATORS_SSE_READER_H

#include "core/event_stream.h"
#include "source/sink.h"
#include "sse/event.h"

typedef struct {
    event_stream machine;
    PyObject *path;      /* owned: a str for messages, or NULL */
    PyObject *given;     /* owned: `last_event_id`, an exact str; NULL: empty */
    PyObject *name;      /* owned: the event of the last one that had one, in ASCII; or NULL */
    uint64_t item_count; /* lines of text that were fed */
    bool from_text;
    bool finished;
} sse_reader;

typedef enum {
    SSE_READER_EVENT,
    SSE_READER_MORE, /* feed more */
    SSE_READER_END,
    SSE_READER_ERROR, /* an exception is set */
} sse_reader_step;

/* Read the parameters.  NULL means not given.  0 or -1. */
int sse_reader_open(sse_reader *self, PyObject *last_event_id, PyObject *max_event);

/* Take the next event: a new reference. */
sse_reader_step sse_reader_next(sse_reader *self, generators_state *state, PyObject **event);

/* Nothing more is fed. */
void sse_reader_finish(sse_reader *self);

source_sink sse_reader_sink(sse_reader *self);

/* The last event ID, a new reference, or NULL.  `primed`: the first event was read and not
   given. */
PyObject *sse_reader_last_id(sse_reader *self, bool primed);

/* Free all but what the attributes need; and that, too. */
void sse_reader_release(sse_reader *self);
void sse_reader_clear(sse_reader *self);
int sse_reader_traverse(sse_reader *self, visitproc visit, void *arg);

#endif
