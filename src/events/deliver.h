/* An event goes to one handler: see deliver.c. */
#ifndef GENERATORS_EVENTS_DELIVER_H
#define GENERATORS_EVENTS_DELIVER_H

#include "aio/coroutine.h"
#include "events/dispatch.h"

/* Give the argument to a handler, or post it to a background handler.  1 if self->awaited must
   be awaited; 0 if the handler has received it, or failed. */
int deliver_event(dispatch *self, handler *item);

/* The same for the task of a background handler. */
int deliver_to_handler(dispatch *self, handler *item);

/* The handler is to be closed.  If it runs in the background, have it run the events that it
   holds: 1 if self->awaited must be awaited for that; 0; or -1 with an exception.  If the
   dispatch was aborted, its task is cancelled instead. */
int deliver_wait_for_end(dispatch *self, handler *item);

/* handler_close() for handlers of all kinds. */
int deliver_close(dispatch *self, handler *item, bool can_await, PyObject **closing);

/* Sending to a handler returned this. */
void deliver_sent(dispatch *self, handler *item, PySendResult status, PyObject *result);

/* Calling a handler returned `result`, which is stolen; or it is NULL and an exception is set.
   1 if self->awaited must be awaited, else 0. */
int deliver_called(dispatch *self, handler *item, PyObject *result);

/* Await `awaitable` for a handler.  It is stolen; or it is NULL and an exception is set.  1 if
   self->awaited must be awaited; 0 if that failed. */
int deliver_await(dispatch *self, handler *item, PyObject *awaitable, dispatch_await why);

/* Resume what a handler awaits, as coroutine_resume_awaited() does, with the dispatch's token
   in the context. */
PySendResult deliver_resume_awaited(dispatch *self, coroutine *caller, PyObject *value,
                                    PyObject *exception, PyObject **result);

/* What was awaited ended with `result`, which is stolen; or it is NULL and an exception is
   set. */
void deliver_awaited(dispatch *self, PyObject *result);

#endif
