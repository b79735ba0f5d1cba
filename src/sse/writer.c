/* sse_writer: events of any kind in, text/event-stream out.  The machine of event_stream and
 * aevent_stream.
 *
 * An event is settled first: its fields are taken out of a mapping, `dumps` is called, and all
 * is checked.  Then it is written, and no user code runs but that of a buffer.  No field can
 * forge another: data and comments are cut into lines at CR, LF and CR LF, and `event` and
 * `id` have no line end and no NUL.
 *
 * It owns the bytes written and the callables, until it is closed.  The front end is `running`
 * meanwhile, and locks.
 */
#include "sse/writer.h"

#include <string.h>

#include "runtime/raising.h"
#include "sse/texts.h"

/* The fields of an event, as a mapping has them: owned, or NULL. */
typedef struct {
    PyObject *data;
    PyObject *event;
    PyObject *id;
    PyObject *retry;
    PyObject *comment;
} given_fields;

/* ---- errors ---- */

/* The event that is written, for messages: a new reference. */
static PyObject *
writer_place(const sse_writer *self)
{
    return self->index < 0 ? PyUnicode_FromString("the last event")
                           : PyUnicode_FromFormat("event %zd", self->index);
}

/* Add a note to an exception of user code. */
static int
writer_note(const sse_writer *self)
{
    if (self->index < 0) {
        stream_note("while reading the last event");
    }
    else {
        stream_note("while reading event %zd", self->index);
    }
    return -1;
}

/* Raise an error of the event: "event 3: ...". */
static int
writer_refuse(const sse_writer *self, PyObject *type, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PyObject *message = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    PyObject *place = message == NULL ? NULL : writer_place(self);
    if (place != NULL) {
        PyErr_Format(type, "%U: %U", place, message);
    }
    Py_XDECREF(message);
    Py_XDECREF(place);
    return -1;
}

/* ---- writing ---- */

static int
writer_put_line(sse_writer *self, const char *name, size_t name_count, const char *bytes,
                size_t count)
{
    if (count > BUFFER_LIMIT - name_count - 1 ||
        buffer_reserve(&self->bytes, name_count + count + 1, 1) != BUFFER_OK) {
        PyErr_NoMemory();
        return -1;
    }
    uint8_t *end = self->bytes.data + self->bytes.length;
    memcpy(end, name, name_count);
    if (count > 0) {
        memcpy(end + name_count, bytes, count);
    }
    end[name_count + count] = '\n';
    self->bytes.length += name_count + count + 1;
    return 0;
}

#define PUT_LINE(self, name, bytes, count) \
    writer_put_line(self, name, sizeof name - 1, bytes, count)

/* Each line of a text as a line of that name.  Lines end at CR, LF and CR LF. */
static int
writer_put_lines(sse_writer *self, const char *name, size_t name_count, const char *bytes,
                 size_t count)
{
    const char *end = bytes + count;
    const char *lf = count == 0 ? NULL : memchr(bytes, '\n', count);
    const char *cr = count == 0 ? NULL : memchr(bytes, '\r', count);
    while (lf != NULL || cr != NULL) {
        const char *stop = cr == NULL || (lf != NULL && lf < cr) ? lf : cr;
        if (writer_put_line(self, name, name_count, bytes, (size_t)(stop - bytes)) < 0) {
            return -1;
        }
        bytes = stop + 1 + (stop == cr && lf == cr + 1);
        if (lf != NULL && lf < bytes) {
            lf = memchr(bytes, '\n', (size_t)(end - bytes));
        }
        if (cr != NULL && cr < bytes) {
            cr = memchr(bytes, '\r', (size_t)(end - bytes));
        }
    }
    return writer_put_line(self, name, name_count, bytes, (size_t)(end - bytes));
}

static int
writer_put_data(sse_writer *self, const char *bytes, size_t count)
{
    return writer_put_lines(self, "data: ", 6, bytes, count);
}

