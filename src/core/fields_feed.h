/* How the CSV machine reads code units: see fields.h. */
#ifndef GENERATORS_CORE_FIELDS_FEED_H
#define GENERATORS_CORE_FIELDS_FEED_H

#include "core/fields_types.h"

/* Read the block's units up to `length`, from where the last feed stopped.  Returns false only
   if there is no memory.  On a fault it sets `error` and stops; the records before the fault
   remain. */
bool fields_feed(fields *self, const void *block, int width, size_t length);

/* FIELDS_LINES: begin a block that is one line, while no record is in progress.  If the line
   is one regular record, read it whole, with its line end, and set *read.  If *read is false,
   the line must still be fed.  Returns false only if there is no memory. */
bool fields_line(fields *self, const void *line, int width, size_t length, bool *read);

#endif
