/* A step of a source that an async stream may leave waiting: it gives what was made before,
 * because that must not wait, and goes on with the same step later.
 */
#ifndef GENERATORS_SOURCE_PENDING_H
#define GENERATORS_SOURCE_PENDING_H

#include "stream/astream.h"

typedef struct pending pending;

/* Where the items of an async stream come from. */
typedef struct {
    PyObject *read;   /* owned: an object's read(n), or NULL where `source` is iterated */
    Py_ssize_t size;  /* bytes that it is asked for */
    pending *pending; /* owned: the step that was begun before and is not done, or NULL */
} asource;

#define ASOURCE_NEVER UINT64_MAX

/* An async iterable, or an object whose read(n) is a coroutine function; one that is both
   is read.  `what` names it in the TypeError for others.  0, or -1 with an exception. */
int asource_open(asource *self, astream *face, generators_state *state, PyObject *source,
                 Py_ssize_t size, const char *what);

/* The next item.  Where that has to be waited for, no longer than `nanoseconds`, where a
   loop of asyncio runs: then asource_is_late() is true of the answer ASTREAM_GAVE, and
   no value comes with it. */
astream_answer asource_pull(asource *self, astream *face, uint64_t nanoseconds,
                            PyObject **value);

/* What an answer means that a step was given after ASTREAM_AWAIT. */
astream_answer asource_answer(asource *self, astream *face, astream_answer answer,
                              PyObject **value);

static inline bool
asource_is_late(const PyObject *value)
{
    return value == NULL;
}

/* For astream_kind's close: cancel a step that was left, and wait until that is done. */
astream_outcome asource_close(asource *self, astream *face, astream_answer answer,
                              PyObject **value);

void asource_release(asource *self);
int asource_traverse(asource *self, visitproc visit, void *arg);

extern PyType_Spec pending_spec;

#endif
