/* event_source: the events of a text/event-stream, one by one.
 *
 * The sync front end of sse_reader.  It pulls pieces from a data_source only when no
 * complete event is left, so nothing is read ahead but the rest of the last piece.
 *
 * States: those of a stream.
 *
 * It owns the source (and closes it if it opened it) and the parser's memory until the end,
 * and what the attributes give for longer.
 *
 * User code runs when the source is pulled.  Meanwhile `running` is set, and every other call
 * is refused.  Threads: see stream.c.
 */
#include "sse/event_source.h"

#include "runtime/raising.h"
#include "source/data_source.h"
#include "source/options.h"
#include "sse/reader.h"

typedef struct {
    stream stream;
    data_source source;
    sse_reader reader;
} event_source;

/* ---- the stream's own ---- */

static PyObject *
source_next(stream *base)
{
    event_source *self = (event_source *)base;
    generators_state *state = generators_state_of((PyObject *)self);
    const source_sink sink = sse_reader_sink(&self->reader);
    for (;;) {
        PyObject *event;
        sse_reader_step step = sse_reader_next(&self->reader, state, &event);
        if (step == SSE_READER_EVENT) {
            return event;
        }
        if (step != SSE_READER_MORE ||
            data_source_pull(&self->source, state, base, &sink) < 0) {
            return NULL;
        }
    }
}

static int
source_release(stream *base)
{
    event_source *self = (event_source *)base;
    sse_reader_release(&self->reader);
    return data_source_close(&self->source);
}

static const stream_kind source_kind = {.next = source_next, .release = source_release};

static int
source_traverse(PyObject *op, visitproc visit, void *arg)
{
    event_source *self = (event_source *)op;
    int status = sse_reader_traverse(&self->reader, visit, arg);
    if (status == 0) {
        status = data_source_traverse(&self->source, visit, arg);
    }
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

static int
source_clear(PyObject *op)
{
    event_source *self = (event_source *)op;
    sse_reader_clear(&self->reader);
    if (data_source_close(&self->source) < 0) {
        raising_unraisable(op);
    }
    return stream_clear(op);
}

/* ---- making one ---- */

static int
source_init(event_source *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source",      "last_event_id", "max_event",
                               "compression", "member",        NULL};
    PyObject *source, *last_event_id = NULL, *max_event = NULL;
    options_opening opening = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$UOOO:event_source", keywords, &source,
                                     &last_event_id, &max_event, &opening.compression,
                                     &opening.member) ||
        options_read_opening(&opening, &self->source) < 0 ||
        sse_reader_open(&self->reader, last_event_id, max_event) < 0) {
        return -1;
    }
    self->source.at_once =
        true; /* an event is given when it comes, not when a block is full */
    return data_source_open(&self->source, state, &self->stream, source, DATA_SOURCE_AUTO,
                            true, &self->reader.path);
}

static PyObject *
source_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    event_source *self = (event_source *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &source_kind;
    if (source_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- attributes ---- */

static PyObject *
source_get_last_event_id(PyObject *op, void *Py_UNUSED(closure))
{
    event_source *self = (event_source *)op;
    PyObject *id;
    Py_BEGIN_CRITICAL_SECTION(op);
    id = sse_reader_last_id(&self->reader, self->stream.first != NULL);
    Py_END_CRITICAL_SECTION();
    return id;
}

static PyObject *
source_get_retry(PyObject *op, void *Py_UNUSED(closure))
{
    int64_t retry;
    Py_BEGIN_CRITICAL_SECTION(op);
    retry = ((event_source *)op)->reader.machine.retry;
    Py_END_CRITICAL_SECTION();
    return sse_retry_object(retry);
}

static PyGetSetDef source_attributes[] = {
    {"last_event_id", source_get_last_event_id, NULL,
     "The last event ID of the events yielded so far.  A client sends it as the\n"
     "Last-Event-ID header when it connects again.  '' if there is none.",
     NULL},
    {"retry", source_get_retry, NULL,
     "The time to wait before connecting again, in milliseconds.  None if the server\n"
     "has not set it.",
     NULL},
    {NULL},
};

PyDoc_STRVAR(
    source_doc,
    "event_source(source, *, last_event_id='', max_event=67108864,\n"
    "             compression='infer', member=None)\n"
    "--\n\n"
    "An iterator over the server-sent events of a text/event-stream, which is read as the\n"
    "HTML standard says.  Each event is a ServerSentEvent.\n"
    "\n"
    ">>> from generators import event_source\n"
    ">>> for event in event_source([b'event: offer\\nda', b'ta: 3\\nid: 7\\n\\n']):\n"
    "...     print(event.event, event.data, event.id)\n"
    "offer 3 7\n"
    "\n"
    "source is one of\n"
    "    an iterable of bytes, in pieces that may be cut anywhere, such as\n"
    "    response.iter_bytes() of httpx or response.iter_content(None) of requests;\n"
    "    an iterable of str, each of them a line, with or without its line end;\n"
    "    a binary file object, which is read with read1(n) or else read(n), or a text file\n"
    "    object; a file object is not closed;\n"
    "    bytes or any other buffer;\n"
    "    a path (str or os.PathLike), which is opened at once and closed at the end.\n"
    "\n"
    "A generator is closed at the end, also one that iter(source) returned.\n"
    "\n"
    "Lines end only at LF, CR and CR LF.  Bytes are decoded as UTF-8; invalid bytes\n"
    "become U+FFFD.  Comments, unknown fields and events without data are skipped.  An\n"
    "event that is incomplete at the end of the source is not yielded.\n"
    "\n"
    "last_event_id is the ID of events before the first one that sets an ID.\n"
    "max_event is the maximum length of an event, in bytes: of its data and name\n"
    "    together, and of any of its lines.  None means no limit.\n"
    "compression and member are described in csv_rows().\n"
    "\n"
    "Raises DataError for an event that is longer than max_event, after the events before\n"
    "it.  OSError is raised at once for a path that can't be opened.  An exception of the\n"
    "source is raised unchanged, with a note that says where it occurred.");

static PyType_Slot source_slots[] = {
    {Py_tp_doc, (char *)source_doc},   {Py_tp_new, source_new},
    {Py_tp_traverse, source_traverse}, {Py_tp_clear, source_clear},
    {Py_tp_getset, source_attributes}, {0, NULL},
};

PyType_Spec event_source_spec = {
    .name = "native_generators.event_source",
    .basicsize = sizeof(event_source),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = source_slots,
};
