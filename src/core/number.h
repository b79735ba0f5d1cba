/* Text -> integer, double, date, datetime or bool; or "not sure".
 *
 * An accepted text has exactly the value that int(), float(), date.fromisoformat() or
 * datetime.fromisoformat() of CPython 3.11 to 3.15 gives for it.  Only the common spellings
 * are accepted.  Anything rare or wrong is NUMBER_UNSURE, and the caller asks CPython.  For a
 * bool, whose spellings are defined here, NUMBER_UNSURE means that the text is not a bool.
 *
 * The text is ASCII or UTF-8, of any length, without a terminating NUL.  Nothing outside of it
 * is read.  *value is written only with NUMBER_OK.  The functions are stateless and do not
 * depend on the locale or on the machine's rounding mode.
 */
#ifndef GENERATORS_CORE_NUMBER_H
#define GENERATORS_CORE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    NUMBER_OK = 0,
    NUMBER_UNSURE = 1,
} number_status;

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

/* An optional sign and 1 to 18 digits, with ASCII whitespace around allowed. */
number_status number_int(const uint8_t *text, size_t length, int64_t *value);

/* An optional sign, digits, an optional point and an optional exponent, with ASCII whitespace
   around allowed.  There may be at most 19 digits from the first nonzero one on, and the last
   of them must be worth 10^-65 to 10^65.  Exactly rounded. */
number_status number_double(const uint8_t *text, size_t length, double *value);

/* YYYY-MM-DD. */
number_status number_date(const uint8_t *text, size_t length, number_date_value *value);

/* YYYY-MM-DD, then 'T' or a space, then HH:MM, HH:MM:SS, HH:MM:SS.fff or HH:MM:SS.ffffff; no
   time zone. */
number_status number_datetime(const uint8_t *text, size_t length,
                              number_datetime_value *value);

/* true/false, t/f, yes/no or 1/0, in upper or lower case. */
number_status number_bool(const uint8_t *text, size_t length, bool *value);

#endif
