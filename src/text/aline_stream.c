/* The async front end of line_rows: what `alines` and `ajsonl_rows` share.
 *
 * It waits for a piece and feeds it only when no complete line is left.
 *
 * States and threads: those of an async stream.  It owns the bytes held until the end, and the
 * counters for longer.  User code runs in the source and in line_rows, while the stream is
 * `running`.
 */
#include "text/aline_stream.h"

#include "source/async_source.h"

/* ---- the stream's own ---- */

static astream_outcome
aline_stream_step(astream *base, astream_answer answer, PyObject **value)
{
    aline_stream *self = (aline_stream *)base;
    if (answer == ASTREAM_ASKED) {
        line_rows_step step = line_rows_next(&self->rows, value);
        if (step != LINE_ROWS_MORE) {
            return step == LINE_ROWS_ITEM   ? ASTREAM_ITEM
                   : step == LINE_ROWS_OVER ? ASTREAM_END
                                            : ASTREAM_ERROR;
        }
    }
    const source_sink sink = line_reader_sink(&self->rows.reader);
    return async_source_step(base, &self->pieces, self->rows.state, &sink, answer, value);
}

static int
aline_stream_release(astream *base)
{
    aline_stream *self = (aline_stream *)base;
    line_rows_release(&self->rows);
    return data_source_close(&self->pieces);
}

static void
aline_stream_measure(astream *base, measures *into)
{
    measures_count_errors(into, ((aline_stream *)base)->rows.error_count);
}

static const astream_kind aline_stream_kind = {.step = aline_stream_step,
                                               .release = aline_stream_release,
                                               .measure = aline_stream_measure};

int
aline_stream_traverse(PyObject *op, visitproc visit, void *arg)
{
    aline_stream *self = (aline_stream *)op;
    int status = line_rows_traverse(&self->rows, visit, arg);
    if (status == 0) {
        status = data_source_traverse(&self->pieces, visit, arg);
    }
    return status != 0 ? status : astream_traverse(op, visit, arg);
}

int
aline_stream_clear(PyObject *op)
{
    aline_stream *self = (aline_stream *)op;
    line_rows_clear(&self->rows);
    if (data_source_close(&self->pieces) < 0) {
        raising_unraisable(op);
    }
    return astream_clear(op);
}

/* ---- making one ---- */

static int
aline_stream_init(aline_stream *self, generators_state *state, const char *name,
                  line_options_reader read, PyObject *args, PyObject *kwargs)
{
    line_options options = {.is_async = true};
    self->rows.state = state;
    if (read(&options, name, args, kwargs, &self->rows) < 0) {
        return -1;
    }
    self->stream.close_with_task = options.close_with_task;
    return async_source_open_pieces(&self->stream, &self->pieces, state, options.source,
                                    &options.opening, options.items);
}

PyObject *
aline_stream_new(PyTypeObject *type, const char *name, line_options_reader read,
                 PyObject *args, PyObject *kwargs)
{
    aline_stream *self = (aline_stream *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &aline_stream_kind;
    if (aline_stream_init(self, generators_state_of((PyObject *)self), name, read, args,
                          kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- attributes ---- */

PyObject *
aline_stream_get_total_bytes(PyObject *Py_UNUSED(op), void *Py_UNUSED(closure))
{
    Py_RETURN_NONE;
}
