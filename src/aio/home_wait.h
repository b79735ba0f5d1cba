/* Who waits for a home, and for how long. */
#ifndef GENERATORS_AIO_HOME_WAIT_H
#define GENERATORS_AIO_HOME_WAIT_H

#include "aio/home_state.h"

/* A future that ends when something has come, the home is closed, or the deadline is over: a
   new reference, or NULL.  The one given before is not ended any more. */
PyObject *home_wait(home *self);

/* Have a wait end after so long at the latest, with `is_late` set, which the caller clears.
   0 or -1. */
int home_set_deadline(home *self, uint64_t nanoseconds);

static inline void
home_clear_deadline(home *self)
{
    self->deadline = 0;
    self->is_late = false;
}

/* ---- for home*.c ---- */

/* Tell who waits, if there is something to tell; `at_once`: see waiter_end().  0, or -1 with
   an exception set. */
int home_tell(home *self, bool at_once);

/* What is raised stays. */
void home_stop_alarm(home *self);

#endif
