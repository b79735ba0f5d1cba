/* Text -> date, time, datetime or timestamp; or "not sure", as number.h says. */
#ifndef GENERATORS_CORE_NUMBER_MOMENT_H
#define GENERATORS_CORE_NUMBER_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/number_status.h"

typedef struct {
    int year;  /* 1 to 9999 */
    int month; /* 1 to 12 */
    int day;   /* 1 to the month's last */
} number_date_value;

typedef struct {
    number_date_value date;
    int hour;
    int minute;
    int second;
    int microsecond;
} number_datetime_value;

typedef struct {
    int64_t seconds; /* since 1970-01-01, in UTC if `zoned` */
    int nanosecond;  /* 0 to 999999999 */
    bool zoned;      /* the text has an offset or a 'Z' */
} number_timestamp_value;

/* YYYY-MM-DD. */
number_status number_date(const uint8_t *text, size_t length, number_date_value *value);

/* YYYY-MM-DD, then 'T' or a space, then HH:MM, HH:MM:SS, HH:MM:SS.fff or HH:MM:SS.ffffff; no
   time zone. */
number_status number_datetime(const uint8_t *text, size_t length,
                              number_datetime_value *value);

/* HH:MM, HH:MM:SS, HH:MM:SS.fff or HH:MM:SS.ffffff, in microseconds since midnight. */
number_status number_time(const uint8_t *text, size_t length, int64_t *value);

/* YYYY-MM-DD, or what number_datetime() accepts, with nine digits of a second as well, and
   then 'Z', +HH:MM or -HH:MM or nothing after it.  CPython ignores the last three of nine
   digits. */
number_status number_timestamp(const uint8_t *text, size_t length,
                               number_timestamp_value *value);

/* Whether there is such a day. */
bool number_is_date(const number_date_value *date);

/* Days since 1970-01-01. */
int32_t number_days(const number_date_value *date);

#endif
