/* A dispatch, up to what must be awaited: see dispatch_advance.c. */
#ifndef GENERATORS_EVENTS_DISPATCH_ADVANCE_H
#define GENERATORS_EVENTS_DISPATCH_ADVANCE_H

#include "events/dispatch.h"

/* Go on: 1 if self->awaited must be awaited, 0 at the end.  At the end the dispatcher is
   released
   (`owner` is NULL), unless the dispatch was aborted with events in the queue.  Then the
   caller moves the hold to another dispatch, or sets `leaves_queue` and goes on. */
int dispatch_advance(dispatch *self);

#endif
