#include "core/event_stream.h"

#include <string.h>

void
event_stream_init(event_stream *self, size_t max_event)
{
    *self = (event_stream){
        .max_event = max_event,
        .event_retry = EVENT_STREAM_NO_RETRY,
        .retry = EVENT_STREAM_NO_RETRY,
    };
    buffer *buffers[] = {&self->data, &self->event, &self->last_id, &self->block, &self->id};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        buffer_init(buffers[i]);
    }
}

void
event_stream_release(event_stream *self)
{
    buffer_free(&self->data);
    buffer_free(&self->event);
    buffer_free(&self->block);
    buffer_free(&self->id);
    self->block_byte += self->at;
    self->at = self->lf = self->cr = 0;
}

void
event_stream_free(event_stream *self)
{
    event_stream_release(self);
    buffer_free(&self->last_id);
}

uint64_t
event_stream_byte(const event_stream *self)
{
    return self->block_byte + self->at;
}

/* ---- feeding ---- */

static size_t
less(size_t position, size_t dropped)
{
    return position > dropped ? position - dropped : 0;
}

uint8_t *
event_stream_room(event_stream *self, size_t count)
{
    size_t dropped = self->at;
    if (dropped > 0) {
        buffer_drop(&self->block, dropped);
        self->block_byte += dropped;
        self->at = 0;
        self->lf = less(self->lf, dropped);
        self->cr = less(self->cr, dropped);
    }
    if (buffer_reserve(&self->block, count, 1) != BUFFER_OK) {
        return NULL;
    }
    return self->block.data + self->block.length;
}

void
event_stream_filled(event_stream *self, size_t count)
{
    self->block.length += count;
}

bool
event_stream_feed(event_stream *self, const void *bytes, size_t count)
{
    uint8_t *room = event_stream_room(self, count);
    if (room == NULL) {
        return false;
    }
    if (count > 0) {
        memcpy(room, bytes, count);
    }
    event_stream_filled(self, count);
    return true;
}

/* ---- lines ---- */

/* Drop a byte order mark.  False while there are too few bytes to tell. */
static bool
event_stream_start(event_stream *self)
{
    static const char mark[] = "\xEF\xBB\xBF";
    size_t length = self->block.length < 3 ? self->block.length : 3;
    if (length > 0 && memcmp(self->block.data, mark, length) != 0) {
        self->started = true;
    }
    else if (length == 3) {
        self->started = true;
        self->at = 3;
    }
    return self->started;
}

/* Move *place, from where there is none back to `at`, to the first such byte.  The end of the
   block if there is none. */
static inline void
event_stream_find(const event_stream *self, uint8_t byte, size_t *place)
{
    const buffer *block = &self->block;
    size_t from = *place > self->at ? *place : self->at;
    if (from < block->length && block->data[from] != byte) {
        const uint8_t *found = memchr(block->data + from, byte, block->length - from);
        from = found != NULL ? (size_t)(found - block->data) : block->length;
    }
    *place = from;
}

/* Find the end of the next line.  False if it has not come yet. */
static inline bool
event_stream_find_end(event_stream *self, size_t *end)
{
    if (self->after_cr && self->at < self->block.length) {
        self->at += self->block.data[self->at] == '\n';
        self->after_cr = false;
    }
    event_stream_find(self, '\n', &self->lf);
    event_stream_find(self, '\r', &self->cr);
    *end = self->lf < self->cr ? self->lf : self->cr;
    return *end < self->block.length;
}

/* Whether a line of that length makes the event longer than it may be. */
static inline bool
event_stream_is_over(const event_stream *self, size_t length)
{
    size_t held = self->data.length + self->event.length;
    return held > self->max_event || length > self->max_event - held;
}

/* The line goes on in bytes that have not come yet. */
static event_stream_step
event_stream_wait(event_stream *self)
{
    size_t length = self->block.length - self->at;
    if (length > 0 && self->block.data[self->at] == ':') {
        self->in_comment = true;
    }
    if (self->in_comment) {
        self->at = self->block.length;
        return EVENT_STREAM_MORE;
    }
    self->is_too_long = event_stream_is_over(self, length);
    return self->is_too_long ? EVENT_STREAM_TOO_LONG : EVENT_STREAM_MORE;
}

/* ---- fields ---- */

/* If the line is a field of that name, set *value to its value and *count to its length. */
static inline bool
line_is(const uint8_t *line, size_t length, const char *name, size_t name_length,
        const uint8_t **value, size_t *count)
{
    if (length < name_length || memcmp(line, name, name_length) != 0) {
        return false;
    }
    if (length == name_length) {
        *value = line + length;
        *count = 0;
        return true;
    }
    if (line[name_length] != ':') {
        return false;
    }
    size_t from = name_length + 1;
    from += from < length && line[from] == ' ';
    *value = line + from;
    *count = length - from;
    return true;
}

