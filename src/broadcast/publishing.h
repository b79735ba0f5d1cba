/* The coroutines of a Broadcast, and run(). */
#ifndef GENERATORS_BROADCAST_PUBLISHING_H
#define GENERATORS_BROADCAST_PUBLISHING_H

#include "broadcast/hub.h"

/* apublish(item): a new coroutine, or NULL. */
PyObject *publishing_new_item(hub *owner, PyObject *item);

/* arun(source). */
PyObject *publishing_new_run(hub *owner, PyObject *source);

/* run(source), which has ended when this returns: 0, or -1 with an exception set. */
int publishing_run(hub *owner, PyObject *source);

extern PyType_Spec publishing_spec;

#endif