static int
writer_put_retry(sse_writer *self, int64_t retry)
{
    char digits[24];
    if (retry == SSE_EVENT_NO_RETRY) {
        return 0;
    }
    int count = PyOS_snprintf(digits, sizeof digits, "%lld", (long long)retry);
    return PUT_LINE(self, "retry: ", digits, (size_t)count);
}

/* An empty line ends the event. */
static int
writer_put_end(sse_writer *self)
{
    return PUT_LINE(self, "", "", 0);
}

/* ---- fields ---- */

/* Whether a value can be a line of its own: it has no line end and no NUL. */
static bool
is_one_line(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\0') {
            return false;
        }
    }
    return true;
}

/* The start of a line: the name of a field, a colon and a blank. */
typedef struct {
    const char *text;
    size_t count;
} line_start;

static const line_start event_start = {"event: ", 7}, id_start = {"id: ", 4};

static int
writer_put_field(sse_writer *self, const line_start *start, const char *bytes, size_t count)
{
    if (is_one_line(bytes, count)) {
        return writer_put_line(self, start->text, start->count, bytes, count);
    }
    return writer_refuse(self, PyExc_ValueError, "'%s' must not contain a line end or a NUL",
                         start == &id_start ? "id" : "event");
}

static int
writer_open_view(sse_writer *self, utf8_view *view, PyObject *text)
{
    return utf8_view_open(view, text) < 0 ? writer_note(self) : 0;
}

static int
writer_put_text_field(sse_writer *self, const line_start *start, PyObject *text)
{
    utf8_view view;
    if (writer_open_view(self, &view, text) < 0) {
        return -1;
    }
    int status = writer_put_field(self, start, view.bytes, view.count);
    utf8_view_close(&view);
    return status;
}

static int
writer_put_given_event(sse_writer *self, PyObject *event)
{
    if (event == NULL || event == Py_None) {
        return 0;
    }
    if (!PyUnicode_Check(event)) {
        return writer_refuse(self, PyExc_TypeError, "'event' must be str, not '%.200s'",
                             Py_TYPE(event)->tp_name);
    }
    return writer_put_text_field(self, &event_start, event);
}

static int
writer_put_given_id(sse_writer *self, PyObject *id)
{
    if (id == NULL || id == Py_None) {
        return 0;
    }
    if (PyUnicode_Check(id)) {
        return writer_put_text_field(self, &id_start, id);
    }
    if (!PyLong_CheckExact(id)) {
        return writer_refuse(self, PyExc_TypeError, "'id' must be str or int, not '%.200s'",
                             Py_TYPE(id)->tp_name);
    }
    PyObject *digits = PyObject_Str(id);
    int status =
        digits == NULL ? writer_note(self) : writer_put_text_field(self, &id_start, digits);
    Py_XDECREF(digits);
    return status;
}

static int
writer_put_comment(sse_writer *self, PyObject *comment)
{
    utf8_view view;
    if (comment == NULL || comment == Py_None) {
        return 0;
    }
    if (!PyUnicode_Check(comment)) {
        return writer_refuse(self, PyExc_TypeError, "'comment' must be str, not '%.200s'",
                             Py_TYPE(comment)->tp_name);
    }
    if (writer_open_view(self, &view, comment) < 0) {
        return -1;
    }
    int status = writer_put_lines(self, ": ", 2, view.bytes, view.count);
    utf8_view_close(&view);
    return status;
}

static int
writer_put_given_retry(sse_writer *self, PyObject *given)
{
    int64_t retry;
    return sse_read_retry(given, &retry) < 0 ? writer_note(self)
                                             : writer_put_retry(self, retry);
}

/* Data that is a str or has a buffer. */
static int
writer_put_text(sse_writer *self, PyObject *text)
{
    utf8_view view;
    if (writer_open_view(self, &view, text) < 0) {
        return -1;
    }
    int status = writer_put_data(self, view.bytes, view.count);
    utf8_view_close(&view);
    return status;
}

