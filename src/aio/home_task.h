/* The home task: a task of asyncio that waits until its home is closed. */
#ifndef GENERATORS_AIO_HOME_TASK_H
#define GENERATORS_AIO_HOME_TASK_H

#include "aio/home_state.h"

extern const coroutine_kind home_kind;

/* A new task of the home's loop, in its context; or NULL. */
PyObject *home_new_task(home *self);

#endif
