/* The sources of async streams of bytes and text: see async_source.h.
 *
 * There is no state here: the stream owns its source.  User code runs in attributes of the
 * source.
 */
#include "source/async_source.h"

#include "runtime/frame.h"
#include "runtime/raising.h"
#include "source/refused.h"
#include "stream/refusal.h"

/* Whether a call of the function gives a coroutine: 1, 0 or -1. */
static int
is_coroutine_function(PyObject *function)
{
    PyObject *inspect = PyImport_ImportModule("inspect");
    PyObject *answer =
        inspect == NULL ? NULL
                        : PyObject_CallMethod(inspect, "iscoroutinefunction", "(O)", function);
    Py_XDECREF(inspect);
    int is = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return is;
}

/* Find the source's read(), if it is a coroutine function: 1 with *read set, 0 or -1. */
static int
find_read(PyObject *source, PyObject **read)
{
    *read = PyObject_GetAttrString(source, "read");
    if (*read == NULL) {
        return raising_forgive(PyExc_AttributeError);
    }
    int is = is_coroutine_function(*read);
    if (is <= 0) {
        Py_CLEAR(*read);
    }
    return is;
}

int
async_source_open(astream *self, generators_state *state, PyObject *source, Py_ssize_t size,
                  const char *what)
{
    const char *who = frame_type_name((PyObject *)self);
    if (refused_check_response(source, true) < 0) {
        return -1;
    }
    if (size > 0 && !PyAsyncGen_CheckExact(source)) {
        PyObject *read;
        int found = find_read(source, &read);
        if (found != 0) {
            self->read = read;
            self->read_size = size;
            return found < 0 ? -1 : 0;
        }
    }
    PyAsyncMethods *methods = Py_TYPE(source)->tp_as_async;
    if (methods == NULL || methods->am_aiter == NULL) {
        if (size > 0 && refused_check_path(source, who) < 0) {
            return -1;
        }
        PyErr_Format(PyExc_TypeError, "%s, not '%.200s'", what, Py_TYPE(source)->tp_name);
        refusal_add_hint(who, source, true);
        return -1;
    }
    return astream_open(self, state, source, ASTREAM_ASYNC);
}

int
async_source_open_pieces(astream *self, data_source *pieces, generators_state *state,
                         PyObject *source, const options_opening *opening,
                         data_source_items items)
{
    if (options_read_opening(opening, pieces) < 0) {
        return -1;
    }
    data_source_open_items(pieces, items);
    return async_source_open(self, state, source,
                             items == DATA_SOURCE_AUTO ? DATA_SOURCE_BLOCK : 0,
                             "source must be an async iterable of str or bytes, or an object "
                             "whose read() is a coroutine function");
}

/* astream_pull(), unless what was pulled before gives more: then ASTREAM_GAVE, with *piece
   NULL. */
static astream_answer
pull(astream *self, const data_source *pieces, PyObject **piece)
{
    if (data_source_has_output(pieces)) {
        *piece = NULL;
        return ASTREAM_GAVE;
    }
    return astream_pull(self, piece);
}

/* Feed `sink` what `answer` to a pull has brought: `piece`, which is stolen, or the end.  0,
   or -1 with an exception set. */
static int
feed(astream *self, data_source *pieces, generators_state *state, const source_sink *sink,
     astream_answer answer, PyObject *piece)
{
    if (answer == ASTREAM_FAILED) {
        return -1;
    }
    if (answer == ASTREAM_ENDED) {
        return data_source_finish_items(pieces, state, sink);
    }
    if (piece == NULL) {
        return data_source_feed_output(pieces, state, sink);
    }
    int status = self->read != NULL
                     ? data_source_feed_read(pieces, state, sink, piece)
                     : data_source_feed_item(pieces, state, sink, piece, self->pulled - 1);
    Py_DECREF(piece);
    return status;
}

astream_outcome
async_source_step(astream *self, data_source *pieces, generators_state *state,
                  const source_sink *sink, astream_answer answer, PyObject **piece)
{
    if (answer == ASTREAM_ASKED) {
        answer = pull(self, pieces, piece);
        if (answer == ASTREAM_PENDING) {
            return ASTREAM_AWAIT;
        }
    }
    if (answer == ASTREAM_ENDED && astream_has_been_cut(self)) {
        return ASTREAM_END;
    }
    PyObject *taken = *piece;
    *piece = NULL;
    return feed(self, pieces, state, sink, answer, taken) < 0 ? ASTREAM_ERROR : ASTREAM_AGAIN;
}
