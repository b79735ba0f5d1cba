/* The sources of async streams of bytes and text. */
#ifndef GENERATORS_SOURCE_ASYNC_SOURCE_H
#define GENERATORS_SOURCE_ASYNC_SOURCE_H

#include "source/data_source.h"
#include "stream/astream.h"

/* Let `self` pull from an async iterable or, if `size` is not 0, from an object whose
   read(size) is a coroutine function.  If an object is both, its read() is used.  `what` is
   the accepted source in the message of the TypeError for any other object.  0, or -1 with an
   exception set. */
int async_source_open(astream *self, generators_state *state, PyObject *source,
                      Py_ssize_t size, const char *what);

/* astream_pull(), unless what was pulled before gives more: then ASTREAM_GAVE, with *piece
   NULL. */
static inline astream_answer
async_source_pull(astream *self, const data_source *pieces, PyObject **piece)
{
    if (data_source_has_output(pieces)) {
        *piece = NULL;
        return ASTREAM_GAVE;
    }
    return astream_pull(self, piece);
}

/* Feed `sink` what `answer` to a pull has brought: `piece`, which is stolen, or the end.  0,
   or -1 with an exception set. */
int async_source_feed(astream *self, data_source *pieces, generators_state *state,
                      const source_sink *sink, astream_answer answer, PyObject *piece);

#endif
