/* aevent_source: the events of an async text/event-stream, one by one.
 *
 * The async front end of sse_reader.  It waits for a piece and feeds it only when no
 * complete event is left.
 *
 * States and threads: those of an async stream.
 *
 * It owns the parser's memory until the end, and what the attributes give for longer.  User
 * code runs in the source, while the stream is `running`.
 */
#include "sse/aevent_source.h"

#include "source/async_source.h"
#include "source/data_source.h"
#include "source/options.h"
#include "sse/reader.h"

typedef struct {
    astream stream;
    data_source pieces; /* how pieces are fed; it has no source itself */
    sse_reader reader;
} aevent_source;

/* ---- the stream's own ---- */

static astream_outcome
asource_step(astream *base, astream_answer answer, PyObject **value)
{
    aevent_source *self = (aevent_source *)base;
    generators_state *state = generators_state_of((PyObject *)self);
    if (answer == ASTREAM_ASKED) {
        sse_reader_step step = sse_reader_next(&self->reader, state, value);
        if (step != SSE_READER_MORE) {
            return step == SSE_READER_EVENT ? ASTREAM_ITEM
                   : step == SSE_READER_END ? ASTREAM_END
                                            : ASTREAM_ERROR;
        }
    }
    const source_sink sink = sse_reader_sink(&self->reader);
    return async_source_step(base, &self->pieces, state, &sink, answer, value);
}

static int
asource_release(astream *base)
{
    aevent_source *self = (aevent_source *)base;
    sse_reader_release(&self->reader);
    return data_source_close(&self->pieces);
}

static const astream_kind asource_kind = {.step = asource_step, .release = asource_release};

static int
asource_traverse(PyObject *op, visitproc visit, void *arg)
{
    aevent_source *self = (aevent_source *)op;
    int status = sse_reader_traverse(&self->reader, visit, arg);
    if (status == 0) {
        status = data_source_traverse(&self->pieces, visit, arg);
    }
    return status != 0 ? status : astream_traverse(op, visit, arg);
}

static int
asource_clear(PyObject *op)
{
    aevent_source *self = (aevent_source *)op;
    sse_reader_clear(&self->reader);
    if (data_source_close(&self->pieces) < 0) {
        raising_unraisable(op);
    }
    return astream_clear(op);
}

/* ---- making one ---- */

static int
asource_init(aevent_source *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source", "last_event_id",   "max_event", "compression",
                               "member", "close_with_task", NULL};
    PyObject *source, *last_event_id = NULL, *max_event = NULL;
    options_opening opening = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$UOOOp:aevent_source", keywords, &source,
                                     &last_event_id, &max_event, &opening.compression,
                                     &opening.member, &self->stream.close_with_task) ||
        sse_reader_open(&self->reader, last_event_id, max_event) < 0) {
        return -1;
    }
    return async_source_open_pieces(&self->stream, &self->pieces, state, source, &opening,
                                    DATA_SOURCE_AUTO);
}

static PyObject *
asource_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    aevent_source *self = (aevent_source *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &asource_kind;
    if (asource_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- attributes ---- */

static PyObject *
asource_get_last_event_id(PyObject *op, void *Py_UNUSED(closure))
{
    aevent_source *self = (aevent_source *)op;
    PyObject *id;
    Py_BEGIN_CRITICAL_SECTION(op);
    id = sse_reader_last_id(&self->reader, self->stream.first != NULL);
    Py_END_CRITICAL_SECTION();
    return id;
}

static PyObject *
asource_get_retry(PyObject *op, void *Py_UNUSED(closure))
{
    int64_t retry;
    Py_BEGIN_CRITICAL_SECTION(op);
    retry = ((aevent_source *)op)->reader.machine.retry;
    Py_END_CRITICAL_SECTION();
    return sse_retry_object(retry);
}

static PyGetSetDef asource_attributes[] = {
    {"last_event_id", asource_get_last_event_id, NULL,
     "The last event ID of the events yielded so far.  A client sends it as the\n"
     "Last-Event-ID header when it connects again.  '' if there is none.",
     NULL},
    {"retry", asource_get_retry, NULL,
     "The time to wait before connecting again, in milliseconds.  None if the server\n"
     "has not set it.",
     NULL},
    {NULL},
};

PyDoc_STRVAR(
    asource_doc,
    "aevent_source(source, *, last_event_id='', max_event=67108864,\n"
    "              compression='infer', member=None, close_with_task=False)\n"
    "--\n\n"
    "An async iterator over the server-sent events of a text/event-stream, as\n"
    "event_source() reads them.  The other arguments are described there.\n"
    "\n"
    "source is an async iterable of bytes, in pieces that may be cut anywhere, such as\n"
    "response.aiter_bytes() of httpx or response.content.iter_any() of aiohttp; or of\n"
    "str, each of them a line; or an object whose read(n) is a coroutine function, such\n"
    "as a StreamReader.  An async generator is closed at the end.\n"
    "\n"
    "Cancelling a step loses nothing: the next step returns the event that the cancelled\n"
    "one would have returned.  close_with_task=True closes the stream when the asyncio\n"
    "task that took its first event ends.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> from generators import aevent_source\n"
    ">>> async def chunks():\n"
    "...     yield b'data: a\\r'\n"
    "...     yield b'\\n\\r\\ndata: b\\n\\n'\n"
    ">>> async def main():\n"
    "...     return [event.data async for event in aevent_source(chunks())]\n"
    ">>> asyncio.run(main())\n"
    "['a', 'b']");

static PyType_Slot asource_slots[] = {
    {Py_tp_doc, (char *)asource_doc},   {Py_tp_new, asource_new},
    {Py_tp_traverse, asource_traverse}, {Py_tp_clear, asource_clear},
    {Py_tp_getset, asource_attributes}, {0, NULL},
};

PyType_Spec aevent_source_spec = {
    .name = "native_generators.aevent_source",
    .basicsize = sizeof(aevent_source),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = asource_slots,
};
