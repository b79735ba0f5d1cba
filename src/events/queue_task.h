/* A dispatch to its end, and the task that runs what is left of a queue: see queue_task.c. */
#ifndef GENERATORS_EVENTS_QUEUE_TASK_H
#define GENERATORS_EVENTS_QUEUE_TASK_H

#include "events/dispatch.h"

/* Run a dispatch until something must be awaited, or to its end: 1 or 0.  The queue of a
   dispatch that was aborted goes to a task of the running loop.  If no loop runs, it is left
   for the next dispatch. */
int dispatch_run(dispatch *self);

extern PyType_Spec event_queue_task_spec;

#endif
