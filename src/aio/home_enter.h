/* How the home task becomes the current one, and its context. */
#ifndef GENERATORS_AIO_HOME_ENTER_H
#define GENERATORS_AIO_HOME_ENTER_H

#include "aio/home_state.h"

/* Between these two, code of the source runs as if the home task ran it.  They may be nested.
   0 or -1; an exception that is set when it is left stays set. */
int home_enter(home *self);
void home_leave(home *self);

#endif
