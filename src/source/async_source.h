/* The sources of async streams of bytes and text. */
#ifndef GENERATORS_SOURCE_ASYNC_SOURCE_H
#define GENERATORS_SOURCE_ASYNC_SOURCE_H

#include "source/data_source.h"
#include "source/options.h"
#include "stream/astream.h"

/* Let `self` pull from an async iterable or, if `size` is not 0, from an object whose
   read(size) is a coroutine function.  If an object is both, its read() is used.  `what` is
   the accepted source in the message of the TypeError for any other object.  0, or -1 with an
   exception set. */
int async_source_open(astream *self, generators_state *state, PyObject *source,
                      Py_ssize_t size, const char *what);

/* The same for a stream that reads pieces of bytes or text: `opening` says what they are
   packed in, `items` what the items of an iterable are. */
int async_source_open_pieces(astream *self, data_source *pieces, generators_state *state,
                             PyObject *source, const options_opening *opening,
                             data_source_items items);

/* A step of such a stream whose machine has nothing more to give: ask for the next piece, or
   feed `sink` the one that came as `answer` and *piece.  ASTREAM_AWAIT or ASTREAM_AGAIN;
   ASTREAM_END where the stream has been cut, so that what has begun is not complete;
   ASTREAM_ERROR with an exception set, from the source or from the sink. */
astream_outcome async_source_step(astream *self, data_source *pieces, generators_state *state,
                                  const source_sink *sink, astream_answer answer,
                                  PyObject **piece);

#endif
