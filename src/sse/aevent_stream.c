/* aevent_stream: events of an async source in, chunks of text/event-stream out.
 *
 * The async front end of sse_writer.  It pulls the events that are ready and gives them as one
 * chunk, before it waits.  A pull that was begun for a further event goes on while the chunk
 * is sent, and while heartbeats are: see astream_pull_within().  Where the source has no home,
 * a pull can't be left, and each event is a chunk.
 *
 * States and threads: those of an async stream.  It owns the source, and the machine with all
 * that the machine owns, until the end.  User code runs in the source and in the machine,
 * while the stream is `running`.
 */
#include "sse/aevent_stream.h"

#include "runtime/seconds.h"
#include "source/async_source.h"
#include "sse/writer.h"

#define LONGEST_CHUNK ((size_t)65536) /* bytes after which no further event is added */

typedef struct {
    astream stream;
    sse_writer writer;
    uint64_t heartbeat; /* nanoseconds, or ASTREAM_FOREVER */
} aevent_encoder;

/* ---- the stream's own ---- */

static astream_outcome
aencoder_give(aevent_encoder *self, PyObject **value)
{
    *value = sse_writer_take(&self->writer);
    return *value != NULL ? ASTREAM_ITEM : ASTREAM_ERROR;
}

/* The exception that is set ended the events.  The events before it come first. */
static astream_outcome
aencoder_fail(aevent_encoder *self, generators_state *state)
{
    if (sse_writer_fail(&self->writer, state) == 0) {
        return ASTREAM_AGAIN;
    }
    bool waits = self->writer.bytes.length > 0 && astream_stash_error(&self->stream);
    return waits ? ASTREAM_AGAIN : ASTREAM_ERROR;
}

/* Take the answer to a pull, *value of which is stolen.  ASTREAM_AGAIN to go on. */
static astream_outcome
aencoder_take_answer(aevent_encoder *self, generators_state *state, astream_answer answer,
                     PyObject **value)
{
    sse_writer *writer = &self->writer;
    int status = 0;
    switch (answer) {
    case ASTREAM_GAVE: {
        PyObject *event = *value;
        *value = NULL;
        status = sse_writer_write(writer, state, event, self->stream.pulled - 1);
        Py_DECREF(event);
        break;
    }
    case ASTREAM_ENDED:
        writer->finished = true;
        break;
    case ASTREAM_LATE:
        if (writer->bytes.length == 0 && sse_writer_beat(writer) < 0) {
            return ASTREAM_ERROR;
        }
        return aencoder_give(self, value);
    default:
        status = -1;
    }
    return status < 0 ? aencoder_fail(self, state) : ASTREAM_AGAIN;
}

/* Whether what is written leaves before a further event is pulled. */
static bool
aencoder_is_full(const aevent_encoder *self)
{
    return self->writer.bytes.length > 0 &&
           (self->writer.finished || self->writer.bytes.length >= LONGEST_CHUNK ||
            self->stream.home == NULL);
}

/* Pull and write until a chunk is ready or the source must be waited for. */
static astream_outcome
aencoder_pull(aevent_encoder *self, generators_state *state, PyObject **value)
{
    sse_writer *writer = &self->writer;
    for (;;) {
        if (aencoder_is_full(self)) {
            return aencoder_give(self, value);
        }
        if (writer->finished) {
            return ASTREAM_END;
        }
        uint64_t longest = writer->bytes.length > 0 ? 0 : self->heartbeat;
        astream_answer answer = astream_pull_within(&self->stream, longest, value);
        if (answer == ASTREAM_PENDING) {
            return ASTREAM_AWAIT;
        }
        astream_outcome outcome = aencoder_take_answer(self, state, answer, value);
        if (outcome != ASTREAM_AGAIN) {
            return outcome;
        }
        if (astream_spend(&self->stream) && writer->bytes.length > 0) {
            return aencoder_give(self, value);
        }
    }
}

static astream_outcome
aencoder_step(astream *base, astream_answer answer, PyObject **value)
{
    aevent_encoder *self = (aevent_encoder *)base;
    generators_state *state = generators_state_of((PyObject *)self);
    if (answer != ASTREAM_ASKED) {
        astream_outcome outcome = aencoder_take_answer(self, state, answer, value);
        if (outcome != ASTREAM_AGAIN) {
            return outcome;
        }
    }
    else if (!self->writer.begun) {
        if (sse_writer_begin(&self->writer) < 0) {
            return ASTREAM_ERROR;
        }
        if (self->writer.bytes.length > 0) {
            return aencoder_give(self, value);
        }
    }
    bool entered = base->home != NULL;
    if (entered && astream_enter_source(base) < 0) {
        return ASTREAM_ERROR;
    }
    astream_outcome outcome = aencoder_pull(self, state, value);
    astream_leave_source(base, entered);
    return outcome;
}

