/* The stream of a Broadcast for plain code in a thread. */
#ifndef GENERATORS_BROADCAST_SYNC_SUBSCRIBER_H
#define GENERATORS_BROADCAST_SYNC_SUBSCRIBER_H

#include "broadcast/subscription.h"

/* A new one, or NULL.  A step waits for at most `timeout` nanoseconds, or SECONDS_FOREVER. */
PyObject *sync_subscriber_new(hub *joined, size_t buffersize, on_full policy, size_t replay,
                              uint64_t timeout);

extern PyType_Spec sync_subscriber_spec;

#endif
