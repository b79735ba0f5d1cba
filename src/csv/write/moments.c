/* Dates, times and datetimes of Python as text, without a str between.
 *
 * Only the standard library's own classes are written here, and only without code of the
 * user's: a time zone is UTC, or the caller asks str().
 */
#include "csv/write/moments.h"

#include <datetime.h>
#include <string.h>

#include "csv/row/library.h"

/* Write a number with that many digits, and return where it ends. */
static char *
write_digits(char *text, int number, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        text[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return text + digits;
}

static char *
write_date(char *text, PyObject *date)
{
    text = write_digits(text, PyDateTime_GET_YEAR(date), 4);
    *text++ = '-';
    text = write_digits(text, PyDateTime_GET_MONTH(date), 2);
    *text++ = '-';
    return write_digits(text, PyDateTime_GET_DAY(date), 2);
}

static char *
write_time(char *text, int hour, int minute, int second, int microsecond)
{
    text = write_digits(text, hour, 2);
    *text++ = ':';
    text = write_digits(text, minute, 2);
    *text++ = ':';
    text = write_digits(text, second, 2);
    if (microsecond > 0) {
        *text++ = '.';
        text = write_digits(text, microsecond, 6);
    }
    return text;
}

static char *
write_datetime(char *text, PyObject *value, char between)
{
    text = write_date(text, value);
    *text++ = between;
    return write_time(text, PyDateTime_DATE_GET_HOUR(value), PyDateTime_DATE_GET_MINUTE(value),
                      PyDateTime_DATE_GET_SECOND(value),
                      PyDateTime_DATE_GET_MICROSECOND(value));
}

/* Whether a value may be of a class of the datetime module. */
static bool
is_candidate(PyObject *value)
{
    static const char module[] = "datetime.";
    return strncmp(Py_TYPE(value)->tp_name, module, sizeof module - 1) == 0;
}

Py_ssize_t
csv_moment_text(generators_state *state, PyObject *value, char between, char *text)
{
    if (!is_candidate(value)) {
        return 0;
    }
    (void)PyDateTimeAPI; /* a static of the header, not used here */
    if (state->datetime_api == NULL && csv_import_dates(state) < 0) {
        return -1;
    }
    PyDateTime_CAPI *api = state->datetime_api;
    if (api == NULL) { /* an interpreter without the C module */
        return 0;
    }
    PyTypeObject *type = Py_TYPE(value);
    if (type == api->DateType) {
        return write_date(text, value) - text;
    }
    if (type == api->TimeType && PyDateTime_TIME_GET_TZINFO(value) == Py_None) {
        return write_time(text, PyDateTime_TIME_GET_HOUR(value),
                          PyDateTime_TIME_GET_MINUTE(value), PyDateTime_TIME_GET_SECOND(value),
                          PyDateTime_TIME_GET_MICROSECOND(value)) -
               text;
    }
    PyObject *zone = type == api->DateTimeType ? PyDateTime_DATE_GET_TZINFO(value) : NULL;
    if (zone != Py_None && (zone == NULL || zone != api->TimeZone_UTC)) {
        return 0;
    }
    char *end = write_datetime(text, value, between);
    if (zone != Py_None) {
        memcpy(end, "+00:00", 6);
        end += 6;
    }
    return end - text;
}
