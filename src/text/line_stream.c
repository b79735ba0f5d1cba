/* The sync front end of line_rows: what `lines` and `jsonl_rows` share.
 *
 * It pulls pieces from a data_source, which feeds them to the reader.  It pulls only when no
 * complete line is left, so nothing is read ahead but the rest of the last piece.
 *
 * States: those of a stream.  It owns the source (and closes it if it opened it) and the bytes
 * held, until the end, and the counters for longer.
 *
 * User code runs when the source is pulled, and in line_rows.  Meanwhile `running` is set, and
 * every other call is refused.  Threads: see stream.c.
 */
#include "text/line_stream.h"

#include "runtime/attributes.h"
#include "runtime/raising.h"
#include "source/options.h"
#include "text/line_checkpoint.h"

/* ---- the stream's own ---- */

static PyObject *
line_stream_next(stream *base)
{
    line_stream *self = (line_stream *)base;
    for (;;) {
        PyObject *item;
        line_rows_step step = line_rows_next(&self->rows, &item);
        if (step == LINE_ROWS_ITEM) {
            return item;
        }
        if (step != LINE_ROWS_MORE) {
            return NULL;
        }
        const source_sink sink = line_reader_sink(&self->rows.reader);
        if (data_source_pull(&self->source, self->rows.state, base, &sink) < 0) {
            return NULL;
        }
    }
}

static int
line_stream_release(stream *base)
{
    line_stream *self = (line_stream *)base;
    line_rows_release(&self->rows);
    return data_source_close(&self->source);
}

static void
line_stream_measure(stream *base, measures *into)
{
    line_stream *self = (line_stream *)base;
    measures_count_errors(into, self->rows.error_count);
    measures_name_source(into, self->rows.reader.path);
}

static const stream_kind line_stream_kind = {
    .next = line_stream_next, .release = line_stream_release, .measure = line_stream_measure};

int
line_stream_traverse(PyObject *op, visitproc visit, void *arg)
{
    line_stream *self = (line_stream *)op;
    int status = line_rows_traverse(&self->rows, visit, arg);
    if (status == 0) {
        status = data_source_traverse(&self->source, visit, arg);
    }
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

int
line_stream_clear(PyObject *op)
{
    line_stream *self = (line_stream *)op;
    line_rows_clear(&self->rows);
    if (data_source_close(&self->source) < 0) {
        raising_unraisable(op);
    }
    return stream_clear(op);
}

/* ---- making one ---- */

static int
line_stream_init(line_stream *self, generators_state *state, const char *name,
                 line_options_reader read, PyObject *args, PyObject *kwargs)
{
    line_options options = {.is_async = false};
    line_reader *reader = &self->rows.reader;
    self->rows.state = state;
    if (read(&options, name, args, kwargs, &self->rows) < 0 ||
        options_read_opening(&options.opening, &self->source) < 0 ||
        data_source_open(&self->source, state, &self->stream, options.source, options.items,
                         line_reader_is_native(reader), &reader->path) < 0 ||
        file_origin_read(&self->origin, state, self->source.file) < 0) {
        return -1;
    }
    return options.start == NULL
               ? 0
               : line_checkpoint_resume(options.start, state, &self->source, &self->rows,
                                        &self->origin, options.changed);
}

PyObject *
line_stream_new(PyTypeObject *type, const char *name, line_options_reader read, PyObject *args,
                PyObject *kwargs)
{
    line_stream *self = (line_stream *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &line_stream_kind;
    if (line_stream_init(self, generators_state_of((PyObject *)self), name, read, args,
                         kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- checkpoints ---- */

/* Called by stream_run(), which refuses a `loads` that asks for a checkpoint. */
static int
line_stream_read_mark(stream *base)
{
    line_stream *self = (line_stream *)base;
    self->asked = line_rows_mark(&self->rows, base->first != NULL);
    return 0;
}

PyObject *
line_stream_checkpoint(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    line_stream *self = (line_stream *)op;
    if (stream_run(&self->stream, line_stream_read_mark) < 0 ||
        checkpoint_check_source(generators_state_of(op), &self->source) < 0) {
        return NULL;
    }
    /* Another thread may have asked meanwhile, or taken items.  This mark is still valid. */
    line_mark mark;
    Py_BEGIN_CRITICAL_SECTION(op);
    mark = self->asked;
    Py_END_CRITICAL_SECTION();
    return line_checkpoint_new(generators_state_of(op), &self->origin, &self->rows, &mark);
}

/* ---- attributes ---- */

PyObject *
line_stream_get_total_bytes(PyObject *op, void *closure)
{
    /* Set once, when the stream is made. */
    if (((line_stream *)op)->source.total_bytes == FILE_SIZE_UNKNOWN) {
        Py_RETURN_NONE;
    }
    return attributes_get_count(op, closure);
}
