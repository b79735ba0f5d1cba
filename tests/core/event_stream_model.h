/* A plain statement of the parser of text/event-stream, for bytes that are there at once, and
   the events that it and the machine give, as text. */
#ifndef TESTS_EVENT_STREAM_MODEL_H
#define TESTS_EVENT_STREAM_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/event_stream.h"

enum { MODEL_ROOM = 1 << 14 };

typedef struct {
    char text[MODEL_ROOM];
    size_t length;
} events_text;

static inline void
events_put(events_text *out, const void *bytes, size_t count)
{
    size_t left = sizeof out->text - out->length;
    count = count < left ? count : left;
    if (count > 0) {
        memcpy(out->text + out->length, bytes, count);
    }
    out->length += count;
}

/* Each field with its length before it, so that no two readings look alike. */
static inline void
events_put_field(events_text *out, char name, const void *bytes, size_t count)
{
    char head[32];
    int length = snprintf(head, sizeof head, "%c%zu:", name, count);
    events_put(out, head, (size_t)length);
    events_put(out, bytes, count);
}

static inline void
events_put_number(events_text *out, char name, int64_t number)
{
    char head[32];
    int length = snprintf(head, sizeof head, "%c%lld;", name, (long long)number);
    events_put(out, head, (size_t)length);
}

/* Take all events that there are. */
static inline event_stream_step
events_take(event_stream *machine, events_text *out)
{
    event_stream_step step;
    while ((step = event_stream_next(machine)) == EVENT_STREAM_EVENT) {
        events_put_field(out, 'd', machine->data.data, machine->data.length);
        events_put_field(out, 'e', machine->event.data, machine->event.length);
        events_put_field(out, 'i', machine->last_id.data, machine->last_id.length);
        events_put_number(out, 'r', machine->event_retry);
    }
    return step;
}

static inline void
events_put_end(event_stream *machine, events_text *out)
{
    events_put_field(out, 'I', machine->last_id.data, machine->last_id.length);
    events_put_number(out, 'R', machine->retry);
    events_put_number(out, 'L', (int64_t)machine->line_count);
}

typedef struct {
    char data[4096], event[4096], id[4096], last_id[4096];
    size_t data_length, event_length, id_length, last_id_length;
    int64_t event_retry, retry, lines;
} model_state;

static inline void
model_line(model_state *m, const char *line, size_t length, events_text *out)
{
    m->lines++;
    if (length == 0) {
        memcpy(m->last_id, m->id, m->id_length);
        m->last_id_length = m->id_length;
        if (m->data_length > 0) {
            events_put_field(out, 'd', m->data, m->data_length - 1);
            events_put_field(out, 'e', m->event, m->event_length);
            events_put_field(out, 'i', m->last_id, m->last_id_length);
            events_put_number(out, 'r', m->event_retry);
        }
        m->data_length = m->event_length = 0;
        m->event_retry = -1;
        return;
    }
    size_t colon = 0;
    while (colon < length && line[colon] != ':') {
        colon++;
    }
    size_t from = colon < length ? colon + 1 : length;
    if (from < length && line[from] == ' ') {
        from++;
    }
    const char *value = line + from;
    size_t count = length - from;
    if (colon == 4 && memcmp(line, "data", 4) == 0) {
        memcpy(m->data + m->data_length, value, count);
        m->data_length += count;
        m->data[m->data_length++] = '\n';
    }
    else if (colon == 5 && memcmp(line, "event", 5) == 0) {
        memcpy(m->event, value, count);
        m->event_length = count;
    }
    else if (colon == 2 && memcmp(line, "id", 2) == 0) {
        for (size_t i = 0; i < count; i++) {
            if (value[i] == '\0') {
                return;
            }
        }
        memcpy(m->id, value, count);
        m->id_length = count;
    }
    else if (colon == 5 && memcmp(line, "retry", 5) == 0 && count > 0) {
        long double number = 0;
        for (size_t i = 0; i < count; i++) {
            if (value[i] < '0' || value[i] > '9') {
                return;
            }
            number = 10 * number + (value[i] - '0');
        }
        m->retry = number >= 9223372036854775807.0L ? INT64_MAX : (int64_t)number;
        m->event_retry = m->retry;
    }
}

/* At most 4000 bytes. */
static inline void
model_read(const char *bytes, size_t count, events_text *out)
{
    static model_state m;
    m = (model_state){.event_retry = -1, .retry = -1};
    size_t at = count >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0, start = at;
    while (at < count) {
        if (bytes[at] != '\n' && bytes[at] != '\r') {
            at++;
            continue;
        }
        model_line(&m, bytes + start, at - start, out);
        at += bytes[at] == '\r' && at + 1 < count && bytes[at + 1] == '\n' ? 2 : 1;
        start = at;
    }
    events_put_field(out, 'I', m.last_id, m.last_id_length);
    events_put_number(out, 'R', m.retry);
    events_put_number(out, 'L', m.lines);
}

#endif
