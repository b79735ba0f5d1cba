/* Numbers: what is not left to the interpreter is what strtod() and strtoll() say. */
#include "core/number.h"
#include "core/number_moment.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>

#include "fuzz.h"

static void
check_double(const uint8_t *text, size_t length, const char *copy)
{
    double value;
    if (number_double(text, length, &value) != NUMBER_OK) {
        return;
    }
    char *end;
    double expected = strtod(copy, &end);
    while (isspace((unsigned char)*end)) {
        end++;
    }
    CHECK(end == copy + length);
    CHECK(memcmp(&value, &expected, sizeof value) == 0);
}

static void
check_int(const uint8_t *text, size_t length, const char *copy)
{
    int64_t value;
    if (number_int(text, length, &value) != NUMBER_OK) {
        return;
    }
    char *end;
    errno = 0;
    long long expected = strtoll(copy, &end, 10);
    while (isspace((unsigned char)*end)) {
        end++;
    }
    CHECK(end == copy + length && errno == 0);
    CHECK(value == expected);
}

static bool
is_date(const number_date_value *v)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = v->year % 4 == 0 && (v->year % 100 != 0 || v->year % 400 == 0);
    return v->year >= 1 && v->year <= 9999 && v->month >= 1 && v->month <= 12 && v->day >= 1 &&
           v->day <= days[v->month - 1] + (leap && v->month == 2);
}

/* The text of a date is the date, written out. */
static void
check_date(const uint8_t *text, size_t length)
{
    number_date_value date;
    number_datetime_value t;
    char spelled[64];
    if (number_date(text, length, &date) == NUMBER_OK) {
        CHECK(is_date(&date) && length == 10);
        snprintf(spelled, sizeof spelled, "%04d-%02d-%02d", date.year, date.month, date.day);
        CHECK(memcmp(spelled, text, 10) == 0);
    }
    if (number_datetime(text, length, &t) == NUMBER_OK) {
        CHECK(is_date(&t.date) && t.hour >= 0 && t.hour < 24 && t.minute >= 0 &&
              t.minute < 60);
        CHECK(t.second >= 0 && t.second < 60 && t.microsecond >= 0 && t.microsecond < 1000000);
        snprintf(spelled, sizeof spelled, "%04d-%02d-%02d%c%02d:%02d:%02d.%06d", t.date.year,
                 t.date.month, t.date.day, text[10], t.hour, t.minute, t.second,
                 t.microsecond);
        CHECK(length <= 26 && memcmp(spelled, text, length) == 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 200 || memchr(data, 0, size) != NULL) {
        return 0;
    }
    uint8_t *text = copy_of(data, size);
    char *copy = allocate(size + 1);
    memcpy(copy, text, size);
    copy[size] = '\0';
    check_double(text, size, copy);
    check_int(text, size, copy);
    check_date(text, size);
    bool is;
    (void)number_bool(text, size, &is);
    free(copy);
    free(text);
    return 0;
}
