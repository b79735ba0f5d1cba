/* Dates are found from days by the calendar's cycle of 400 years, whose years begin in March
 * here, so that the leap day is the last one.
 */
#include "core/spell_time.h"

#include <string.h>

#include "core/spell.h"

#define DAY 86400
#define FIRST_DAY INT64_C(-719162) /* 0001-01-01 */
#define LAST_DAY INT64_C(2932896)  /* 9999-12-31 */
#define LONGEST_DAYS INT64_C(999999999)

static int64_t
floor_divide(int64_t number, int64_t by)
{
    int64_t quotient = number / by;
    return quotient - (number % by < 0);
}

spell_moment
spell_moment_of(int64_t count, int64_t per_second)
{
    int64_t seconds = floor_divide(count, per_second);
    int64_t rest = count - seconds * per_second;
    return (spell_moment){seconds, (uint32_t)(rest * (1000000000 / per_second))};
}

/* Write a number with that many digits, and return where it ends. */
static char *
write_padded(uint32_t number, int digits, char *text)
{
    for (int i = digits - 1; i >= 0; i--) {
        text[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return text + digits;
}

static char *
write_clock(uint32_t second, char *text)
{
    text = write_padded(second / 3600, 2, text);
    *text++ = ':';
    text = write_padded(second / 60 % 60, 2, text);
    *text++ = ':';
    return write_padded(second % 60, 2, text);
}

/* Write ".000001", ".000000001", or nothing if there is nothing after the second. */
static char *
write_fraction(uint32_t nanoseconds, char *text)
{
    if (nanoseconds == 0) {
        return text;
    }
    *text++ = '.';
    return nanoseconds % 1000 == 0 ? write_padded(nanoseconds / 1000, 6, text)
                                   : write_padded(nanoseconds, 9, text);
}

static char *
write_date(int64_t days, char *text)
{
    uint32_t day = (uint32_t)(days - FIRST_DAY) + 306; /* since 0000-03-01 */
    uint32_t cycle = day / 146097;
    day %= 146097;
    uint32_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    uint32_t month = (5 * day + 2) / 153; /* since March */
    day -= (153 * month + 2) / 5;
    year += 400 * cycle + (month >= 10);
    text = write_padded(year, 4, text);
    *text++ = '-';
    text = write_padded(month < 10 ? month + 3 : month - 9, 2, text);
    *text++ = '-';
    return write_padded(day + 1, 2, text);
}

static bool
is_date(int64_t days)
{
    return days >= FIRST_DAY && days <= LAST_DAY;
}

size_t
spell_date(int64_t days, char *text)
{
    return is_date(days) ? (size_t)(write_date(days, text) - text) : 0;
}

size_t
spell_time(spell_moment moment, char *text)
{
    int64_t second = moment.seconds - floor_divide(moment.seconds, DAY) * DAY;
    char *at = write_clock((uint32_t)second, text);
    at = write_fraction(moment.nanoseconds / 1000 * 1000, at);
    return (size_t)(at - text);
}

static char *
write_offset(int offset, char *text)
{
    *text++ = offset < 0 ? '-' : '+';
    uint32_t second = (uint32_t)(offset < 0 ? -offset : offset);
    char *end = write_clock(second, text);
    return second % 60 == 0 ? end - 3 : end;
}

size_t
spell_timestamp(spell_moment moment, bool has_zone, int offset, char *text)
{
    int64_t days = floor_divide(moment.seconds, DAY);
    if (!is_date(days)) {
        return 0;
    }
    int64_t second = moment.seconds - days * DAY + offset;
    int64_t over = floor_divide(second, DAY);
    days += over;
    second -= over * DAY;
    if (!is_date(days)) {
        return 0;
    }
    char *at = write_date(days, text);
    *at++ = ' ';
    at = write_clock((uint32_t)second, at);
    at = write_fraction(moment.nanoseconds, at);
    if (has_zone) {
        at = write_offset(offset, at);
    }
    return (size_t)(at - text);
}

size_t
spell_timedelta(spell_moment length, char *text)
{
    int64_t days = floor_divide(length.seconds, DAY);
    uint32_t second = (uint32_t)(length.seconds - days * DAY);
    if (days < -LONGEST_DAYS || days > LONGEST_DAYS) {
        return 0;
    }
    char *at = text;
    if (days != 0) {
        at += spell_int(days, at);
        bool one = days == 1 || days == -1;
        memcpy(at, " days, ", 7);
        if (one) {
            memcpy(at, " day, ", 6);
        }
        at += one ? 6 : 7;
    }
    if (second < 36000) { /* the hour has no zero before it */
        char clock[8];
        write_clock(second, clock);
        memcpy(at, clock + 1, 7);
        at += 7;
    }
    else {
        at = write_clock(second, at);
    }
    return (size_t)(write_fraction(length.nanoseconds / 1000 * 1000, at) - text);
}

size_t
spell_pandas_timedelta(spell_moment length, char *text)
{
    int64_t days = floor_divide(length.seconds, DAY);
    char *at = text + spell_int(days, text);
    memcpy(at, " days +", 7);
    at += days < 0 ? 7 : 6;
    at = write_clock((uint32_t)(length.seconds - days * DAY), at);
    return (size_t)(write_fraction(length.nanoseconds, at) - text);
}
