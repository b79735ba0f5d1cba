/* Dates, times and durations -> text, as datetime and pandas spell them. */
#ifndef GENERATORS_CORE_SPELL_TIME_H
#define GENERATORS_CORE_SPELL_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPELL_TIME_ROOM 48 /* enough for any of them */

/* A moment or a length of time: seconds, and what comes after them. */
typedef struct {
    int64_t seconds;
    uint32_t nanoseconds; /* below 10^9 */
} spell_moment;

/* Split a count of units, of which a second has `per_second`, downwards. */
spell_moment spell_moment_of(int64_t count, int64_t per_second);

/* Write str() of a datetime.date, `days` after 1970-01-01, and return its length.  0 if it is
   not within the years 1 to 9999. */
size_t spell_date(int64_t days, char *text);

/* Write str() of a datetime.time: the time of day of the moment.  What is below a microsecond
   is cut off. */
size_t spell_time(spell_moment moment, char *text);

/* Write str() of a datetime.datetime, or of a pandas.Timestamp if the moment has nanoseconds:
   a moment after 1970 in UTC, as clocks show it that are `offset` seconds ahead of UTC.  0 if
   it is not within the years 1 to 9999 in UTC and there. */
size_t spell_timestamp(spell_moment moment, bool has_zone, int offset, char *text);

/* Write str() of a datetime.timedelta, of which what is below a microsecond is cut off.  0 if
   it is 10^9 days or longer. */
size_t spell_timedelta(spell_moment length, char *text);

/* Write str() of a pandas.Timedelta. */
size_t spell_pandas_timedelta(spell_moment length, char *text);

#endif