#define LINE_IS(name) line_is(line, length, name, sizeof name - 1, &value, &count)

/* Milliseconds of digits, no more than INT64_MAX; or EVENT_STREAM_NO_RETRY. */
static int64_t
milliseconds(const uint8_t *digits, size_t count)
{
    int64_t number = count > 0 ? 0 : EVENT_STREAM_NO_RETRY;
    for (size_t i = 0; i < count; i++) {
        if (digits[i] < '0' || digits[i] > '9') {
            return EVENT_STREAM_NO_RETRY;
        }
        int digit = digits[i] - '0';
        number = number > (INT64_MAX - digit) / 10 ? INT64_MAX : 10 * number + digit;
    }
    return number;
}

/* All blocks hold bytes, so that they are emptied without a call. */
static inline bool
set(buffer *field, const uint8_t *value, size_t count)
{
    field->length = 0;
    if (count > field->capacity) {
        return buffer_append(field, value, count, 1) == BUFFER_OK;
    }
    if (count > 0) {
        memcpy(field->data, value, count);
    }
    field->length = count;
    return true;
}

/* Add a data line.  False if there is no memory; nothing has changed then. */
static bool
event_stream_add_data(event_stream *self, const uint8_t *value, size_t count)
{
    if (self->data.capacity - self->data.length <= count &&
        buffer_reserve(&self->data, count + 1, 1) != BUFFER_OK) {
        return false;
    }
    uint8_t *end = self->data.data + self->data.length;
    if (self->has_data) {
        *end++ = '\n';
    }
    if (count > 0) {
        memcpy(end, value, count);
    }
    self->data.length += count + self->has_data;
    self->has_data = true;
    return true;
}

/* Read a line that is not empty.  False if there is no memory. */
static bool
event_stream_read_line(event_stream *self, const uint8_t *line, size_t length)
{
    const uint8_t *value;
    size_t count;
    switch (line[0]) {
    case 'd':
        return !LINE_IS("data") || event_stream_add_data(self, value, count);
    case 'e':
        return !LINE_IS("event") || set(&self->event, value, count);
    case 'i':
        if (!LINE_IS("id") || (count > 0 && memchr(value, 0, count) != NULL)) {
            return true;
        }
        self->has_id = set(&self->id, value, count);
        return self->has_id;
    case 'r':
        if (LINE_IS("retry")) {
            int64_t retry = milliseconds(value, count);
            if (retry != EVENT_STREAM_NO_RETRY) {
                self->retry = self->event_retry = retry;
            }
        }
        return true;
    default:
        return true;
    }
}

/* ---- events ---- */

/* Forget the fields of the event that was given, or of one without data. */
static inline void
event_stream_begin(event_stream *self)
{
    self->data.length = 0;
    self->event.length = 0;
    self->has_data = false;
    self->given = false;
    self->event_retry = EVENT_STREAM_NO_RETRY;
}

/* An empty line ends the event.  Whether it has data. */
static inline bool
event_stream_end(event_stream *self)
{
    if (self->has_id) {
        buffer earlier = self->last_id;
        self->last_id = self->id;
        self->id = earlier;
        self->has_id = false;
    }
    if (!self->has_data) {
        event_stream_begin(self);
        return false;
    }
    self->given = true;
    self->event_count++;
    return true;
}

event_stream_step
event_stream_next(event_stream *self)
{
    if (self->given) {
        event_stream_begin(self);
    }
    if (self->is_too_long) {
        return EVENT_STREAM_TOO_LONG;
    }
    if (!self->started && !event_stream_start(self)) {
        return EVENT_STREAM_MORE;
    }
    size_t end;
    while (event_stream_find_end(self, &end)) {
        const uint8_t *line = self->block.data + self->at;
        size_t length = end - self->at;
        bool is_comment = self->in_comment || (length > 0 && *line == ':');
        if (!is_comment && length > 0) {
            if (event_stream_is_over(self, length)) {
                self->is_too_long = true;
                return EVENT_STREAM_TOO_LONG;
            }
            if (!event_stream_read_line(self, line, length)) {
                return EVENT_STREAM_NO_MEMORY;
            }
        }
        self->in_comment = false;
        self->after_cr = self->block.data[end] == '\r';
        self->at = end + 1;
        self->line_count++;
        if (length == 0 && !is_comment && event_stream_end(self)) {
            return EVENT_STREAM_EVENT;
        }
    }
    return event_stream_wait(self);
}
