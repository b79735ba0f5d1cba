/* Text -> integer, double, date, datetime or bool; or "not sure".
 *
 * What is accepted has exactly the value that CPython 3.11 to 3.15 gives for
 * int(), float(), date.fromisoformat() and datetime.fromisoformat() of the
 * same text.  Only the common spellings are accepted: anything rare and
 * anything wrong is NUMBER_UNSURE, and CPython decides.  For a bool, whose
 * spellings are our own, NUMBER_UNSURE means that it is none.
 *
 * Text is ASCII or UTF-8, of any length, with no NUL behind it; not a byte
 * outside it is read.  *value is written only with NUMBER_OK.  Stateless;
 * neither the locale nor the rounding mode of the machine matters.
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

/* A sign or none and 1 to 18 digits, in ASCII whitespace or none. */
number_status number_int(const uint8_t *text, size_t length, int64_t *value);

/* A sign or none, digits with a point or none, an exponent or none, in ASCII
   whitespace or none; at most 19 digits from the first that is not zero, the
   last of them worth 10^-65 to 10^65.  Exactly rounded. */
number_status number_double(const uint8_t *text, size_t length, double *value);

/* YYYY-MM-DD. */
number_status number_date(const uint8_t *text, size_t length, number_date_value *value);

/* YYYY-MM-DD, 'T' or a space, and HH:MM, HH:MM:SS, HH:MM:SS.fff or
   HH:MM:SS.ffffff; no zone. */
number_status number_datetime(const uint8_t *text, size_t length,
                              number_datetime_value *value);

/* true/false, t/f, yes/no or 1/0, in any case. */
number_status number_bool(const uint8_t *text, size_t length, bool *value);

#endif
