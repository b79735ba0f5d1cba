/* What aemit(), adispatch(), arun(), aclose() and `async with` give. */
#ifndef GENERATORS_EVENTS_CALL_H
#define GENERATORS_EVENTS_CALL_H

#include "events/steps.h"

/* A coroutine, with its arguments or NULL; NULL with an exception set. */
PyObject *event_call_new(dispatcher *owner, event_call_kind kind, PyObject *first,
                         PyObject *second);

extern PyType_Spec event_call_spec;

#endif
