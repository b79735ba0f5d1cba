/* `await` from C: the iterator behind an awaitable, and what it is thrown. */
#ifndef GENERATORS_AIO_AWAIT_H
#define GENERATORS_AIO_AWAIT_H

#include "state.h"

/* Whether `await` takes it. */
bool await_is_possible(PyObject *object);

/* What `await object` iterates over, to be driven with PyIter_Send(); NULL with the
   TypeError of the interpreter. */
PyObject *await_iterator(PyObject *object);

/* What the next step of `async for` over the iterator `source` iterates over. */
PyObject *await_anext(PyObject *source);

/* What awaiting read(size) iterates over. */
PyObject *await_read(PyObject *read, Py_ssize_t size);

/* The async iterator of an object, as `async for` takes it. */
PyObject *await_aiter(PyObject *object);

/* Throw an exception in at the `await` that stands in `iterator`, as a coroutine does
   that is thrown into: GeneratorExit closes the iterator. */
PySendResult await_throw(PyObject *iterator, PyObject *exception, PyObject **result);

/* Call its throw() with any exception, GeneratorExit too; raise that where it has none. */
PySendResult await_throw_in(PyObject *iterator, PyObject *exception, PyObject **result);

/* Call its close(), where it has one.  0 or -1. */
int await_close(PyObject *iterator);

#endif
