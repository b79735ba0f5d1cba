/* The CSV machine reads code units: see fields.h. */
#ifndef GENERATORS_CORE_FIELDS_FEED_H
#define GENERATORS_CORE_FIELDS_FEED_H

#include "core/fields_types.h"

/* Read the block's units from where the last feed stopped up to `length`.
   False only when there is no memory.  On a fault it sets `error` and stops;
   the records before it stand. */
bool fields_feed(fields *self, const void *block, int width, size_t length);

/* FIELDS_LINES: begin a block that is one line, where no record is under way.  Where
   the line is one regular record it is read in one go, its end and all; else
   *read is false and it has still to be fed.  False only when there is no
   memory. */
bool fields_line(fields *self, const void *line, int width, size_t length, bool *read);

#endif