static int
writer_put_buffer(sse_writer *self, PyObject *data)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return writer_note(self);
    }
    int status = writer_put_data(self, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return status;
}

static bool
is_data(PyObject *data)
{
    return PyUnicode_Check(data) || PyObject_CheckBuffer(data);
}

static int
writer_put_any_data(sse_writer *self, PyObject *data)
{
    return PyUnicode_Check(data) ? writer_put_text(self, data) : writer_put_buffer(self, data);
}

/* ---- dumps ---- */

/* The encoder of compact JSON: a new reference, or NULL. */
static PyObject *
make_dumps(void)
{
    PyObject *json = PyImport_ImportModule("json");
    PyObject *type = json == NULL ? NULL : PyObject_GetAttrString(json, "JSONEncoder");
    PyObject *kwargs = type == NULL ? NULL
                                    : Py_BuildValue("{sOs(ss)}", "ensure_ascii", Py_False,
                                                    "separators", ",", ":");
    PyObject *args = kwargs == NULL ? NULL : PyTuple_New(0);
    PyObject *encoder = args == NULL ? NULL : PyObject_Call(type, args, kwargs);
    PyObject *encode = encoder == NULL ? NULL : PyObject_GetAttrString(encoder, "encode");
    Py_XDECREF(json);
    Py_XDECREF(type);
    Py_XDECREF(kwargs);
    Py_XDECREF(args);
    Py_XDECREF(encoder);
    return encode;
}

static PyObject *
writer_dumps(const sse_writer *self, generators_state *state)
{
    PyObject *dumps =
        self->dumps != NULL ? self->dumps : generators_late(state, &state->json_compact);
    if (dumps == NULL) {
        dumps = make_dumps();
        if (dumps == NULL) {
            return NULL;
        }
        dumps = generators_set_late(state, &state->json_compact, dumps);
    }
    return Py_NewRef(dumps);
}

/* A callable of the user's must not end the stream as if it were complete. */
static void
convert_stop(const char *who)
{
    raising_convert(PyExc_StopIteration, who);
    raising_convert(PyExc_StopAsyncIteration, who);
}

/* Replace data that dumps() must encode by what it gives.  0 or -1. */
static int
writer_dump(sse_writer *self, generators_state *state, PyObject **data)
{
    PyObject *value = *data;
    if (value == NULL || is_data(value)) {
        return 0;
    }
    PyObject *dumps = writer_dumps(self, state);
    *data = dumps == NULL ? NULL : PyObject_CallOneArg(dumps, value);
    Py_XDECREF(dumps);
    if (*data == NULL) {
        convert_stop("dumps");
        Py_DECREF(value);
        return writer_note(self);
    }
    Py_DECREF(value);
    if (!is_data(*data)) {
        return writer_refuse(self, PyExc_TypeError,
                             "dumps() should have returned str or bytes, not '%.200s'",
                             Py_TYPE(*data)->tp_name);
    }
    return 0;
}

/* ---- mappings ---- */

static void
given_free(given_fields *given)
{
    PyObject *fields[] = {given->data, given->event, given->id, given->retry, given->comment};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(fields); i++) {
        Py_XDECREF(fields[i]);
    }
}

/* The place of a field by its name, which is interned where a program writes it out; or
   NULL. */
static PyObject **
given_place(given_fields *given, generators_state *state, PyObject *name)
{
    const struct {
        PyObject *name;
        PyObject **place;
    } fields[] = {{state->sse_data, &given->data},
                  {state->sse_event, &given->event},
                  {state->sse_id, &given->id},
                  {state->sse_retry, &given->retry},
                  {state->sse_comment, &given->comment}};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(fields); i++) {
        if (name == fields[i].name) {
            return fields[i].place;
        }
    }
    for (size_t i = 0; PyUnicode_Check(name) && i < Py_ARRAY_LENGTH(fields); i++) {
        if (PyUnicode_Compare(name, fields[i].name) == 0) {
            return fields[i].place;
        }
    }
    return NULL;
}

