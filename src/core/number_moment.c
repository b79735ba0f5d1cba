/* Dates and times are proleptic Gregorian, as CPython's datetime. */
#include "core/number_moment.h"

#include "core/digits.h"

/* ---- dates ---- */

static int
days_in_month(int year, int month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

bool
number_is_date(const number_date_value *date)
{
    return date->year >= 1 && date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= days_in_month(date->year, date->month);
}

/* Read ten bytes. */
static inline bool
take_date(const uint8_t *p, number_date_value *date)
{
    return p[4] == '-' && p[7] == '-' && take_number(p, 4, &date->year) &&
           take_number(p + 5, 2, &date->month) && take_number(p + 8, 2, &date->day) &&
           number_is_date(date);
}

number_status
number_date(const uint8_t *text, size_t length, number_date_value *value)
{
    number_date_value date;
    if (length != 10 || !take_date(text, &date)) {
        return NUMBER_UNSURE;
    }
    *value = date;
    return NUMBER_OK;
}

/* Days since 1970-01-01, from years that begin in March, so that a leap day is the last. */
int32_t
number_days(const number_date_value *date)
{
    int year = date->year - (date->month <= 2);
    int month = date->month + (date->month <= 2 ? 9 : -3);
    int day = (153 * month + 2) / 5 + date->day - 1;
    return year * 365 + year / 4 - year / 100 + year / 400 + day - 719468;
}

/* ---- times ---- */

typedef struct {
    int hour;
    int minute;
    int second;
    int nanosecond;
} clock_time;

/* Read what follows the point: three, six or `most` digits, as nanoseconds. */
static inline bool
take_fraction(const uint8_t *p, size_t length, size_t most, int *nanosecond)
{
    if ((length != 3 && length != 6 && length != most) ||
        !take_number(p, length, nanosecond)) {
        return false;
    }
    for (; length < 9; length += 3) {
        *nanosecond *= 1000;
    }
    return true;
}

/* Read HH:MM, HH:MM:SS, or HH:MM:SS with a fraction of up to `most` digits.  3.14 accepts hour
   24 and 3.13 does not, so it is left to CPython. */
static inline bool
take_time(const uint8_t *p, size_t length, size_t most, clock_time *time)
{
    time->second = 0;
    time->nanosecond = 0;
    if (length < 5 || p[2] != ':' || !take_number(p, 2, &time->hour) || time->hour > 23 ||
        !take_number(p + 3, 2, &time->minute) || time->minute > 59) {
        return false;
    }
    if (length == 5) {
        return true;
    }
    if (length < 8 || p[5] != ':' || !take_number(p + 6, 2, &time->second) ||
        time->second > 59) {
        return false;
    }
    return length == 8 ||
           (p[8] == '.' && take_fraction(p + 9, length - 9, most, &time->nanosecond));
}

number_status
number_time(const uint8_t *text, size_t length, int64_t *value)
{
    clock_time time;
    if (!take_time(text, length, 6, &time)) {
        return NUMBER_UNSURE;
    }
    *value = ((time.hour * 60 + time.minute) * INT64_C(60) + time.second) * 1000000 +
             time.nanosecond / 1000;
    return NUMBER_OK;
}

/* ---- dates with times ---- */

static inline bool
is_between(uint8_t separator)
{
    return separator == 'T' || separator == ' ';
}

number_status
number_datetime(const uint8_t *text, size_t length, number_datetime_value *value)
{
    number_date_value date;
    clock_time time;
    if (length < 16 || !is_between(text[10]) || !take_date(text, &date) ||
        !take_time(text + 11, length - 11, 6, &time)) {
        return NUMBER_UNSURE;
    }
    *value = (number_datetime_value){date, time.hour, time.minute, time.second,
                                     time.nanosecond / 1000};
    return NUMBER_OK;
}

/* Take 'Z', +HH:MM or -HH:MM off the end.  *offset is in seconds.  False if it is wrong. */
static inline bool
take_offset(const uint8_t *text, size_t *length, bool *zoned, int *offset)
{
    *zoned = false;
    *offset = 0;
    if (*length > 16 && text[*length - 1] == 'Z') {
        *length -= 1;
        *zoned = true;
        return true;
    }
    const uint8_t *p = text + *length - 6;
    if (*length < 22 || (p[0] != '+' && p[0] != '-')) {
        return true;
    }
    clock_time time;
    if (!take_time(p + 1, 5, 0, &time)) {
        return false;
    }
    *offset = (time.hour * 60 + time.minute) * (p[0] == '-' ? -60 : 60);
    *length -= 6;
    *zoned = true;
    return true;
}

number_status
number_timestamp(const uint8_t *text, size_t length, number_timestamp_value *value)
{
    number_date_value date;
    clock_time time = {0};
    bool zoned;
    int offset;
    if (length < 10 || !take_date(text, &date) ||
        !take_offset(text, &length, &zoned, &offset)) {
        return NUMBER_UNSURE;
    }
    if (length != 10 &&
        (!is_between(text[10]) || !take_time(text + 11, length - 11, 9, &time))) {
        return NUMBER_UNSURE;
    }
    value->seconds = number_days(&date) * INT64_C(86400) +
                     (time.hour * 60 + time.minute) * 60 + time.second - offset;
    value->nanosecond = time.nanosecond;
    value->zoned = zoned;
    return NUMBER_OK;
}
