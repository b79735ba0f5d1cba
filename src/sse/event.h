/* ServerSentEvent: one event, as text/event-stream carries it. */
#ifndef GENERATORS_SSE_EVENT_H
#define GENERATORS_SSE_EVENT_H

#include "state.h"

#define SSE_EVENT_NO_RETRY INT64_C(-1)

/* The fields of an event, borrowed: UTF-8. */
typedef struct {
    const char *data;
    const char *event; /* no bytes: "message" */
    const char *id;
    size_t data_count;
    size_t event_count;
    size_t id_count;
    int64_t retry;  /* milliseconds, or SSE_EVENT_NO_RETRY */
    PyObject *name; /* the event as a str, or NULL */
} sse_fields;

/* Make one.  What is not UTF-8 becomes U+FFFD.  A new reference, or NULL. */
PyObject *sse_event_new(generators_state *state, const sse_fields *fields);

/* The fields of a ServerSentEvent, valid while it lives. */
void sse_event_fields(PyObject *event, sse_fields *fields);

/* Read a number of milliseconds; None is SSE_EVENT_NO_RETRY.  0, or -1 with TypeError or
   ValueError. */
int sse_read_retry(PyObject *number, int64_t *retry);

/* An object for such a number: a new reference. */
PyObject *sse_retry_object(int64_t retry);

extern PyType_Spec sse_event_spec;

#endif
