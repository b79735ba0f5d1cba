/* What csv_schema() asks Python about a text. */
#ifndef GENERATORS_CSV_SCHEMA_ASK_H
#define GENERATORS_CSV_SCHEMA_ASK_H

#include "csv/schema/survey.h"

/* A schema_ask; the context is a csv_survey.  It calls survey->ask(type, text), which returns
   None if the text is no such value; or else
       for a number, the number in plain ASCII, as a str;
       for a date, the days since 1970; for a time, the microseconds of the day;
       for a datetime, the microseconds since 1970 and whether it has a zone, as a tuple. */
schema_verdict csv_survey_ask(void *context, schema_type type, const uint8_t *text,
                              size_t length, schema_answer *answer);

#endif
