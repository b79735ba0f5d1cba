/* Dispatcher.on() and off(): see register.c. */
#ifndef GENERATORS_EVENTS_REGISTER_H
#define GENERATORS_EVENTS_REGISTER_H

#include "events/dispatcher.h"

/* Register a handler.  `type` is NULL for the default handler.  A new reference, or NULL. */
handler *dispatcher_register(dispatcher *self, PyObject *type, PyObject *object, bool restart,
                             event_mailbox *mailbox);

/* Register one that was made.  0, or -1 with an exception if the dispatcher is closed, or the
   type cannot be hashed. */
int dispatcher_add(dispatcher *self, handler *item);

PyObject *dispatcher_on(PyObject *op, PyObject *args, PyObject *kwargs);
PyObject *dispatcher_off(PyObject *op, PyObject *const *args, Py_ssize_t count);
PyObject *dispatcher_handlers(PyObject *op, PyObject *const *args, Py_ssize_t count);
PyObject *dispatcher_get_types(PyObject *op, void *closure);
extern const char dispatcher_on_doc[], dispatcher_off_doc[], dispatcher_handlers_doc[];

#endif
