/* Dates and times of a column: whether a text is one, the least and the greatest.  See
   schema.h. */
#ifndef GENERATORS_CORE_SCHEMA_MOMENT_H
#define GENERATORS_CORE_SCHEMA_MOMENT_H

#include "core/schema_types.h"

/* Find out which types of moment that are alive in the column a text does not have: *not_of,
   bits.  Adds it to the dates, times or moments. */
schema_status schema_moment_add(schema *self, schema_column *column, const uint8_t *text,
                                size_t length, uint32_t *not_of);

/* The column is no column of dates any longer: each date is a datetime, at midnight. */
void schema_moment_drop_dates(schema_column *column);

/* Whether some datetimes of the two have a zone and others have none. */
bool schema_moment_differs(const schema_column *a, const schema_column *b);

#endif
