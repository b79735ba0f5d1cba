/* sse_reader: bytes and text in, ServerSentEvents out.  The machine of event_source and
 * aevent_source.
 *
 * Text is fed as its UTF-8.  A str among the items of an iterable is a line, as it is for
 * csv_rows, whose line end may be missing.
 *
 * It owns the parser's memory and the parameters.  The front end locks, and is `running` while
 * it feeds.  No user code runs here.
 */
#include "sse/reader.h"

#include <string.h>

#include "core/utf8.h"
#include "source/data_error.h"
#include "sse/texts.h"

#define DEFAULT_MAX_EVENT ((size_t)64 << 20)

/* ---- opening ---- */

static int
reader_read_limit(PyObject *given, size_t *limit)
{
    *limit = DEFAULT_MAX_EVENT;
    if (given == NULL) {
        return 0;
    }
    if (given == Py_None) {
        *limit = SIZE_MAX;
        return 0;
    }
    Py_ssize_t number = PyNumber_AsSsize_t(given, NULL);
    if (number == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (number <= 0) {
        PyErr_SetString(PyExc_ValueError, "max_event must be positive, or None");
        return -1;
    }
    *limit = (size_t)number;
    return 0;
}

int
sse_reader_open(sse_reader *self, PyObject *last_event_id, PyObject *max_event)
{
    size_t limit;
    if (reader_read_limit(max_event, &limit) < 0) {
        return -1;
    }
    event_stream_init(&self->machine, limit);
    if (last_event_id == NULL) {
        return 0;
    }
    self->given = PyUnicode_FromObject(last_event_id);
    utf8_view id;
    if (self->given == NULL || utf8_view_open(&id, self->given) < 0) {
        return -1;
    }
    buffer_status status = buffer_append(&self->machine.last_id, id.bytes, id.count, 1);
    utf8_view_close(&id);
    if (status != BUFFER_OK) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* ---- events ---- */

static void
reader_raise(sse_reader *self, generators_state *state, PyObject *message, int64_t byte,
             int64_t line)
{
    data_place place = {
        .path = self->path,
        .record = (int64_t)self->machine.event_count + 1,
        .line = line,
        .byte = self->from_text ? -1 : byte,
    };
    data_error_raise(state->data_error, &place, "%U", message);
}

static void
reader_raise_too_long(sse_reader *self, generators_state *state)
{
    PyObject *message =
        PyUnicode_FromFormat("an event is longer than max_event=%zu", self->machine.max_event);
    if (message != NULL) {
        reader_raise(self, state, message, (int64_t)event_stream_byte(&self->machine),
                     (int64_t)self->machine.line_count + 1);
        Py_DECREF(message);
    }
}

/* Set *name to the event of the event that was read, as a str that events share, borrowed.
   NULL if it has none, or one that is not ASCII.  0 or -1. */
static int
reader_name(sse_reader *self, PyObject **name)
{
    const buffer *event = &self->machine.event;
    *name = NULL;
    if (event->length == 0) {
        return 0;
    }
    if (self->name == NULL || (size_t)PyUnicode_GET_LENGTH(self->name) != event->length ||
        memcmp(PyUnicode_DATA(self->name), event->data, event->length) != 0) {
        if (utf8_ascii_prefix(event->data, event->length) != event->length) {
            return 0;
        }
        PyObject *made =
            PyUnicode_DecodeASCII((const char *)event->data, (Py_ssize_t)event->length, NULL);
        if (made == NULL) {
            return -1;
        }
        PyObject *earlier = self->name;
        self->name = made;
        Py_XDECREF(earlier);
    }
    *name = self->name;
    return 0;
}

sse_reader_step
sse_reader_next(sse_reader *self, generators_state *state, PyObject **event)
{
    event_stream *machine = &self->machine;
    switch (event_stream_next(machine)) {
    case EVENT_STREAM_EVENT:
        break;
    case EVENT_STREAM_MORE:
        return self->finished ? SSE_READER_END : SSE_READER_MORE;
    case EVENT_STREAM_TOO_LONG:
        reader_raise_too_long(self, state);
        return SSE_READER_ERROR;
    default:
        PyErr_NoMemory();
        return SSE_READER_ERROR;
    }
    PyObject *name;
    if (reader_name(self, &name) < 0) {
        return SSE_READER_ERROR;
    }
    const sse_fields fields = {
        .name = name,
        .data = (const char *)machine->data.data,
        .data_count = machine->data.length,
        .event = (const char *)machine->event.data,
        .event_count = machine->event.length,
        .id = (const char *)machine->last_id.data,
        .id_count = machine->last_id.length,
        .retry = machine->event_retry,
    };
    *event = sse_event_new(state, &fields);
    return *event != NULL ? SSE_READER_EVENT : SSE_READER_ERROR;
}

void
sse_reader_finish(sse_reader *self)
{
    self->finished = true;
}

PyObject *
sse_reader_last_id(sse_reader *self, bool primed)
{
    if (primed) {
        return self->given != NULL ? Py_NewRef(self->given) : PyUnicode_FromString("");
    }
    const buffer *id = &self->machine.last_id;
    return PyUnicode_DecodeUTF8((const char *)id->data, (Py_ssize_t)id->length, "replace");
}

/* ---- feeding ---- */

static int
reader_feed(sse_reader *self, const void *bytes, size_t count)
{
    if (!event_stream_feed(&self->machine, bytes, count)) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* Text with lone surrogates, which UTF-8 has not: they are replaced when an event is made. */
static int
reader_feed_surrogates(sse_reader *self, PyObject *text)
{
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
    if (bytes == NULL) {
        return -1;
    }
    int status = reader_feed(self, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return status;
}

static int
reader_feed_text(sse_reader *self, PyObject *text)
{
    const size_t count = (size_t)PyUnicode_GET_LENGTH(text);
    self->from_text = true;
    if (PyUnicode_IS_ASCII(text)) {
        return reader_feed(self, PyUnicode_DATA(text), count);
    }
    uint8_t *room = count > SIZE_MAX / 4 ? NULL : event_stream_room(&self->machine, 4 * count);
    if (room == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    size_t length;
    if (!utf8_encode(PyUnicode_DATA(text), (int)PyUnicode_KIND(text), count, room, &length)) {
        return reader_feed_surrogates(self, text);
    }
    event_stream_filled(&self->machine, length);
    return 0;
}

/* ---- as a sink ---- */

static int
sink_feed_bytes(void *target, generators_state *Py_UNUSED(state), const void *bytes,
                size_t count)
{
    return reader_feed(target, bytes, count);
}

static int
sink_feed_text(void *target, generators_state *Py_UNUSED(state), PyObject *text)
{
    return reader_feed_text(target, text);
}

static bool
has_line_end(PyObject *text)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    return PyUnicode_FindChar(text, '\n', 0, length, 1) >= 0 ||
           PyUnicode_FindChar(text, '\r', 0, length, 1) >= 0;
}

/* Feed a text whose last character, a line end, is given.  A line ends with its item: an LF
   that begins the next one does not belong to a CR. */
static int
reader_feed_ended(sse_reader *self, PyObject *text, Py_UCS4 last)
{
    if (last == '\n') {
        return reader_feed_text(self, text);
    }
    PyObject *start = PyUnicode_Substring(text, 0, PyUnicode_GET_LENGTH(text) - 1);
    int status = start == NULL ? -1 : reader_feed_text(self, start);
    Py_XDECREF(start);
    return status < 0 ? -1 : reader_feed(self, "\n", 1);
}

static int
sink_feed_line(void *target, generators_state *state, PyObject *line)
{
    sse_reader *self = target;
    self->item_count++;
    if (!has_line_end(line)) {
        return reader_feed_text(self, line) < 0 ? -1 : reader_feed(self, "\n", 1);
    }
    Py_UCS4 last = PyUnicode_READ_CHAR(line, PyUnicode_GET_LENGTH(line) - 1);
    if (last == '\n' || last == '\r') {
        return reader_feed_ended(self, line, last);
    }
    self->from_text = true;
    PyObject *message = PyUnicode_FromFormat(
        "item %llu of the source is a str that goes on after a line end, but each str is a "
        "line: give bytes if the text is cut anywhere",
        (unsigned long long)self->item_count - 1);
    if (message != NULL) {
        reader_raise(self, state, message, -1, -1);
        Py_DECREF(message);
    }
    return -1;
}

static uint8_t *
sink_room(void *target, generators_state *Py_UNUSED(state), size_t count)
{
    uint8_t *room = event_stream_room(&((sse_reader *)target)->machine, count);
    if (room == NULL) {
        PyErr_NoMemory();
    }
    return room;
}

static int
sink_filled(void *target, generators_state *Py_UNUSED(state), size_t count)
{
    event_stream_filled(&((sse_reader *)target)->machine, count);
    return 0;
}

static int
sink_finish(void *target, generators_state *Py_UNUSED(state))
{
    sse_reader_finish(target);
    return 0;
}

#define SUSPICIOUS_ITEMS 3 /* in a row, that look like lines without a line end */

/* Lines without line ends would be read as one line without an end, and give no event. */
static int
sink_check_item(void *Py_UNUSED(target), const void *bytes, size_t count, int earlier)
{
    static const char *const starts[] = {"data:", "event:", "id:", "retry:"};
    bool looks_like_field = false;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(starts); i++) {
        size_t length = strlen(starts[i]);
        looks_like_field |= count >= length && memcmp(bytes, starts[i], length) == 0;
    }
    if (!looks_like_field || memchr(bytes, '\n', count) != NULL ||
        memchr(bytes, '\r', count) != NULL) {
        return 0;
    }
    if (earlier + 1 < SUSPICIOUS_ITEMS) {
        return 1;
    }
    PyErr_Format(PyExc_ValueError,
                 "the first %d items are fields without a line end, but bytes are chunks cut "
                 "anywhere: give the chunks of the response, not its lines, or lines of str",
                 SUSPICIOUS_ITEMS);
    return -1;
}

static void
sink_raise(void *target, generators_state *state, PyObject *message, int64_t byte)
{
    reader_raise(target, state, message, byte, -1);
}

/* No source of items='lines' is opened, so that there is no feed_bytes_line. */
source_sink
sse_reader_sink(sse_reader *self)
{
    static const source_sink_kind kind = {
        .feed_bytes = sink_feed_bytes,
        .feed_text = sink_feed_text,
        .feed_line = sink_feed_line,
        .room = sink_room,
        .filled = sink_filled,
        .finish = sink_finish,
        .check_item = sink_check_item,
        .raise = sink_raise,
    };
    return (source_sink){&kind, self};
}

/* ---- lifetime ---- */

void
sse_reader_release(sse_reader *self)
{
    event_stream_release(&self->machine);
}

void
sse_reader_clear(sse_reader *self)
{
    event_stream_free(&self->machine);
    Py_CLEAR(self->given);
    Py_CLEAR(self->name);
    Py_CLEAR(self->path);
}

int
sse_reader_traverse(sse_reader *self, visitproc visit, void *arg)
{
    Py_VISIT(self->given);
    Py_VISIT(self->name);
    Py_VISIT(self->path);
    return 0;
}
