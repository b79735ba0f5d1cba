/* Dispatcher.emit_threadsafe(): see emit_threadsafe.c. */
#ifndef GENERATORS_EVENTS_EMIT_THREADSAFE_H
#define GENERATORS_EVENTS_EMIT_THREADSAFE_H

#include "state.h"

PyObject *dispatcher_emit_threadsafe(PyObject *op, PyObject *const *args, Py_ssize_t count);
extern const char dispatcher_emit_threadsafe_doc[];

#endif
