/* The async stream of a Broadcast. */
#ifndef GENERATORS_BROADCAST_SUBSCRIBER_H
#define GENERATORS_BROADCAST_SUBSCRIBER_H

#include "broadcast/subscription.h"

/* A new one, or NULL. */
PyObject *subscriber_new(hub *joined, size_t buffersize, on_full policy, size_t replay,
                         int close_with_task);

extern PyType_Spec subscriber_spec;

#endif
