/* Dates and times by a format of strptime(); see convert.h. */
#ifndef GENERATORS_CORE_CONVERT_MOMENT_H
#define GENERATORS_CORE_CONVERT_MOMENT_H

#include "core/convert.h"

/* Make the steps of a format, whose bytes the rule borrows.  Sets rule->kind, from the parts
   that it names, and rule->asks.  `english`: months, AM and PM are named so by the locale.
   False if no part of a date or time is named. */
bool convert_read_format(convert_rule *rule, const uint8_t *format, size_t length,
                         bool english);

/* Read a text by a rule of CONVERT_DATE, CONVERT_DATETIME or CONVERT_TIME.  Parts that its
   format does not name are those of 1900-01-01 00:00.  What is accepted has the value that
   datetime.strptime() of CPython 3.11 to 3.15 gives. */
number_status convert_moment(const convert_rule *rule, const uint8_t *text, size_t length,
                             number_datetime_value *value);

#endif
