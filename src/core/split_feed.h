/* How the machine of split.h reads bytes. */
#ifndef GENERATORS_CORE_SPLIT_FEED_H
#define GENERATORS_CORE_SPLIT_FEED_H

#include "core/split_types.h"

/* The range continues with these bytes. */
void split_feed(split *self, const uint8_t *bytes, size_t count);

/* The range is over.  `after`: bytes that follow it, 3 of them or as many as there are. */
void split_end(split *self, const uint8_t *after, size_t count);

#endif
