/* The source of an arun(): how a coroutine opens it, and closes it in the end (arun_source.c).
 */
#ifndef GENERATORS_AIO_ARUN_SOURCE_H
#define GENERATORS_AIO_ARUN_SOURCE_H

#include "aio/coroutine.h"

typedef struct {
    PyObject *source;  /* owned: the argument, its iterator once it is open, or NULL */
    PyObject *failure; /* owned: what was raised before it is closed, or NULL */
    bool is_async;
    bool closes; /* it is a generator of that kind */
} arun_source;

/* Whether `async for` takes it; otherwise `for` is to. */
static inline bool
arun_source_is_async(PyObject *source)
{
    const PyAsyncMethods *methods = Py_TYPE(source)->tp_as_async;
    return methods != NULL && methods->am_aiter != NULL;
}

/* Replace the argument by its iterator.  0, or -1 with an exception set. */
int arun_source_open(arun_source *self, generators_state *state);

/* Close it after its end, or after what is raised, which is kept.  1 if by->awaited must be
   awaited; else 0, or -1 with an exception set: what closing has raised.  Where the coroutine
   may not wait, an async source is left to its event loop. */
int arun_source_close(arun_source *self, coroutine *by, bool may_wait);

/* It is closed; `fails` if that raised the exception that is set.  Raise what was kept, if
   anything; or that exception, with what was kept as its context.  0, or -1 with an exception
   set. */
int arun_source_end(arun_source *self, bool fails);

int arun_source_traverse(const arun_source *self, visitproc visit, void *arg);
void arun_source_clear(arun_source *self);

#endif