/* Take the fields out of an exact dict.  *unknown is a key that is none of theirs, a new
   reference, or NULL.  No user code runs.  How many were taken. */
static int
given_take(given_fields *given, generators_state *state, PyObject *dict, PyObject **unknown)
{
    PyObject *name, *value;
    Py_ssize_t at = 0;
    int count = 0;
    *unknown = NULL;
    Py_BEGIN_CRITICAL_SECTION(dict);
    while (*unknown == NULL && PyDict_Next(dict, &at, &name, &value)) {
        PyObject **place = given_place(given, state, name);
        if (place == NULL) {
            *unknown = Py_NewRef(name);
        }
        else if (*place == NULL) { /* else there are two keys of one text */
            *place = Py_NewRef(value);
            count++;
        }
    }
    Py_END_CRITICAL_SECTION();
    return count;
}

static int
writer_put_given(sse_writer *self, const given_fields *given)
{
    if (writer_put_comment(self, given->comment) < 0 ||
        writer_put_given_event(self, given->event) < 0 ||
        writer_put_given_id(self, given->id) < 0 ||
        writer_put_given_retry(self, given->retry) < 0 ||
        (given->data != NULL && writer_put_any_data(self, given->data) < 0)) {
        return -1;
    }
    return writer_put_end(self);
}

static int
writer_write_dict(sse_writer *self, generators_state *state, PyObject *dict)
{
    given_fields given = {NULL};
    PyObject *unknown;
    int count = given_take(&given, state, dict, &unknown), status = -1;
    if (unknown != NULL) {
        writer_refuse(self, PyExc_ValueError,
                      "an event has data, event, id, retry and comment, but not %R", unknown);
    }
    else if (count == 0) {
        writer_refuse(self, PyExc_ValueError,
                      "an event has any of data, event, id, retry and comment");
    }
    else if (writer_dump(self, state, &given.data) == 0) {
        status = writer_put_given(self, &given);
    }
    Py_XDECREF(unknown);
    given_free(&given);
    return status;
}

static int
writer_write_mapping(sse_writer *self, generators_state *state, PyObject *mapping)
{
    PyObject *dict = PyDict_New();
    if (dict == NULL || PyDict_Update(dict, mapping) < 0) {
        Py_XDECREF(dict);
        return writer_note(self);
    }
    int status = writer_write_dict(self, state, dict);
    Py_DECREF(dict);
    return status;
}

/* ---- events ---- */

static int
writer_write_event(sse_writer *self, PyObject *event)
{
    sse_fields fields;
    sse_event_fields(event, &fields);
    if ((fields.event_count > 0 &&
         writer_put_field(self, &event_start, fields.event, fields.event_count) < 0) ||
        (fields.id_count > 0 &&
         writer_put_field(self, &id_start, fields.id, fields.id_count) < 0) ||
        writer_put_retry(self, fields.retry) < 0 ||
        writer_put_data(self, fields.data, fields.data_count) < 0) {
        return -1;
    }
    return writer_put_end(self);
}

static int
writer_write_other(sse_writer *self, generators_state *state, PyObject *event)
{
    int is_mapping = PyObject_IsInstance(event, state->mapping_abc);
    if (is_mapping != 0) {
        return is_mapping < 0 ? writer_note(self) : writer_write_mapping(self, state, event);
    }
    return writer_refuse(self, PyExc_TypeError,
                         "an event must be str, bytes, ServerSentEvent or a mapping, not "
                         "'%.200s': give {'data': ...} for what dumps() encodes",
                         Py_TYPE(event)->tp_name);
}

