/* csv_survey: pieces in, what the columns hold out.
 *
 * The machine behind csv_schema(), as csv_batcher is the one behind csv_batches(): it never
 * asks for data, but returns CSV_MORE.
 */
#ifndef GENERATORS_CSV_SCHEMA_SURVEY_H
#define GENERATORS_CSV_SCHEMA_SURVEY_H

#include "core/schema.h"
#include "csv/batches/batcher.h"
#include "csv/schema/ask.h"

typedef struct {
    csv_batcher reading; /* its arguments, its records, and how it reads fields and nulls */
    csv_schema_asker asker;
    schema_layout layout;
    schema machine;
    schema *piece;      /* borrowed: what a thread found in all records at hand; or NULL */
    bool opened;        /* the machine is open: the number of columns is known */
    bool refuses_short; /* too few fields, or too many, are a fault */
    bool refuses_long;
} csv_survey;

/* Add all records that there are.  CSV_OVER when every record was added and the texts of the
   machine are complete. */
csv_step csv_survey_next(csv_survey *self, generators_state *state);

/* Release all but what csv_batcher_release() keeps; and release all. */
void csv_survey_release(csv_survey *self);
void csv_survey_clear(csv_survey *self);
int csv_survey_traverse(csv_survey *self, visitproc visit, void *arg);

#endif