static int
aencoder_release(astream *base)
{
    sse_writer_close(&((aevent_encoder *)base)->writer);
    return 0;
}

static const astream_kind aencoder_kind = {.step = aencoder_step, .release = aencoder_release};

static int
aencoder_traverse(PyObject *op, visitproc visit, void *arg)
{
    int status = sse_writer_traverse(&((aevent_encoder *)op)->writer, visit, arg);
    return status != 0 ? status : astream_traverse(op, visit, arg);
}

static int
aencoder_clear(PyObject *op)
{
    aencoder_release((astream *)op);
    return astream_clear(op);
}

/* ---- making one ---- */

static int
read_heartbeat(PyObject *given, uint64_t *heartbeat)
{
    *heartbeat = ASTREAM_FOREVER;
    if (given == NULL || given == Py_None) {
        return 0;
    }
    if (seconds_read(given, "heartbeat", heartbeat) < 0) {
        return -1;
    }
    if (*heartbeat == 0) {
        PyErr_Format(PyExc_ValueError, "heartbeat must be None or more than 0 seconds, not %R",
                     given);
        return -1;
    }
    return 0;
}

static int
aencoder_init(aevent_encoder *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"events", "dumps",           "retry", "heartbeat",
                               "error",  "close_with_task", NULL};
    PyObject *events, *dumps = NULL, *retry = NULL, *heartbeat = NULL, *error = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOOOp:aevent_stream", keywords, &events,
                                     &dumps, &retry, &heartbeat, &error,
                                     &self->stream.close_with_task) ||
        sse_writer_open(&self->writer, dumps, retry, error) < 0 ||
        read_heartbeat(heartbeat, &self->heartbeat) < 0) {
        return -1;
    }
    return async_source_open(&self->stream, state, events, 0,
                             "events must be an async iterable of events");
}

static PyObject *
aencoder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    aevent_encoder *self = (aevent_encoder *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &aencoder_kind;
    self->stream.is_timed = true;
    if (aencoder_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(
    aencoder_doc,
    "aevent_stream(events, *, dumps=None, retry=None, heartbeat=None,\n"
    "              error=None, close_with_task=False)\n"
    "--\n\n"
    "An async iterator over the chunks of a text/event-stream, made from the events of an\n"
    "async iterable as event_stream() makes them.  The other arguments are described\n"
    "there.\n"
    "\n"
    "Each event is yielded at once.  On an asyncio event loop, events that are available\n"
    "without waiting are yielded as one chunk.\n"
    "\n"
    "heartbeat is a number of seconds.  If no event comes for this time, a comment is\n"
    "yielded, again and again.  It keeps the connection open, and the server notices when\n"
    "the client has gone.  The source continues its step.  heartbeat needs an asyncio\n"
    "event loop; without one, no comment is yielded.\n"
    "\n"
    "Cancelling a pending step loses nothing: the next step resumes it.\n"
    "close_with_task=True closes the stream when the asyncio task that took its first\n"
    "chunk ends.  An async generator given as `events` is closed when the stream ends.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> from generators import aevent_stream\n"
    ">>> async def events():\n"
    "...     yield 'a'\n"
    "...     await asyncio.sleep(0.15)\n"
    "...     yield {'data': [1, 2]}\n"
    ">>> async def main():\n"
    "...     return [chunk async for chunk in aevent_stream(events(), heartbeat=0.1)]\n"
    ">>> asyncio.run(main())\n"
    "[b'data: a\\n\\n', b':\\n\\n', b'data: [1,2]\\n\\n']");

static PyType_Slot aencoder_slots[] = {
    {Py_tp_doc, (char *)aencoder_doc},
    {Py_tp_new, aencoder_new},
    {Py_tp_traverse, aencoder_traverse},
    {Py_tp_clear, aencoder_clear},
    {0, NULL},
};

PyType_Spec aevent_stream_spec = {
    .name = "native_generators.aevent_stream",
    .basicsize = sizeof(aevent_encoder),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = aencoder_slots,
};