static int
writer_write_any(sse_writer *self, generators_state *state, PyObject *event)
{
    if (Py_IS_TYPE(event, state->sse_event_type)) {
        return writer_write_event(self, event);
    }
    if (PyDict_CheckExact(event)) {
        return writer_write_dict(self, state, event);
    }
    if (is_data(event)) {
        return writer_put_any_data(self, event) < 0 ? -1 : writer_put_end(self);
    }
    return writer_write_other(self, state, event);
}

int
sse_writer_write(sse_writer *self, generators_state *state, PyObject *event, Py_ssize_t index)
{
    size_t before = self->bytes.length;
    self->index = index;
    int status = writer_write_any(self, state, event);
    if (status < 0) {
        buffer_cut(&self->bytes, before);
    }
    return status;
}

int
sse_writer_begin(sse_writer *self)
{
    if (self->begun) {
        return 0;
    }
    self->begun = true;
    return self->retry == SSE_EVENT_NO_RETRY         ? 0
           : writer_put_retry(self, self->retry) < 0 ? -1
                                                     : writer_put_end(self);
}

int
sse_writer_beat(sse_writer *self)
{
    return PUT_LINE(self, ":", "", 0) < 0 ? -1 : writer_put_end(self);
}

int
sse_writer_fail(sse_writer *self, generators_state *state)
{
    self->finished = true;
    if (self->error == NULL || !PyErr_ExceptionMatches(PyExc_Exception)) {
        return -1;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *error = Py_NewRef(self->error);
    PyObject *last = PyObject_CallOneArg(error, raised);
    Py_DECREF(error);
    if (last == Py_None) {
        Py_DECREF(last);
        PyErr_SetRaisedException(raised);
        return -1;
    }
    int status = -1;
    if (last == NULL) {
        convert_stop("error");
    }
    else {
        status = sse_writer_write(self, state, last, -1);
        Py_DECREF(last);
    }
    if (status < 0) {
        raising_chain(raised);
        return -1;
    }
    Py_DECREF(raised);
    return 0;
}

PyObject *
sse_writer_take(sse_writer *self)
{
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)self->bytes.data,
                                                (Py_ssize_t)self->bytes.length);
    if (bytes != NULL) {
        buffer_cut(&self->bytes, 0);
    }
    return bytes;
}

/* ---- lifetime ---- */

static int
read_callable(PyObject *given, const char *name, PyObject **callable)
{
    *callable = NULL;
    if (given == NULL || given == Py_None) {
        return 0;
    }
    if (!PyCallable_Check(given)) {
        PyErr_Format(PyExc_TypeError, "%s must be callable, not '%.200s'", name,
                     Py_TYPE(given)->tp_name);
        return -1;
    }
    *callable = Py_NewRef(given);
    return 0;
}

int
sse_writer_open(sse_writer *self, PyObject *dumps, PyObject *retry, PyObject *error)
{
    buffer_init(&self->bytes);
    return sse_read_retry(retry, &self->retry) < 0 ||
                   read_callable(dumps, "dumps", &self->dumps) < 0 ||
                   read_callable(error, "error", &self->error) < 0
               ? -1
               : 0;
}

int
sse_writer_check_source(generators_state *state, PyObject *events)
{
    int is_one = is_data(events) || Py_IS_TYPE(events, state->sse_event_type)
                     ? 1
                     : PyObject_IsInstance(events, state->mapping_abc);
    if (is_one > 0) {
        PyErr_Format(PyExc_TypeError,
                     "events must be an iterable of events, not '%.200s': pass [event] to "
                     "send one",
                     Py_TYPE(events)->tp_name);
    }
    return is_one != 0 ? -1 : 0;
}

void
sse_writer_close(sse_writer *self)
{
    self->finished = true;
    buffer_free(&self->bytes);
    Py_CLEAR(self->dumps);
    Py_CLEAR(self->error);
}

int
sse_writer_traverse(sse_writer *self, visitproc visit, void *arg)
{
    Py_VISIT(self->dumps);
    Py_VISIT(self->error);
    return 0;
}
