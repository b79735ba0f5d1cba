/* What goes wrong in a dispatch: see failure.c. */
#ifndef GENERATORS_EVENTS_FAILURE_H
#define GENERATORS_EVENTS_FAILURE_H

#include "events/dispatch.h"

/* Keep an exception, which is stolen, to raise it at the end.  *kept is NULL, an exception, or
   a list of exceptions. */
void failure_keep(PyObject **kept, PyObject *exception);

/* End a dispatch at once with an exception, which is stolen; if it is NULL, with the exception
   that is set. */
void dispatch_abort(dispatch *self, PyObject *exception);

/* A handler raised an exception, which is stolen. */
void dispatch_fail(dispatch *self, handler *item, PyObject *exception);

/* No 'error' handler receives an exception, which is stolen.  It is raised at the end or, if
   the event was queued, given to the running loop.  `failure` is its ErrorEvent, or NULL. */
void dispatch_fail_unhandled(dispatch *self, PyObject *failure, PyObject *exception);

/* Call the exception handler of the running loop: 1; 0 if no loop runs; or -1 with an
   exception. */
int failure_tell_loop(dispatcher *owner, PyObject *failure, PyObject *exception);

/* After the end of a dispatch: clear it, and raise what it has to raise.  0 or -1. */
int dispatch_end(dispatch *self);

#endif
