/* Dispatcher.on() and off(): see register.c. */
#ifndef GENERATORS_EVENTS_REGISTER_H
#define GENERATORS_EVENTS_REGISTER_H

#include "events/dispatcher.h"

/* Register a handler.  `type` is NULL for the default handler.  A new reference, or NULL. */
handler *dispatcher_register(dispatcher *self, PyObject *type, PyObject *object, bool restart);

PyObject *dispatcher_on(PyObject *op, PyObject *args, PyObject *kwargs);
PyObject *dispatcher_off(PyObject *op, PyObject *const *args, Py_ssize_t count);
extern const char dispatcher_on_doc[], dispatcher_off_doc[];

#endif
