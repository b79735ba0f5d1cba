/* event_stream: events in, chunks of text/event-stream out.
 *
 * The sync front end of sse_writer.  It pulls the events, and gives a chunk for each.
 *
 * States: those of a stream.  If `error` gives a last event for what ended the events, the
 * stream ends after it as if all were well.
 *
 * Until the end, the stream owns the source, and this type owns the machine with all that the
 * machine owns.  User code runs in the source and in the machine, while `running` is set.
 * Threads: see stream.c.
 */
#include "sse/event_stream.h"

#include "sse/writer.h"
#include "stream/stream.h"

typedef struct {
    stream stream;
    sse_writer writer;
} event_encoder;

/* ---- the stream's own ---- */

static PyObject *
encoder_next(stream *base)
{
    sse_writer *writer = &((event_encoder *)base)->writer;
    generators_state *state = generators_state_of((PyObject *)base);
    if (writer->finished || sse_writer_begin(writer) < 0) {
        return NULL;
    }
    if (writer->bytes.length > 0) {
        return sse_writer_take(writer);
    }
    PyObject *event;
    int status = stream_pull(base, &event);
    if (status == 0) {
        return NULL;
    }
    if (status > 0) {
        status = sse_writer_write(writer, state, event, base->pulled - 1);
        Py_DECREF(event);
    }
    if (status < 0 && sse_writer_fail(writer, state) < 0) {
        return NULL;
    }
    return sse_writer_take(writer);
}

static int
encoder_release(stream *base)
{
    sse_writer_close(&((event_encoder *)base)->writer);
    return 0;
}

static const stream_kind encoder_kind = {.next = encoder_next, .release = encoder_release};

static int
encoder_traverse(PyObject *op, visitproc visit, void *arg)
{
    int status = sse_writer_traverse(&((event_encoder *)op)->writer, visit, arg);
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

static int
encoder_clear(PyObject *op)
{
    encoder_release((stream *)op);
    return stream_clear(op);
}

/* ---- making one ---- */

static int
encoder_init(event_encoder *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"events", "dumps", "retry", "error", NULL};
    PyObject *events, *dumps = NULL, *retry = NULL, *error = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOO:event_stream", keywords, &events,
                                     &dumps, &retry, &error) ||
        sse_writer_open(&self->writer, dumps, retry, error) < 0 ||
        sse_writer_check_source(state, events) < 0) {
        return -1;
    }
    return stream_open(&self->stream, state, events);
}

static PyObject *
encoder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    event_encoder *self = (event_encoder *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &encoder_kind;
    if (encoder_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(
    encoder_doc,
    "event_stream(events, *, dumps=None, retry=None, error=None)\n"
    "--\n\n"
    "An iterator over the chunks of a text/event-stream, as bytes: the body of a response\n"
    "whose events are read by the EventSource of a browser, or by event_source().\n"
    "\n"
    ">>> from generators import event_stream\n"
    ">>> events = ['two\\nlines', {'event': 'offer', 'id': 7, 'data': {'price': 3}}]\n"
    ">>> for chunk in event_stream(events):\n"
    "...     print(chunk)\n"
    "b'data: two\\ndata: lines\\n\\n'\n"
    "b'event: offer\\nid: 7\\ndata: {\"price\":3}\\n\\n'\n"
    "\n"
    "An event is one of\n"
    "    a str or bytes: its data;\n"
    "    a ServerSentEvent;\n"
    "    a mapping with any of the keys below.\n"
    "\n"
    "    data     a str, bytes, or another object, which is passed to dumps\n"
    "    event    a str; browsers call an event without one 'message'\n"
    "    id       a str or int\n"
    "    retry    an int, the milliseconds to wait before connecting again\n"
    "    comment  a str, which clients ignore\n"
    "\n"
    "A key whose value is None is ignored, except data.  Clients do not deliver an event\n"
    "without data.\n"
    "\n"
    "Data and comments may contain line ends: CR, LF and CR LF, which a client reads as\n"
    "LF.  A line end or a NUL in `event` or `id` raises ValueError, whose message gives\n"
    "the index of the event.  Thus input of a user cannot add a field or an event.\n"
    "\n"
    "Each event is yielded at once, as a chunk of its own.\n"
    "\n"
    "dumps is a function that takes one object and returns str or bytes, such as\n"
    "    orjson.dumps.  None is json.dumps without spaces and with ensure_ascii=False.\n"
    "retry is the time that the client waits before it connects again, in milliseconds.\n"
    "    It is sent at once, before the first event is requested.\n"
    "error is a callable that takes an exception.  It is called if the events end in an\n"
    "    exception, or if an event can't be written.  It returns a last event, from which\n"
    "    a client can distinguish a failure from the end; or None to raise the exception,\n"
    "    which aborts the response.  By default, the exception is raised.\n"
    "\n"
    "A generator given as `events` is closed when the stream ends.");

static PyType_Slot encoder_slots[] = {
    {Py_tp_doc, (char *)encoder_doc},
    {Py_tp_new, encoder_new},
    {Py_tp_traverse, encoder_traverse},
    {Py_tp_clear, encoder_clear},
    {0, NULL},
};

PyType_Spec event_stream_spec = {
    .name = "native_generators.event_stream",
    .basicsize = sizeof(event_encoder),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = encoder_slots,
};
