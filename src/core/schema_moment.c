/* While a column may be one of dates, its values are kept as days, and moments have only what
 * is no date.  A text of date.fromisoformat() is one of datetime.fromisoformat() too, and
 * means midnight.
 */
#include "core/schema_moment.h"

#include "core/digits.h"
#include "core/number_moment.h"
#include "core/schema_number.h"

#define DAY INT64_C(86400000000) /* microseconds */

typedef enum { YES, NO, ASK } answer;

static bool
are_digits(const uint8_t *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i])) {
            return false;
        }
    }
    return true;
}

/* YYYYMMDD is read as YYYY-MM-DD. */
static answer
read_short_date(const uint8_t *text, int64_t *days)
{
    uint8_t spelled[10] = {text[0], text[1], text[2], text[3], '-',
                           text[4], text[5], '-',     text[6], text[7]};
    number_date_value date;
    if (number_date(spelled, sizeof spelled, &date) != NUMBER_OK) {
        return NO;
    }
    *days = number_days(&date);
    return YES;
}

static answer
read_date(const uint8_t *text, size_t length, int64_t *days)
{
    number_date_value date;
    if (length == 10 && number_date(text, length, &date) == NUMBER_OK) {
        *days = number_days(&date);
        return YES;
    }
    if (length == 8 && are_digits(text, 8)) {
        return read_short_date(text, days);
    }
    /* Each spelling begins with a year and has 7, 8 or 10 characters. */
    return length < 7 || length > 10 || !are_digits(text, 4) ? NO : ASK;
}

static answer
read_time(const uint8_t *text, size_t length, int64_t *time)
{
    if (number_time(text, length, time) == NUMBER_OK) {
        return YES;
    }
    if ((length == 2 || length == 4 || length == 6) && are_digits(text, length)) {
        uint8_t spelled[8] = {text[0], text[1], ':', '0', '0', ':', '0', '0'};
        for (size_t i = 2; i < length; i++) {
            spelled[i + i / 2] = text[i];
        }
        if (number_time(spelled, 8, time) == NUMBER_OK) {
            return YES;
        }
    }
    /* Each spelling begins with two digits, with or without a T before them. */
    return length < 2 || (!is_digit(text[0]) && text[0] != 'T') ? NO : ASK;
}

static answer
read_moment(const uint8_t *text, size_t length, int64_t *moment, bool *zoned)
{
    number_timestamp_value value;
    if (number_timestamp(text, length, &value) == NUMBER_OK) {
        *moment = value.seconds * 1000000 + value.nanosecond / 1000;
        *zoned = value.zoned;
        return YES;
    }
    return length < 7 || !are_digits(text, 4) ? NO : ASK;
}

/* Ask Python where the machine is not sure.  SCHEMA_FINE with *found. */
static schema_status
settle(schema *self, schema_type type, const uint8_t *text, size_t length, answer *found,
       int64_t *value, bool *zoned)
{
    schema_answer given = {0};
    if (*found != ASK) {
        return SCHEMA_FINE;
    }
    if (self->ask == NULL) {
        return SCHEMA_STOPPED;
    }
    schema_verdict verdict = self->ask(self->context, type, text, length, &given);
    *found = verdict == SCHEMA_YES ? YES : NO;
    *value = given.value;
    *zoned = given.zoned;
    return verdict == SCHEMA_RAISED ? SCHEMA_FAILED : SCHEMA_FINE;
}

static bool
has_moments(const schema_column *column)
{
    return column->dates.any || column->moments.any;
}

static bool
add_moment(schema_column *column, int64_t moment, bool zoned)
{
    if (has_moments(column) && column->zoned != zoned) {
        return false;
    }
    column->zoned = zoned;
    schema_range_add(&column->moments, moment);
    return true;
}

void
schema_moment_drop_dates(schema_column *column)
{
    if (column->dates.any) {
        schema_range_add(&column->moments, column->dates.least * DAY);
        schema_range_add(&column->moments, column->dates.greatest * DAY);
        column->zoned = false;
    }
}

bool
schema_moment_differs(const schema_column *a, const schema_column *b)
{
    return has_moments(a) && has_moments(b) && a->zoned != b->zoned;
}

schema_status
schema_moment_add(schema *self, schema_column *column, const uint8_t *text, size_t length,
                  uint32_t *not_of)
{
    int64_t days = 0, time = 0, moment = 0;
    bool zoned = false;
    answer found = NO;
    schema_status status = SCHEMA_FINE;
    *not_of = 0;
    if (column->alive & SCHEMA_BIT(SCHEMA_TIME)) {
        found = read_time(text, length, &time);
        status = settle(self, SCHEMA_TIME, text, length, &found, &time, &zoned);
        if (found == YES) {
            schema_range_add(&column->times, time);
        }
        else if (found == NO) {
            *not_of |= SCHEMA_BIT(SCHEMA_TIME);
        }
    }
    if (status == SCHEMA_FINE && column->alive & SCHEMA_BIT(SCHEMA_DATE)) {
        found = read_date(text, length, &days);
        status = settle(self, SCHEMA_DATE, text, length, &found, &days, &zoned);
        if (found == YES) {
            schema_range_add(&column->dates, days);
            return status;
        }
        if (found == NO) {
            *not_of |= SCHEMA_BIT(SCHEMA_DATE);
        }
    }
    if (status == SCHEMA_FINE && column->alive & SCHEMA_BIT(SCHEMA_DATETIME)) {
        found = read_moment(text, length, &moment, &zoned);
        status = settle(self, SCHEMA_DATETIME, text, length, &found, &moment, &zoned);
        if (found == NO || (found == YES && !add_moment(column, moment, zoned))) {
            *not_of |= SCHEMA_BIT(SCHEMA_DATETIME);
        }
    }
    return status;
}
