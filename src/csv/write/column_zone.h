/* Time zones that have a name: see column_zone.c. */
#ifndef GENERATORS_CSV_WRITE_COLUMN_ZONE_H
#define GENERATORS_CSV_WRITE_COLUMN_ZONE_H

#include "state.h"

typedef struct csv_zone csv_zone;

/* Find the zone of a column of timestamps; *zone is set to NULL if the column has none.  0 or
   -1. */
int csv_zone_open(csv_zone **zone, const char *name);
void csv_zone_free(csv_zone *self); /* may be NULL */

/* How many seconds its clocks are ahead of UTC at a moment, which is in seconds after 1970.  0
   or -1. */
int csv_zone_offset(csv_zone *self, int64_t seconds, int *offset);

#endif
