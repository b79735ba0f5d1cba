/* What csv_schema() asks Python about a text. */
#ifndef GENERATORS_CSV_SCHEMA_ASK_H
#define GENERATORS_CSV_SCHEMA_ASK_H

#include "core/schema_types.h"
#include "state.h"

typedef struct {
    PyObject *ask;      /* owned: called with a type and a text, see below; or NULL */
    PyObject *answered; /* owned: the last number that it returned, as bytes; or NULL */
} csv_schema_asker;

/* A schema_ask; the context is a csv_schema_asker.  It calls ask(type, text), which returns
   None if the text is no such value; or else for a number, the number in plain ASCII, as a
   str; for a date, the days since 1970; for a time, the microseconds of the day; for a
   datetime, the microseconds since 1970 and whether it has a zone, as a tuple. */
schema_verdict csv_schema_ask(void *context, schema_type type, const uint8_t *text,
                              size_t length, schema_answer *answer);

#endif
