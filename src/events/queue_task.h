/* Running a turn to its end, and the task that goes on with a queue: see queue_task.c. */
#ifndef GENERATORS_EVENTS_QUEUE_TASK_H
#define GENERATORS_EVENTS_QUEUE_TASK_H

#include "aio/coroutine.h"
#include "events/events.h"

/* turn_go() to a stop or to the end: 1 or 0.  The queue of a turn that was aborted is handed
   over to a task of the running loop; where no loop runs it is left for the next dispatch. */
int turn_run(turn *self);

/* Resume what a handler awaits, as coroutine_resume_awaited() does, with the turn's token in
   the context. */
PySendResult turn_resume_awaited(turn *self, coroutine *caller, PyObject *value,
                                 PyObject *exception, PyObject **result);

extern PyType_Spec event_queue_task_spec;

#endif
