/* What the threads that read from a driver do: take items, ask it to close, and wait. */
#ifndef GENERATORS_BRIDGE_DRIVER_READER_H
#define GENERATORS_BRIDGE_DRIVER_READER_H

#include "bridge/driver.h"

/* Run the driver as a task of `loop`.  0, or -1 with an exception set. */
int driver_start(driver *self, PyObject *loop);

/* channel_take(), but CHANNEL_ERROR also if the loop fails. */
channel_answer driver_take(driver *self, PyObject **item);

/* Ask the driver, if it is started, to close the source and give no more items.  0, or -1 with
   an exception set. */
int driver_close(driver *self);

/* Have nothing more be taken from the source.  0 or -1. */
int driver_drain(driver *self);

/* Wait until there is an item, or for closing or the end; if `for_end`, only for the end.  1;
   0 if `timeout` nanoseconds were not enough; or -1 with an exception set: that of a signal
   handler, or RuntimeError with *is_stopped set if the loop does not run. */
int driver_wait(driver *self, channel_waiter *waiter, bool for_end, uint64_t timeout,
                bool *is_stopped);

#endif
