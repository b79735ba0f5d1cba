/* The parser of text/event-stream, as the HTML standard defines it ("Server-sent events"):
 * bytes cut anywhere -> events.
 *
 * Lines end at LF, CR and CR LF, wherever the bytes are cut; a CR ends its line at once, and
 * an LF that comes next belongs to it.  One byte order mark at the start is dropped.  The
 * parser splits bytes and decodes none: the fields of an event are bytes, which the owner
 * decodes as UTF-8, with U+FFFD for what is invalid.  That gives what decoding first would
 * give, since all that the grammar knows is ASCII.
 *
 * The owner feeds, and takes events until EVENT_STREAM_MORE.  What the end leaves unfinished
 * is no event, so there is no call for the end.  Each byte is looked at a bounded number of
 * times, whatever the cuts.  Memory is bounded by `max_event` and the length of a piece;
 * comments take none.  Nothing here is safe to call from two threads at once; the owner locks.
 */
#ifndef GENERATORS_CORE_EVENT_STREAM_H
#define GENERATORS_CORE_EVENT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"

#define EVENT_STREAM_NO_RETRY INT64_C(-1)

typedef enum {
    EVENT_STREAM_EVENT,     /* `data`, `event`, `last_id` and `event_retry` are an event's */
    EVENT_STREAM_MORE,      /* feed more */
    EVENT_STREAM_TOO_LONG,  /* the event is longer than `max_event`: for ever */
    EVENT_STREAM_NO_MEMORY, /* the same call may be made again */
} event_stream_step;

typedef struct {
    size_t max_event; /* the most bytes that the data and name of an event and a line may have
                         together */

    /* The event that was given last.  Valid until the next call. */
    buffer data;         /* its data lines, joined by LF */
    buffer event;        /* its name; empty: "message" */
    buffer last_id;      /* the last event ID; kept by the events that follow */
    int64_t event_retry; /* milliseconds, or EVENT_STREAM_NO_RETRY */

    int64_t retry;        /* the last that was set, or EVENT_STREAM_NO_RETRY */
    uint64_t event_count; /* events given */
    uint64_t line_count;  /* lines read */

    /* Private. */
    buffer block;        /* bytes that were fed */
    buffer id;           /* the ID that the event being read has set, if has_id */
    size_t at;           /* the next line, in the block */
    size_t lf;           /* there is no LF in the block from `at` to here */
    size_t cr;           /* and no CR from `at` to here */
    uint64_t block_byte; /* where the block begins, in the source */
    bool started;        /* the byte order mark was looked for */
    bool given;          /* the fields are those of an event that was given */
    bool has_data;
    bool has_id;
    bool after_cr;    /* an LF that comes next belongs to the line end before it */
    bool in_comment;  /* `at` is within a comment whose start is dropped */
    bool is_too_long; /* for ever */
} event_stream;

void event_stream_init(event_stream *self, size_t max_event);

/* Free all but last_id, retry and the counts; nothing more is fed. */
void event_stream_release(event_stream *self);
void event_stream_free(event_stream *self);

/* Memory for `count` bytes more, or NULL.  Then tell how many were written there. */
uint8_t *event_stream_room(event_stream *self, size_t count);
void event_stream_filled(event_stream *self, size_t count);

/* The same for bytes that are there.  False if there is no memory; nothing has changed. */
bool event_stream_feed(event_stream *self, const void *bytes, size_t count);

/* Take the next event. */
event_stream_step event_stream_next(event_stream *self);

/* Where the line that is read begins in the source, in bytes from 0. */
uint64_t event_stream_byte(const event_stream *self);

#endif
