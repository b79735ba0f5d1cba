/* The task of a background handler: see mailbox_task.c. */
#ifndef GENERATORS_EVENTS_MAILBOX_TASK_H
#define GENERATORS_EVENTS_MAILBOX_TASK_H

#include "state.h"

/* post.c calls the type with a dispatcher and a handler. */
extern PyType_Spec event_mailbox_task_spec;

#endif
