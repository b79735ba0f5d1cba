/* One step of the source in its home, and what it comes to. */
#ifndef GENERATORS_AIO_HOME_STEP_H
#define GENERATORS_AIO_HOME_STEP_H

#include "aio/home_state.h"

/* Go on with the step, throwing `exception` in if it is not NULL, until it must wait or
   something has come.  The home is entered. */
void home_run(home *self, PyObject *exception);

/* Begin a step of the source, which is stolen.  *item is what it gave at once; if it is NULL,
   all is as after home_run().  The home is entered. */
void home_begin_step(home *self, PyObject *step, PyObject **item);

/* Go on with the step, whose turn has come or whose future is done.  Nobody is told. */
void home_resume(home *self);

/* Whoever pulled does not come back for the turn that the step waits for, if it does: the loop
   goes on with the step.  What is raised stays. */
void home_schedule_turn(home *self);

/* The step has come to `value` (stolen), or to what is raised.  Whether another was begun. */
bool home_step_came(home *self, PyObject *value);

/* Make the source's aclose() the step of the home.  Whether there is one; if not, the home is
   closed. */
bool home_begin_closing(home *self);

/* Leave the step that is under way: a native stream loses nothing by that. */
void home_leave_step(home *self);

/* Closing has failed with what is raised. */
void home_add_closing_error(home *self);

/* The home is closed. */
void home_finish(home *self);

/* Whether what read() returned is data: 1; 0 for an empty piece, which is the end; or -1. */
int home_check_data(PyObject *data);

#endif
