/* What the threads that read from a driver do: take items, ask it to close, and wait. */
#ifndef GENERATORS_BRIDGE_DRIVER_READER_H
#define GENERATORS_BRIDGE_DRIVER_READER_H

#include "bridge/driver.h"

/* Run it as a task of `loop`.  0, or -1 with an exception set. */
int driver_start(driver *self, PyObject *loop);

/* As channel_take().  CHANNEL_ERROR also where the loop fails. */
channel_answer driver_take(driver *self, PyObject **item);

/* Ask it to close the source, once it is started, and to give no more items.  0, or -1 with an
   exception set. */
int driver_close(driver *self);

/* Wait until there is an item, the closing or the end or, `for_end`, only the end.  1; 0 where
   `timeout` nanoseconds were not enough; or -1 with an exception set: that of a signal's
   handler, or RuntimeError with *is_stopped set where the loop does not run. */
int driver_wait(driver *self, channel_waiter *waiter, bool for_end, uint64_t timeout,
                bool *is_stopped);

#endif
